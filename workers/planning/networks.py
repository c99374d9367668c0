"""Which networks may go: none that a container in any state is attached to, for it could not start again."""

from collections.abc import Iterator
from datetime import datetime

from workers.contract import Kind, Reference, Verdict
from workers.planning.facts import PROJECT, Case, age_reasons, is_known, is_swarms, labelled, unread_reasons
from workers.planning.inventory import Container, Network
from workers.planning.protections import for_named
from workers.reasons import Code, Reason, reason
from workers.references import NamePattern

PREDEFINED = frozenset({"bridge", "host", "none", "docker_gwbridge", "ingress", "podman"})


def judge(case: Case, leaving: frozenset[str]) -> tuple[Verdict, ...]:
    """Return one verdict for every network; `leaving` are the ids of containers that the plan removes."""
    return tuple(_verdict(network, case, leaving) for network in case.inventory.networks)


def _verdict(network: Network, case: Case, leaving: frozenset[str]) -> Verdict:
    users = attached(network, case.inventory.containers)
    kept = [*_protections(network, case), *_rules(network, case, users, leaving)]
    last = _last_used(network, case, users)
    return Verdict(
        object=Reference(kind=Kind.NETWORK, id=network.id, name=network.name),
        keep=bool(kept),
        reasons=tuple(kept) or (reason(Code.NETWORK_UNUSED, since=last.isoformat() if last else ""),),
    )


def attached(network: Network, containers: tuple[Container, ...]) -> list[Container]:
    """Return the containers, in any state, that name the network."""
    return [c for c in containers if c.networks & {network.id, network.name}]


def _protections(network: Network, case: Case) -> Iterator[Reason]:
    if network.labels.get(PROJECT) in case.own.projects:
        yield reason(Code.OWN, what="its compose project")
    if found := labelled(network.labels, case.policy.protected_labels):
        yield found
    for pattern in case.policy.protected_networks:
        if NamePattern.parse(pattern).matches(network.name):
            yield reason(Code.PROTECTED_NAME, pattern=pattern)
    yield from for_named(case.protections, Kind.NETWORK, network.name)


def _rules(network: Network, case: Case, users: list[Container], leaving: frozenset[str]) -> Iterator[Reason]:
    yield from unread_reasons(network)
    if made := _never_goes(network):
        yield made
        return
    if _is_of_a_swarm(network):
        yield reason(Code.SWARM)
    staying = [c for c in users if c.id not in leaving]
    for container in staying:
        yield reason(Code.IN_USE, container=container.name, state=container.state)
    if _project_lives(network, case, leaving):
        yield reason(Code.OWNED, owner="compose", project=network.labels[PROJECT])
    if not staying:
        yield from _age(network, case, users)


def _age(network: Network, case: Case, users: list[Container]) -> list[Reason]:
    since, grace = _last_used(network, case, users), case.policy.network_grace.total_seconds()
    if since == network.created_at:
        return age_reasons(since, grace, case.now, Code.YOUNG, evidence="created")
    return age_reasons(since, grace, case.now, Code.USED_LATELY)


def never_again(network: Network) -> Reason | None:
    """Why a network is not one to make again, whatever is free: not this host's alone, Docker's, unread."""
    if not network.readable:
        return reason(Code.UNREADABLE, what=network.unread)
    if made := _never_goes(network):
        return made
    if _is_of_a_swarm(network):
        return reason(Code.SWARM)
    if network.config_from:
        return reason(Code.UNREADABLE, what=f"its settings are those of network {network.config_from}")
    return None


def _never_goes(network: Network) -> Reason | None:
    """What stays whoever uses it: Docker's own, and the settings that somebody made others with."""
    if network.name in PREDEFINED:
        return reason(Code.PREDEFINED)
    return reason(Code.CONFIG_ONLY) if network.config_only else None


def _is_of_a_swarm(network: Network) -> bool:
    return network.scope != "local" or network.ingress or is_swarms(network.labels)


def _project_lives(network: Network, case: Case, leaving: frozenset[str]) -> bool:
    project = network.labels.get(PROJECT)
    stays = (c for c in case.inventory.containers if c.id not in leaving)
    return bool(project) and any(c.labels.get(PROJECT) == project for c in stays)


def _last_used(network: Network, case: Case, users: list[Container]) -> datetime | None:
    """Since when nothing uses it: the latest of its creation and of what was attached to it."""
    known = [network.created_at, case.memory.last_used(Kind.NETWORK, network.id)]
    known += [c.finished_at or c.created_at for c in users]
    times = [time for time in known if time is not None]
    return max(times) if is_known(network.created_at) and times else None
