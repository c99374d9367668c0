"""The bot's signing keys, in a file that only the bot reads; hosts get their public halves.

There are two at most: the first one signs. The other is on its way in, until every host knows it, or on its
way out, until no host needs it any more.
"""

import base64
import fcntl
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bot.errors import SettingsError

logger = logging.getLogger(__name__)

MOST_KEYS = 2
PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\n?", re.DOTALL)


@dataclass(frozen=True)
class SigningKey:
    """A private key with the name that hosts know it by."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """A name made of the public half."""
        return hashlib.sha256(self.public).hexdigest()[:16]

    @property
    def pem(self) -> bytes:
        """The private half as it stands in the file."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def host_line(keys: "Sequence[SigningKey]") -> str:
    """The line of environment with which a host takes these keys."""
    listed = (f"{key.id}:{base64.b64encode(key.public).decode()}" for key in keys)
    return f"PRUNE_BOT_KEYS={','.join(listed)}"


def make(path: Path) -> SigningKey:
    """Make the first key; one that is there is never replaced, since hosts would stop obeying."""
    key = SigningKey(Ed25519PrivateKey.generate())
    with _held(path):
        if path.exists():
            raise SettingsError(f"{path} holds a signing key already; it is not replaced")
        _write(path, [key])
    return key


def add(path: Path) -> SigningKey:
    """Make a second key, which does not sign yet."""
    key = SigningKey(Ed25519PrivateKey.generate())
    with _held(path):
        known = load_all(path)
        if len(known) >= MOST_KEYS:
            raise SettingsError(
                f"there are {MOST_KEYS} keys already, and hosts hold no more;"
                f" first retire the one that does not sign: python -m bot keys retire {known[-1].id}"
            )
        _write(path, [*known, key])
    return key


def use(path: Path, key_id: str) -> None:
    """Sign with another key from now on; a running bot sees it before it seals the next order."""
    with _held(path):
        known = load_all(path)
        chosen = _named(known, key_id)
        _write(path, [chosen, *(key for key in known if key is not chosen)])


def retire(path: Path, key_id: str) -> None:
    """Forget a key that does not sign."""
    with _held(path):
        known = load_all(path)
        chosen = _named(known, key_id)
        if chosen is known[0]:
            raise SettingsError(
                f"{key_id} signs, so hosts would stop obeying;"
                " first sign with another one: python -m bot keys use ID"
            )
        _write(path, [key for key in known if key is not chosen])


def load(path: Path) -> SigningKey:
    """Read the key that signs."""
    return load_all(path)[0]


def load_all(path: Path) -> tuple[SigningKey, ...]:
    """Read all keys, the one that signs first."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"there is no signing key at {path}; make one with: python -m bot keys") from None
    except OSError as error:
        raise SettingsError(f"the signing key {path} cannot be read: {error.strerror}") from error
    blocks = PEM.findall(text)
    if not blocks or len(blocks) > MOST_KEYS or b"".join(blocks) != text:
        raise SettingsError(f"{path} is not a signing key made by: python -m bot keys")
    return tuple(_read(block, path) for block in blocks)


def _read(block: bytes, path: Path) -> SigningKey:
    try:
        private = load_pem_private_key(block, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is not a signing key made by: python -m bot keys") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{path} holds another kind of key; an Ed25519 key is needed")
    return SigningKey(private)


def _named(known: Sequence[SigningKey], key_id: str) -> SigningKey:
    found = [key for key in known if key.id == key_id]
    if not found:
        listed = ", ".join(key.id for key in known)
        raise SettingsError(f"there is no key {key_id}; there is: {listed}")
    return found[0]


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let one command at a time change the file: what another one has just written would be lost."""
    try:
        folder = os.open(path.resolve().parent, os.O_RDONLY)
    except OSError as error:
        raise SettingsError(f"the signing key cannot be written to {path}: {error.strerror}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _write(path: Path, known: Sequence[SigningKey]) -> None:
    """Write the file whole or not at all, also when the power goes."""
    # A link stays one, and what it points to is replaced.
    target = path.resolve()
    try:
        descriptor, name = tempfile.mkstemp(prefix=".signing-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # Whoever changes it as root must not take it from the bot.
                if target.exists():
                    os.fchown(file.fileno(), target.stat().st_uid, target.stat().st_gid)
                file.write(b"".join(key.pem for key in known))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        _sync(target.parent)
    except OSError as error:
        raise SettingsError(f"the signing key cannot be written to {path}: {error.strerror}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class InUse:
    """Which key signs now; the file is read again whenever it is another one."""

    def __init__(self, path: Path) -> None:
        self._path, self._stamp = path, _stamp(path)
        self._key = load(path)

    def __call__(self) -> SigningKey:
        """The key that signs; the last one known while the file cannot be read."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read_again()
        return self._key

    def _read_again(self) -> None:
        try:
            self._key = load(self._path)
            logger.info("orders are signed with key %s", self._key.id)
        except SettingsError as error:
            logger.warning("orders are still signed with key %s: %s", self._key.id, error)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes whenever the file is replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
