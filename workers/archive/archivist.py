"""The archive of one host: saves images before they go, and gives them back."""

import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workers import measuring
from workers.archive.shelf import Shelf
from workers.contract import EngineIdentity, FromArchive, Step
from workers.engine import Engine
from workers.errors import ArchiveError, EngineError, EngineUnreachable, NoRoom
from workers.memory.ledger import Ledger
from workers.planning import stock
from workers.planning.fields import Fields
from workers.planning.policy import Policy
from workers.planning.stock import Archived, Stock
from workers.reasons import Code, Reason, reason

NOT_SET = "archive_dir is not in the policy any more"


@dataclass(frozen=True)
class Archive:
    """Where the policy has one; hold the engine's lock to save, restore or sweep. `local` as for a place.

    Raises:
        LedgerError: the catalogue cannot be read or written.
    """

    policy: Policy
    ledger: Ledger
    engine: Engine
    identity: EngineIdentity
    local: bool

    @property
    def is_on(self) -> bool:
        """Whether the policy asks for one."""
        return self.policy.archive_dir is not None

    @property
    def folder(self) -> Path:
        """The folder that is this ledger's own: several workers may share an archive's disk."""
        return Path(self.policy.archive_dir or "", self.ledger.id[:12])

    @property
    def shelf(self) -> Shelf:
        """The files in it."""
        return Shelf(self.folder)

    # What a plan may count on

    def stock(self, now: datetime) -> Stock | None:
        """What lies there, and the room for more; None where there is no archive."""
        if not self.is_on:
            return None
        if why := self.trouble():
            return Stock(trouble=why)
        try:
            return Stock(held=frozenset(one.image for one in self.held()), room=self._room(now))
        except ArchiveError as error:
            return Stock(trouble=self._unusable(str(error)))

    def trouble(self) -> Reason | None:
        """Why nothing may be saved there: a copy on the engine's own disk frees nothing, and fills it."""
        top = Path(self.policy.archive_dir or "")
        try:
            device = top.stat().st_dev
        except OSError as error:
            return self._unusable(str(error.strerror))
        if not os.access(top, os.W_OK | os.X_OK):
            return self._unusable("this worker may not write there")
        engines = measuring.devices(self.identity) if self.local else frozenset()
        if not engines:
            return self._unusable("the engine's own disk cannot be looked at to tell them apart")
        if device in engines:
            return self._unusable(f"it is on the disk of {self.identity.data_root}, where it frees nothing")
        return None

    def held(self) -> list[Archived]:
        """What was saved and is there still."""
        return [one for one in self.ledger.archived() if self.shelf.has(one.file, size=one.size)]

    def sources(self) -> dict[str, FromArchive]:
        """The images that can be had from there, by id; damage is found when a file is read."""
        known = self.ledger.archived() if self.is_on else []
        return {
            one.image: FromArchive(file=one.file, size=one.size, sha256=one.sha256)
            for one in known
            if self.shelf.has(one.file)
        }

    def _needed(self, now: datetime) -> frozenset[str]:
        return self.ledger.images_removed_since(now - self.policy.restore_for)

    def _room(self, now: datetime) -> int:
        return stock.room(
            self.held(), self._needed(now), most=self.most, used=self.shelf.used, free=self.shelf.free
        )

    @property
    def most(self) -> int:
        """Bytes that it may hold."""
        return int(self.policy.archive_max_bytes or 0)

    def _unusable(self, detail: str) -> Reason:
        return reason(Code.ARCHIVE_UNUSABLE, folder=str(self.policy.archive_dir), detail=detail)

    # Saving

    def save(self, order_id: str, step: Step, within: timedelta) -> Archived | Reason:
        """Save an image, whole and checked, or say why not.

        Raises:
            EngineUnreachable: the engine went away.
        """
        if why := self._refusal():
            return why
        now, size = datetime.now(UTC), 0
        try:
            size = Fields(self.engine.inspect_image(step.object.id)).number("Size") or 0
            return self._held_already(order_id, step, now) or self._save(order_id, step, size, now, within)
        except NoRoom:
            return reason(Code.ARCHIVE_FULL, size=size, room=self._room(now))
        except EngineUnreachable:
            raise
        except (ArchiveError, EngineError) as error:
            return reason(Code.ARCHIVE_FAILED, detail=str(error))

    def _refusal(self) -> Reason | None:
        return self.trouble() if self.is_on else self._unusable(NOT_SET)

    def _held_already(self, order_id: str, step: Step, now: datetime) -> Archived | None:
        """An image that came back and goes again: its file is as good as a new one, if it is good."""
        found = next((one for one in self.held() if one.image == step.object.id), None)
        if found is None or not self.shelf.is_good(found.file, found.sha256):
            return None
        again = replace(found, order=order_id, step=step.index, at=now)
        self.ledger.keep_archived(again)
        return again

    def _save(self, order_id: str, step: Step, size: int, now: datetime, within: timedelta) -> Archived:
        most, image = self._make_room(size, now), step.object.id
        written = self.shelf.write(image, self.engine.saved(image, within=within), most=most)
        one = Archived(image, **asdict(written), order=order_id, step=step.index, at=now)
        # The row first: of a file without one nobody would know.
        self.ledger.keep_archived(one)
        self.shelf.finish(one.file)
        return one

    def _make_room(self, size: int, now: datetime) -> int:
        """Let go of the oldest that nobody needs, if that makes room for so much; returns the room."""
        room = min(self.most - self.shelf.used, self.shelf.free)
        going = stock.leaving(self.held(), self._needed(now), lacking=size - room)
        if going is None:
            raise NoRoom("the archive is full")
        for one in going:
            self._let_go(one)
        return min(self.most - self.shelf.used, self.shelf.free)

    def _let_go(self, one: Archived) -> None:
        self.shelf.drop(one.file)
        self.ledger.forget_archived(one.image)

    def sweep(self) -> None:
        """Remove what a worker that died has not finished."""
        if self.is_on:
            self.shelf.sweep()

    # Giving back

    def load(self, image: str, source: FromArchive, within: timedelta) -> Reason | None:
        """Have the engine load an image, after its file was read whole and found good; or say why not.

        Raises:
            EngineError: the engine did not load it.
        """
        try:
            if not self.shelf.is_good(source.file, source.sha256):
                return self._set_aside(image, source)
            self.engine.load(self.shelf.pieces(source.file), within=within)
        except ArchiveError as error:
            return reason(Code.ARCHIVE_UNREADABLE, detail=str(error))
        return None

    def _set_aside(self, image: str, source: FromArchive) -> Reason:
        aside = self.shelf.set_aside(source.file)
        self.ledger.forget_archived(image)
        return reason(Code.ARCHIVE_DAMAGED, file=source.file, aside=aside)
