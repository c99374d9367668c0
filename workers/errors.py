"""What can go wrong in a worker: one tree, one sentence each.

WorkerError
├── PolicyError          the policy file cannot be used
├── EngineError          the engine did not do as asked
│   ├── EngineUnreachable
│   ├── NotFound
│   ├── Conflict
│   └── AnswerLost
├── LedgerError          the host's memory cannot be used
│   └── StandingError    what the host was told to keep to cannot be read
├── RefusedError         a guard said no; carries its reasons
├── ArchiveError         the archive did not take or give an image
│   └── NoRoom           there is no room for it
├── SettingsError        a variable of the environment is missing or wrong
└── UsageError           the command line cannot be understood
    └── UnknownObject    nothing on the host is called so
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workers.explaining import NAME_IT, unknown
from workers.reasons import Code, Reason, reason


class WorkerError(Exception):
    """Something went wrong in the worker."""


class PolicyError(WorkerError):
    """The policy file is missing, unreadable or says something that is not understood."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"policy {path}: {detail}")
        self.path, self.detail = path, detail


class EngineError(WorkerError):
    """The engine answered with an error."""


class EngineUnreachable(EngineError):
    """No engine answers at the address."""


class NotFound(EngineError):
    """The engine has no such object."""


class Conflict(EngineError):
    """The engine refuses because the object is in use."""


class AnswerLost(EngineError):
    """The engine did not answer in time, so what it did is unknown until it is asked again."""


def trouble_with(error: EngineError) -> Reason:
    """Say what is the matter with the engine: silence is one thing, an answer that says no is another."""
    silent = isinstance(error, EngineUnreachable | AnswerLost)
    return reason(Code.ENGINE_UNREACHABLE if silent else Code.ENGINE_ERROR, detail=str(error))


@contextmanager
def unforeseen_is_an_engine_error() -> Iterator[None]:
    """Whatever comes up at a look at an engine is an answer that cannot be used: a report waits for it (S14).

    What the ledger refuses is no look: nothing may be told then that is not written down.
    """
    try:
        yield
    except (EngineError, LedgerError):
        raise
    except Exception as error:
        raise EngineError(f"{type(error).__name__}: {error}") from error


class LedgerError(WorkerError):
    """The ledger cannot be read or written."""


class StandingError(LedgerError):
    """A freeze, a protection or a stop is in the ledger and cannot be read, so nothing may be removed."""


class ArchiveError(WorkerError):
    """The archive of images could not take one, or give one back."""


class NoRoom(ArchiveError):
    """The archive, or its disk, has no room for an image."""


class RefusedError(WorkerError):
    """A guard said no before anything was begun."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(", ".join(r.code for r in reasons))
        self.reasons = reasons


class SettingsError(WorkerError):
    """A variable of the environment is missing or wrong; the message names it, never its value."""


class UsageError(WorkerError):
    """The command line asks for something there is not."""


class UnknownObject(UsageError):
    """Nothing on the host is called so; the message names what is most alike."""

    def __init__(self, host: str, text: str, nearest: Sequence[str]) -> None:
        super().__init__(f"{unknown(host, repr(text), nearest)}. {NAME_IT}")
