"""The worker's settings, from the environment; what is missing or wrong is said by its name."""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from workers.contract import HOST_PATTERN
from workers.credentials import SecretFileError, SecretSettings, refuse_bad_address, with_password
from workers.errors import SettingsError

MOST_KEYS = 2
KEY_HINT = "the bot prints the line with: python -m bot keys"


class WorkerSettings(SecretSettings):
    """What a host's worker and its command line need to know; only the worker needs Redis and keys."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: SecretStr = SecretStr("")
    prune_redis_password: SecretStr = SecretStr("")
    docker_host: str = "unix:///var/run/docker.sock"
    prune_host: str = ""
    prune_policy: Path = Path("/etc/safe-prune/policy.toml")
    prune_state_dir: Path = Path("/var/lib/safe-prune")
    prune_engines_dir: Path = Path("/var/lib/safe-prune/engines")
    prune_bot_keys: Annotated[tuple[str, ...], NoDecode] = ()
    prune_bot_keys_file: Path | None = None
    prune_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsError: that names each variable which is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(" ".join(_said(e["loc"], e["msg"]) for e in error.errors())) from None
        except SecretFileError as error:
            raise SettingsError(str(error)) from None

    @field_validator("prune_log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("prune_host")
    @classmethod
    def _slug(cls, value: str) -> str:
        if value and not re.fullmatch(HOST_PATTERN, value):
            raise ValueError("a host's name has letters a-z, digits and inner hyphens, 63 at most")
        return value

    @field_validator("docker_host")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("unix:///", "tcp://")):
            raise ValueError("it has to begin with unix:/// or tcp://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            refuse_bad_address(value.get_secret_value())
        return value

    @field_validator("prune_bot_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _listed(value) if isinstance(value, str) else value

    def redis_for_worker(self) -> str:
        """Return the address of Redis, password included: never print it.

        Raises:
            SettingsError: it is not set, or there are two passwords.
        """
        url, password = self.redis_url.get_secret_value(), self.prune_redis_password.get_secret_value()
        if not url:
            raise SettingsError("REDIS_URL is not set: where Redis is, like redis://redis.example:6379/0.")
        try:
            return with_password(url, password) if password else url
        except ValueError as error:
            raise SettingsError(_said(("redis_url",), str(error))) from None

    def bot_keys(self) -> dict[str, Ed25519PublicKey]:
        """Return the bot's public keys by their ids.

        Raises:
            SettingsError: there is none, too many, or one is no key.
        """
        name, listed = self._keys()
        if not listed:
            raise SettingsError(f"PRUNE_BOT_KEYS is not set: {KEY_HINT}.")
        if len(listed) > MOST_KEYS:
            count = f"{len(listed)} keys; {MOST_KEYS} at most, while one replaces the other"
            raise SettingsError(f"{name} holds {count}.")
        keys = dict(_key(entry, name) for entry in listed)
        if len(keys) < len(listed):
            raise SettingsError(f"{name} names the same key twice.")
        return keys

    def _keys(self) -> tuple[str, tuple[str, ...]]:
        if self.prune_bot_keys or self.prune_bot_keys_file is None:
            return "PRUNE_BOT_KEYS", self.prune_bot_keys
        try:
            text = self.prune_bot_keys_file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"PRUNE_BOT_KEYS_FILE {self.prune_bot_keys_file}: {error}.") from None
        return "PRUNE_BOT_KEYS_FILE", _listed(text.removeprefix("PRUNE_BOT_KEYS="))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r"[,\s]+", text)))


def _key(entry: str, name: str) -> tuple[str, Ed25519PublicKey]:
    key_id, _, public = entry.partition(":")
    try:
        if not key_id:
            raise ValueError("no key id")
        return key_id, Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
    except (ValueError, binascii.Error):
        shape = "a key id, a colon and 32 bytes in base64"
        raise SettingsError(f"{name}: {key_id!r} is not {shape}; {KEY_HINT}.") from None


def _said(where: tuple[int | str, ...], message: str) -> str:
    # The message never repeats the value, which may hold a password.
    return f"{str(where[0]).upper()} cannot be used: {message.removeprefix('Value error, ')}."
