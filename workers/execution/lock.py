"""One execution per engine: a file lock named after the engine's id, freed by the kernel on any death."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.errors import RefusedError
from workers.reasons import Code, reason


@contextmanager
def engine_lock(folder: Path, engine_id: str) -> Iterator[None]:
    """Hold the engine for one execution.

    Not a lock in Redis: that is the part that forgets. An orphaned child still holds this one.

    Raises:
        RefusedError: somebody else holds it, or it cannot be taken at all.
    """
    path = folder / f"engine-{re.sub('[^A-Za-z0-9]', '-', engine_id)}.lock"
    try:
        held = path.open("a+")
    except OSError as error:
        raise RefusedError(reason(Code.BUSY, detail=f"its lock cannot be opened: {error}")) from None
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(reason(Code.BUSY, detail="its lock is taken")) from None
        yield
