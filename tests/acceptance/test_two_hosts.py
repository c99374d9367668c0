"""Two hosts in one request, and two who want the same engine at once."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import CHANNELS
from tests.acceptance.small_host import NO_GRACE, NO_WAITING, litter, litter_all_kinds, small_host
from tests.stage.company import Company, Fill
from tests.stage.lives import PLANTED_SECRET
from tests.stage.member import Member, finished
from tests.stage.processes import MINIMAL, REPOSITORY
from workers.cli.command_line import Exit
from workers.contract import HOST_TEAM

# All that bot and workers write; the engines beside it keep what they were told.
KEPT = ("bot/*", "bot-state/*", "workers/*", "web-?-state/*", "*.jsonl", "acts.csv")


@pytest.fixture(scope="module")
def module_company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    hosts: dict[str, Fill] = {"web-1": small_host, "web-2": small_host}
    policy = NO_WAITING + NO_GRACE
    with Company(stage_place(), hosts, channels=CHANNELS, policy=policy, gated=True) as company:
        yield company


@pytest.fixture
def second(company: Company) -> Member:
    return company.members["web-2"]


def test_one_request_prunes_two_hosts(company: Company, web: Member, second: Member) -> None:
    root = company.ready("web-*")
    company.confirm(root)
    ended = company.ended(root)

    assert root.first_line.startswith("Prune 2.00 MB on 2 hosts?")
    assert ended.first_line == "Pruned 2.00 MB on 2 hosts. All 4 services still run."
    assert [(m.filled.lost(), m.filled.left()) for m in (web, second)] == [([], [])] * 2
    assert [len(m.reports()) for m in (web, second)] == [1, 1]


def test_one_that_fails_does_not_keep_the_other_from_its_work(
    company: Company, web: Member, second: Member
) -> None:
    for member in (web, second):
        litter(member, "partly")
    root = company.ready()
    second.engine.kill()
    company.confirm(root)
    ended = company.ended(root)
    second.engine.start()

    assert "on 1 of 2 hosts" in ended.first_line
    assert "Look at web-2." in ended.first_line
    assert "web-2 refused\n      Refused, nothing was removed." in ended.plain
    assert ["partly" in member.names() for member in (web, second)] == [False, True]


def test_one_that_makes_no_plan_does_not_keep_the_other_from_being_confirmed(
    company: Company, web: Member, second: Member
) -> None:
    litter(web, "alone")
    text = second.policy.read_text()
    second.policy.write_text("nonsense")
    root = company.ready()
    second.policy.write_text(text)
    company.confirm(root)
    company.becomes(root, "Pruned")

    assert "on web-1?" in root.first_line
    assert "web-2 made no plan." in root.plain
    assert "alone" not in web.names()


def test_s11_the_host_itself_has_to_wait_for_a_run_of_the_bots(company: Company, web: Member) -> None:
    litter_all_kinds(web, "bot-first")
    root = company.ready("web-1")
    digest = json.loads(web.cli("preview", "--json").stdout)["digest"]
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        refused = web.cli("execute", "--confirm", digest)
    company.becomes(root, "Pruned")

    assert refused.returncode == Exit.REFUSED
    assert f"Another run holds this engine, confirmed by {company.slack.team_id}/" in refused.stderr


def test_s11_the_bot_has_to_wait_for_a_run_of_the_host_itself(company: Company, web: Member) -> None:
    litter_all_kinds(web, "host-first")
    root = company.ready("web-1")
    digest = json.loads(web.cli("preview", "--json").stdout)["digest"]
    with web.gate.held("DELETE /images/") as hold:
        command = [sys.executable, "-m", "workers", "execute", "--confirm", digest]
        environment = {**MINIMAL, **web.environment}
        with subprocess.Popen(
            command, env=environment, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as local:
            hold.wait_until_reached()
            company.confirm(root)
            ended = company.becomes(root, "web-1 refused, nothing was removed.")
            hold.let_through()
        assert local.returncode == Exit.DONE

    assert "Another run holds this engine, confirmed by cli:" in ended.plain
    assert "under way since" in ended.plain
    assert not any(name.startswith("host-first") for name in web.names())


@dataclass(frozen=True)
class Record:
    """What was written for an auditor after a run on both hosts, and what the comparison said."""

    said: list[str]
    exit_code: int


@pytest.fixture(scope="module")
def record(module_company: Company) -> Record:
    company, members = module_company, module_company.members
    company.channel = company.channels[-1]
    for member in members.values():
        litter(member, "for-the-record")
    company.pruned("web-*")
    files = {name: company.folder / f"{name}-copy.jsonl" for name in members}
    for name, file in files.items():
        file.write_text(members[name].cli("audit", "--json").stdout)
    (company.folder / "acts.csv").write_text(company.run_bot("audit", "export"))
    verify = finished(
        "bot", ["audit", "verify", *map(str, files.values())], {**MINIMAL, **company.environment}
    )
    return Record(verify.stdout.splitlines(), verify.returncode)


def test_after_all_that_the_copies_of_bot_and_hosts_say_the_same(record: Record, web: Member) -> None:
    local = [r for r in web.reports() if r.approver.team == HOST_TEAM]

    with web.ledger() as ledger:
        refused = ledger.rows("SELECT 1 FROM refusals WHERE instr(claims, ?)", f'"team":"{HOST_TEAM}"')

    assert (record.said[-2:], record.exit_code) == (["same        web-1", "same        web-2"], 0)
    assert [line for line in record.said if "executed at the host itself" in line] == [
        f"note        web-1: order {r.order_id} was executed at the host itself by {r.approver.spelled}"
        f" (done, {len(r.outcomes)} of {len(r.outcomes)} removed)"
        for r in local
    ]
    assert sum("was refused at the host itself" in line for line in record.said) == len(refused)


@pytest.mark.usefixtures("record")
def test_s12_no_secret_and_no_environment_is_kept_anywhere(company: Company, web: Member) -> None:
    key = company.signing_key_file
    private = "".join(key.read_text().splitlines()[1:-1])
    secrets = [PLANTED_SECRET, company.slack.bot_token, company.slack.app_token, private]
    found = [path for pattern in KEPT for path in company.folder.glob(pattern)]
    kept = [path for path in found if path.is_file() and path != key]

    planted = json.dumps(web.engine.client.inspect_container("web")["Config"]["Env"])
    assert PLANTED_SECRET in planted
    assert {path.name for path in kept} >= {
        *("bot.sqlite3", "ledger.db", "bot.log", "worker-web-1.log", "acts.csv", "web-1-copy.jsonl")
    }
    assert [
        (path.name, number)
        for path in kept
        for number, secret in enumerate(secrets)
        if secret.encode() in path.read_bytes()
    ] == []
