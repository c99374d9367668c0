"""Small builders of what lies on a host: by default each object is old, unused and nobody's, so it may go."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.contract import Bytes, DiskUsage, EngineIdentity, Kind, Plan, Store, Verdict
from workers.memory.sightings import Sighting
from workers.planning.facts import Case, Memory, Own
from workers.planning.inventory import (
    CacheRecord,
    Container,
    Image,
    Inventory,
    Network,
    Thing,
    Volume,
)
from workers.planning.judgement import judge
from workers.planning.planner import make_plan
from workers.planning.policy import Policy
from workers.planning.protections import Protection
from workers.planning.reclaim import Reckoning
from workers.reasons import Code
from workers.references import ImageName, listed_names

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# As of clocks that were not set. Written out, so that a rule that believes them cannot take these along.
BEFORE_DOCKER = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2012, 12, 31, 23, 59, 59, tzinfo=UTC),
)
ENGINE = EngineIdentity(
    id="ENG:1",
    version="20.10.24",
    api_version="1.41",
    storage_driver="overlay2",
    store=Store.GRAPH_DRIVER,
    data_root="/nowhere",
)
USAGE = DiskUsage(taken_at=NOW, containers=0, images=0, build_cache=0, volumes=0)


def days(count: float) -> datetime:
    """So many days ago."""
    return NOW - timedelta(days=count)


def an_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def an_image_id(text: str) -> str:
    return f"sha256:{an_id(text)}"


def names(*texts: str) -> tuple[ImageName, ...]:
    return listed_names(texts)


def a_container(
    name: str = "spent", *, of: str = "gone:1", ended: float | None = 40, **facts: Any
) -> Container:
    """Exited long ago; `of` names the image that `an_image` of that name makes."""
    usual: dict[str, Any] = {
        "id": an_id(name),
        "image": of,
        "image_id": an_image_id(of),
        "state": "exited",
        "created_at": days(60),
        "labels": {},
        "networks": frozenset(),
        "volumes": (),
        "image_mounts": (),
        "references": names(of),
        "writable": 0,
        "finished_at": None if ended is None else days(ended),
        "restart_policy": "no",
    }
    return Container(name=name, **(usual | facts))


def running(name: str, *, of: str = "gone:1", **facts: Any) -> Container:
    return a_container(name, of=of, ended=None, **({"state": "running", "started_at": days(1)} | facts))


def an_image(*tags: str, arrived: float | None = 40, **facts: Any) -> Image:
    """An image with these tags; its id comes of the first."""
    usual: dict[str, Any] = {
        "id": an_image_id(tags[0] if tags else "untagged"),
        "names": names(*tags),
        "digests": (),
        "parent": "",
        "size": 1000,
        "labels": {},
        "built_at": days(1),
        "written_at": None if arrived is None else days(arrived),
    }
    return Image(**(usual | facts))


def a_network(name: str = "loose", **facts: Any) -> Network:
    usual: dict[str, Any] = {
        "id": an_id(name),
        "created_at": days(40),
        "scope": "local",
        "driver": "bridge",
        "labels": {},
        "ingress": False,
        "config_only": False,
    }
    return Network(name=name, **(usual | facts))


def a_record(name: str = "step", *parents: str, used: float | None = 40, **facts: Any) -> CacheRecord:
    usual: dict[str, Any] = {
        "id": record_id(name),
        "parents": tuple(map(record_id, parents)),
        "type": "regular",
        "description": name,
        "in_use": False,
        "shared": False,
        "size": 100,
        "created_at": days(50),
        "last_used_at": None if used is None else days(used),
    }
    return CacheRecord(**(usual | facts))


def a_volume(name: str = "data", **facts: Any) -> Volume:
    return Volume(name=name, **({"size": 0, "created_at": days(50), "users": 0} | facts))


def record_id(name: str) -> str:
    return an_id(name)[:25]


def a_policy(**keys: Any) -> Policy:
    return Policy.model_validate({"protected_images": (), "critical_containers": (), **keys})


def seen(
    first: Mapping[str, float] | None = None,
    used: Mapping[str, float] | None = None,
    named: Mapping[str, Mapping[str, float]] | None = None,
) -> Memory:
    """A ledger that saw images (by their first tag) so many days ago, in use and under names as well.

    Where it is not said when it saw one first, that was when it had a name, or was used.
    """
    first, used, named = first or {}, used or {}, named or {}

    def first_seen(tag: str) -> float:
        return first.get(tag) or max([*named.get(tag, {}).values(), used.get(tag, 0)])

    sightings = {
        (Kind.IMAGE.value, an_image_id(tag)): Sighting(
            first_seen=days(first_seen(tag)),
            last_seen=NOW,
            last_used=days(used[tag]) if tag in used else None,
        )
        for tag in {*first, *used, *named}
    }
    known = {an_image_id(tag): {n: days(ago) for n, ago in known.items()} for tag, known in named.items()}
    return Memory(sightings=sightings, names=known, since=days(90))


def an_inventory(*things: Thing, **facts: Any) -> Inventory:
    def of(kind: type[Thing]) -> tuple[Any, ...]:
        return tuple(thing for thing in things if isinstance(thing, kind))

    return Inventory(
        taken_at=NOW,
        engine=facts.pop("engine", ENGINE),
        usage=facts.pop("usage", USAGE),
        containers=of(Container),
        images=of(Image),
        networks=of(Network),
        cache=of(CacheRecord),
        volumes=of(Volume),
        **facts,
    )


def a_case(
    *things: Thing,
    policy: Policy | None = None,
    memory: Memory | None = None,
    own: Own | None = None,
    protections: tuple[Protection, ...] = (),
    **facts: Any,
) -> Case:
    return Case(
        inventory=an_inventory(*things, **facts),
        policy=policy or a_policy(),
        memory=memory or Memory(),
        own=own or Own(),
        now=NOW,
        protections=protections,
    )


def verdicts(case: Case, kinds: tuple[Kind, ...] = tuple(Kind)) -> dict[str, Verdict]:
    """The verdicts by the name that is shown."""
    return {verdict.object.name: verdict for verdict in judge(case, kinds)}


def going(case: Case, kinds: tuple[Kind, ...] = tuple(Kind)) -> set[str]:
    """The names of what would be removed."""
    return {name for name, verdict in verdicts(case, kinds).items() if not verdict.keep}


def why(case: Case, name: str) -> list[Code]:
    """The codes of the reasons of one object's verdict."""
    return [one.code for one in verdicts(case)[name].reasons]


def a_plan(case: Case, kinds: tuple[Kind, ...] = tuple(Kind)) -> Plan:
    """A plan in which each removal frees one byte."""
    return make_plan(
        case,
        host="web-1",
        request_id="r",
        kinds=kinds,
        freed=lambda _, order: Reckoning({id_: Bytes(low=1, high=1) for id_ in order}),
    )


def step_names(plan: Plan) -> list[str]:
    return [step.object.name for step in plan.steps]
