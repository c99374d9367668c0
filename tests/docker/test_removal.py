"""One object at a time: an image loses its names one by one, and has them back where it stays (S2)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.docker.worker_host import Busy, WorkerHost, codes, on, order_for, outcome_of, why
from tests.stage.aging import AgePlan, age
from tests.stage.fixtures import RegistryFactory
from tests.stage.images import add_tags, build_classic, build_with_cache, inspect
from tests.stage.registry import Registry
from workers.allowed_calls import ForbiddenCall
from workers.contract import Kind, Outcome, Plan, Report, Status, Store
from workers.engine import Engine
from workers.errors import Conflict, EngineUnreachable, NotFound
from workers.execution.ended import refused
from workers.execution.listening import Listening
from workers.execution.records import RecordRemoval
from workers.execution.removal import Removal
from workers.execution.run import BATCH
from workers.execution.start import Start
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


def test_s8_names_that_look_like_a_host_and_are_none_go_and_stay_as_all_others(host: WorkerHost) -> None:
    """What `docker tag` takes with an underscore before the slash is a name, and blocks nothing."""
    gone = host.image("my_host.lan/app:1", "a--b__c.d/x-y.z_1:V.0_9-RC")
    kept = host.image("my_host.lan/team/base:2")
    host.policy(protected_images='["my_host.lan/team/*"]')
    report = host.execute(host.plan())

    assert (report.status, host.has(gone), host.has(kept)) == (Status.DONE, False, True)
    assert host.tags() == {"my_host.lan/team/base:2": kept}


def test_s2_names_that_look_like_a_host_are_put_back_as_all_others(host: WorkerHost) -> None:
    image = host.image("my_host.lan/app:1", "foo_bar.com/x:latest")
    before = host.tags()
    host.execute(host.plan(), before=on("image", lambda: host.create("web", image)))

    assert host.tags() == before


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


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store compares and untags in one step")
def test_s2_a_name_that_was_taken_from_another_image_ends_the_run_and_is_given_back(host: WorkerHost) -> None:
    """It moved after the last look: the engine takes it from where it has gone, and says only a name."""
    image = host.image(*TAGS)
    other = host.image("other:1")
    before = host.tags()
    plan = host.plan((Kind.IMAGE,))
    keep_other = tuple(step.index for step in plan.steps if step.object.id == other)
    move = on("name", lambda: host.engine.client.tag(other, "app", "1"))
    report = host.execute(plan, excluded=keep_other, before=move)

    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.UNPLANNED_REMOVAL])
    assert report.stopped_by[0].params == {"object": f"app:1 of {other}"}
    assert host.tags() == before | {"app:1": other}
    assert outcome_of(report, image).outcome is Outcome.FAILED


def test_s2_a_last_name_that_nobody_planned_ends_the_run(host: WorkerHost) -> None:
    """By id the engine takes the one name that an image has, whichever that is by now."""
    image = host.image("app:1")

    def rename(_kind: str, id_: str) -> None:
        if id_ == image:
            host.engine.client.tag(image, "app", "precious")
            host.engine.client.remove_image("app:1")

    report = host.execute(host.plan(), before=rename)
    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.UNPLANNED_REMOVAL])
    assert report.stopped_by[0].params == {"object": "docker.io/library/app:precious"}


def test_s2_where_the_last_step_is_refused_tags_with_hosts_and_ports_are_back(host: WorkerHost) -> None:
    tags = (
        *("127.0.0.1:5000/team/app:1", "app:1", "app:latest", "localhost:5000/app:1"),
        *("registry.example/app:1", "registry.example:8443/a/b/app:v1.2-rc_1", "zz.example:1/app:1"),
    )
    image, seen = host.image(*tags), Names()
    before = host.tags()
    use = on("image", lambda: host.create("web", image))

    def note_and_use(kind: str, id_: str) -> None:
        seen(kind, id_)
        use(kind, id_)

    report = host.execute(host.plan(), before=note_and_use)
    assert why(report, image) is Code.ENGINE_SAYS_IN_USE
    assert len(seen.asked) == len(tags)
    assert host.tags() == before == dict.fromkeys(tags, image)


def test_s8_the_last_look_asks_the_protections_once_more(host: WorkerHost) -> None:
    host.image("app:1")
    [step] = host.plan().steps
    host.policy(protected_images='["app:*"]')
    with host.opened() as opened, ThreadPoolExecutor(2) as pool:
        none = RecordRemoval(opened.engine, opened.policy.cache_grace, {})
        heard = Listening(opened.engine, datetime.now(UTC))
        removal = Removal(opened.engine, opened.identity, opened.policy, heard, Start(), none, pool)
        found = removal.look(step)

    assert found.ended == refused(reason(Code.BECAME_PROTECTED, what="app:*"))


# Digests: nothing but a pull gives them


def pushed(host: WorkerHost, registry: Registry, *names: str) -> str:
    """An image that has been pushed under these names, and so has a digest in each of their repositories."""
    made = host.image("made:1")
    for name in names:
        registry.push(made, name)
    host.engine.client.remove_image("made:1")
    return made


def digests_of(host: WorkerHost, image: str) -> set[str]:
    return {digest.partition("@")[0] for digest in inspect(host.engine.client, image)["RepoDigests"]}


def test_s2_an_image_with_digests_of_several_repositories_stays(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(host.engine)
    made = pushed(host, registry, "app:1", "mirror:1")
    digest = registry.digest("app", "1")
    for tag in ("app:1", "mirror:1"):
        host.engine.client.remove_image(f"{registry.address}/{tag}", force=True)
    for repository in ("app", "mirror"):
        registry.pull(f"{repository}@{digest}")
    [verdict] = (v for v in host.plan().verdicts if v.object.kind is Kind.IMAGE)

    assert host.has(made)
    assert Code.SEVERAL_REPOSITORIES in codes(verdict.reasons)


def test_s2_an_image_with_a_digest_of_one_repository_and_tags_of_others_goes(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(host.engine)
    made = pushed(host, registry, "app:1")
    digest = registry.digest("app", "1")
    host.engine.client.remove_image(f"{registry.address}/app:1", force=True)
    pulled = registry.pull(f"app@{digest}")
    add_tags(host.engine.client, pulled, ["prod:1", "prod:2"])
    host.engine.restart()
    report = host.execute(host.plan())

    assert made == pulled
    assert (outcome_of(report, pulled).outcome, host.has(pulled)) == (Outcome.REMOVED, False)


def test_s2_a_refusal_leaves_the_digests_of_the_last_repository(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    made = pushed(host, fresh_registry(host.engine), "app:1")
    add_tags(host.engine.client, made, ["zz:1"])
    # The engine forgets its events: nobody has touched these names just now.
    host.engine.restart()
    before = digests_of(host, made)
    report = host.execute(host.plan(), before=on("image", lambda: host.create("web", made)))

    assert why(report, made) is Code.ENGINE_SAYS_IN_USE
    assert digests_of(host, made) == before


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store makes digests of names")
def test_s2_digests_that_a_refusal_has_cost_are_told(
    host: WorkerHost, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(host.engine)
    made = pushed(host, registry, "app:1", "mirror:1")
    host.engine.restart()
    report = host.execute(host.plan(), before=on("image", lambda: host.create("web", made)))
    [left] = digests_of(host, made)

    assert (outcome_of(report, made).outcome, report.status) == (Outcome.FAILED, Status.STOPPED)
    assert f"{registry.address}/app@sha256:" in str(outcome_of(report, made).reason)
    assert left.endswith("/mirror")


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


def executed(host: WorkerHost, plan: Plan, engine: Engine) -> Report:
    with closing(Ledger(host.place.ledger_file)) as ledger, closing(engine):
        return Host(host.place, ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)


class Counted(Busy):
    """Remembers which records were asked for together."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.asked: list[list[str]] = []

    def remove_cache_records(self, ids: Sequence[str], *, unused: timedelta | datetime) -> frozenset[str]:
        self.asked.append([*ids])
        return super().remove_cache_records(ids, unused=unused)


