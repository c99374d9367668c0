"""Which containers may go: stopped is not garbage (S17)."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from workers.contract import Kind, Reference, Verdict
from workers.planning.facts import ONE_OFF, PROJECT, Case, age_reasons, is_swarms, labelled, unread_reasons
from workers.planning.inventory import Container
from workers.planning.policy import COMPOSE
from workers.planning.protections import for_named
from workers.reasons import Code, Reason, reason
from workers.references import NamePattern


def judge(case: Case) -> tuple[Verdict, ...]:
    """Return one verdict for every container."""
    containers = case.inventory.containers
    kept = {c.id: (*_protections(c, case), *_rules(c, case)) for c in containers}
    kept = _with_joined(containers, kept)
    return tuple(_verdict(container, kept[container.id]) for container in containers)


def _verdict(container: Container, kept: tuple[Reason, ...]) -> Verdict:
    return Verdict(
        object=Reference(kind=Kind.CONTAINER, id=container.id, name=container.name),
        keep=bool(kept),
        reasons=kept or (_why_remove(container),),
        size=container.writable,
    )


def _protections(container: Container, case: Case) -> Iterator[Reason]:
    if container.id in case.own.container_ids or container.labels.get(PROJECT) in case.own.projects:
        yield reason(Code.OWN, what="a container of its own")
    if found := labelled(container.labels, case.policy.protected_labels):
        yield found
    for pattern in case.policy.protected_containers:
        if NamePattern.parse(pattern).matches(container.name):
            yield reason(Code.PROTECTED_NAME, pattern=pattern)
    yield from for_named(case.protections, Kind.CONTAINER, container.name)
    for entry in case.policy.critical_containers:
        if is_critical(container, entry):
            yield reason(Code.PROTECTED_NAME, pattern=entry)


def is_critical(container: Container, entry: str) -> bool:
    """Whether a critical entry means this container; a one-off run of a service is not what serves."""
    if not entry.startswith(COMPOSE):
        return NamePattern.parse(entry).matches(container.name)
    if _is_one_off(container):
        return False
    project, _, service = entry.removeprefix(COMPOSE).partition("/")
    named = (container.labels.get(PROJECT, ""), container.labels.get("com.docker.compose.service", ""))
    return NamePattern.parse(project).matches(named[0]) and NamePattern.parse(service).matches(named[1])


def _rules(container: Container, case: Case) -> Iterator[Reason]:
    yield from unread_reasons(container)
    if not container.stopped:
        yield reason(Code.NOT_STOPPED, state=container.state)
    if not container.stopped or not container.readable:
        return
    if container.restart_policy != "no":
        yield reason(Code.RESTART_POLICY, policy=container.restart_policy or "unknown")
    yield from _writable(container, int(case.policy.writable_limit))
    yield from _owner(container)
    grace = case.policy.container_grace.total_seconds()
    since = stopped_since(container)
    if _never_started(container):
        yield from age_reasons(since, grace, case.now, Code.YOUNG, evidence="created")
    else:
        yield from age_reasons(since, grace, case.now, Code.STOPPED_LATELY)


def _writable(container: Container, limit: int) -> Iterator[Reason]:
    if container.writable is None or container.writable < 0:
        yield reason(Code.UNREADABLE, what="size of its writable layer")
    elif container.writable > limit:
        yield reason(Code.WRITABLE_LAYER, size=container.writable, limit=limit)


def _owner(container: Container) -> Iterator[Reason]:
    if is_swarms(container.labels):
        yield reason(Code.OWNED, owner="swarm", project="")
    project = container.labels.get(PROJECT)
    if project and not _is_one_off(container):
        yield reason(Code.OWNED, owner="compose", project=project)


def _is_one_off(container: Container) -> bool:
    """Whether `docker compose run` made it: nothing but its own command is done in it."""
    return container.labels.get(ONE_OFF, "").lower() == "true"


def _with_joined(
    containers: tuple[Container, ...], kept: dict[str, tuple[Reason, ...]]
) -> dict[str, tuple[Reason, ...]]:
    """Keep what a container that stays has joined: it could not start, or not be made again, without.

    Data-only containers never run and hold what others run with (spotify/docker-gc#23).
    """
    found, names, joining = dict(kept), names_of(containers), guests(containers)
    waiting = [c for c in joining if kept[c.id]]
    while waiting:
        guest = waiting.pop()
        for holder in (c for c in containers if c.stopped and has_joined(guest, c, names)):
            if not found[holder.id] and holder in joining:
                waiting.append(holder)
            found[holder.id] += (reason(Code.IN_USE, container=guest.name, state="joined to it"),)
    return found


def guests(containers: Iterable[Container]) -> list[Container]:
    """Those that have joined others, or have a legacy link to one: only they need to be asked of whom."""
    found = list(containers)
    linking = {name for c in found for name in c.linked_by}
    return [c for c in found if c.joined or c.name in linking]


def has_joined(guest: Container, holder: Container, names: Collection[str] = ()) -> bool:
    """Whether one names the other: by name or, where that is none of `names`, by the start of its id.

    As engines read it; without the names that containers have, one that may be meant counts as meant (S4).
    """
    return guest.name in holder.linked_by or any(
        other in (holder.name, holder.id) or (other not in names and holder.id.startswith(other))
        for other in guest.joined
    )


def names_of(containers: Iterable[Container]) -> frozenset[str]:
    """What containers are called."""
    return frozenset(c.name for c in containers)


def stopped_since(container: Container) -> datetime | None:
    """Since when it does nothing: its exit, or for one that never started its creation."""
    return container.created_at if _never_started(container) else container.finished_at


def _never_started(container: Container) -> bool:
    """Whether it never ran; one that could not be removed is called dead, whether it ever ran or not."""
    unstarted = container.state == "created" or (container.state == "dead" and container.started_at is None)
    return unstarted and container.finished_at is None


def _why_remove(container: Container) -> Reason:
    since = stopped_since(container)
    at = since.isoformat() if since else ""
    if _never_started(container):
        return reason(Code.NEVER_STARTED, since=at)
    return reason(Code.STOPPED, since=at, exit_code=container.exit_code)
