"""A fault in a payload, told the way Slack tells it, and the small checks that find most of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.workspace import limits
from tests.workspace.schema import Fields

Json = dict[str, Any]
BOTH = ("plain_text", "mrkdwn")
PLAIN = ("plain_text",)


@dataclass(frozen=True)
class Fault:
    """What is wrong, where (a JSON pointer), by which rule, and the error Slack would answer."""

    message: str
    pointer: str
    rule: str = "blocks"
    error: str = "invalid_blocks"

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


Faults = Iterator[Fault]


def listed(value: object) -> list[Any]:
    """The entries of a list; none of anything else."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[Json]:
    """The objects in a list."""
    return [entry for entry in listed(value) if isinstance(entry, dict)]


def kind_of(value: object) -> str:
    """An object's type as words: "None" and the like where it has none."""
    return str(value.get("type")) if isinstance(value, dict) else str(value)


def too_long(value: object, rule: str, at: str) -> Faults:
    """A string beyond its limit."""
    if isinstance(value, str) and len(value) > limits.most(rule):
        yield Fault(f"must be less than {limits.most(rule) + 1} characters", at, rule)


def too_many(value: object, rule: str, at: str) -> Faults:
    """A list beyond its limit."""
    if isinstance(value, Sequence) and len(value) > limits.most(rule):
        yield Fault(f"no more than {limits.most(rule)} items allowed", at, rule)


def filled_string(value: object, at: str, rule: str | None = None) -> Faults:
    """A string that must say something."""
    if not isinstance(value, str):
        yield Fault("must provide a string", at)
    elif not value:
        yield Fault("must be more than 0 characters", at)
    elif rule:
        yield from too_long(value, rule, at)


def filled_list(value: object, at: str, rule: str | None = None) -> Faults:
    """A list with at least one entry."""
    if not isinstance(value, list):
        yield Fault("must provide an array", at)
    elif not value:
        yield Fault("must have at least one entry", at)
    elif rule:
        yield from too_many(value, rule, at)


def text_object(value: object, at: str, rule: str, kinds: Sequence[str] = BOTH) -> Faults:
    """A text object of an allowed kind, not empty, within its limit."""
    if not isinstance(value, Mapping):
        yield Fault("must provide an object", at)
    elif kind_of(value) not in kinds:
        yield Fault(f"unsupported type: {kind_of(value)}", f"{at}/type")
    else:
        yield from filled_string(value.get("text"), f"{at}/text", rule)
        yield from _text_fields(value, at)


def _text_fields(value: Mapping[str, Any], at: str) -> Faults:
    own = "emoji" if value["type"] == "plain_text" else "verbatim"
    for key in sorted(set(value) - {"type", "text", own}):
        yield Fault(f"invalid additional property: {key}", at)


def known_fields(value: Mapping[str, Any], fields: Fields, at: str, *, also: frozenset[str]) -> Faults:
    """Required fields present, no unknown ones."""
    for key in sorted(fields.required - set(value)):
        yield Fault(f"missing required field: {key}", at)
    for key in sorted(set(value) - fields.required - fields.optional - also - {"type"}):
        yield Fault(f"invalid additional property: {key}", at)


def unique(values: Sequence[tuple[str, str]], what: str) -> Faults:
    """Values that must not repeat, each with its pointer."""
    seen: set[str] = set()
    for value, at in values:
        if value in seen:
            yield Fault(f"{what} must be unique: {value}", at)
        seen.add(value)
