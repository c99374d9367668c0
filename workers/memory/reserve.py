"""Room on the ledger's disk that is kept for the day when there is none.

With no byte left nothing can be written down, and so nothing may be removed (S15). The reserve is a file of
real blocks beside the ledger: given up for a plan or a run where the disk is short, taken again afterwards.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MB = 1_000_000
# What a run of a thousand steps writes: its journal, its events, its report, and SQLite's log of all that.
FOR_A_RUN = 24 * MB
# What one preview of a large host writes. Previews never take what a run will need.
FOR_A_PLAN = 8 * MB
WHOLE = FOR_A_RUN + FOR_A_PLAN
# The reserve is made only where so much stays free beside it, and is not what fills the disk.
STAYS_FREE = 2 * WHOLE


class Reserve:
    """The file. What cannot be done with it is left: a reserve is no reason to fail."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "reserve"

    @property
    def held(self) -> int:
        """Bytes that it holds now."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def free(self) -> int:
        """Bytes left on its disk. Those that only root may write do not count: ext4 gives some to nobody."""
        try:
            disk = os.statvfs(self.path.parent)
        except OSError:
            return 0
        return disk.f_frsize * disk.f_bavail

    @property
    def in_use(self) -> int:
        """Bytes of it that were given up, where the disk is short of room to this moment."""
        given = WHOLE - self.held if self.path.exists() else 0
        return given if self.free < FOR_A_RUN + given else 0

    def keep(self) -> None:
        """Make it whole where the disk has plenty of room."""
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.free >= WHOLE - self.held + STAYS_FREE:
                self._take(WHOLE)

    def give(self, leave: int) -> None:
        """Give up all of it but so many bytes."""
        if self.held > leave:
            with suppress(OSError), self.path.open("r+b") as file:
                file.truncate(leave)
                os.fsync(file.fileno())

    def take_again(self, before: int) -> None:
        """Take what was given and is still there, before whoever fills the disk does."""
        self.keep()
        # Tried, not reckoned: of a full disk no figure says how much of it a file may still have.
        for size in range(before, self.held, -MB):
            with suppress(OSError):
                self._take(size)
                break

    def _take(self, size: int) -> None:
        before = self.held
        with self.path.open("ab") as file:
            os.chmod(file.fileno(), 0o600)
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                file.truncate(before)
                raise


@contextmanager
def room(folder: Path, *, for_a_run: bool) -> Iterator[None]:
    """Have room for the ledger's writing inside the block, if need be by giving up the reserve."""
    reserve = Reserve(folder)
    before = reserve.held
    if reserve.free < (FOR_A_RUN if for_a_run else FOR_A_PLAN):
        reserve.give(0 if for_a_run else FOR_A_RUN)
    try:
        yield
    finally:
        reserve.take_again(before)
