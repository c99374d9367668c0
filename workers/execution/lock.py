"""One execution per engine: a file lock named after the engine's id, freed by the kernel on any death.

It lies in a folder that all workers of a machine share, wherever each keeps its ledger.
"""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from workers.errors import RefusedError
from workers.reasons import Code, reason


def engine_file(folder: Path, engine_id: str, suffix: str) -> Path:
    """Name a file of an engine's in the folder that all workers of a machine share."""
    return folder / f"engine-{re.sub('[^A-Za-z0-9]', '-', engine_id)}.{suffix}"


@contextmanager
def engine_lock(folder: Path, engine_id: str) -> Iterator[None]:
    """Hold the engine for one execution.

    Not a lock in Redis: that is the part that forgets. An orphaned child still holds this one.

    Raises:
        RefusedError: somebody else holds it, or it cannot be taken at all.
    """
    with _opened(folder, engine_id) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(reason(Code.BUSY, detail="its lock is taken")) from None
        except OSError as error:
            raise RefusedError(reason(Code.NO_LOCK, folder=str(folder), detail=str(error))) from None
        yield


def _opened(folder: Path, engine_id: str) -> IO[str]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return engine_file(folder, engine_id, "lock").open("a+")
    except OSError as error:
        raise RefusedError(reason(Code.NO_LOCK, folder=str(folder), detail=str(error))) from None
