"""What people leave out of a plan, by ticking hosts or filling in the form of one host (pure)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from itertools import chain

from pydantic import TypeAdapter

from bot.decisions import PREFIXES
from bot.requests import Choice, HostPart
from workers.contract import Kind, Plan, ProtectedKind, Step
from workers.exclusions import closed
from workers.references import BadName, NamePattern, Pattern

KINDS, OBJECTS, NAMED = "edit_kinds", "edit_objects", "edit_named"
KEEP, KEEP_FOR = "edit_keep", "edit_keep_for"
FOR_GOOD = "for_good"
SHORTEST_ID = 12
# A form is answered within three seconds, and each glob is held against each name of a plan.
WORDS = 200
GLOB = frozenset("*?[")
Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Edited:
    """What a form was opened for; it travels with the form, and `plan` says which plan its steps are of."""

    request: str
    host: str
    plan: str
    channel: str
    response_url: str


EDITED = TypeAdapter(Edited)


def choice_of(plan: Plan, values: Values) -> Choice:
    """What a form leaves out: what it names, and what cannot go without one of those."""
    return leaving_out(plan, picked(plan, values))


def picked(plan: Plan, values: Values) -> frozenset[int]:
    """The steps that a form itself leaves out: of kinds that are not ticked, picked, or typed."""
    kinds, objects = set(values.get(KINDS, ())), {*values.get(OBJECTS, ()), *values.get(KEEP, ())}
    out = {s.index for s in plan.steps if s.object.kind not in kinds or str(s.index) in objects}
    meant = called(plan, typed(values)[:WORDS])
    return frozenset(out.union(*meant.values()))


def beginnings(plan: Plan, excluded: Collection[int]) -> frozenset[int]:
    """The least of what is left out that all the rest of it follows from."""
    left = frozenset(excluded)
    return frozenset(s.index for s in plan.steps if s.index in left and left.isdisjoint(s.needs))


def following(plan: Plan, chosen: Collection[int]) -> list[tuple[Step, Step]]:
    """Each step that is left out without being chosen, and one that it cannot happen without."""
    left, steps = closed(plan, chosen), {step.index: step for step in plan.steps}
    more = (step for step in plan.steps if step.index in left and step.index not in chosen)
    return [(step, steps[min(left.intersection(step.needs))]) for step in more]


def typed(values: Values) -> tuple[str, ...]:
    """The names and globs that were typed into a form, each once."""
    return tuple(dict.fromkeys(" ".join(values.get(NAMED, ())).replace(",", " ").split()))


def nobodys(plan: Plan, values: Values) -> tuple[str, ...]:
    """Those of them that name nothing of the plan."""
    return tuple(word for word, meant in called(plan, typed(values)[:WORDS]).items() if not meant)


def called(plan: Plan, words: Iterable[str]) -> dict[str, set[int]]:
    """The steps that each name or glob means: by any name of their objects, or what the id begins with."""
    names: dict[str, set[int]] = {}
    ids: dict[str, list[tuple[str, int]]] = {}
    for step in plan.steps:
        for name in (step.object.name, *step.untags):
            names.setdefault(name.removeprefix("/"), set()).add(step.index)
        id_ = step.object.id.removeprefix("sha256:")
        ids.setdefault(id_[:SHORTEST_ID], []).append((id_, step.index))
    return {word: _by_name(names, word) | _by_id(ids, word) for word in words}


def _by_name(names: Mapping[str, set[int]], word: str) -> set[int]:
    name = word.removeprefix("/")
    found = matching(names, name) if GLOB.intersection(name) else ()
    return set(chain(names.get(name, ()), *(names[one] for one in found)))


def _by_id(ids: Mapping[str, Sequence[tuple[str, int]]], word: str) -> set[int]:
    start = word.removeprefix("sha256:")
    if len(start) < SHORTEST_ID:
        return set()
    return {index for id_, index in ids.get(start[:SHORTEST_ID], ()) if id_.startswith(start)}


def leaving_out(plan: Plan, excluded: Collection[int]) -> Choice:
    """Leave steps out; of a host of which nothing is left, the host."""
    out = closed(plan, excluded)
    if len(out) == len(plan.steps):
        return Choice(plan.host, is_left_out=True)
    return Choice(plan.host, tuple(sorted(out)))


def ticked(parts: Iterable[HostPart], hosts: Collection[str]) -> tuple[Choice, ...]:
    """Leave out each host that is not ticked; what is left out of the others stays so."""
    return tuple(Choice(part.host, part.excluded, part.host not in hosts) for part in parts)


def kept(plan: Plan, values: Values) -> list[tuple[ProtectedKind, str]]:
    """What a form has protected from now on, as a kind and a pattern."""
    named = set(values.get(KEEP, ()))
    patterns = (protection(step) for step in plan.steps if str(step.index) in named)
    return [pattern for pattern in patterns if pattern]


def protection(step: Step) -> tuple[ProtectedKind, str] | None:
    """The pattern that protects what a step removes; None for what has no name that lasts."""
    return lasting(step.object.kind, (step.untags or (step.object.name,))[0])


def lasting(kind: str, name: str) -> tuple[ProtectedKind, str] | None:
    """The pattern that protects an object of this name; None where none would."""
    protected, pattern = PREFIXES.get(kind), name.removeprefix("/")
    # The short id of an untagged image would read as a tag of a repository of that name.
    if protected is None or pattern.startswith("sha256:"):
        return None
    try:
        (Pattern if protected is Kind.IMAGE else NamePattern).parse(pattern)
    except BadName:
        return None
    return protected, pattern
