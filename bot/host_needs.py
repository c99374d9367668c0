"""What a new host needs, as the lines of its worker's environment, and what Redis needs for it."""

import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot import rights
from workers.credentials import for_user

ANY_REDIS = "redis://REDIS:6379/0"
PASSWORD_FILE = "/etc/safe-prune/redis-password"  # noqa: S105 - where it is, not what
HASH_COMMAND = "tr -d '[:space:]' < {file} | sha256sum | cut -d ' ' -f 1"
HERE = ("localhost", "127.0.0.1", "::1")


def lines(host: str, redis_url: str, key_line: str) -> Iterator[str]:
    """Write them; all that is no setting begins with "# ". `redis_url` is the bot's own, or empty."""
    theirs = rights.of_host(host)
    yield f"PRUNE_HOST={host}"
    yield from _redis(redis_url, theirs.user)
    yield "# A file that only root reads, with a password that only this host has. On the host, as root:"
    yield f"#   (umask 077; openssl rand -hex 32 > {PASSWORD_FILE})"
    yield f"PRUNE_REDIS_PASSWORD_FILE={PASSWORD_FILE}"
    yield key_line
    yield "# Redis needs the last line in its ACL file, with what this prints on the host in place of SHA256:"
    yield f"#   {HASH_COMMAND.format(file=PASSWORD_FILE)}"
    yield f"# {theirs.line()}"


def _redis(url: str, user: str) -> Iterator[str]:
    """The host's way to Redis, and what of the bot's own way may not hold there."""
    if not url:
        yield "# Where Redis is was not said here (REDIS_URL). Put its address in place of REDIS:"
        yield f"# REDIS_URL={for_user(ANY_REDIS, user)}"
        return
    if url.startswith("unix://") or urlsplit(url).hostname in HERE:
        yield "# This is Redis as the bot's machine calls it. Another host needs an address that leads there:"
    if "ssl_" in urlsplit(url).query:
        yield "# The files named in it are the bot's. The host has a certificate and a key of its own:"
    yield f"REDIS_URL={_value(for_user(url, user))}"


def _value(url: str) -> str:
    """An address as a shell, systemd and Compose all read it: in single quotes where it has a `&` or `?`."""
    return shlex.quote(url.replace("'", "%27"))
