"""What an answer must be as a whole before anybody reads in it; what it was instead is said (pure)."""

from collections.abc import Mapping
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


def a_text(what: str, told: Mapping[str, Any], key: str) -> str:
    """A field of an answer without which nothing can be done."""
    value = told.get(key)
    if isinstance(value, str) and value:
        return value
    raise EngineError(f"{what}: {key} is {_kind(value)}, expected a text")


def _kind(told: object) -> str:
    words = {dict: "an object", list: "a list", str: "a text", type(None): "nothing"}
    return words.get(type(told), f"{told!r:.40}")
