"""Which engines are spoken with, and which of them only read: what was tried is what may remove (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.errors import EngineError
from workers.reasons import Code, Reason, reason
from workers.replies import a_list, a_text, an_object

# Engine 20.10 and engine 28: the oldest and the newest that the rules of removal were tried on.
OLDEST, NEWEST = (1, 41), (1, 51)
MINIMUM = "MinAPIVersion"
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
        EngineError: it tells nothing that can be understood.
    """
    # Engines before 1.25 do not tell the oldest they know.
    newest, oldest = _version(told, "ApiVersion"), _version({MINIMUM: "1.12", **told}, MINIMUM)
    # An engine that no longer speaks ours is spoken with in the oldest version it knows.
    spoken = max(min(newest, NEWEST), oldest)
    return Speech(_text(spoken), _read_only(told, newest, oldest))


def _read_only(told: Mapping[str, Any], newest: Version, oldest: Version) -> Reason | None:
    product = _product(told)
    ours = f"{_text(OLDEST)} to {_text(NEWEST)}"
    version = a_text("version", told, "Version")
    if product != DOCKER:
        return reason(Code.ENGINE_NOT_DOCKER, engine=f"{product} {version}", ours=ours)
    engine = f"{version} (API {_text(oldest)} to {_text(newest)})"
    if newest < OLDEST:
        return reason(Code.ENGINE_TOO_OLD, engine=engine, ours=ours)
    return reason(Code.ENGINE_TOO_NEW, engine=engine, ours=ours) if oldest > NEWEST else None


def _product(told: Mapping[str, Any]) -> str:
    """What it calls itself: Podman answers as version 1.41 of Docker's API, and means other things by it."""
    components = a_list("version: Components", told.get("Components") or [{"Name": DOCKER}])
    return a_text("version: Components", an_object("version: Components", components[0]), "Name")


def _version(told: Mapping[str, Any], key: str) -> Version:
    text = a_text("version", told, key)
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})+", text):
        raise EngineError(f"version: {key} is {text!r}, expected numbers such as 1.41")
    return tuple(int(part) for part in text.split("."))


def _text(version: Version) -> str:
    return ".".join(map(str, version))
