"""What an engine's events tell stays known: through restarts of the engine, and after everything is gone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.docker.worker_host import WorkerHost, step_ids
from tests.service.queue_stage import until
from tests.stage.images import add_tags, build_with_cache
from workers.contract import Kind, Plan, Store
from workers.engine import connected
from workers.memory.follower import LOOK, Follower
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings, Source
from workers.planning.activity import MEMORY
from workers.planning.mentions import OVERLAP
from workers.reasons import Code
from workers.transport.stillness import Stillness, Troubles


@contextmanager
def following(
    host: WorkerHost, forget: Callable[[Ledger, datetime], None] = lambda _ledger, _now: None
) -> Iterator[None]:
    """A follower at work on the host; it has begun when the block does."""
    stillness, stopping = Stillness(), threading.Event()
    follower = Follower(
        connected(host.engine.url),
        host.place.ledger_file,
        stillness,
        Troubles(stillness),
        written_every=timedelta(0),
        forget=forget,
    )
    thread = threading.Thread(target=follower.run, args=(stopping,))
    begun = datetime.now(UTC)
    thread.start()
    try:
        until(lambda: taken_in(host) > begun, "the follower's first look")
        yield
    finally:
        stopping.set()
        thread.join()


def remembered(host: WorkerHost, what: Callable[[Sightings], object]) -> object:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return what(Sightings(ledger, host.engine.engine_id))


def taken_in(host: WorkerHost) -> datetime:
    found = remembered(host, lambda s: s.taken_in("events"))
    return found if isinstance(found, datetime) else datetime.min.replace(tzinfo=UTC)


def hear_all(host: WorkerHost) -> None:
    """Until the follower has taken in what has happened so far."""
    now = datetime.now(UTC)
    until(lambda: taken_in(host) > now, "the follower to catch up")


def names_of(host: WorkerHost, image: str) -> set[str]:
    found = remembered(host, lambda s: set(s.names().get(image, {})))
    assert isinstance(found, set)
    return found


def was_used(host: WorkerHost, image: str) -> bool:
    return bool(remembered(host, lambda s: image in s.uses()))


def test_s9_a_container_that_came_and_went_has_used_its_image(host: WorkerHost) -> None:
    image = host.image("app:1")
    with following(host):
        id_ = host.create("job", "app:1", "true", host={"auto_remove": True})
        host.engine.client.start(id_)
        hear_all(host)

    assert was_used(host, image)
    host.policy(image_unused_for='"14d"')
    assert kept_for(host.plan(), image) == [Code.RECENTLY_USED, Code.CURRENT_VERSION]


def test_s9_what_came_and_went_before_the_first_preview_has_used_its_image(host: WorkerHost) -> None:
    image = host.image("app:1")
    id_ = host.create("job", "app:1", "true", host={"auto_remove": True})
    host.engine.client.start(id_)
    host.engine.client.wait(id_, condition="removed")

    assert step_ids(host.plan()) == {image}
    host.policy(image_unused_for='"14d"')
    assert kept_for(host.plan(), image) == [Code.RECENTLY_USED, Code.CURRENT_VERSION]


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store drops what loses its last name")
@pytest.mark.parametrize("looks", [0, 1])
def test_s9_without_a_follower_the_version_is_known_that_lost_its_name(host: WorkerHost, looks: int) -> None:
    first, before = (_rolled_out(host, content) for content in ("one", "two"))
    for _ in range(looks):
        host.plan()
    host.engine.client.tag(host.image(content="three"), "app", "latest")
    host.running("app", "app:latest")

    assert kept_for(host.plan(), before) == [Code.PREVIOUS_VERSION]
    assert step_ids(host.plan()) == {first}


def _rolled_out(host: WorkerHost, content: str) -> str:
    """A version that ran, and whose container is gone."""
    image = host.image(content=content)
    host.engine.client.tag(image, "app", "latest")
    host.engine.client.remove_container(host.running("app", "app:latest"), force=True)
    return image


def kept_for(plan: Plan, image: str) -> list[Code]:
    return [one.code for v in plan.verdicts if v.object.id == image and v.keep for one in v.reasons]


def test_s9_a_follower_begins_with_what_the_engine_still_tells(host: WorkerHost) -> None:
    image = host.image("app:1")
    id_ = host.create("job", "app:1", "true", host={"auto_remove": True})
    host.engine.client.start(id_)
    host.engine.client.wait(id_, condition="removed")
    ended = datetime.now(UTC)
    until(lambda: datetime.now(UTC) > ended + 2 * OVERLAP, "it to be past what looks have in common")
    with following(host):
        hear_all(host)

    assert was_used(host, image)


def test_a_network_that_containers_come_to_and_leave_is_in_use(host: WorkerHost) -> None:
    used, idle = host.network("ci"), host.network("idle")
    host.image("app:1")
    host.running("web", "app:1")
    host.engine.client.disconnect_container_from_network("web", "none")
    with following(host):
        host.engine.client.connect_container_to_network("web", "ci")
        host.engine.client.disconnect_container_from_network("web", "ci")
        hear_all(host)

    assert (was_used(host, used), was_used(host, idle)) == (True, False)


def test_s9_what_runs_before_the_first_look_is_not_taken_for_new(host: WorkerHost) -> None:
    images = [host.image(f"app:{number}") for number in range(3)]
    host.running("web", "app:2")
    with following(host):
        hear_all(host)
    plan = host.plan()

    assert kept_for(plan, images[2]) == [Code.IN_USE, Code.CURRENT_VERSION]
    assert step_ids(plan) == {images[0]}


@pytest.mark.parametrize(("happened", "is_gap"), [(MEMORY // 2, False), (2 * MEMORY, True)])
def test_what_the_engine_forgot_meanwhile_is_a_gap(host: WorkerHost, happened: int, is_gap: bool) -> None:
    image = host.image("app:1")
    with following(host):
        before = followed_since(host)
    for number in range(happened):
        host.engine.client.tag(image, "app", f"at-{number}")
    with following(host):
        after = followed_since(host)

    assert (after != before) is is_gap


def test_what_runs_when_the_follower_begins_is_in_use(host: WorkerHost) -> None:
    image = host.image("app:1")
    id_ = host.running("web", "app:1")
    with following(host):
        host.engine.client.remove_container(id_, force=True)
        hear_all(host)

    assert was_used(host, image)


def test_s9_what_went_with_the_engine_was_in_use_until_then(host: WorkerHost) -> None:
    image = host.image("app:1")
    host.running("job", "app:1", host={"auto_remove": True})
    with following(host):
        hear_all(host)
        ran = datetime.now(UTC)
        hear_all(host)
        host.engine.kill()
        host.engine.start()
        back = datetime.now(UTC)
        until(lambda: taken_in(host) > back, "the follower to begin anew")
    uses = remembered(host, lambda s: s.uses())

    assert host.engine.client.containers(all=True) == []
    assert isinstance(uses, dict)
    assert uses[image] > ran - LOOK


def test_a_container_that_is_removed_has_not_used_its_image_by_that(host: WorkerHost) -> None:
    image = host.image("app:1")
    id_ = host.create("idle", "app:1")
    with following(host):
        host.engine.client.remove_container(id_)
        hear_all(host)

    assert not was_used(host, image)


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store drops what loses its tag to a build")
@pytest.mark.parametrize("again", [1, 2])
def test_s9_a_version_that_lost_its_tag_between_inventories_is_still_the_one_before(
    host: WorkerHost, again: int
) -> None:
    """Nobody looked between the builds: only the events tell which image `app:latest` was."""
    host.image("base:1")
    with following(host):
        builds = []
        for number in range(again + 1):
            dockerfile = f"FROM base:1\nRUN echo {number} > /release"
            builds.append(build_with_cache(host.engine, dockerfile, "app:latest"))
        host.running("web", "app:latest")
        hear_all(host)
    plan = host.plan()

    assert kept_for(plan, builds[-2]) == [Code.PREVIOUS_VERSION]
    assert step_ids(plan) & set(builds) == set(builds[:-2])


def _deployed(host: WorkerHost, content: str) -> str:
    """A version that runs; its container takes the place of the one before."""
    image = host.image(content=content)
    host.engine.client.tag(image, "app", "latest")
    for one in host.engine.client.containers():
        host.engine.client.remove_container(one["Id"], force=True)
    host.running("app", "app:latest", host={"restart_policy": {"Name": "always"}})
    return image


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store drops what loses its tag to a build")
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("followed", [False, True])
def test_s9_a_version_that_runs_when_a_ledger_begins_is_the_one_before(
    host: WorkerHost, followed: bool, moved: bool
) -> None:
    """The engine has forgotten how it got its name; `moved`: that is another image's already."""
    before = _deployed(host, "one")
    if moved:
        host.engine.client.tag(host.image(content="two"), "app", "latest")
    host.engine.restart()
    if followed:
        with following(host):
            _deployed(host, "three")
            hear_all(host)
    else:
        host.plan()
        _deployed(host, "three")

    assert kept_for(host.plan(), before) == [Code.PREVIOUS_VERSION]


