"""The folder of a run and all it starts: one living owner at a time, remains of a dead one removed."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tests.stage.errors import ForeignEngine, StageInUse
from tests.stage.leftovers import remove_leftovers

# Not /run, which engines hide from themselves, and not /tmp, which is memory on some machines.
HOME = Path("/var/tmp")
TEST_RUN_PREFIX = "sp-test-"


@contextlib.contextmanager
def stage_folder(folder: Path) -> Iterator[Path]:
    """Own the folder, empty, inside the block; whatever is in it or runs for it is gone afterwards."""
    with _owned(folder):
        remove_leftovers(folder)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            remove_leftovers(folder)


@contextlib.contextmanager
def fresh_folder() -> Iterator[Path]:
    """A fresh folder for one test run; removes what killed runs have left."""
    for lock in HOME.glob(f"{TEST_RUN_PREFIX}*.lock"):
        with contextlib.suppress(StageInUse), stage_folder(lock.with_suffix("")):
            pass
    with stage_folder(HOME / f"{TEST_RUN_PREFIX}{secrets.token_hex(3)}") as folder:
        yield folder


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    for place in (folder, folder.with_name(folder.name + ".lock")):
        refuse_strangers(place)
    path = folder.with_name(folder.name + ".lock")
    with path.open("a+") as lock:
        _lock(lock, folder)
        yield
        path.unlink()


def refuse_strangers(path: Path) -> None:
    """Refuse a place that somebody else made: what is written or run there would be theirs."""
    if path.is_symlink() or (path.exists() and path.stat().st_uid != os.getuid()):
        raise ForeignEngine(f"{path} belongs to somebody else")


def _lock(lock: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        lock.seek(0)
        raise StageInUse(f"{folder} is in use by process {lock.read().strip() or 'unknown'}") from taken
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
