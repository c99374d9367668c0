"""The bot as people run it: connected to Slack and Redis, driven by commands and clicks alone."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.doctor import host_findings
from bot.render import CANCEL, EXECUTE
from bot.rights import hashed, of_bot, of_host
from bot.scopes import FOR_USER_GROUPS, NEXT_STEP, SCOPES
from tests.service.bot_stage import Stage, answered, bot_process, now, terminated, wait_until
from tests.stage.redis import free_port
from tests.unit.bot_values import plan_failed
from workers.reasons import Code, reason


@pytest.fixture
def bot(stage: Stage) -> Iterator[None]:
    with stage.bot():
        yield


def test_preview_confirm_report(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan()

    stage.slack.click("bo", stage.ready_root(), EXECUTE)
    stage.host().execute(made)

    root = stage.root("Pruned 200 MB on web-1.")
    stage.slack.wait_for(lambda: len(stage.slack.thread("ops", root.ts)) == 6, 180, what="the whole thread")
    assert stage.slack.violations == ()
    assert stage.host().acknowledged == "ledger-1:6"


def test_s11_two_people_press_at_once_and_one_order_goes_out(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan()
    root = stage.ready_root()

    with ThreadPoolExecutor(2) as pool:
        for user in ("ana", "bo"):
            pool.submit(stage.slack.click, user, root, EXECUTE)
    stage.host().execute(made)
    stage.root("Pruned")

    answers = [
        m for user in ("ana", "bo") for m in stage.slack.ephemerals(user) if "Already confirmed" in m.plain
    ]
    assert len(answers) == 1
    assert stage.host().queued == 0


def test_execute_shows_the_standing_plan_to_the_asker_and_takes_the_press_there(
    stage: Stage, bot: None
) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan()
    root = stage.ready_root()

    stage.slack.command("bo", "ops", "/prune execute web-1")
    stage.slack.click("bo", stage.told("bo", "Prune 200 MB on web-1?"), EXECUTE)
    stage.host().execute(made)

    stage.root("Pruned")
    assert stage.told("bo", "Taken.").controls == ()
    assert [m.ts for m in stage.roots()] == [root.ts]


def test_s12_who_may_not_press_reads_who_may(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()

    stage.slack.click("cy", stage.ready_root(), EXECUTE)

    assert "@ana" in stage.told("cy", "may do this").plain
    assert stage.host().queued == 0


def test_a_late_click_is_answered(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    root = stage.ready_root()
    stage.slack.click("ana", root, CANCEL)
    stage.root("Cancelled")

    stage.slack.click("bo", root, EXECUTE)

    assert stage.told("bo", "Already cancelled")
    assert stage.host().queued == 0


def test_a_channel_that_does_not_let_the_bot_in_is_said_to_need_an_invitation(
    stage: Stage, bot: None
) -> None:
    stage.slack.remove_bot("ops")

    stage.slack.command("ana", "ops", "/prune preview web-1")
    said = stage.told("ana", "not a member")
    stage.slack.invite_bot("ops")

    assert "Invite it" in said.plain
    assert stage.root("web-1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("preview web-9", 'No host is called "web-9"'),
        ("previw", "/prune preview"),
        ("preview --only volumes", "Volumes are never removed"),
        ("execute", "Execute needs to know where"),
        ("help", "/prune preview"),
    ],
)
def test_what_is_not_understood_is_answered_to_the_asker_alone(
    stage: Stage, bot: None, text: str, words: str
) -> None:
    stage.slack.command("ana", "ops", f"/prune {text}")

    assert stage.told("ana", words)
    assert stage.roots() == ()
    assert [host.queued for host in stage.hosts.values()] == [0, 0]


def test_the_acknowledgement_comes_before_any_call(stage: Stage, bot: None) -> None:
    stage.slack.fail_next("*", status="timeout", times=3)

    delivery = stage.slack.command("ana", "ops", "/prune preview web-1")

    assert delivery.outcome == "acked"
    stage.slack.go_away()


def test_an_unreachable_queue_is_said_in_slack(stage: Stage, bot: None) -> None:
    stage.server.stop()

    stage.slack.command("ana", "ops", "/prune preview web-1")

    wait_until(lambda: "queue does not answer" in stage.root().plain, what="the queue's trouble")
    stage.server.start()
    stage.host().answer_with_plan()
    assert stage.ready_root()


def test_a_restart_goes_on_where_it_was(stage: Stage) -> None:
    with stage.bot():
        stage.slack.command("ana", "ops", "/prune preview web-1")
        stage.root("web-1")
    made = stage.host().answer_with_plan()
    with stage.bot():
        stage.slack.click("bo", stage.ready_root(), EXECUTE)
        stage.host().execute(made)
        stage.root("Pruned")

    assert len(stage.roots()) == 1


def test_s14_the_end_of_a_request_appears_when_slack_is_back(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan()
    stage.slack.click("bo", stage.ready_root(), EXECUTE)
    wait_until(lambda: stage.host().queued, what="the order")
    stage.slack.go_away()
    stage.host().execute(made)
    wait_until(lambda: stage.host().acknowledged == "ledger-1:6", what="the report at the bot")

    stage.slack.come_back()

    assert stage.root("Pruned 200 MB on web-1.")


def test_a_bot_that_starts_before_redis_waits_for_it(stage: Stage) -> None:
    stage.server.stop()
    with stage.bot():
        stage.server.start()
        stage.slack.command("ana", "ops", "/prune preview web-1")
        stage.host().answer_with_plan()

        assert stage.ready_root()


def test_a_bot_that_starts_before_slack_waits_for_it(stage: Stage) -> None:
    stage.slack.go_away()
    process = bot_process(stage)
    line = process.stderr.readline() if process.stderr else ""

    stage.slack.come_back()
    stage.slack.wait_for_connection(20)

    assert "tried again" in line
    assert terminated(process)[0] == 0


def test_the_process_says_when_it_is_ready_and_ends_when_told(stage: Stage) -> None:
    process = bot_process(stage)
    stage.slack.wait_for_connection(20)
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    stage.ready_root()

    code, _, log = terminated(process)

    assert code == 0
    assert "Traceback" not in log
    assert not [line for line in log.splitlines() if stage.slack.bot_token in line or "2026" not in line[:4]]


def test_a_second_bot_on_one_state_folder_is_refused(stage: Stage) -> None:
    first = bot_process(stage)
    stage.slack.wait_for_connection(20)

    _, said = bot_process(stage).communicate(timeout=20)

    assert "another bot works with" in said
    assert terminated(first)[0] == 0


def test_a_missing_scope_is_named(stage: Stage) -> None:
    stage.slack.revoke_scope("files:write")

    process = bot_process(stage)
    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert f"the Slack app lacks these scopes: files:write ({SCOPES['files:write']}); {NEXT_STEP}." in said
    assert "chat:write" not in said


def test_a_missing_scope_without_which_it_works_is_said_when_it_starts(stage: Stage, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        f'[group.all]\nhosts = ["*"]\n[[group.all.allow]]\nchannels = ["{stage.channel}"]\n'
        f'execute = ["{stage.slack.group_id("docker-admins")}"]\n'
    )
    stage.slack.revoke_scope("usergroups:read")
    named = {"PRUNE_CHANNELS": "", "PRUNE_APPROVERS": "", "PRUNE_RULES": str(rules)}

    process = bot_process(stage, **named)
    stage.slack.wait_for_connection(20)
    code, _, said = terminated(process)

    assert code == 0
    assert f"scope usergroups:read: missing, needed {SCOPES['usergroups:read']}; {NEXT_STEP}" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_BOT_TOKEN", ""),
        ("REDIS_URL", ""),
        ("PORT", "x"),
        ("PRUNE_CHANNELS", "#ops"),
        ("REDIS_URL", "nowhere"),
    ],
)
def test_a_missing_or_wrong_setting_is_named(stage: Stage, name: str, value: str) -> None:
    process = bot_process(stage, **{name: value})
    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert name in said


def test_a_token_that_slack_does_not_know_is_said(stage: Stage) -> None:
    process = bot_process(stage, SLACK_BOT_TOKEN="xoxb-wrong")
    _, said = process.communicate(timeout=20)

    assert process.returncode == 2
    assert "SLACK_BOT_TOKEN is not taken by Slack" in said
    assert "xoxb-wrong" not in said


def test_signed_http_serves_commands_and_its_health(stage: Stage) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = bot_process(
        stage, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=stage.slack.signing_secret, PORT=str(port)
    )
    wait_until(lambda: answered(f"{url}/healthz") == (200, "ok\n"), what="a healthy bot")
    stage.slack.deliver_to(f"{url}/slack/events")

    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    forged = answered(f"{url}/slack/events", body=b"command=/prune&text=help")

    assert stage.ready_root()
    assert forged[0] == 401
    stage.server.stop()
    wait_until(lambda: answered(f"{url}/healthz")[0] == 503, what="an unhealthy bot")
    assert "Redis cannot be read" in answered(f"{url}/healthz")[1]
    assert terminated(process)[0] == 0


def test_keys_are_made_once_and_hosts_are_told_what_they_need(stage: Stage, tmp_path: Path) -> None:
    fresh = str(tmp_path / "fresh")

    made, _ = bot_process(stage, "keys", PRUNE_STATE_DIR=fresh).communicate(timeout=20)
    again, _ = bot_process(stage, "keys", PRUNE_STATE_DIR=fresh).communicate(timeout=20)
    added, _ = bot_process(
        stage, "hosts", "add", "web-7", PRUNE_STATE_DIR=fresh, REDIS_URL="redis://:secret@redis:6379/0"
    ).communicate(timeout=20)
    listed, _ = bot_process(stage, "hosts", "list", PRUNE_STATE_DIR=fresh).communicate(timeout=20)

    key_line = made.splitlines()[-1]
    assert key_line.startswith("PRUNE_BOT_KEYS=")
    assert again.splitlines() == [f"{key_line.partition('=')[2].partition(':')[0]}\tsigns", key_line]
    assert "secret" not in added
    assert [line for line in added.splitlines() if not line.startswith("# ")] == [
        "PRUNE_HOST=web-7",
        "REDIS_URL=redis://prune-host-web-7@redis:6379/0",
        "PRUNE_REDIS_PASSWORD_FILE=/etc/safe-prune/redis-password",
        key_line,
    ]
    assert added.splitlines()[-1] == f"# {of_host('web-7').line()}"
    assert listed == "web-7\tnever\n"
    assert (tmp_path / "fresh" / "signing.key").stat().st_mode & 0o777 == 0o600


def test_what_is_not_known_yet_is_no_line_to_paste(stage: Stage, tmp_path: Path) -> None:
    """A worker.env made of the output must not send a worker to a Redis that does not exist."""
    fresh = str(tmp_path / "fresh")
    bot_process(stage, "keys", PRUNE_STATE_DIR=fresh).communicate(timeout=20)

    added, _ = bot_process(stage, "hosts", "add", "web-7", PRUNE_STATE_DIR=fresh, REDIS_URL="").communicate(
        timeout=20
    )

    assert "# REDIS_URL=redis://prune-host-web-7@REDIS:6379/0" in added.splitlines()
    assert not any(line.startswith("REDIS_URL") for line in added.splitlines())


def test_the_line_for_redis_holds_the_hash_of_the_password(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("sw0rdfish\n")

    asked = (("acl", "web-7", "--password-file", str(file)), ("acl", "--bot"))
    lines = [bot_process(stage, *words).communicate(timeout=20)[0] for words in asked]

    assert lines == [f"{of_host('web-7').line(hashed('sw0rdfish'))}\n", f"{of_bot().line()}\n"]
    assert "sw0rdfish" not in lines[0]


def test_doctor_says_what_is_there_and_what_is_missing(stage: Stage) -> None:
    stage.host("web-1").beat()
    process = bot_process(stage, "doctor")
    said, _ = process.communicate(timeout=30)
    found = dict(line.split("  ", 1)[1].strip().split(": ", 1) for line in said.splitlines())

    assert process.returncode == 1
    assert found["Redis maxmemory-policy"] == "noeviction (noeviction is needed)"
    assert found["Redis append-only file"] == "on"
    assert found[f"channel {stage.channel}"] == "joined"
    assert found["host web-1"] == "worker 0.1.0, idle"
    assert found["host web-2"].startswith("gives no sign of life")
    assert json.dumps(said).count("MISSING") == 1
    assert "scope users:read" in found
    # The rules name no user group.
    assert f"scope {FOR_USER_GROUPS}" not in found


@pytest.mark.parametrize(
    ("is_archived", "says"), [(True, "archived; unarchive"), (False, "the bot is not in it")]
)
def test_doctor_tells_a_channel_that_it_cannot_write_in(stage: Stage, is_archived: bool, says: str) -> None:
    stage.slack.revoke_scope("files:write")
    stage.slack.archive("ops", is_archived) if is_archived else stage.slack.remove_bot("ops")
    said, _ = bot_process(stage, "doctor").communicate(timeout=30)
    found = dict(line.split("  ", 1)[1].strip().split(": ", 1) for line in said.splitlines())

    assert found[f"channel {stage.channel}"].startswith(says)
    assert found["scope files:write"] == f"missing, needed {SCOPES['files:write']}; {NEXT_STEP}"
    assert found["scope chat:write"] == "granted"


def test_doctor_tells_what_a_host_says_of_itself(stage: Stage) -> None:
    stage.host("web-1").beat(reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="not TOML"))
    [found] = host_findings(stage.server.client, ["web-1"], stage.host("web-1").clock(), keys=())

    assert not found.is_good
    assert found.told().startswith("worker 0.1.0, idle. The policy file /etc/policy.toml cannot be used")


@pytest.mark.parametrize(
    ("holding", "is_good", "says"),
    [
        (None, True, "worker 0.1.0, idle"),
        (("new", "old"), True, "worker 0.1.0, idle"),
        (("old",), False, "This host does not hold key new, which the bot signs with, so it obeys nothing."),
        (("new",), False, "It does not hold key old, which does not sign"),
    ],
)
def test_s12_doctor_tells_which_hosts_do_not_hold_the_keys(
    stage: Stage, holding: tuple[str, ...] | None, is_good: bool, says: str
) -> None:
    host = stage.host("web-1")
    host.beat(holding=holding)
    [found] = host_findings(stage.server.client, ["web-1"], host.clock(), keys=("new", "old"))

    assert (found.is_good, says in found.told()) == (is_good, True)


def test_a_host_that_makes_no_plan_does_not_hold_up_the_others(stage: Stage, bot: None) -> None:
    stage.host("web-2").beat()
    stage.slack.command("ana", "ops", "/prune preview")
    stage.host("web-1").answer_with_plan()
    request = stage.host("web-2").take().request_id
    stage.host("web-2").tell(plan_failed("web-2", request=request, at=now()))

    root = stage.ready_root()
    assert root.first_line.startswith("Prune 200 MB on web-1?")
    assert "web-2 made no plan" in root.plain