def many_records(host: WorkerHost) -> None:
    """Chains of records that share their beginning, some of images that are still there."""
    host.image("base:1")
    for number in range(9):
        lines = [f"FROM base:1\nRUN echo {number % 2} > /a", *(f"RUN echo {number}{n}" for n in range(3))]
        tag = ("--tag", f"app:{number}") if number % 3 else ()
        host.engine.cli("build", "--network", "none", *tag, "-", stdin="\n".join(lines).encode())


def test_s2_records_go_together_each_with_its_own_entry_and_outcome(host: WorkerHost) -> None:
    many_records(host)
    plan = host.plan((Kind.BUILD_CACHE,))
    engine = Counted(host.engine.url)
    report = executed(host, plan, engine)
    with closing(Ledger(host.place.ledger_file)) as ledger:
        entries = [(step.object.id, outcome) for step, _, outcome in ledger.ways_back(report.order_id)]

    ids = [step.object.id for step in plan.steps]
    assert len(ids) > BATCH
    assert [len(some) for some in engine.asked] == [BATCH, len(ids) - BATCH]
    assert report.status is Status.DONE
    if host.engine.kind.store is Store.GRAPH_DRIVER:
        # Elsewhere the filesystem tells what was freed, and others write to it meanwhile.
        assert report.freed == report.expected.low
    assert entries == [(id_, Outcome.REMOVED) for id_ in ids]
    assert not host.engine.client.df()["BuildCache"]


def test_s3_a_record_that_was_taken_out_keeps_what_it_needs_and_nothing_else(host: WorkerHost) -> None:
    many_records(host)
    plan = host.plan((Kind.BUILD_CACHE,))
    leaf = next(s for s in plan.steps if any(s.index in other.needs for other in plan.steps))
    above = {leaf.index}
    for step in plan.steps:
        above |= {step.index} if above & {*step.needs} else set()
    report = host.execute(plan, excluded=tuple(sorted(above)))

    left = {record["ID"] for record in host.engine.client.df()["BuildCache"]}
    assert left == {plan.steps[index].object.id for index in above}
    assert {o.index for o in report.outcomes if o.outcome is Outcome.REMOVED} == {
        step.index for step in plan.steps
    } - above


def test_s2_a_record_that_nobody_asked_for_ends_the_run(host: WorkerHost) -> None:
    """Should an engine ever read the filter as more than full ids."""

    class Generous(Busy):
        def remove_cache_records(self, ids: Sequence[str], *, unused: timedelta | datetime) -> frozenset[str]:
            return super().remove_cache_records(ids, unused=unused) | {"a" * 25}

    many_records(host)
    report = executed(host, host.plan((Kind.BUILD_CACHE,)), Generous(host.engine.url))

    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.UNPLANNED_REMOVAL])
    assert report.stopped_by[0].params == {"object": "a" * 25}
    assert [o.outcome for o in report.outcomes].count(Outcome.REMOVED) == BATCH


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


def test_an_engine_that_came_back_is_asked_on_a_new_line(host: WorkerHost) -> None:
    image = host.image("app:1")
    with closing(Engine(host.engine.url)) as engine:
        engine.inspect_image(image)
        host.engine.restart()

        assert engine.inspect_image(image)["Id"] == image
        host.engine.stop()
        with pytest.raises(EngineUnreachable):
            engine.inspect_image(image)