def test_s10_a_pull_or_tag_that_the_engine_forgot_is_still_news(host: WorkerHost) -> None:
    image = host.image("app:1")
    with following(host):
        add_tags(host.engine.client, "app:1", ["copy:1"])
        hear_all(host)
    host.engine.client.remove_image("copy:1", noprune=True)
    host.engine.restart()
    arrivals = remembered(host, lambda s: s.arrivals())

    assert isinstance(arrivals, dict)
    assert {image, "docker.io/library/copy:1"} <= arrivals.keys()


def test_the_follower_goes_on_after_the_engine_was_away(host: WorkerHost) -> None:
    host.image("app:1")
    with following(host):
        host.engine.restart()
        image = host.image("app:2")
        host.spent("job", "app:2")
        until(lambda: was_used(host, image), "the use after the restart")

    assert names_of(host, image) == {"docker.io/library/app:2"}


def test_a_follower_that_was_away_reads_what_the_engine_still_knows(host: WorkerHost) -> None:
    host.image("app:1")
    with following(host):
        pass
    image = host.image("app:2")
    host.spent("job", "app:2")
    with following(host):
        hear_all(host)

    assert (was_used(host, image), names_of(host, image)) == (True, {"docker.io/library/app:2"})


def followed_since(host: WorkerHost) -> datetime:
    found = remembered(host, lambda s: s.followed_since(datetime.now(UTC)))
    assert isinstance(found, datetime)
    return found


