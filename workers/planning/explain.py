"""Why one object stays or goes: its verdict, and what that was judged by (pure)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches

from workers.contract import Explanation, Kind, Plan, Verdict
from workers.planning.ages import Users, arrival, last_built_upon, last_used
from workers.planning.archiving import way_back_of
from workers.planning.containers import stopped_since
from workers.planning.disk import known
from workers.planning.facts import Case
from workers.planning.inventory import CacheRecord, Container, Image, Network, Thing, Volume
from workers.planning.networks import attached
from workers.planning.versions import repositories
from workers.reasons import Code, reason
from workers.references import BadName, ImageName, repository_of

Fact = tuple[str, str | int | datetime | None]
Verdicts = Mapping[tuple[Kind, str], Verdict]
KINDS: dict[type[Thing], Kind] = {
    Container: Kind.CONTAINER,
    Image: Kind.IMAGE,
    Network: Kind.NETWORK,
    CacheRecord: Kind.BUILD_CACHE,
}
NEAREST = 3
SHORTEST_ID = 4
ALIKE = 0.5


def explain(case: Case, plan: Plan, text: str) -> tuple[Explanation, ...]:
    """Explain what somebody calls by an id or its beginning, a name or a tag, or all that this may mean."""
    # Two objects of two kinds that came without an id have the same one made up for them.
    verdicts = {(one.object.kind, one.object.id): one for one in plan.verdicts}
    return tuple(_explained(thing, verdicts, case) for thing in _meant(case, verdicts, text))


def _explained(thing: Thing, verdicts: Verdicts, case: Case) -> Explanation:
    facts = _said(_facts(thing, case))
    verdict = _verdict_of(thing, verdicts)
    if verdict is None:
        never = (reason(Code.VOLUME),)
        return Explanation(kind="volume", id=thing.id, name=thing.id, keep=True, reasons=never, facts=facts)
    return Explanation(
        kind=verdict.object.kind.value,
        id=thing.id,
        name=verdict.object.name,
        keep=verdict.keep,
        reasons=verdict.reasons,
        facts=facts,
    )


def _verdict_of(thing: Thing, verdicts: Verdicts) -> Verdict | None:
    """What the plan says of it; of a volume it says nothing."""
    return None if isinstance(thing, Volume) else verdicts[KINDS[type(thing)], thing.id]


def nearest(case: Case, text: str) -> list[str]:
    """Return the names on the host that look most like a text that means nothing there."""
    names = {name for thing in _things(case) for name in _names(thing)}
    return get_close_matches(text, sorted(names), NEAREST, ALIKE)


def _meant(case: Case, verdicts: Verdicts, text: str) -> list[Thing]:
    """What it is called exactly, else what its id begins with, else all versions of a repository."""
    wanted = text.removeprefix("/")
    full = _full_name(wanted)

    def is_called_so(thing: Thing) -> bool:
        shown = _verdict_of(thing, verdicts)
        called = {*_names(thing), *([shown.object.name] if shown else [])}
        return not called.isdisjoint((text, wanted)) or full in _full_names(thing)

    ways: tuple[Callable[[Thing], bool], ...] = (
        is_called_so,
        lambda thing: _is_id_of(wanted, thing),
        lambda thing: isinstance(thing, Image) and _repository(wanted) in repositories(thing, case.memory),
    )
    for means in ways:
        if found := [thing for thing in _things(case) if means(thing)]:
            return found
    return []


def _things(case: Case) -> Iterator[Thing]:
    found = case.inventory
    for things in (found.containers, found.images, found.networks, found.cache, found.volumes):
        yield from things
    # Of those that do not lie in the engine's own folder only their containers tell.
    elsewhere = {name for c in found.containers for name in c.volumes} - {v.name for v in found.volumes}
    yield from (Volume(name=name, size=-1, created_at=None, users=-1) for name in sorted(elsewhere))


def _names(thing: Thing) -> list[str]:
    match thing:
        case Image():
            return [name.familiar() for name in (*thing.names, *thing.digests)]
        case CacheRecord():
            return [thing.description] if thing.description else []
    return [thing.name]


def _full_names(thing: Thing) -> set[str]:
    return {name.full() for name in (*thing.names, *thing.digests)} if isinstance(thing, Image) else set()


def _full_name(text: str) -> str:
    """The full spelling; beside a digest the tag is a remark, as for Docker."""
    try:
        name = ImageName.parse(text)
    except BadName:
        return ""
    return (replace(name, tag=None) if name.digest else name).full()


def _repository(text: str) -> str:
    try:
        return repository_of(ImageName.parse_repository(text))
    except BadName:
        return ""


def _is_id_of(text: str, thing: Thing) -> bool:
    start = text.removeprefix("sha256:")
    return (
        len(start) >= SHORTEST_ID
        and not isinstance(thing, Volume)
        and thing.id.removeprefix("sha256:").startswith(start)
    )


def _said(facts: Iterable[Fact]) -> dict[str, str | int]:
    """Write facts as JSON can; one that is not known is left out."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in facts
        if value not in (None, "")
    }


def _facts(thing: Thing, case: Case) -> Iterator[Fact]:
    match thing:
        case Container():
            yield from _of_container(thing)
        case Image():
            yield from _of_image(thing, case)
        case Network():
            yield from _of_network(thing, case)
        case CacheRecord():
            yield from _of_record(thing)
        case Volume():
            yield from _of_volume(thing, case)


def _of_container(container: Container) -> Iterator[Fact]:
    yield "image", container.image
    yield "state", container.state
    if container.stopped:
        yield "stopped", stopped_since(container)
        yield "exit code", container.exit_code
        yield "restart policy", container.restart_policy
        yield "written inside", known(container.writable)
    yield "volumes", _listed(container.volumes)
    yield "networks", _listed(sorted(container.networks))


def _of_image(image: Image, case: Case) -> Iterator[Fact]:
    users = Users(case.inventory.containers).of(image)
    arrived = arrival(image, case.memory, case.inventory.arrivals)
    yield "names", _listed(name.familiar() for name in image.names)
    yield "digests", _listed(name.familiar() for name in image.digests)
    yield "a version of", _listed(sorted(repositories(image, case.memory)))
    yield "size", image.size
    yield "built", image.built_at
    yield "on this host since", arrived.at
    yield "known from", arrived.evidence if arrived.at else ""
    yield "last used", last_used(image, case, users)
    yield "built upon", last_built_upon(image, case)
    yield "used by", _listed(container.name for container in users)
    yield "children", _listed(i.shown for i in case.inventory.images if i.parent == image.id)
    yield "restorable", way_back_of(image, case).value.replace("_", " ")


def _of_network(network: Network, case: Case) -> Iterator[Fact]:
    yield "driver", network.driver
    yield "created", network.created_at
    yield "attached", _listed(c.name for c in attached(network, case.inventory.containers))


def _of_record(record: CacheRecord) -> Iterator[Fact]:
    yield "type", record.type
    yield "size", known(record.size)
    yield "created", record.created_at
    yield "last used", record.last_used_at
    yield "lies on", _listed(record.parents)


def _of_volume(volume: Volume, case: Case) -> Iterator[Fact]:
    yield "size", known(volume.size)
    yield "created", volume.created_at
    yield "used by", _listed(c.name for c in case.inventory.containers if volume.name in c.volumes)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)
