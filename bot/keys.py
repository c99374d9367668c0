"""The bot's signing key: made once, kept in a file that only the bot reads; hosts get its public half."""

import base64
import hashlib
import os
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
    def host_line(self) -> str:
        """The line of environment with which a host takes this key."""
        return f"PRUNE_BOT_KEYS={self.id}:{base64.b64encode(self.public).decode()}"


def make(path: Path) -> SigningKey:
    """Make a key; one that is there is never replaced, since hosts would stop obeying."""
    key = SigningKey(Ed25519PrivateKey.generate())
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(f"{path} holds a signing key already; it is not replaced") from None
    except OSError as error:
        raise SettingsError(f"the signing key cannot be written to {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return key


def load(path: Path) -> SigningKey:
    """Read the key that `make` has made."""
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise SettingsError(f"there is no signing key at {path}; make one with: python -m bot keys") from None
    except OSError as error:
        raise SettingsError(f"the signing key {path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is not a signing key made by: python -m bot keys") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{path} holds another kind of key; an Ed25519 key is needed")
    return SigningKey(private)
