"""Which images are saved before they go, and whether there is room for them (pure)."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from workers.contract import Kind, Restorable, Step, Verdict
from workers.planning.facts import Case
from workers.planning.inventory import Image
from workers.planning.judgement import kept
from workers.planning.order import Needs, closure
from workers.planning.restorable import restorable
from workers.planning.stock import Stock
from workers.reasons import Code, Reason, reason


def way_back_of(image: Image, case: Case) -> Restorable:
    """How an image comes back: by its registry, from the archive where there is one, or not at all."""
    found = restorable(image, case.inventory.engine.store, case.answers)
    return found if case.archive is None or found is Restorable.YES else Restorable.ARCHIVED


def with_copies(case: Case, verdicts: tuple[Verdict, ...], needed: Needs) -> tuple[Verdict, ...]:
    """Keep what would have to be saved and cannot be, and what could only go after that.

    Room goes to the largest first, each counted as if nothing of it could be compressed.
    """
    if case.archive is None:
        return verdicts
    going = {verdict.object.id: verdict for verdict in verdicts if not verdict.keep}
    lacking = dict(_without_copy(case, case.archive, going.values()))
    waiting = {id_: closure(id_, needed) & lacking.keys() for id_ in going if id_ not in lacking}
    return tuple(
        _stays(verdict, lacking, waiting.get(verdict.object.id, set()), going) for verdict in verdicts
    )


def _without_copy(case: Case, stock: Stock, going: Iterable[Verdict]) -> Iterator[tuple[str, Reason]]:
    """The images, by id, of which no copy could be made, and why."""
    unsaved = {i.id for i in case.inventory.images if way_back_of(i, case) is Restorable.ARCHIVED}
    left = stock.room
    for verdict in sorted(going, key=lambda one: (-(one.size or 0), one.object.id)):
        id_, size = verdict.object.id, verdict.size or 0
        if id_ not in unsaved:
            continue
        if stock.trouble is not None:
            yield id_, stock.trouble
        elif id_ not in stock.held and size > left:
            yield id_, reason(Code.ARCHIVE_FULL, size=size, room=left)
        elif id_ not in stock.held:
            left -= size


def _stays(
    verdict: Verdict, lacking: dict[str, Reason], waits_for: Collection[str], going: dict[str, Verdict]
) -> Verdict:
    if why := lacking.get(verdict.object.id):
        return verdict.model_copy(update={"keep": True, "reasons": (why,)})
    if verdict.keep or not waits_for:
        return verdict
    return kept(verdict, Code.NEEDS_KEPT, object=going[min(waits_for)].object.name)


def notices(case: Case, steps: Sequence[Step], verdicts: Iterable[Verdict]) -> Iterator[Reason]:
    """Say why nothing can be saved, or what is, and what stays for want of room."""
    if case.archive is None:
        return
    if case.archive.trouble is not None:
        yield case.archive.trouble
    archived = {step.object.id for step in steps if step.restorable is Restorable.ARCHIVED}
    saved = archived - case.archive.held
    sizes = {v.object.id: v.size or 0 for v in verdicts if v.object.kind is Kind.IMAGE}
    if saved:
        yield reason(Code.ARCHIVED_FIRST, count=len(saved), size=sum(sizes[id_] for id_ in saved))
    full = [v for v in verdicts if any(why.code is Code.ARCHIVE_FULL for why in v.reasons)]
    if full:
        size = sum(v.size or 0 for v in full)
        yield reason(Code.ARCHIVE_TOO_SMALL, count=len(full), size=size, room=case.archive.room)