def test_s9_use_is_known_since_events_are_followed_without_a_gap(host: WorkerHost) -> None:
    since = []
    for away in (0, 0, 3600):
        with closing(Ledger(host.place.ledger_file)) as ledger:
            sightings = Sightings(ledger, host.engine.engine_id)
            upto = sightings.taken_in("events") or datetime.now(UTC)
            sightings.take_in("events", upto - timedelta(seconds=away))
        with following(host):
            since.append(followed_since(host))

    assert since[0] == since[1] < since[2]
    assert remembered(host, lambda s: s.taken_in("followed first")) == since[0]


def gone_back(host: WorkerHost, what: Source) -> None:
    """The clock was two hours ahead when events were taken in."""
    with closing(Ledger(host.place.ledger_file)) as ledger:
        sightings = Sightings(ledger, host.engine.engine_id)
        sightings.take_in("followed since", datetime.now(UTC) - timedelta(days=60))
        sightings.take_in(what, datetime.now(UTC) + timedelta(hours=2))


def test_s9_a_follower_hears_what_happens_after_the_clock_went_back(host: WorkerHost) -> None:
    image = host.image("app:1")
    gone_back(host, "events")
    id_ = host.create("job", "app:1", "true", host={"auto_remove": True})
    host.engine.client.start(id_)
    host.engine.client.wait(id_, condition="removed")
    begun = datetime.now(UTC)
    with following(host):
        until(lambda: begun < taken_in(host) < datetime.now(UTC), "the follower's first look by this clock")

    assert was_used(host, image)
    assert begun < followed_since(host)


def test_s9_a_preview_hears_what_happened_after_the_clock_went_back(host: WorkerHost) -> None:
    image = host.image("app:1")
    id_ = host.create("job", "app:1", "true", host={"auto_remove": True})
    host.engine.client.start(id_)
    host.engine.client.wait(id_, condition="removed")
    gone_back(host, "caught up")
    host.policy(image_unused_for='"14d"')

    assert kept_for(host.plan(), image) == [Code.RECENTLY_USED, Code.CURRENT_VERSION]


def test_what_was_not_seen_for_more_than_a_year_is_forgotten_if_it_is_gone(host: WorkerHost) -> None:
    gone, here = host.image("app:1"), host.image("app:2")
    host.plan()
    host.engine.client.remove_image("app:1")
    since = datetime.now(UTC)
    host.plan()
    with closing(Ledger(host.place.ledger_file)) as ledger:
        sightings = Sightings(ledger, host.engine.engine_id)
        sightings.forget_before(since)
        images = {id_ for kind, id_ in sightings.all() if kind == Kind.IMAGE}

        assert (images, sightings.names().keys(), sightings.layers().keys()) == ({here}, {here}, {here})
    assert gone != here


def test_what_need_not_be_kept_any_more_is_forgotten_now_and_then(host: WorkerHost) -> None:
    forgotten: list[datetime] = []
    with following(host, lambda _, now: forgotten.append(now)):
        hear_all(host)
        hear_all(host)

    assert len(forgotten) == 1
