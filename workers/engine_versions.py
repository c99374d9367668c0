"""Which engines are spoken with, and which of them only read: what was tried is what may remove (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.reasons import Code, Reason, reason

# Engine 20.10 and engine 28: the oldest and the newest that the rules of removal were tried on.
OLDEST, NEWEST = (1, 41), (1, 51)
DOCKER = "Engine"
Version = tuple[int, ...]


@dataclass(frozen=True)
class Speech:
    """The version of the API to speak with an engine, and why nothing may be removed there, if so."""

    api_version: str
    read_only: Reason | None


def speech(told: Mapping[str, Any]) -> Speech:
    """Decide by what an engine tells of its version.

    Raises:
        LookupError, ValueError, TypeError, AttributeError: it tells nothing that can be understood.
    """
    newest, oldest = _numbers(told["ApiVersion"]), _numbers(told.get("MinAPIVersion") or "1.12")
    # An engine that no longer speaks ours is spoken with in the oldest version it knows.
    spoken = max(min(newest, NEWEST), oldest)
    return Speech(_text(spoken), _read_only(told, newest, oldest))


def _read_only(told: Mapping[str, Any], newest: Version, oldest: Version) -> Reason | None:
    product = _product(told)
    ours = f"{_text(OLDEST)} to {_text(NEWEST)}"
    if product != DOCKER:
        return reason(Code.ENGINE_NOT_DOCKER, engine=f"{product} {told['Version']}", ours=ours)
    engine = f"{told['Version']} (API {_text(oldest)} to {_text(newest)})"
    if newest < OLDEST:
        return reason(Code.ENGINE_TOO_OLD, engine=engine, ours=ours)
    return reason(Code.ENGINE_TOO_NEW, engine=engine, ours=ours) if oldest > NEWEST else None


def _product(told: Mapping[str, Any]) -> str:
    """What it calls itself: Podman answers as version 1.41 of Docker's API, and means other things by it."""
    components = told.get("Components") or [{"Name": DOCKER}]
    return str(components[0]["Name"])


def _numbers(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))


def _text(version: Version) -> str:
    return ".".join(map(str, version))
