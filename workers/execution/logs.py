"""Reads the ends of logs after a run where the policy lets that be; where not, no engine is asked for one."""

import time
from collections.abc import Sequence
from datetime import timedelta

from workers.contract import LogTail
from workers.engine import Engine
from workers.errors import AnswerLost, EngineError
from workers.execution.health import Vital
from workers.execution.log_lines import tail
from workers.execution.trouble import Fallen
from workers.planning.bounds import clipped
from workers.planning.policy import Policy

MOST_READ = 5
MOST_BYTES = 1_000_000
# Of one container, and of all: the report waits for them.
WITHIN, TOGETHER = timedelta(seconds=3), timedelta(seconds=10)
TOO_MANY = LogTail(unread=f"the logs of {MOST_READ} containers are read, and this is one more")


def log_tails(engine: Engine, fallen: Sequence[Fallen], policy: Policy) -> dict[str, LogTail]:
    """The ends of the logs of what is worse and still there, by container id."""
    if not policy.show_logs:
        return {}
    there = [one.now for one in fallen if one.now is not None]
    until = time.monotonic() + TOGETHER.total_seconds()
    read = {v.container.id: _read(engine, v, policy.show_logs, until) for v in there[:MOST_READ]}
    return read | {vital.container.id: TOO_MANY for vital in there[MOST_READ:]}


def _read(engine: Engine, vital: Vital, lines: int, until: float) -> LogTail:
    try:
        raw, whole = _asked(engine, vital.container.id, lines, until)
    except EngineError as error:
        # Not every log driver can be read, and no report waits for one.
        return LogTail(unread=clipped(str(error)))
    return tail(raw, framed=not vital.has_terminal, whole=whole)


def _asked(engine: Engine, id_: str, lines: int, until: float) -> tuple[bytes, bool]:
    """Ask for fewer where they are too long: the newest are wanted, and an engine begins with the oldest."""
    wanted = lines
    while True:
        left = timedelta(seconds=until - time.monotonic())
        if left <= timedelta(0):
            raise AnswerLost(f"log of {id_[:12]}: no time is left for it")
        raw, whole = engine.log_tail(id_, lines=lines, most=MOST_BYTES, within=min(WITHIN, left))
        if whole or lines == 1:
            return raw, whole and lines == wanted
        lines //= 2
