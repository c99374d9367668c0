"""One object at a time: an image loses its names one by one, and has them back where it stays (S2)."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.docker.worker_host import Busy, WorkerHost, codes, on, order_for, outcome_of, why
from tests.stage.aging import AgePlan, age
from tests.stage.images import add_tags, build_classic, build_with_cache, image_id, inspect
from workers.contract import Kind, Outcome, Plan, Status, Store
from workers.engine import Engine, ForbiddenCall
from workers.errors import AnswerLost, Conflict, NotFound
from workers.execution.removal import Removal, refused
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.reasons import Code, reason

TAGS = ("app:1", "app:2", "elsewhere.example:5000/app:1")


class Names:
    """Remembers what an engine was asked to remove, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, _kind: str, id_: str) -> None:
        self.asked.append(id_)


# Names


def test_s2_an_image_with_several_tags_loses_them_one_by_one(host: WorkerHost) -> None:
    image, seen = host.image(*TAGS), Names()
    report = host.execute(host.plan(), before=seen)

    assert (report.status, host.has(image), host.tags()) == (Status.DONE, False, {})
    # A containerd store takes off a name and compares in one step.
    compared = f"@{image}" if host.engine.kind.store is Store.CONTAINERD else ""
    assert sorted(seen.asked[:2]) == [f"docker.io/library/{tag}{compared}" for tag in TAGS[:2]]
    assert seen.asked[2:] == [image]


def test_s2_where_the_last_step_is_refused_the_tags_are_back(host: WorkerHost) -> None:
    image = host.image(*TAGS)
    before = host.tags()
    report = host.execute(host.plan(), before=on("image", lambda: host.create("web", image)))

    assert (outcome_of(report, image).outcome, why(report, image)) == (
        Outcome.REFUSED,
        Code.ENGINE_SAYS_IN_USE,
    )
    assert host.tags() == before


def test_s2_where_a_name_is_refused_those_before_it_are_back(host: WorkerHost) -> None:
    image = host.image(*TAGS)
    steal = on("name", lambda: host.image("app:2", content="newer"))
    report = host.execute(host.plan(), after=steal)

    assert (why(report, image), host.tags()["app:1"]) == (Code.CHANGED, image)
    assert host.tags()["app:2"] != image


def test_s2_a_name_that_means_something_else_by_now_is_not_taken_back(host: WorkerHost) -> None:
    image = host.image(*TAGS)
    newer: list[str] = []

    def rebuild() -> None:
        newer.append(host.image("app:1", content="newer"))
        host.create("web", image)

    report = host.execute(host.plan(), before=on("image", rebuild))
    assert (why(report, image), host.tags()["app:2"]) == (Code.ENGINE_SAYS_IN_USE, image)
    assert host.tags()["app:1"] == newer[0]


def test_s2_a_name_that_somebody_else_took_off_is_no_removal(host: WorkerHost) -> None:
    image = host.image(*TAGS)
    report = host.execute(host.plan(), before=on("name", lambda: host.engine.client.remove_image("app:1")))

    assert (outcome_of(report, image).outcome, why(report, image)) == (Outcome.REFUSED, Code.CHANGED)
    assert set(host.tags()) == {"app:2", "elsewhere.example:5000/app:1"}


@pytest.mark.only_on(
    Store.GRAPH_DRIVER, because="a containerd store takes off a name and compares in one step, so none waits"
)
def test_s2_a_name_that_was_set_just_now_is_not_taken_off(host: WorkerHost) -> None:
    image = host.image(*TAGS)
    add_tags(host.engine.client, image, TAGS)
    report = host.execute(host.plan())

    assert (why(report, image), set(host.tags())) == (Code.RECENT_EVENT, set(TAGS))


def test_s2_one_removal_takes_one_image(host: WorkerHost) -> None:
    host.image("base:1")
    image = build_classic(host.engine.client, "FROM base:1\nENV A=1\nENV B=2", "app:1")
    between = inspect(host.engine.client, image)["Parent"]
    plan = host.plan()
    others = [s.index for s in plan.steps if s.object.id != image]
    host.execute(plan, excluded=tuple(others))

    assert (host.has(image), host.has(between), "base:1" in host.tags()) == (False, True, True)


def test_a_chain_of_images_goes_from_its_end(host: WorkerHost) -> None:
    host.image("base:1")
    build_classic(host.engine.client, "FROM base:1\nENV A=1\nENV B=2", "app:1")

    assert host.execute(host.plan()).status is Status.DONE
    assert host.engine.client.images(all=True) == []


def test_s2_an_image_that_nobody_planned_ends_the_run(host: WorkerHost) -> None:
    """The engine says that it deleted an image, where a name was all that should have gone."""
    host.image("other:1")
    image = host.image("app:1", "app:2")

    def take_the_other_name() -> None:
        host.engine.client.remove_image("app:2")

    plan = host.plan()
    report = host.execute(plan, before=on("name", take_the_other_name))
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.UNPLANNED_REMOVAL])
    assert outcome_of(report, image).outcome is Outcome.FAILED


def test_s8_the_last_look_asks_the_protections_once_more(host: WorkerHost) -> None:
    host.image("app:1")
    [step] = host.plan().steps
    host.policy(protected_images='["app:*"]')
    with host.opened() as opened:
        removal = Removal(opened.engine, opened.identity, opened.policy, datetime.now(UTC), frozenset())
        found = removal.look(step)

    assert found.ended == refused(reason(Code.BECAME_PROTECTED, what="app:*"))


# An answer that does not come


