"""Hosts, policies and memories as they come: what must hold for every input is tried on these."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.unit.facts_host import (
    ENGINE,
    NOW,
    a_case,
    a_container,
    a_network,
    a_record,
    an_id,
    an_image,
    an_image_id,
    names,
)
from workers.contract import Kind, Store
from workers.memory.sightings import Sighting
from workers.planning.facts import ONE_OFF, PROJECT, Case, Memory, Own
from workers.planning.inventory import CacheRecord, Container, Image, Network, Thing
from workers.planning.policy import Policy
from workers.planning.protections import Protection
from workers.references import ImageName

TAGS = ("app:1", "app:2", "app:3", "app:4", "db:16", "host:5000/app:1", "other.example/app:1", "web:1")
PINNED = tuple(f"{name}@sha256:{digit * 64}" for name in ("app", "host:5000/app") for digit in "ab")
NETWORKS = ("front", "back", "shop_default", "bridge")
CONTAINERS = ("one", "two", "three", "four")
RECORDS = ("a", "b", "c", "d")
T = TypeVar("T")


def mostly(usual: st.SearchStrategy[T], *rare: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Most is as it usually is, old and nobody's, or nothing would ever go.

    `one_of` draws each strategy as often as any other, however often it is named.
    """
    return st.sampled_from([usual] * 9 + [*rare]).flatmap(lambda drawn: drawn)


OLD = st.floats(15, 60)
AGES = mostly(OLD, st.none(), st.floats(-20, -0.1), st.floats(0, 20))
MOMENTS = AGES.map(lambda ago: None if ago is None else NOW - timedelta(days=ago))
SOME_LABELS = st.dictionaries(
    st.sampled_from(["safe-prune.keep", "safe-prune.role", PROJECT, ONE_OFF]),
    st.sampled_from(["true", "shop", "False"]),
    min_size=1,
    max_size=2,
)
LABELS = mostly(st.just({}), SOME_LABELS)
READABLE = st.sampled_from([True] * 30 + [False])
ATTACHED = (*NETWORKS, *map(an_id, NETWORKS))
JOINED = (f"container:{an_id('one')}", "container:two")
IMAGE_IDS = st.integers(0, 5).map(lambda number: an_image_id(f"image {number}"))
CALLED = st.one_of(IMAGE_IDS, st.sampled_from(TAGS).map(lambda tag: ImageName.parse(tag).full()))
NETWORK_IDS = st.sampled_from(NETWORKS).map(an_id)


def _joined(name: str) -> tuple[str, ...]:
    """The networks of the containers before this one, so that none waits for itself."""
    return tuple(JOINED[: CONTAINERS.index(name)])


def _before(name: str) -> list[str]:
    """What this one may have joined, as engines and people spell it, or something that is gone."""
    earlier = CONTAINERS[: CONTAINERS.index(name)]
    return ["vanished", *earlier, *map(an_id, earlier), *(an_id(one)[:12] for one in earlier)]


@st.composite
def containers(draw: st.DrawFn, name: str) -> Container:
    stopped = st.sampled_from(["exited", "exited", "exited", "created", "dead"])
    state = draw(
        st.one_of(stopped, stopped, st.sampled_from(["running", "paused", "restarting", "removing"]))
    )
    named = draw(st.sampled_from((*TAGS, *PINNED)))
    return a_container(
        name,
        of=named,
        image_id=draw(IMAGE_IDS),
        state=state,
        created_at=draw(MOMENTS),
        started_at=draw(MOMENTS),
        finished_at=draw(MOMENTS),
        labels=draw(LABELS),
        # Whoever joins another came after it, so there are no circles.
        networks=frozenset(
            draw(st.sets(st.sampled_from([*NETWORKS, *map(an_id, NETWORKS), *_joined(name)]), max_size=2))
        ),
        joins=frozenset(draw(mostly(st.just(set()), st.sets(st.sampled_from(_before(name)))))),
        image_mounts=draw(st.one_of(st.just(()), CALLED.map(lambda mounted: (mounted,)))),
        writable=draw(st.sampled_from([0] * 8 + [None, 2_000_000])),
        restart_policy=draw(st.sampled_from(["no"] * 8 + ["always", None])),
        readable=draw(READABLE),
    )


@st.composite
def images(draw: st.DrawFn) -> list[Image]:
    """A few images; each tag names one of them at most, and parents come before their children."""
    owners = draw(st.lists(st.integers(0, 7), min_size=len(TAGS), max_size=len(TAGS)))
    found: list[Image] = []
    for number in range(draw(st.integers(2, 6))):
        tags = [tag for tag, owner in zip(TAGS, owners, strict=True) if owner == number]
        facts: dict[str, Any] = {
            "id": an_image_id(f"image {number}"),
            "digests": names(*draw(st.sets(st.sampled_from(PINNED), max_size=1))),
            "size": draw(st.integers(0, 1000)),
            "parent": draw(st.sampled_from(["", "", *(image.id for image in found)])),
            "labels": draw(LABELS),
            "tagged_at": draw(st.one_of(st.none(), MOMENTS)),
            "written_at": draw(MOMENTS),
            "readable": draw(READABLE),
        }
        found.append(an_image(*tags, **facts))
    return found


