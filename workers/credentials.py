"""Secrets out of files, and the address of Redis with its password.

What stands in an environment is inherited, and shown by many a tool. So where NAME is a secret, NAME_FILE may
name a file that holds it: one that systemd or compose hands in, or any that only the process can read.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from redis.connection import parse_url

SCHEMES = ("redis://", "rediss://", "unix://")


class SecretFileError(Exception):
    """A file that should hold a secret cannot be used; the message names the variable and the file."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets of settings whose variables end in _FILE."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a secret; None where it is none, or no file is named."""
        name = field_name.upper()
        path = os.environ.get(f"{name}_FILE", "")
        if field.annotation is not SecretStr or not path:
            return None, field_name, False
        if os.environ.get(name):
            raise SecretFileError(f"{name} and {name}_FILE are both set; one of them is enough.")
        return _read(f"{name}_FILE", Path(path)), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return all secrets that stand in files."""
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: secret for name, secret in found.items() if secret is not None}


class SecretSettings(BaseSettings):
    """Settings whose secrets may stand in files."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, and the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)


def _read(name: str, path: Path) -> str:
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise SecretFileError(f"{name} {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SecretFileError(f"{name} {path} is no text.") from None
    if not secret:
        raise SecretFileError(f"{name} {path} is empty.")
    return secret


def refuse_bad_address(url: str) -> None:
    """Say what is wrong with an address of Redis, without repeating any of it.

    Raises:
        ValueError: it cannot be used.
    """
    if not url.startswith(SCHEMES):
        raise ValueError("it has to begin with redis://, rediss:// or unix://")
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:
        raise ValueError(
            "it is no address; letters like / and @ in its password have to be written as %2F and %40,"
            " or the password put into a file (PRUNE_REDIS_PASSWORD_FILE)"
        ) from None


def with_password(url: str, password: str) -> str:
    """Put the password into the address; from here on it is a secret.

    Raises:
        ValueError: the address has one.
    """
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    if ":" in user:
        raise ValueError("it holds a password, and PRUNE_REDIS_PASSWORD another; one of them is enough")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))


def for_user(url: str, user: str) -> str:
    """Return the same address for another user, without any password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))
