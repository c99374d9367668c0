"""The disk and the volumes after a run: sampled until the disk holds still."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from workers import survey
from workers.contract import DiskUsage
from workers.engine import Raw
from workers.errors import EngineError, unforeseen_is_an_engine_error
from workers.execution import aftermath
from workers.execution.tools import Tools
from workers.planning import answers
from workers.planning.inventory import Inventory
from workers.reasons import Code, Reason, reason

SETTLING_LOOKS = 5
BETWEEN_LOOKS = 0.2


class Measuring:
    """Measures what a run leaves; `before` is what it found, and `find` is told which volumes are missing."""

    def __init__(self, tools: Tools, before: Inventory | None, find: Callable[[Reason], None]) -> None:
        self._tools, self._before, self._find = tools, before, find
        self._volumes_seen = False

    def usage(self) -> DiskUsage:
        """Ask for the accounting, until it does not change any more.

        Raises:
            EngineError: it cannot be had.
        """
        return settled(self._usage, self._tools.wait)

    def go_without(self, why: str) -> None:
        """Figures may be missing, but no volume (S1): where those were not seen, they are asked for alone."""
        if not self._volumes_seen:
            with suppress(EngineError), unforeseen_is_an_engine_error():
                self._look_at_volumes(self._tools.engine.volumes())
        code = Code.NOT_MEASURED if self._volumes_seen else Code.VOLUMES_NOT_SEEN
        self._find(reason(code, detail=why))

    def _usage(self) -> DiskUsage:
        df = self._tools.engine.usage()
        self._look_at_volumes(df.get("Volumes") or [])
        now = datetime.now(UTC)
        return survey.disk_usage(df, self._tools.identity, local=self._tools.local, now=now)

    def _look_at_volumes(self, listed: Iterable[Raw]) -> None:
        if self._before is not None:
            left = [answers.id_of(volume, "Name") for volume in listed]
            for missing in aftermath.missing_volumes(self._before, left):
                self._find(missing)
        self._volumes_seen = True


def settled(usage: Callable[[], DiskUsage], wait: Callable[[float], None]) -> DiskUsage:
    """Sample until two looks agree: files go a moment after the reply that says so."""
    looks = [usage()]
    for _ in range(SETTLING_LOOKS):
        looks.append(usage())
        if _agree(looks[-2], looks[-1]):
            break
        wait(BETWEEN_LOOKS)
    return looks[-1]


def _agree(one: DiskUsage, other: DiskUsage) -> bool:
    return (one.engine_bytes, one.filesystems) == (other.engine_bytes, other.filesystems)
