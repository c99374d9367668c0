"""Which critical containers are not well as they were listed: an order would be refused for them (pure)."""

from collections.abc import Iterator

from workers.planning.containers import is_critical
from workers.planning.facts import Case
from workers.planning.inventory import Container
from workers.reasons import Code, Reason, reason

# How an engine ends the line of a container that runs and whose own check fails.
ILL = "(unhealthy)"


def unfit(case: Case) -> Iterator[Reason]:
    """What the pre-check would say at once; whether they hold still and probes answer, only a look tells."""
    entries = case.policy.critical_containers
    for container in sorted(case.inventory.containers, key=lambda one: one.name):
        if any(is_critical(container, entry) for entry in entries):
            yield from _unfit(container)


def _unfit(container: Container) -> Iterator[Reason]:
    if container.state != "running":
        yield reason(Code.CRITICAL_NOT_RUNNING, container=container.name, state=container.state)
    elif container.status.endswith(ILL):
        yield reason(Code.CRITICAL_UNHEALTHY, container=container.name)
