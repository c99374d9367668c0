"""The matrix with counts, as markdown (pure)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tests.faults.cells import ALL, MOMENTS, REACHABLE, Cell, Work

if TYPE_CHECKING:
    from tests.faults.case import Verdict


def summary(verdicts: Sequence["Verdict"], *, seconds: float) -> str:
    """What a run came to."""
    played = Counter(verdict.cell for verdict in verdicts)
    failed = Counter(verdict.cell for verdict in verdicts if verdict.faults)
    rarest = min((played[cell] for cell in REACHABLE), default=0)
    lines = [
        f"{len(verdicts)} cases in {seconds / 60:.1f} minutes, {sum(failed.values())} failed; "
        f"{len(played)} of {len(REACHABLE)} reachable cells, each at least {rarest} times.",
        "",
        *(line for work in Work for line in _table(work, played, failed)),
        "Cells that cannot happen (-):",
        "",
        *_unreachable(),
    ]
    return "\n".join(lines)


def _table(work: Work, played: Counter[Cell], failed: Counter[Cell]) -> Iterator[str]:
    moments = MOMENTS[work]
    yield f"| {work} | | " + " | ".join(moment.replace("-", " ") for moment in moments) + " |"
    yield "|---|---|" + "---|" * len(moments)
    for victim, fault in dict.fromkeys((cell.victim, cell.fault) for cell in ALL if cell.work is work):
        fields = (_field(Cell(victim, fault, moment, work), played, failed) for moment in moments)
        yield f"| {victim} | {fault} | " + " | ".join(fields) + " |"
    yield ""


def _field(cell: Cell, played: Counter[Cell], failed: Counter[Cell]) -> str:
    if cell.why_not:
        return "-"
    return f"{played[cell]}, **{failed[cell]} failed**" if failed[cell] else str(played[cell])


def _unreachable() -> Iterator[str]:
    whys = dict.fromkeys(cell.why_not for cell in ALL if cell.why_not)
    for why in whys:
        cells = [cell for cell in ALL if cell.why_not == why]
        faults = ", ".join(dict.fromkeys(cell.fault for cell in cells))
        moments = dict.fromkeys(cell.moment for cell in cells)
        when = "ever" if len(moments) == len(MOMENTS[Work.RUN]) else ", ".join(moments)
        yield f"- {cells[0].victim}, {faults}, {when}: {why}."
