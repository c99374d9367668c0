"""A confirmed plan is done on a real engine: exactly that plan, less what is no longer eligible."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.docker.pools import stored_bytes
from tests.docker.worker_host import WorkerHost, codes, ended, on, order_for, outcome_of, step_ids, why
from tests.stage import hosts
from tests.stage.engine import DisposableEngine
from tests.stage.fixtures import SMALL
from tests.stage.images import build_with_cache
from workers.contract import Kind, Outcome, Report, Status, Store
from workers.errors import RefusedError
from workers.execution import run
from workers.memory.ledger import Ledger
from workers.reasons import Code, reason

REMOVED, REFUSED, GONE = Outcome.REMOVED, Outcome.REFUSED, Outcome.GONE


def test_s1_s3_s8_s9_s10_a_host_is_rid_of_its_waste_and_of_nothing_else(host: WorkerHost) -> None:
    filled = hosts.web_host(host.engine, "web-1", scale=SMALL)
    host.keys = filled.policy | {"settle": '"0s"', "steady_for": '"1s"'}
    volumes, before = host.volumes(), stored_bytes(host.engine)
    report = host.execute(host.plan())

    assert (filled.lost(), filled.left(), host.volumes()) == ([], [], volumes)
    assert (report.status, report.findings, set(ended(report).values())) == (Status.DONE, (), {REMOVED})
    if host.engine.kind.store is Store.GRAPH_DRIVER:
        assert (report.expected.low, report.expected.high) == (report.freed, report.freed)
    else:
        assert report.expected.low <= before - stored_bytes(host.engine) <= report.expected.high
    assert not host.plan().steps


def test_every_kind_goes_in_its_order(host: WorkerHost) -> None:
    host.image("base:1")
    host.built("FROM base:1\nRUN echo 1 > /one", "app:1")
    host.spent("spent", "app:1", network=host.network("front") and "front")
    report = host.execute(host.plan())

    assert report.status is Status.DONE
    assert [one.object.kind for one in report.outcomes] == sorted(
        (one.object.kind for one in report.outcomes), key=list(Kind).index
    )
    assert {one.object.kind for one in report.outcomes} == set(Kind)


# Executed is previewed, less what changed: S3.


def test_s3_what_came_after_the_preview_stays(host: WorkerHost) -> None:
    host.image("old:1")
    host.spent("old", "old:1")
    plan = host.plan()
    newer, added = host.image("new:1"), host.network("new")
    later = host.spent("new", "new:1")
    report = host.execute(plan)

    assert ended(report) == {"old": REMOVED, "old:1": REMOVED}
    assert all(host.has(id_) for id_ in (newer, added, later))


def test_s3_what_was_taken_out_stays_and_counts_against_nothing(host: WorkerHost) -> None:
    kept, gone = host.image("kept:1"), host.image("gone:1")
    plan = host.plan()
    [excluded] = [step.index for step in plan.steps if step.object.id == kept]
    report = host.execute(plan, excluded=(excluded,))

    assert (report.status, host.has(kept), host.has(gone)) == (Status.DONE, True, False)
    assert (outcome_of(report, kept).outcome, why(report, kept)) == (Outcome.NOT_ATTEMPTED, Code.EXCLUDED)


def test_what_is_left_out_keeps_its_layers_and_the_rest_frees_what_is_expected(host: WorkerHost) -> None:
    host.image("one:1")
    host.image("two:1")
    plan, before = host.plan(), stored_bytes(host.engine)
    first, last = plan.steps
    report = host.execute(plan, excluded=(first.index,))
    freed = before - stored_bytes(host.engine)

    assert (report.status, report.expected_of_removed) == (Status.DONE, report.expected)
    assert report.expected.low <= freed <= report.expected.high
    if host.engine.kind.store is Store.GRAPH_DRIVER:
        # The layer below both stays with the first.
        assert report.expected.low == report.expected.high == report.freed < last.expected.low


# What changed between the preview and its turn is refused, and the rest goes on (S7)


def confirmed_then(host: WorkerHost, change: Callable[[], object]) -> Report:
    """The report of a plan before which something happened, and in which something else still goes."""
    host.image("other:1")
    plan = host.plan()
    change()
    report = host.execute(plan)
    assert ended(report)["other:1"] is REMOVED
    return report


def test_s7_an_image_that_a_service_of_the_swarm_came_to_name_stays(host: WorkerHost) -> None:
    old = host.image("old:1")
    host.engine.client.init_swarm("127.0.0.1")
    plan, times = host.plan(), iter((lambda: None, lambda: serve(host, "old:1")))

    def told_to_stop() -> bool:
        # Asked before the run begins, and before each step.
        next(times, lambda: None)()
        return False

    report = host.execute(plan, told_to_stop=told_to_stop)

    assert (outcome_of(report, old).outcome, why(report, old)) == (Outcome.REFUSED, Code.SWARM)


def serve(host: WorkerHost, image: str) -> None:
    """A service without a task: no container tells of it."""
    host.engine.cli("service", "create", "--detach", "--no-resolve-image", "--replicas", "0", image)


def test_s7_a_container_that_runs_again_is_refused(host: WorkerHost) -> None:
    host.image("app:1")
    spent = host.create("spent", "app:1")
    report = confirmed_then(host, lambda: host.engine.client.start(spent))

    assert (outcome_of(report, spent).outcome, why(report, spent)) == (REFUSED, Code.NOT_STOPPED)
    assert (report.status, host.has(spent)) == (Status.PARTIAL, True)


def test_s7_a_container_that_ran_and_ended_again_is_another_one(host: WorkerHost) -> None:
    host.image("app:1")
    spent = host.spent("spent", "app:1")

    def run_again() -> None:
        host.engine.client.start(spent)
        host.engine.client.wait(spent)

    report = confirmed_then(host, run_again)
    assert (why(report, spent), host.has(spent)) == (Code.CHANGED, True)


@pytest.mark.parametrize("change", [{"name": "renamed"}, {"restart": "always"}])
def test_s7_a_container_that_was_renamed_or_will_start_by_itself_is_refused(
    host: WorkerHost, change: dict[str, str]
) -> None:
    host.image("app:1")
    spent, first = host.spent("spent", "app:1"), host.spent("first", "app:1")
    client = host.engine.client

    def act() -> None:
        if "name" in change:
            client.rename(spent, change["name"])
        else:
            client.update_container(spent, restart_policy={"Name": "always"})

    plan = host.plan()
    later = max(plan.steps[:2], key=lambda step: step.index).object.id
    spent = later if later == spent else first
    report = host.execute(plan, before=on("container", act))
    assert (why(report, spent), host.has(spent)) == (Code.CHANGED, True)


@pytest.mark.parametrize("by", ["network", "volumes"])
def test_s7_a_container_that_one_made_during_the_run_has_joined_is_refused(host: WorkerHost, by: str) -> None:
    host.image("app:1")
    for name in ("one", "other"):
        host.spent(name, "app:1")
    plan = host.plan(kinds=(Kind.CONTAINER,))
    second = plan.steps[1].object.id
    joined = {
        "network": {"network": f"container:{second}"},
        "volumes": {"host": {"volumes_from": [second]}},
    }
    report = host.execute(plan, before=on("container", lambda: host.create("guest", "app:1", **joined[by])))

    assert (why(report, second), host.has(second)) == (Code.BECAME_USED, True)


def test_s7_an_image_whose_tag_moved_is_refused(host: WorkerHost) -> None:
    image = host.image("app:1")

    def move() -> None:
        # By tag, not by load: on a containerd store of 26.1 that drops the image which had the name.
        host.engine.client.tag(host.image(content="rebuilt"), "app", "1")

    report = confirmed_then(host, move)

    assert (why(report, image), host.has(image)) == (Code.CHANGED, True)


def test_s7_an_image_that_got_another_name_is_refused(host: WorkerHost) -> None:
    image = host.image("app:1")
    report = confirmed_then(host, lambda: host.engine.client.tag(image, "app", "keep"))

    assert (why(report, image), host.tags()["app:keep"]) == (Code.CHANGED, image)


def test_s7_an_image_that_is_used_by_now_is_refused(host: WorkerHost) -> None:
    image = host.image("app:1")
    report = confirmed_then(host, lambda: host.create("web", "app:1"))

    assert (why(report, image), host.has(image)) == (Code.BECAME_USED, True)


def test_s7_a_container_made_during_the_run_keeps_its_image(host: WorkerHost) -> None:
    images = {host.image("app:1"): "app:1", host.image("db:1"): "db:1"}
    plan = host.plan()
    second = plan.steps[1].object.id
    report = host.execute(plan, before=on("image", lambda: host.create("web", images[second])))

    assert (why(report, second), host.has(second)) == (Code.BECAME_USED, True)


def test_s7_an_image_that_was_used_while_a_slow_disk_took_its_line_is_looked_at_again(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = host.image("app:1")
    plan, written = host.plan(), Ledger.ask

    def slowly(*line: Any) -> None:
        host.create("web", "app:1")
        written(*line)

    monkeypatch.setattr(run, "LOOK_HOLDS", 0)
    monkeypatch.setattr(Ledger, "ask", slowly)
    report = host.execute(plan)

    assert (why(report, image), host.has(image)) == (Code.BECAME_USED, True)


def test_s9_an_image_that_became_the_way_back_during_the_run_is_refused(host: WorkerHost) -> None:
    images = {host.image("app:1"): "app:1", host.image("app:2"): "app:2", host.image("db:1"): "db:1"}
    plan = host.plan()
    first, *later = (step.object.id for step in plan.steps)
    newest = "app:3"

    def deploy() -> None:
        host.image(newest)
        host.create("web", newest)

    report = host.execute(plan, before=on("image", deploy))
    for id_ in later:
        expected = Code.REPOSITORY_USED if images[id_].startswith("app") else None
        assert (why(report, id_), host.has(id_)) == (expected, expected is not None)
    assert not host.has(first)


def test_s9_one_more_container_of_what_runs_already_changes_nothing(host: WorkerHost) -> None:
    old = [host.image("app:1"), host.image("app:2"), host.image("app:3")]
    host.image("app:9")
    host.running("web", "app:9")
    plan = host.plan()
    report = host.execute(plan, before=on("image", lambda: host.running("web-2", "app:9")))

    assert (report.status, len(plan.steps)) == (Status.DONE, 2)
    assert [host.has(id_) for id_ in old].count(True) == 1


def test_s10_an_image_that_came_again_during_the_run_is_refused(host: WorkerHost) -> None:
    images = {host.image("app:1"): "app:1", host.image("db:1"): "db:1"}
    plan = host.plan()
    second = plan.steps[1].object.id
    report = host.execute(plan, before=on("image", lambda: host.image(images[second])))

    # On a containerd store the image itself tells the time of its arrival, before any event is asked for.
    said = {Store.GRAPH_DRIVER: Code.RECENT_EVENT, Store.CONTAINERD: Code.CHANGED}[host.engine.kind.store]
    assert (why(report, second), host.tags()) == (said, {images[second]: second})


def test_s7_a_network_that_is_used_by_now_is_refused(host: WorkerHost) -> None:
    host.image("app:1")
    network = host.network("front")
    report = confirmed_then(host, lambda: host.create("web", "app:1", network="front"))

    assert (why(report, network), host.has(network)) == (Code.BECAME_USED, True)


def test_s7_a_network_connected_during_the_run_is_refused(host: WorkerHost) -> None:
    host.image("app:1")
    host.running("web", "app:1")
    networks = [host.network("front"), host.network("back")]
    host.engine.client.disconnect_container_from_network("web", "none")
    plan = host.plan((Kind.NETWORK,))
    second = plan.steps[1].object.id
    act = on("network", lambda: host.engine.client.connect_container_to_network("web", second))
    report = host.execute(plan, before=act)

    assert [host.has(id_) for id_ in networks].count(True) == 1
    assert (why(report, second), host.has(second)) == (Code.BECAME_USED, True)


def test_s7_what_a_container_used_that_came_and_went_during_the_run_is_refused(host: WorkerHost) -> None:
    host.image("large:1", content="x" * 3_000_000)
    image, network = host.image("job:1"), host.network("jobs")
    plan = host.plan()

    def job() -> None:
        id_ = host.create("job", "job:1", "true", network="jobs", host={"auto_remove": True})
        host.engine.client.start(id_)
        host.engine.client.wait(id_, condition="removed")

    report = host.execute(plan, before=on("image", job))

    assert {why(report, image), why(report, network)} == {Code.USED_MEANWHILE}
    assert host.has(image)
    assert host.has(network)
    assert outcome_of(report, plan.steps[0].object.id).outcome is Outcome.REMOVED


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a build tells a containerd store's engine of no image")
def test_s7_what_was_built_upon_during_the_run_is_refused(host: WorkerHost) -> None:
    host.image("large:1", content="x" * 3_000_000)
    base = host.image("base:1")
    plan = host.plan()
    build = on("image", lambda: build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "built:1"))
    report = host.execute(plan, before=build)

    assert (why(report, base), host.has(base)) == (Code.BUILT_UPON_MEANWHILE, True)


def test_s7_a_record_that_a_build_used_again_is_refused(host: WorkerHost) -> None:
    host.image("base:1")
    build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "app:1")
    plan = host.plan((Kind.BUILD_CACHE,))
    build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "app:2")
    report = host.execute(plan)

    assert REFUSED in ended(report).values()
    assert {why(report, s.object.id) for s in plan.steps} <= {Code.CHANGED, Code.DEPENDS_ON, None}


def test_s7_what_is_gone_already_is_no_failure(host: WorkerHost) -> None:
    image = host.image("app:1")
    report = confirmed_then(host, lambda: host.engine.client.remove_image("app:1"))

    assert (outcome_of(report, image).outcome, report.status) == (GONE, Status.DONE)


def test_s9_what_depends_on_a_refused_step_is_refused(host: WorkerHost) -> None:
    image = host.image("app:1")
    spent = host.create("spent", "app:1")
    plan = host.plan()
    report = host.execute(plan, before=on("container", lambda: host.engine.client.start(spent)))

    assert (outcome_of(report, spent).outcome, why(report, spent)) == (REFUSED, Code.ENGINE_SAYS_IN_USE)
    assert outcome_of(report, image).reason == reason(Code.DEPENDS_ON, object="spent")
    assert host.has(image)


def test_s8_a_policy_that_protects_more_by_now_is_not_executed(host: WorkerHost) -> None:
    image = host.image("app:1")
    plan = host.plan()
    host.policy(protected_images='["app:1"]')

    with pytest.raises(RefusedError, match="policy_changed"):
        host.execute(plan)
    assert host.has(image)


# Once, and by one at a time


def test_s11_a_plan_is_used_once(host: WorkerHost) -> None:
    host.image("app:1")
    plan = host.plan()
    host.execute(plan)
    again = host.image("app:1")

    with pytest.raises(RefusedError, match="plan_used"):
        host.execute(plan)
    assert host.has(again)


def test_s11_an_order_is_used_once(host: WorkerHost) -> None:
    host.image("app:1")
    first = host.plan()
    host.execute(first, excluded=(0,))
    second = host.plan()
    with host.opened() as opened:
        used = opened.ledger.rows("SELECT id FROM orders")[0][0]
        with pytest.raises(RefusedError, match="order_used"):
            opened.execute(order_for(second, id=used), told_to_stop=lambda: False)
    assert host.tags()


def test_s3_a_plan_of_another_ledger_is_unknown(host: WorkerHost, tmp_path: Path) -> None:
    host.image("app:1")
    plan = host.plan()
    stranger = WorkerHost(host.engine, tmp_path / "other")
    stranger.folder.mkdir()

    with pytest.raises(RefusedError, match="unknown_plan"):
        stranger.execute(plan)
    assert host.tags()


def test_s12_a_plan_of_another_engine_is_refused(
    host: WorkerHost, fresh_engine: Callable[[], DisposableEngine]
) -> None:
    host.image("app:1")
    plan = host.plan()
    moved = WorkerHost(fresh_engine(), host.folder)
    same = moved.image("app:1")

    with pytest.raises(RefusedError, match="other_engine"):
        moved.execute(plan)
    assert moved.has(same)


def test_s11_while_one_executes_another_is_turned_away(host: WorkerHost) -> None:
    host.image("app:1")
    host.image("db:1")
    first, second = host.plan((Kind.IMAGE,)), host.plan()
    found: list[str] = []

    def meanwhile() -> None:
        with pytest.raises(RefusedError) as refused:
            host.execute(second)
        found.extend(codes(refused.value.reasons))

    def in_a_thread_of_its_own() -> None:
        # SQLite's connections belong to their threads; a lock of the kernel does not care.
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join(timedelta(seconds=20).total_seconds())

    report = host.execute(first, before=on("image", in_a_thread_of_its_own))
    assert (found, report.status) == ([Code.HELD], Status.DONE)


# Told to stop


def test_s14_told_to_stop_a_run_ends_after_the_object_in_hand(host: WorkerHost) -> None:
    for number in range(3):
        host.image(f"app:{number}")
    told: list[str] = []
    plan = host.plan()
    report = host.execute(
        plan, told_to_stop=lambda: bool(told), after=on("image", lambda: told.append("stop"))
    )

    assert list(ended(report).values()) == [REMOVED, Outcome.NOT_ATTEMPTED, Outcome.NOT_ATTEMPTED]
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.TERMINATED])
    assert len(step_ids(plan) & {i["Id"] for i in host.engine.client.images()}) == 2


def test_s14_told_to_stop_before_it_began_a_run_removes_nothing(host: WorkerHost) -> None:
    image = host.image("app:1")
    report = host.execute(host.plan(), told_to_stop=lambda: True)

    assert (report.status, host.has(image)) == (Status.REFUSED, True)
