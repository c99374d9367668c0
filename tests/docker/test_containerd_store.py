"""The safety rules on the other store: a containerd store tells, takes and frees in other ways."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.docker.pools import Pool, some_images, stored_bytes
from tests.docker.test_follower import following, hear_all
from tests.docker.worker_host import (
    REQUIRED,
    WorkerHost,
    codes,
    ended,
    on,
    order_for,
    outcome_of,
    step_ids,
    why,
)
from tests.stage import images, kinds
from tests.stage.aging import AgePlan, age
from tests.stage.engine import DisposableEngine
from tests.stage.faulty import Faulty, around, refused
from tests.stage.fixtures import RegistryFactory
from tests.stage.kinds import EngineKind
from tests.stage.objects import usage
from tests.stage.registry import Registry
from workers.contract import Kind, Outcome, Restorable, Status, Store
from workers.engine import Engine
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning import accounting, answers
from workers.planning.inventory import Image
from workers.reasons import Code
from workers.wording import sentence

STABLE = "26.1-containerd"
REMOVED = Outcome.REMOVED
NO_WAY_BACK = (
    "No rollback image is on this host for docker.io/library/app, since the engine dropped it."
    " Nothing of it is planned. A tag that moves takes the old image along on this image store: give each"
    " version a tag of its own, or keep its digest."
)


@pytest.fixture(scope="module")
def containerd(engine_kind: EngineKind) -> EngineKind:
    """The engine the run was asked to test on if it has this store, else the one any run can have."""
    return engine_kind if engine_kind.store is Store.CONTAINERD else kinds.engine_kind(STABLE)


@pytest.fixture
def host(containerd: EngineKind, stage_place: Callable[[], Path], tmp_path: Path) -> Iterator[WorkerHost]:
    with DisposableEngine(stage_place(), containerd) as engine:
        engine.refuse_contents()
        yield WorkerHost(engine, tmp_path)


def test_s1_s2_s3_a_plan_of_every_kind_is_done_exactly(host: WorkerHost) -> None:
    host.policy(protected_images='["shop/app:1"]')
    kept = [host.image("shop/app:1"), host.image("shop/db:1")]
    host.image("gone:1")
    host.built("FROM gone:1\nRUN echo 1 > /one", "built:1")
    host.running("db", "shop/db:1")
    host.image("myshop/app:1", "myshop/app:2", "elsewhere.example:5000/app:1")
    host.spent("spent", "gone:1", volumes=["/data"], network=host.network("front") and "front")
    volumes, plan = host.volumes(), host.plan()
    asked: list[str] = []
    report = host.execute(plan, before=lambda _kind, id_: asked.append(id_))

    assert (report.status, set(ended(report).values())) == (Status.DONE, {REMOVED})
    assert {step.object.kind for step in plan.steps} == set(Kind)
    assert {id_ for id_ in asked if "@" not in id_} == step_ids(plan)
    assert ([host.has(id_) for id_ in kept], set(host.tags())) == ([True, True], {"shop/app:1", "shop/db:1"})
    assert host.volumes() == volumes


def test_s2_a_name_is_taken_off_only_while_it_means_this_image(host: WorkerHost) -> None:
    image = host.image("app:1", "app:2", "app:3")
    before = host.tags()
    newer: list[str] = []

    def steal() -> None:
        newer.append(host.image(content="newer"))
        host.engine.client.tag(newer[0], "app", "2")

    report = host.execute(host.plan(), after=on("name", steal))

    assert (outcome_of(report, image).outcome, why(report, image)) == (Outcome.REFUSED, Code.CHANGED)
    assert host.tags() == before | {"app:2": newer[0]}


def test_s2_where_the_last_step_is_refused_the_names_are_back(host: WorkerHost) -> None:
    image = host.image("app:1", "app:2")
    before = host.tags()
    report = host.execute(host.plan(), before=on("image", lambda: host.create("web", image)))

    assert (why(report, image), host.tags()) == (Code.ENGINE_SAYS_IN_USE, before)


def test_s7_an_image_that_got_another_name_is_refused(host: WorkerHost) -> None:
    image = host.image("app:1")
    plan = host.plan()
    host.engine.client.tag(image, "app", "keep")
    report = host.execute(plan)

    assert (why(report, image), host.tags()["app:keep"]) == (Code.CHANGED, image)


def test_s7_a_container_made_of_an_image_in_the_moment_it_went_is_an_alarm(host: WorkerHost) -> None:
    host.image("app:1")
    network = host.network("waste")

    def race() -> None:
        image = host.image("app:1")
        host.spent("web", "app:1")
        host.engine.client.remove_image(image, force=True)

    report = host.execute(host.plan(), after=on("image", race))

    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.LOST_RACE])
    assert (outcome_of(report, network).outcome, host.has(network)) == (Outcome.NOT_ATTEMPTED, True)


def test_s8_an_image_is_protected_by_the_digest_under_each_of_its_names(host: WorkerHost) -> None:
    image = host.image("app:1", "elsewhere.example:5000/app:1")
    for name in ("app", "elsewhere.example:5000/app"):
        host.policy(protected_images=f'["{name}@{image}"]')
        assert step_ids(host.plan()) == set()


@pytest.fixture
def releases(host: WorkerHost) -> WorkerHost:
    """A host with two old releases of an application, and one of another that nobody needs."""
    for tag in ("base:1", "app:1", "app:2", "other:1"):
        host.image(tag)
    host.policy(protected_images='["base:1"]')
    return host


def released(host: WorkerHost, number: int) -> str:
    """Build the application; `app:latest` moves to the new image and drops the one that had it."""
    dockerfile = f"FROM base:1\nRUN echo {number} > /release"
    return images.build_with_cache(host.engine, dockerfile, "app:latest")


def planned(host: WorkerHost) -> tuple[set[str], list[str]]:
    """The images that would go, and what is said of a way back that is gone."""
    plan = host.plan((Kind.IMAGE,))
    said = [sentence(notice) for notice in plan.notices if notice.code is Code.NO_WAY_BACK]
    return {step.object.name for step in plan.steps}, said


def test_s9_where_what_runs_was_dropped_no_image_of_its_repository_goes(releases: WorkerHost) -> None:
    first = released(releases, 1)
    web = releases.running("web", "app:latest")
    assert planned(releases) == ({"app:1", "other:1"}, [])

    released(releases, 2)
    assert not releases.has(first)
    assert planned(releases) == ({"other:1"}, [NO_WAY_BACK])

    report = releases.execute(releases.plan((Kind.IMAGE,)))
    assert (report.status, set(releases.tags())) == (Status.DONE, {"base:1", "app:1", "app:2", "app:latest"})
    assert releases.engine.client.inspect_container(web)["State"]["Running"]


def test_s9_the_ledger_tells_of_a_dropped_version_that_no_container_is_left_of(releases: WorkerHost) -> None:
    released(releases, 1)
    releases.running("web", "app:latest")
    assert planned(releases) == ({"app:1", "other:1"}, [])

    rolled_out(releases)
    assert planned(releases) == ({"other:1"}, [NO_WAY_BACK])


def test_s9_what_ran_and_was_dropped_between_two_inventories_is_told_too(releases: WorkerHost) -> None:
    with following(releases):
        released(releases, 1)
        releases.running("web", "app:latest")
        hear_all(releases)
        rolled_out(releases)
        hear_all(releases)

    assert planned(releases) == ({"other:1"}, [NO_WAY_BACK])


def rolled_out(host: WorkerHost) -> None:
    """The second release is built, and runs in place of the first."""
    released(host, 2)
    host.engine.client.remove_container("web", force=True)
    host.running("web", "app:latest")


def by_tag(host: WorkerHost, image: str, registry: Registry) -> None:
    host.engine.client.tag(image, "app", "3")


def by_digest(host: WorkerHost, image: str, registry: Registry) -> None:
    digest = registry.push(image, "app:3")
    # Not after the pull: a repository's last tag takes its digests along.
    host.engine.client.remove_image(f"{registry.address}/app:3", noprune=True)
    registry.pull(f"app@{digest}")


@pytest.mark.parametrize("keep", [by_tag, by_digest])
def test_s9_a_version_kept_as_the_notice_advises_is_the_way_back(
    releases: WorkerHost, fresh_registry: RegistryFactory, keep: Callable[[WorkerHost, str, Registry], None]
) -> None:
    first = released(releases, 1)
    keep(releases, first, fresh_registry(releases.engine))
    releases.running("web", "app:latest")
    releases.plan()
    rolled_out(releases)

    assert (planned(releases), releases.has(first)) == (({"app:1", "app:2", "other:1"}, []), True)


def test_s10_the_engine_tells_when_an_image_arrived(host: WorkerHost) -> None:
    host.keys = dict(REQUIRED)
    old, new = host.image("old:1"), host.image("new:1")
    age(host.engine, AgePlan(images={old: timedelta(days=40)}))

    assert step_ids(host.plan()) == {old}
    assert host.has(new)


def facts_of(lines: list[dict[str, Any]]) -> list[Image]:
    return sorted((answers.image(raw, {}, written_at=None) for raw in lines), key=lambda one: one.id)


def test_the_accounting_has_all_images_of_the_list_or_is_known_to_lack_some(
    host: WorkerHost,
) -> None:
    client = host.engine.client
    host.image("base:1", "elsewhere.example:5000/base:1")
    client.tag(host.image("app:1"), "other", "latest")
    client.commit(host.spent("spent", "base:1"))
    images.load(client, [images.Archived(tags=(), layers=(images.base_layer(),))])
    host.built("FROM base:1\nRUN echo 1 > /one", "built:1")
    with closing(Engine(host.engine.url)) as engine:
        listed = facts_of(engine.images())

        assert facts_of(accounting.all_images(engine.usage())) == listed
        assert sorted(len(one.names) for one in listed) == [0, 0, 1, 2, 2]
        images.build_classic(client, "FROM base:1\nENV A=1\nENV B=2", "classic:1")
        assert len(engine.images()) > len(engine.usage()["Images"])
        assert accounting.all_images(engine.usage()) == []


def test_no_count_of_images_is_believed_that_may_be_of_before_a_change(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, listed = list[Engine](), Engine.images

    def counted(engine: Engine) -> list[dict[str, Any]]:
        asked.append(engine)
        return listed(engine)

    monkeypatch.setattr(Engine, "images", counted)
    image = host.image("app:1")
    assert (step_ids(host.plan()), len(asked)) == ({image}, 1)
    # It forgets its events, so nothing has changed as far as it tells.
    host.engine.restart()

    assert (step_ids(host.plan()), len(asked)) == ({image}, 1)


def test_a_digest_that_the_engine_made_up_is_no_way_back(host: WorkerHost) -> None:
    image = host.image("app:1")
    [step] = host.plan().steps

    assert images.inspect(host.engine.client, image)["RepoDigests"]
    assert step.restorable is not Restorable.YES


def test_s7_build_cache_goes_from_its_leaves_though_each_removal_reads_as_a_use(host: WorkerHost) -> None:
    host.image("base:1")
    images.build_with_cache(
        host.engine, "FROM base:1\nRUN echo 1 > /a\nRUN echo 2 > /b\nRUN echo 3 > /c", "app:1"
    )
    host.policy(cache_grace='"24h"')
    records = {record["ID"] for record in usage(host.engine.client)["BuildCache"]}
    age(host.engine, AgePlan(cache=dict.fromkeys(records, timedelta(days=40))))
    report = host.execute(host.plan((Kind.BUILD_CACHE,)))

    assert {one.object.id: one.outcome for one in report.outcomes} == dict.fromkeys(records, REMOVED)


@pytest.mark.parametrize(("seed", "cache"), [(2, False), (5, False), (3, True), (7, True)])
def test_what_is_freed_on_the_disk_lies_within_the_bounds(host: WorkerHost, seed: int, cache: bool) -> None:
    Pool(host.engine, seed, cache=cache).fill(12)
    for image in some_images(host.engine.client, random.Random(seed), share=0.2):
        host.create(f"keeps-{image[7:19]}", image)
    before = stored_bytes(host.engine)
    report = host.execute(host.plan())

    assert report.status is Status.DONE
    assert report.expected.low <= before - stored_bytes(host.engine) <= report.expected.high


def test_s15_records_that_went_are_told_though_the_clock_cannot_be_asked(
    host: WorkerHost, stage_place: Callable[[], Path]
) -> None:
    host.image("gone:1")
    host.built("FROM gone:1\nRUN echo 1 > /one\nRUN echo 2 > /two", "built:1")
    plan = host.plan((Kind.BUILD_CACHE,))
    with (
        Faulty(stage_place(), host.engine.socket) as door,
        closing(Ledger(host.place.ledger_file)) as ledger,
        closing(Engine(door.url)) as engine,
        ExitStack() as later,
    ):
        silent = door.at("GET /info", refused(500), times=99)
        with door.at("POST /build/prune", around(after=lambda: later.enter_context(silent))):
            report = Host(host.place, ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)

    there = {raw["ID"] for raw in host.engine.client.df()["BuildCache"]}
    told = {o.object.id for o in report.outcomes if o.outcome is Outcome.REMOVED}
    assert told == step_ids(plan) - there != set()
