"""One ledger per engine: beside the engine's lock stands whose memory its executions are in (S11).

A second ledger, or a new one in the place of one that was lost, knows nothing of what was done. Nor does one
that was put back from a copy know what was done since: so the last order that was consumed stands there too.
Neither executes anything, until a person at the host says that it takes over. Each owner is a line, the last
counts.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from workers.contract import ExecutionOrder, Plan
from workers.errors import LedgerError, RefusedError
from workers.execution.lock import engine_file
from workers.memory.ledger import Ledger
from workers.reasons import Code, Reason, reason

FIRST = "the first execution"


@dataclass(frozen=True)
class Owner:
    """The ledger that an engine belongs to: its id, its file, since when (ISO 8601), and by whose word.

    `last_order`: what it consumed last, empty where that was nothing.
    """

    ledger: str
    file: str
    since: str
    by: str
    last_order: str = ""

    def __str__(self) -> str:
        return _shown(self.ledger, self.file)


@dataclass(frozen=True)
class Ownership:
    """Whether an engine is our ledger's; what writes does so under the engine's lock.

    Raises:
        RefusedError: whose it is cannot be read or written.
    """

    folder: Path
    engine_id: str
    ledger: Ledger
    ledger_file: Path

    def __str__(self) -> str:
        return _shown(self.ledger.id, str(self.ledger_file.absolute()))

    def owner(self) -> Owner | None:
        """Whose the engine is; None where nobody has executed anything yet."""
        return next(reversed(self._owners()), None)

    def refusal(self, owner: Owner | None) -> Reason | None:
        """Why our ledger may not execute where the engine is this owner's."""
        if owner is None:
            return None
        if owner.ledger != self.ledger.id:
            return reason(Code.OTHER_LEDGER, theirs=str(owner), ours=str(self))
        if owner.last_order and not self.ledger.has_consumed(owner.last_order):
            return reason(Code.LEDGER_PUT_BACK, ledger=str(self), order=owner.last_order)
        return None

    def require(self, plan: Plan | None) -> None:
        """Have the engine be ours, as it is or as nobody's yet, and the plan no older than that.

        Raises:
            RefusedError: it is not, or the plan may have been executed before our ledger took over.
        """
        owner = self.owner()
        if owner is None:
            self.take_over(None, by=FIRST)
        elif why := self.refusal(owner) or _older(plan, owner):
            raise RefusedError(why)

    def take_over(self, former: Owner | None, *, by: str) -> None:
        """Write down that the engine is our ledger's from now on, if it was the former's to this moment.

        Raises:
            RefusedError: it is somebody else's by now.
        """
        owners = self._owners()
        if (now := next(reversed(owners), None)) != former:
            raise RefusedError(reason(Code.OTHER_LEDGER, theirs=str(now), ours=str(self)))
        since = datetime.now(UTC).isoformat()
        self._write((*owners, Owner(self.ledger.id, str(self.ledger_file.absolute()), since, by)))

    def consume(self, order: ExecutionOrder, now: datetime) -> None:
        """Consume an order in our ledger, then have it stand here as the last one, both durably.

        The ledger comes first: one that lacks what stands here is then an older copy for sure.

        Raises:
            RefusedError: it was used before, or nothing can be written here; it is not consumed.
            LedgerError: it is consumed, and does not stand here: nothing may be removed for it.
        """
        *former, owner = self._owners()
        new = self._spelled((*former, replace(owner, last_order=order.id)))
        try:
            self.ledger.consume(order, now)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        try:
            _put_in_place(new, self._file)
        except OSError as error:
            raise LedgerError(f"order {order.id} cannot be noted in {self._file}: {error}") from error

    # The file

    @property
    def _file(self) -> Path:
        return engine_file(self.folder, self.engine_id, "ledgers")

    def _owners(self) -> tuple[Owner, ...]:
        try:
            lines = self._file.read_text().splitlines()
            found = tuple(Owner(**json.loads(line)) for line in lines)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            raise self._unusable(error) from None
        if not found:
            # Made by whole lines: it held one, so whose the engine is has been lost (S4).
            raise self._unusable(f"{self._file.name} is empty; remove it if no ledger ever had this engine")
        return found

    def _write(self, owners: tuple[Owner, ...]) -> None:
        new = self._spelled(owners)
        try:
            _put_in_place(new, self._file)
        except OSError as error:
            raise self._unusable(error) from None

    def _spelled(self, owners: tuple[Owner, ...]) -> Path:
        """Write them beside the file, on the disk when it returns: what may fail does so here."""
        new = self._file.with_suffix(".new")
        try:
            # Made anew: what a dead process left goes, and a link that stands there is not followed.
            new.unlink(missing_ok=True)
            with new.open("x") as file:
                file.writelines(f"{json.dumps(asdict(one))}\n" for one in owners)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from None
        return new

    def _unusable(self, error: object) -> RefusedError:
        return RefusedError(reason(Code.NO_LOCK, folder=str(self.folder), detail=str(error)))


def _older(plan: Plan | None, owner: Owner) -> Reason | None:
    """What a lost ledger has executed is unknown, so no plan from before it was replaced counts as unused."""
    if plan is None or owner.by == FIRST or plan.made_at >= datetime.fromisoformat(owner.since):
        return None
    return reason(Code.PLAN_BEFORE_ADOPTION, at=owner.since)


def _put_in_place(new: Path, path: Path) -> None:
    """All of it or nothing, on the disk when it returns."""
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _shown(ledger: str, file: str) -> str:
    return f"{ledger[:12]} in {file}"
