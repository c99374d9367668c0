"""What is wrong with a rules file, in sentences that name the key and what is expected there (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

LIKELY = 0.5
Location = Sequence[str | int]
EXPECTED = {
    "tuple_type": 'expected a list, such as ["…"]',
    "model_type": "expected a table, begun by [{key}]",
    "int_type": "expected a whole number such as 2, without quotes",
    "greater_than_equal": "expected a number from 1 to 10",
    "less_than_equal": "expected a number from 1 to 10",
    "string_type": "expected text in quotes",
    "too_short": "at least one is needed",
}


def sentences(
    problems: Iterable[Any], otherwise: type[BaseModel], tables: Mapping[int, type[BaseModel]]
) -> Iterator[str]:
    """Say each problem; `tables`: which table stands how deep, `otherwise` at any other depth."""
    found = list(problems)
    for problem in found:
        # A list whose only entry is wrong counts as empty; the entry's own fault says it all.
        if not (problem["type"] == "too_short" and _has_inner(problem["loc"], found)):
            fields = list(tables.get(len(problem["loc"]) - 1, otherwise).model_fields)
            yield _sentence(problem, fields)


def told(problem: Any) -> str:
    """What was expected."""
    key = _key(problem["loc"])
    if problem["type"] == "tuple_type" and key.endswith(".allow"):
        return f"expected a list of tables, each begun by [[{key}]]"
    plain = EXPECTED.get(problem["type"])
    return plain.format(key=key) if plain else str(problem["msg"]).removeprefix("Value error, ")


def _has_inner(location: Location, problems: Iterable[Any]) -> bool:
    return any(
        len(one["loc"]) > len(location) and one["loc"][: len(location)] == location for one in problems
    )


def _sentence(problem: Any, known: Sequence[str]) -> str:
    key = _key(problem["loc"])
    if problem["type"] == "missing":
        return f"{key} is missing"
    if problem["type"] != "extra_forbidden":
        return f"{key}: {told(problem)}"
    near = get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=LIKELY)
    meant = f"you may have meant {near[0]}" if near else f"the keys are {', '.join(sorted(known))}"
    return f"{key} is not a key of this file; {meant}"


def _key(location: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
