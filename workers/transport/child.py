"""One piece of work in a process of its own: told to stop, it ends after the object in hand, not in it."""

import ctypes
import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self

from workers.errors import WorkerError
from workers.halt import Halt
from workers.reasons import Code

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1
DONE, FAILED, OUT_OF_TIME, TOLD_TO_STOP = 0, 70, 124, 143
KILLED_AFTER_SECONDS = 60
# As if it held half of all memory besides: by size alone the kernel took the worker, larger than its run.
EXPENDABLE = 500
STOPS = {signal.SIGTERM, signal.SIGINT}


class CutOff(BaseException):
    """Ends work from a signal; not an Exception, so that no broad `except` on the way swallows it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"cut off with exit code {exit_code}")
        self.exit_code = exit_code


@dataclass(frozen=True)
class Limits:
    """How long work may take; with no grace it changes nothing, so it may be cut off at any moment."""

    seconds: int
    grace: int = 0

    @property
    def may_be_cut_off(self) -> bool:
        """Whether nothing would be left half done."""
        return self.grace == 0


class Child:
    """A forked process that does one piece of work, and outlives neither its limits nor its parent."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self._pid, self._descriptor = pid, os.pidfd_open(pid)
        self._killed_at = time.monotonic() + limits.seconds + limits.grace + KILLED_AFTER_SECONDS

    @classmethod
    def fork(cls, work: Callable[[Halt], None], limits: Limits, *, is_stopped: bool = False) -> Self:
        """Begin the work, with signals held: the child takes them once it knows what to do with them.

        `is_stopped`: it finds itself told to stop; a signal sent from here may come when it has begun.
        """
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            if is_stopped:
                signal.raise_signal(signal.SIGTERM)
            _be_child(work, limits, parent)
        return cls(pid, limits)

    def ended(self, within: float) -> int | None:
        """Return its exit code, negative for a signal; None if it goes on."""
        if not select.select([self._descriptor], [], [], within)[0]:
            if time.monotonic() > self._killed_at:
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            return None
        _, status = os.waitpid(self._pid, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Ask it to end after the object in hand; called by signal handlers, at whatever moment."""
        with suppress(OSError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGTERM)


@contextmanager
def signals_held() -> Iterator[None]:
    """Have the signals that mean stop wait until the block is left."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def _be_child(work: Callable[[Halt], None], limits: Limits, parent: int) -> None:
    exit_code = FAILED
    try:
        # The parent passes signals on; what is sent to its group need not come twice.
        os.setpgrp()
        _be_expendable()
        exit_code = _run(work, limits, parent)
    finally:
        os._exit(exit_code)


def _be_expendable() -> None:
    """Have the kernel take this process before its parent, who tells of it, and before a host's services."""
    with suppress(OSError, ValueError):
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(min(1000, int(score.read_text()) + EXPENDABLE)))


def _run(work: Callable[[Halt], None], limits: Limits, parent: int) -> int:
    halt = Halt()
    try:
        _listen(halt, limits)
        _follow(parent, halt)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        work(halt)
    except CutOff as cut:
        logger.warning("the work was cut off (exit code %d)", cut.exit_code)
        return cut.exit_code
    except WorkerError as error:
        logger.warning("the work was given up: %s", error)
        return FAILED
    except Exception:
        logger.exception("the work ended with an error nobody expected")
        return FAILED
    return DONE


def _listen(halt: Halt, limits: Limits) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        halt.request(Code.TERMINATED)
        if limits.may_be_cut_off:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise CutOff(TOLD_TO_STOP)

    def time_is_up(_signal: int, _frame: FrameType | None) -> None:
        was_asked = any(why.code is Code.DEADLINE for why in halt.reasons)
        halt.request(Code.DEADLINE)
        if limits.may_be_cut_off or was_asked:
            raise CutOff(OUT_OF_TIME)
        signal.alarm(limits.grace)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, time_is_up)
    signal.alarm(limits.seconds)


def _follow(parent: int, halt: Halt) -> None:
    """Be told to stop when the parent dies: nobody would watch over the work any more."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        halt.request(Code.TERMINATED)
