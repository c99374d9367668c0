"""What an answer must be as a whole before anybody reads in it; what it was instead is said (pure)."""

import json
from typing import Any

from workers.errors import EngineError


def a_list(what: str, told: object) -> list[Any]:
    """An answer that must be a list. Null is none: as an empty one it would say that nothing is in use."""
    if isinstance(told, list):
        return told
    raise EngineError(f"{what}: the engine answered with {_kind(told)}, expected a list")


def an_object(what: str, told: object) -> dict[str, Any]:
    """An answer that must be an object."""
    if isinstance(told, dict):
        return told
    raise EngineError(f"{what}: the engine answered with {_kind(told)}, expected an object")


def many_objects(what: str, told: str) -> list[dict[str, Any]]:
    """An answer that must be objects, one on each line, as engines write events."""
    try:
        return [an_object(what, json.loads(line)) for line in told.split("\n") if line.strip()]
    except ValueError as error:
        raise EngineError(f"{what}: the engine's answer is not JSON ({error})") from error


def a_text(what: str, told: dict[str, Any], key: str) -> str:
    """A field of an answer without which nothing can be done."""
    value = told.get(key)
    if isinstance(value, str) and value:
        return value
    raise EngineError(f"{what}: {key} is {_kind(value)}, expected a text")


def _kind(told: object) -> str:
    words = {dict: "an object", list: "a list", str: "a text", type(None): "nothing"}
    return words.get(type(told), f"{told!r:.40}")
