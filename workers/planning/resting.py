"""What may be remembered of a container that does nothing, and what says that it may have changed (pure)."""

from collections.abc import Iterable, Mapping
from typing import Any

from workers.planning.fields import Fields
from workers.planning.inventory import STOPPED_STATES
from workers.planning.mentions import SOME_TIME, event_time

Raw = Mapping[str, Any]
# All that facts are made of. Never the whole: an inspection holds the environment, and with it secrets.
READ: Mapping[str, tuple[str, ...]] = {
    "State": ("Status", "StartedAt", "FinishedAt", "ExitCode"),
    "HostConfig": ("RestartPolicy", "PidMode", "IpcMode", "VolumesFrom", "Links"),
    "Config": ("Image",),
}
# The containers that an event may have spoken of that does not say which: all of them.
ANY = ""


def details(inspected: Raw) -> dict[str, Any] | None:
    """Pick of an inspection what facts are made of, fit to be kept as JSON; None where that is not there."""
    if not all(isinstance(inspected.get(part), Mapping) for part in READ):
        return None
    return {
        part: {key: inspected[part][key] for key in keys if key in inspected[part]}
        for part, keys in READ.items()
    }


def stands(listed: Raw) -> str:
    """How a container stands in the list, but for how long it has: "exited Exited (0)"."""
    status, end, _ = str(listed.get("Status")).rpartition(")")
    return f"{listed.get('State')} {status}{end}"


def is_resting(listed: Raw, told: Raw) -> bool:
    """Whether the list and the inspection both say that it does nothing."""
    return listed.get("State") == told["State"].get("Status") and listed.get("State") in STOPPED_STATES


def touched(events: Iterable[Raw]) -> dict[str, float]:
    """When an event last spoke of a container, by its id."""
    found: dict[str, float] = {}
    for told in events:
        event = Fields(told)
        if event.text("Type") in ("container", ""):
            id_ = event.inside("Actor").text("ID")
            key = ANY if event.unread else id_
            at = (event_time(told) or SOME_TIME).timestamp()
            found[key] = max(at, found.get(key, at))
    return found


def was_touched(id_: str, since: float, times: Mapping[str, float]) -> bool:
    """Whether an event spoke of a container then or later; events tell whole seconds."""
    return any(key in times and times[key] >= int(since) for key in (id_, ANY))