@st.composite
def networks(draw: st.DrawFn, name: str) -> Network:
    return a_network(
        name,
        created_at=draw(MOMENTS),
        labels=draw(LABELS),
        scope=draw(st.sampled_from(["local"] * 6 + ["swarm"])),
    )


@st.composite
def records(draw: st.DrawFn, number: int) -> CacheRecord:
    return a_record(
        RECORDS[number],
        *draw(st.sets(st.sampled_from(RECORDS[:number]), max_size=2) if number else st.just(set())),
        last_used_at=draw(MOMENTS),
        created_at=draw(MOMENTS),
        in_use=draw(st.sampled_from([False] * 6 + [True])),
        size=draw(st.integers(0, 1000)),
        type=draw(st.sampled_from(["regular"] * 4 + ["source.local", "exec.cachemount"])),
    )


@st.composite
def things(draw: st.DrawFn) -> list[Thing]:
    """All objects of a host, in any order."""
    found: list[Thing] = [draw(containers(name)) for name in CONTAINERS if draw(st.booleans())]
    found += [draw(networks(name)) for name in NETWORKS if draw(st.booleans())]
    found += [draw(records(number)) for number in range(draw(st.integers(0, len(RECORDS))))]
    return draw(st.permutations([*found, *draw(images())]))


def policies(**keys: Any) -> st.SearchStrategy[Policy]:
    days = st.sampled_from(["0s", "1d", "7d", "14d"])
    drawn = {
        "protected_images": st.lists(
            st.sampled_from([*TAGS, *PINNED, "app", "other.example/*", "host:5000/*"]), max_size=1
        ),
        "critical_containers": st.lists(st.sampled_from([*CONTAINERS, "compose:shop/*"]), max_size=1),
        "protected_containers": st.lists(st.sampled_from(CONTAINERS), max_size=1),
        "protected_networks": st.lists(st.sampled_from(NETWORKS), max_size=1),
        "keep_previous": st.integers(0, 2),
        "build_cache_keep_bytes": st.sampled_from([0, 500]),
        "unrestorable_images": st.sampled_from(["flag"] * 9 + ["keep"]),
        **dict.fromkeys(
            ("image_grace", "container_grace", "network_grace", "cache_grace", "image_unused_for"), days
        ),
    }
    fixed = {key: st.just(value) for key, value in keys.items()}
    return st.fixed_dictionaries({**drawn, **fixed}).map(Policy.model_validate)


def told(keys: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, datetime]]:
    """When something was told of a few objects, if it was; by a clock that was set back, still to come."""
    ago = mostly(st.floats(0, 60), st.floats(-20, -0.1))
    moments = ago.map(lambda days: NOW - timedelta(days=days))
    return mostly(st.just({}), st.dictionaries(keys, moments, min_size=1, max_size=2))


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """What a ledger may remember: when images were seen and used, and names they had."""
    moments = st.one_of(OLD, st.floats(0, 60)).map(lambda ago: NOW - timedelta(days=ago))
    ids = draw(st.sets(IMAGE_IDS, max_size=4))
    sightings = {
        (Kind.IMAGE.value, id_): Sighting(draw(moments), NOW, draw(st.one_of(st.none(), moments)))
        for id_ in sorted(ids)
    }
    named: dict[str, dict[str, datetime]] = {
        id_: {
            ImageName.parse(tag).full(): draw(moments)
            for tag in sorted(draw(st.sets(st.sampled_from(TAGS), max_size=2)))
        }
        for id_ in sorted(ids)
    }
    return Memory(
        sightings=sightings,
        names=named,
        uses=draw(told(st.one_of(IMAGE_IDS, NETWORK_IDS))),
        arrivals=draw(told(CALLED)),
        removed_images=draw(told(IMAGE_IDS)),
        since=draw(st.one_of(st.none(), moments)),
        followed_first=draw(st.one_of(st.none(), moments)),
    )


PROTECTIONS = st.one_of(
    st.tuples(st.just(Kind.IMAGE), st.sampled_from([*TAGS, *PINNED, "app", "app:*", "host:5000/*"])),
    st.tuples(st.just(Kind.CONTAINER), st.sampled_from([*CONTAINERS, "t*", "[a-o]*"])),
    st.tuples(st.just(Kind.NETWORK), st.sampled_from([*NETWORKS, "shop_*", "*"])),
).map(lambda drawn: Protection(*drawn, by="U1"))
OWNS = st.sampled_from([Own()] * 6 + [Own(frozenset({an_id("one")}), frozenset({"shop"}))])


STORES = st.sampled_from([ENGINE, ENGINE.model_copy(update={"store": Store.CONTAINERD})])
SERVICES = st.one_of(st.just(()), st.sets(st.sampled_from((*TAGS, *PINNED)), max_size=2))


@st.composite
def cases(draw: st.DrawFn, /, **keys: Any) -> Case:
    """Everything a judgement may look at; `keys` fix keys of the policy."""
    return a_case(
        *draw(things()),
        policy=draw(policies(**keys)),
        memory=draw(memories()),
        own=draw(OWNS),
        engine=draw(STORES),
        service_images=frozenset(names(*draw(SERVICES))),
        arrivals=draw(told(CALLED)),
        built_upon=draw(told(IMAGE_IDS)),
        protections=draw(mostly(st.just(()), st.tuples(PROTECTIONS))),
    )
