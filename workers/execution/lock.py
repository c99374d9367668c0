"""One execution per engine: a file lock named after the engine's id, freed by the kernel on any death.

It lies in a folder that all workers of a machine share, wherever each keeps its ledger.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from workers.errors import RefusedError
from workers.reasons import Code, Reason, reason

LONGEST = 1_000


@dataclass(frozen=True)
class Holder:
    """Whose run holds an engine: who confirmed it, since when (ISO 8601), and which plan it is."""

    by: str
    since: str
    plan: str


def engine_file(folder: Path, engine_id: str, suffix: str) -> Path:
    """Name a file of an engine's in the folder that all workers of a machine share."""
    return folder / f"engine-{re.sub('[^A-Za-z0-9]', '-', engine_id)}.{suffix}"


@contextmanager
def engine_lock(folder: Path, engine_id: str, holder: Holder | None = None) -> Iterator[None]:
    """Hold the engine for one execution; whoever is turned away meanwhile is told of its holder.

    Not a lock in Redis: that is the part that forgets. An orphaned child still holds this one.

    Raises:
        RefusedError: somebody else holds it, or it cannot be taken at all.
    """
    with _opened(folder, engine_id) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _name(held, holder)
        except BlockingIOError:
            raise RefusedError(_taken(held)) from None
        except OSError as error:
            raise RefusedError(reason(Code.NO_LOCK, folder=str(folder), detail=str(error))) from None
        yield


def is_held(folder: Path, engine_id: str) -> bool:
    """Whether somebody holds the engine at this moment; what cannot be told counts as held."""
    try:
        with engine_file(folder, engine_id, "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _name(held: IO[str], holder: Holder | None) -> None:
    """Say who holds it, and nothing of who held it before; on a full disk nobody is told."""
    with suppress(OSError):
        os.ftruncate(held.fileno(), 0)
        os.write(held.fileno(), json.dumps(asdict(holder)).encode() if holder else b"")


def _taken(held: IO[str]) -> Reason:
    """Who holds it, as far as that is told; it takes no lock to be read."""
    try:
        holder = Holder(**json.loads(os.pread(held.fileno(), LONGEST, 0)))
    except (OSError, ValueError, TypeError):
        return reason(Code.BUSY, detail="its lock is taken")
    return reason(Code.HELD, by=str(holder.by), since=str(holder.since), plan=str(holder.plan))


def _opened(folder: Path, engine_id: str) -> IO[str]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return engine_file(folder, engine_id, "lock").open("a+")
    except OSError as error:
        raise RefusedError(reason(Code.NO_LOCK, folder=str(folder), detail=str(error))) from None
