"""Which run somebody elsewhere means, as far as that and its objects can be told (pure)."""

from collections.abc import Sequence

from workers.contract import RestoreRequest
from workers.errors import RefusedError
from workers.reasons import Code, Reason, reason
from workers.restore import past
from workers.restore.past import PastRun
from workers.wording import listing


def run_meant(runs: Sequence[PastRun], request: RestoreRequest) -> PastRun:
    """The one run that a request means: the last that removed something where it names none.

    Raises:
        RefusedError: it means none, more than one, or an object that the run did not remove.
    """
    removed = [run for run in runs if run.removals]
    found = past.meant(removed, request.run) if request.run else removed[-1:]
    if len(found) != 1:
        raise RefusedError(_not_one(removed, found, request.run))
    _, unknown = past.chosen(found[0].removals, request.objects)
    if unknown:
        raise RefusedError(_not_removed(found[0], unknown[0]))
    return found[0]


def _not_one(removed: Sequence[PastRun], found: Sequence[PastRun], text: str) -> Reason:
    if not removed:
        return reason(Code.NOTHING_REMOVED_YET)
    alike = [run.order.id for run in found] or past.nearest_runs(removed, text)
    code = Code.RUN_AMBIGUOUS if found else Code.RUN_UNKNOWN
    return reason(code, run=text, alike=listing(alike))


def _not_removed(run: PastRun, text: str) -> Reason:
    alike = listing(past.nearest_objects(run.removals, text))
    return reason(Code.NOT_REMOVED_BY_RUN, object=text, run=run.order.id, alike=alike)
