"""The hazard host: nothing wrongly removed, nothing needlessly left, for the reasons that a table names."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.docker.worker_host import WorkerHost, ended
from tests.stage import hosts
from tests.stage.fates import Fates, Row, fates_on, traits_of
from tests.stage.fixtures import SMALL
from tests.stage.hosts import FilledHost, Score
from workers.contract import Kind, Outcome, Plan, Status, Store, Verdict
from workers.host import Place, opened
from workers.memory.ledger import Ledger
from workers.reasons import Code

SPOTLESS = Score(wrong=(), volumes=(), left=())


@pytest.fixture(scope="module")
def fates(hazard_host: FilledHost) -> Fates:
    return fates_on(traits_of(hazard_host.engine))


@pytest.fixture(scope="module")
def plan(hazard_host: FilledHost, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("worker")
    place = Place("hazard", hazard_host.engine.url, folder / "policy.toml", folder)
    place.policy_file.write_text(hazard_host.policy_toml)
    hazard_host.hand_over_ledger(place.ledger_file)
    with closing(Ledger(place.ledger_file)) as ledger, opened(place, ledger) as host:
        return host.plan(kinds=tuple(Kind), request_id="request-1")


def judged(filled: FilledHost, fates: Fates, plan: Plan) -> Iterator[tuple[Row, Verdict]]:
    """Each verdict beside the row of the table that speaks of its object."""
    rows = {found.id: fates[found.kind, name] for found, name in filled.objects.items()}
    for verdict in plan.verdicts:
        if verdict.object.id in rows:
            yield rows[verdict.object.id], verdict


def test_s4_s8_s9_s10_s16_s17_every_object_has_the_fate_that_the_table_gives_it(
    hazard_host: FilledHost, fates: Fates, plan: Plan
) -> None:
    other = [
        (row.kind, row.name, row.fate, row.trap, [why.code.value for why in verdict.reasons])
        for row, verdict in judged(hazard_host, fates, plan)
        if verdict.keep != (row.fate == "kept")
    ]

    assert other == []


def test_every_object_has_the_reason_that_the_table_names(
    hazard_host: FilledHost, fates: Fates, plan: Plan
) -> None:
    other = [
        (row.kind, row.name, row.code, [why.code.value for why in verdict.reasons])
        for row, verdict in judged(hazard_host, fates, plan)
        if row.code not in {why.code for why in verdict.reasons}
    ]

    assert other == []


def test_the_table_is_met_to_its_last_row(hazard_host: FilledHost, fates: Fates, plan: Plan) -> None:
    met = {(row.kind, row.name) for row, _ in judged(hazard_host, fates, plan)}

    assert met == {key for key, row in fates.items() if row.kind != "volume"}


def test_s9_only_where_the_engine_dropped_what_runs_the_plan_says_that_no_way_back_is_left(
    hazard_host: FilledHost, plan: Plan
) -> None:
    said = [notice.params["repository"] for notice in plan.notices if notice.code is Code.NO_WAY_BACK]

    drops = hazard_host.engine.kind.store is Store.CONTAINERD
    assert said == (["docker.io/pay/live"] if drops else [])


def test_s1_s2_s3_a_plan_executed_loses_nothing_and_leaves_nothing(host: WorkerHost) -> None:
    filled = hosts.hazard_host(host.engine, scale=SMALL)
    filled.hand_over_ledger(host.place.ledger_file)
    host.keys = filled.policy | {"settle": '"0s"', "steady_for": '"1s"'}
    volumes, up, used = host.volumes(), running(host), filled.used_bytes()
    report = host.execute(host.plan())

    assert filled.score() == SPOTLESS
    assert (host.volumes(), running(host)) == (volumes, up)
    assert (report.status, report.findings, set(ended(report).values())) == (
        Status.DONE,
        (),
        {Outcome.REMOVED},
    )
    if host.engine.kind.store is Store.GRAPH_DRIVER:
        # Elsewhere the filesystem tells what was freed, and others write to it meanwhile.
        assert (report.expected.low, report.expected.high) == (report.freed, report.freed)
        assert report.freed == used - filled.used_bytes()
    assert host.plan().steps == ()


def running(host: WorkerHost) -> dict[str, str]:
    """The containers that are up, each with when it was started; one that crashes starts again and again."""
    found = {c["Id"]: host.engine.client.inspect_container(c["Id"]) for c in host.engine.client.containers()}
    return {id_: "" if one["RestartCount"] else one["State"]["StartedAt"] for id_, one in found.items()}
