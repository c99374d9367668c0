"""Runs of the past: which there are, which one is meant, and what of it somebody wants back (pure)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from workers.contract import ExecutionOrder, Kind, Outcome, Step
from workers.references import BadName, ImageName

NEAREST = 3
SHORTEST = 4
ALIKE = 0.5
# Without an answer it may have gone as well; what was refused is there.
PERHAPS_GONE = (Outcome.REMOVED, Outcome.FAILED, None)


@dataclass(frozen=True)
class Removal:
    """An object that a run asked the engine to remove; `way_back` is empty where it was forgotten."""

    step: Step
    way_back: str
    outcome: Outcome | None

    @property
    def names(self) -> tuple[str, ...]:
        """What people may call it."""
        return tuple(dict.fromkeys((self.step.object.name, *self.step.untags)))


@dataclass(frozen=True)
class PastRun:
    """An order that was consumed, and what it perhaps removed."""

    order: ExecutionOrder
    at: datetime
    removals: tuple[Removal, ...]

    @property
    def is_remembered(self) -> bool:
        """Whether anything of it has its way back still."""
        return any(one.way_back for one in self.removals)

    def count(self, kind: Kind) -> int:
        """How many objects of a kind it removed."""
        return sum(one.step.object.kind is kind for one in self.removals)


def meant(runs: Sequence[PastRun], text: str) -> list[PastRun]:
    """The runs whose order, or plan's digest, is called so or begins so."""
    exact = [run for run in runs if text in (run.order.id, run.order.plan_digest)]
    start = text.removeprefix("sha256:")
    if exact or len(start) < SHORTEST:
        return exact
    return [run for run in runs if any(name.startswith(start) for name in _names(run))]


def _names(run: PastRun) -> tuple[str, str]:
    return run.order.id, run.order.plan_digest.removeprefix("sha256:")


def nearest_runs(runs: Sequence[PastRun], text: str) -> list[str]:
    """The orders that look most like a text that names none, else the last ones."""
    start = text.removeprefix("sha256:")
    # A start is compared with starts: against whole ids hardly anything is alike.
    begun = {name[: len(start)]: run.order.id for run in runs for name in _names(run)}
    alike = [begun[found] for found in get_close_matches(start, begun, NEAREST, ALIKE)]
    return list(dict.fromkeys(alike)) or [run.order.id for run in reversed(runs)][:NEAREST]


def chosen(removals: Iterable[Removal], texts: Sequence[str]) -> tuple[list[Removal], list[str]]:
    """Those that the texts mean, all of them where there is no text; and the texts that mean none."""
    every = list(removals)
    found = {text: _meant(every, text) for text in texts}
    wanted = {one.step.index for means in found.values() for one in means}
    unknown = [text for text, means in found.items() if not means]
    return [one for one in every if not texts or one.step.index in wanted], unknown


def nearest_objects(removals: Iterable[Removal], text: str) -> list[str]:
    """The names that look most like a text that means nothing in a run, else its first ones."""
    names = sorted({name for one in removals for name in one.names})
    return get_close_matches(text, names, NEAREST, ALIKE) or names[:NEAREST]


def _meant(removals: Iterable[Removal], text: str) -> list[Removal]:
    """What it is called exactly, else what its id begins with, else what its name is without a registry."""
    every, wanted, start = list(removals), text.removeprefix("/"), text.removeprefix("sha256:")
    full = _full(wanted)
    ways: tuple[Callable[[Removal], bool], ...] = (
        lambda one: wanted in one.names or (one.step.object.kind is Kind.IMAGE and full in _fulls(one)),
        lambda one: len(start) >= SHORTEST and one.step.object.id.removeprefix("sha256:").startswith(start),
        lambda one: any(name.endswith(f"/{wanted}") for name in one.names),
    )
    for means in ways:
        if found := [one for one in every if means(one)]:
            return found
    return []


def _fulls(one: Removal) -> set[str]:
    return {_full(name) for name in one.names} - {""}


def _full(text: str) -> str:
    try:
        return ImageName.parse(text).full()
    except BadName:
        return ""
