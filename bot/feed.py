"""What the hosts tell: their events, recorded once and only then acknowledged, and their signs of life."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from pydantic import ValidationError

from bot.clocks import Clocks
from bot.memory.history import Entry, History
from bot.memory.store import Store
from bot.obstacles import held_against
from bot.requests import Line
from workers.contract import Beat, acknowledged_key, beat_key, events_key

logger = logging.getLogger(__name__)

GROUP = "bot"
# One consumer with one name: what it had taken before a restart is still its own.
CONSUMER = "bot"
BATCH = 100
BLOCK_MILLISECONDS = 2000
# redis-py gives a blocking read up after socket_timeout and then hangs in its retries (redis-py#2807, #4125).
SOCKET_TIMEOUT_SECONDS = 12.0
PAUSE_SECONDS = 1.0
LONGEST_LEDGER = 100
GREATEST_SEQ = 2**63 - 1

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True)
class Received:
    """An entry of a host's stream: its id there, and what it holds where that can be read."""

    host: str
    id: bytes
    entry: Entry | None


class Feed:
    """Reads the streams of all admitted hosts as one consumer group."""

    def __init__(
        self,
        client: "redis.Redis",
        *,
        store: Store,
        history: History,
        clock: Callable[[], datetime],
        key_id: Callable[[], str],
        told: Callable[[], None],
    ) -> None:
        self._client, self._store, self._history = client, store, history
        self._clock, self._key_id, self._told = clock, key_id, told
        self._clocks = Clocks()
        self._joined: frozenset[str] = frozenset()
        self._heard_again: set[str] = set()
        self._line = Line(up=False, since=clock(), error="")
        self._last_read: datetime | None = None

    @property
    def line(self) -> Line:
        """Whether the hosts are heard."""
        return self._line

    @property
    def last_read(self) -> datetime | None:
        """When a reading last went through."""
        return self._last_read

    def step(self) -> float:
        """Read once; returns how long to wait until the next reading."""
        try:
            return self._read()
        except redis.RedisError as error:
            self._lost(error)
            return PAUSE_SECONDS

    def _read(self) -> float:
        hosts = self._store.hosts()
        if not hosts:
            self._client.ping()
            self._heard()
            return PAUSE_SECONDS
        self._join(hosts)
        self._read_beats(hosts)
        self._heard()
        self._take(self._news(hosts))
        return 0.0

    def _join(self, hosts: Sequence[str]) -> None:
        """Take up each host's stream: first what was read before and not acknowledged."""
        for host in frozenset(hosts) - self._joined:
            self._make_group(host)
            self._hear_again(host)
            while pending := self._pending(host):
                self._take(pending)
            self._acknowledge(host)
        self._joined = frozenset(hosts)

    def _make_group(self, host: str) -> None:
        try:
            self._client.xgroup_create(events_key(host), GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _hear_again(self, host: str) -> None:
        """Read all that its stream still holds, once: a memory put back from a copy has not got all of it.

        The group does not give out again what was acknowledged, and the host forgets it.
        """
        key, after = events_key(host), "-"
        while host not in self._heard_again:
            answer: Any = self._client.xrange(key, min=after, count=BATCH)
            self._record(host, [Received(host, id_, _entry(host, fields)) for id_, fields in answer])
            if len(answer) < BATCH:
                self._heard_again.add(host)
            else:
                after = f"({answer[-1][0].decode()}"

    def _pending(self, host: str) -> list[Received]:
        return _received(
            self._client.xreadgroup(GROUP, CONSUMER, {events_key(host): "0"}, count=BATCH), [host]
        )

    def _news(self, hosts: Sequence[str]) -> list[Received]:
        streams: dict[Any, Any] = {events_key(host): ">" for host in hosts}
        answer = self._client.xreadgroup(GROUP, CONSUMER, streams, count=BATCH, block=BLOCK_MILLISECONDS)
        return _received(answer, hosts)

    def _take(self, received: Sequence[Received]) -> None:
        """Record, and only then acknowledge."""
        for host in {r.host for r in received}:
            own = [r for r in received if r.host == host]
            self._record(host, own)
            self._client.xack(events_key(host), GROUP, *(r.id for r in own))
            self._acknowledge(host)

    def _record(self, host: str, received: Sequence[Received]) -> None:
        if self._history.record(host, [r.entry for r in received if r.entry], self._clock()):
            self._told()

    def _acknowledge(self, host: str) -> None:
        known = self._history.acknowledged(host)
        if known:
            ledger, seq = known
            self._client.set(acknowledged_key(host), f"{ledger}:{seq}")

    def _read_beats(self, hosts: Sequence[str]) -> None:
        asked_at = self._clock()
        answers: Any = self._client.mget([beat_key(host) for host in hosts])
        beats = [_beat(host, answer) for host, answer in zip(hosts, answers, strict=True)]
        now = self._clock()
        key_id = self._key_id()
        signs = [held_against(beat, key_id) for beat in beats if beat]
        told = self._clocks.look(signs, asked_at=asked_at, now=now)
        self._store.record_beats(told, now)

    def _heard(self) -> None:
        self._last_read = self._clock()
        if not self._line.up:
            self._line = Line(up=True, since=self._last_read)
            logger.info("the hosts' streams are read")
            self._told()

    def _lost(self, error: redis.RedisError) -> None:
        # A Redis that was emptied has lost the groups and the acknowledgements: begin as at a start.
        self._joined = frozenset()
        if str(error).startswith("NOGROUP"):
            logger.warning("the hosts' streams have lost their reader group; it is made again")
        elif self._line.error != _said(error):
            since = self._clock() if self._line.up else self._line.since
            self._line = Line(up=False, since=since, error=_said(error))
            logger.warning("Redis cannot be read: %s", self._line.error)
            self._told()


def _received(answer: Any, hosts: Iterable[str]) -> list[Received]:
    """Read the answer to XREADGROUP; its shape depends on the protocol's version."""
    names = {events_key(host).encode(): host for host in hosts}
    streams = answer.items() if isinstance(answer, Mapping) else answer or []
    return [
        Received(names[key], id_, _entry(names[key], fields))
        for key, batches in streams
        for id_, fields in batches
    ]


def _entry(host: str, fields: Fields | None) -> Entry | None:
    """Read an entry; one that is trimmed away comes without fields, its event is sent again by the host."""
    if not fields:
        return None
    try:
        ledger, seq = fields[b"ledger"].decode(), int(fields[b"seq"])
        first = int(fields.get(b"first", b"0"))
        body = fields[b"event"].decode()
    except (KeyError, ValueError):
        logger.warning("%s: an entry of its stream is no event; it is left out", host)
        return None
    if not (0 < len(ledger) <= LONGEST_LEDGER and 0 < seq <= GREATEST_SEQ and 0 <= first <= seq):
        logger.warning("%s: an event has no sane number; it is left out", host)
        return None
    return Entry(ledger, seq, body, first)


def _beat(host: str, answer: bytes | None) -> Beat | None:
    if answer is None:
        return None
    try:
        beat = Beat.model_validate_json(answer)
    except ValidationError:
        logger.warning("%s: its sign of life cannot be read", host)
        return None
    return beat if beat.host == host else None


def _said(error: redis.RedisError) -> str:
    return " ".join(str(error).split()) or type(error).__name__
