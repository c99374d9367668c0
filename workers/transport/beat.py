"""The host's sign of life, and whether another worker gives one under the same name."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from pydantic import ValidationError

from workers.contract import Beat, Busy, beat_key
from workers.reasons import Reason
from workers.transport.stillness import Stillness, Troubles

EVERY_SECONDS = 5.0
KEPT_SECONDS = 60
LONGEST_SIGN = 1 << 16
FRESH = timedelta(seconds=30)
TROUBLE = "no sign of life can be given"
SHARED_NAME = "another worker runs as host %s: jobs are refused until one of them ends"


@dataclass(frozen=True)
class Condition:
    """What the host says of itself beside that it lives."""

    engine_id: str = ""
    problems: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Activity:
    """What the worker is busy with, and since when."""

    busy: Busy = ""
    since: datetime | None = None


@dataclass
class Neighbour:
    """Another worker's signs under this host's name.

    The sign found first may be one's own from before a restart; one found after having given a sign
    was written by somebody who lives.
    """

    boot: str = field(default_factory=lambda: uuid.uuid4().hex)
    _heard: datetime | None = None
    _has_spoken: bool = False

    def look(self, found: Beat | None, now: datetime) -> None:
        """Take note of the sign that stands where one's own is about to be put."""
        is_fresh = found is not None and abs(now - found.at) < FRESH
        if self._has_spoken and is_fresh and found is not None and found.boot != self.boot:
            self._heard = now
        self._has_spoken = True

    def is_alive(self, now: datetime) -> bool:
        """Whether somebody else has spoken lately."""
        return self._heard is not None and now - self._heard < FRESH


@dataclass
class Heart:
    """Beats for one host, from one start of its worker; `ledger` says what numbers its events."""

    host: str
    version: str
    client: "redis.Redis"
    condition: Callable[[], Condition]
    activity: Callable[[], Activity]
    troubles: Troubles
    ledger: Callable[[], str]
    neighbour: Neighbour
    stillness: Stillness
    keys: tuple[str, ...]

    def run(self, stopping: threading.Event) -> None:
        """Beat until told to stop, then take the sign away."""
        while not stopping.is_set():
            self.beat()
            stopping.wait(EVERY_SECONDS)
        self.end()

    def beat(self) -> None:
        """Give one sign of life, and look whose stood in its place."""
        now = datetime.now(UTC)
        with self._forgiving():
            sign = self._sign(now)
            found = self._read(self._exchanged(sign))
            was_alone = not self.neighbour.is_alive(now)
            self.neighbour.look(found, now)
            if was_alone and self.neighbour.is_alive(now):
                self.troubles.say(SHARED_NAME, self.host)

    def end(self) -> None:
        """Take one's own sign away."""
        with self._forgiving():
            found = self._read(self.client.getrange(beat_key(self.host), 0, LONGEST_SIGN))
            if found is not None and found.boot == self.neighbour.boot:
                self.client.delete(beat_key(self.host))

    def _exchanged(self, sign: str) -> object:
        """Put the sign there; return what stood in its place, of whatever length and kind that was."""
        pipeline: Any = self.client.pipeline(transaction=True)
        pipeline.getrange(beat_key(self.host), 0, LONGEST_SIGN)
        pipeline.set(beat_key(self.host), sign, ex=KEPT_SECONDS)
        found, put = pipeline.execute(raise_on_error=False)
        if isinstance(put, Exception):
            raise put
        return found

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """What fails is tried again with the next beat; a worker without a sign of life still works."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the edge of a thread, which must not end
            self.troubles.met(TROUBLE, error)
        else:
            self.troubles.over(TROUBLE)

    def _sign(self, now: datetime) -> str:
        with self.stillness.held():
            return self._now(now).model_dump_json()

    def _read(self, answer: object) -> Beat | None:
        with self.stillness.held():
            return _read(answer)

    def _now(self, now: datetime) -> Beat:
        condition, activity = self.condition(), self.activity()
        return Beat(
            host=self.host,
            boot=self.neighbour.boot,
            ledger=self.ledger(),
            engine_id=condition.engine_id,
            version=self.version,
            at=now,
            busy=activity.busy,
            busy_since=activity.since,
            problems=condition.problems,
            keys=self.keys,
        )


def _read(answer: object) -> Beat | None:
    try:
        return Beat.model_validate_json(answer) if isinstance(answer, bytes) else None
    except ValidationError:
        return None
