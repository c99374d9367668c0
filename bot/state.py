"""The bot's folder: its memory, its signing key, and the lock that lets one bot at a time work with them."""

import contextlib
import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SettingsError, StateInUse


@dataclass(frozen=True)
class StateDir:
    """Where the bot keeps what it must not lose."""

    path: Path

    @property
    def database(self) -> Path:
        """The bot's memory."""
        return self.path / "bot.sqlite3"

    @property
    def signing_key(self) -> Path:
        """Where the signing key is unless a setting says otherwise."""
        return self.path / "signing.key"

    def make(self) -> None:
        """Make the folder if it is not there; only this user may look into it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"PRUNE_STATE_DIR {self.path} cannot be made: {error.strerror}") from error

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the only bot that works here; the kernel lets go however this process ends."""
        try:
            lock = (self.path / "bot.lock").open("w")
        except OSError as error:
            raise SettingsError(f"PRUNE_STATE_DIR {self.path} cannot be used: {error.strerror}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateInUse(f"another bot works with {self.path}; stop it first") from None
            yield