class Mute(Busy):
    """An engine whose answer to one kind of removal is lost, after or before it was done."""

    def __init__(self, address: str, *, kind: str, done: bool) -> None:
        super().__init__(address)
        self._kind, self._done = kind, done

    @contextmanager
    def _around(self, kind: str, id_: str) -> Iterator[None]:
        if kind == self._kind and not self._done:
            raise AnswerLost("no answer in time")
        yield
        if kind == self._kind:
            raise AnswerLost("no answer in time")


def executed(host: WorkerHost, plan: Plan, engine: Engine) -> Any:
    with closing(Ledger(host.place.ledger_file)) as ledger, closing(engine):
        return Host(host.place, ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)


def fill(host: WorkerHost) -> dict[str, str]:
    """One object of each kind, by the kind of its removal."""
    host.image("base:1")
    host.built("FROM base:1\nRUN echo 1 > /one", "app:1")
    return {
        "image": image_id(host.engine.client, "app:1"),
        "container": host.spent("spent", "base:1"),
        "network": host.network("loose"),
        "cache": "",
    }


@pytest.mark.parametrize("kind", ["container", "image", "network", "cache"])
@pytest.mark.parametrize(("done", "expected"), [(True, Outcome.REMOVED), (False, Outcome.FAILED)])
def test_s4_without_an_answer_the_engine_is_asked_what_became_of_it(
    host: WorkerHost, kind: str, done: bool, expected: Outcome
) -> None:
    ids = fill(host)
    plan = host.plan()
    leaf = next(s.object.id for s in plan.steps if s.object.kind is Kind.BUILD_CACHE)
    report = executed(host, plan, Mute(host.engine.url, kind=kind, done=done))
    found = outcome_of(report, ids[kind] or leaf)

    assert found.outcome is expected
    assert (found.reason.code if found.reason else None) is (None if done else Code.STATE_UNKNOWN)


@pytest.mark.parametrize("done", [True, False])
def test_s2_a_name_whose_removal_got_no_answer_is_there_afterwards(host: WorkerHost, done: bool) -> None:
    image = host.image(*TAGS)
    before = host.tags()
    report = executed(host, host.plan(), Mute(host.engine.url, kind="name", done=done))

    assert (outcome_of(report, image).outcome, host.tags()) == (Outcome.FAILED, before)


# What the engine itself refuses


def test_a_network_connected_at_the_last_moment_is_refused_by_the_engine(host: WorkerHost) -> None:
    host.image("app:1")
    host.running("web", "app:1")
    host.engine.client.disconnect_container_from_network("web", "none")
    network = host.network("front")
    connect = on("network", lambda: host.engine.client.connect_container_to_network("web", network))
    report = host.execute(host.plan((Kind.NETWORK,)), before=connect)

    assert (outcome_of(report, network).outcome, why(report, network)) == (
        Outcome.REFUSED,
        Code.ENGINE_SAYS_IN_USE,
    )


def test_a_record_that_a_build_used_at_the_last_moment_is_kept_by_the_engine(host: WorkerHost) -> None:
    host.policy(cache_grace='"24h"')
    host.image("base:1")
    build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "app:1")
    records = [record["ID"] for record in host.engine.client.df()["BuildCache"]]
    age(host.engine, AgePlan(cache=dict.fromkeys(records, timedelta(days=40))))
    plan = host.plan((Kind.BUILD_CACHE,))
    again = on("cache", lambda: build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one", "app:2"))
    report = host.execute(plan, before=again)

    assert len(plan.steps) == len(records)
    assert Code.ENGINE_SAYS_IN_USE in {why(report, record) for record in records}
    assert {record["ID"] for record in host.engine.client.df()["BuildCache"]} >= set(records)


# Nothing else can be said to an engine (S1, S2)


@pytest.mark.parametrize(
    "call",
    [
        lambda client, id_: client.remove_volume("data"),
        lambda client, id_: client.prune_volumes(),
        lambda client, id_: client.prune_containers(),
        lambda client, id_: client.prune_images(filters={"dangling": False}),
        lambda client, id_: client.prune_networks(),
        lambda client, id_: client.prune_builds(),
        lambda client, id_: client.prune_builds(filters={"id": []}, all=True),
        lambda client, id_: client.remove_container(id_, v=True),
        lambda client, id_: client.remove_container(id_, force=True),
        lambda client, id_: client.remove_image("app:1", force=True, noprune=True),
        lambda client, id_: client.remove_image("app:1"),
        lambda client, id_: client.create_volume("new"),
        lambda client, id_: client.kill(id_),
        lambda client, id_: client.exec_create(id_, "true"),
    ],
)
def test_s1_s2_what_is_not_on_the_list_does_not_reach_the_engine(
    host: WorkerHost, call: Callable[[Any, str], object]
) -> None:
    host.image("app:1")
    host.engine.client.create_volume("data")
    spent = host.spent("spent", "app:1", volumes=["/data"])
    before = (host.volumes(), host.tags())

    with closing(Engine(host.engine.url)) as engine, pytest.raises(ForbiddenCall):
        call(engine._client, spent)
    assert (host.volumes(), host.tags(), host.has(spent)) == (*before, True)


def test_what_an_engine_answers_has_a_name(host: WorkerHost) -> None:
    used = host.image("app:1")
    host.create("web", "app:1")
    with closing(Engine(host.engine.url)) as engine:
        with pytest.raises(NotFound):
            engine.inspect_container("0" * 64)
        with pytest.raises(Conflict):
            engine.remove_image(used)
