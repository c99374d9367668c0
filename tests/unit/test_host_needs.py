"""What `hosts add` prints can be used as it is, and says where it cannot."""

import subprocess
from pathlib import Path

import pytest

from bot.host_needs import HASH_COMMAND, lines
from bot.rights import hashed

KEYS = "PRUNE_BOT_KEYS=id:key"


def settings(redis_url: str) -> list[str]:
    return [line for line in lines("web-1", redis_url, KEYS) if not line.startswith("# ")]


def test_all_but_the_settings_is_commented_out() -> None:
    assert settings("rediss://prune-bot:secret@redis.example:6380/0") == [
        "PRUNE_HOST=web-1",
        "REDIS_URL=rediss://prune-host-web-1@redis.example:6380/0",
        "PRUNE_REDIS_PASSWORD_FILE=/etc/safe-prune/redis-password",
        KEYS,
    ]


def test_an_address_that_is_not_known_is_no_setting() -> None:
    assert [line for line in settings("") if line.startswith("REDIS_URL")] == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://prune-bot@127.0.0.1:6379/0", "as the bot's machine calls it"),
        ("redis://prune-bot@localhost", "as the bot's machine calls it"),
        ("unix:///run/redis.sock", "as the bot's machine calls it"),
        ("rediss://prune-bot@redis.example?ssl_certfile=/bot.crt", "a certificate and a key of its own"),
    ],
)
def test_what_holds_on_the_bots_machine_alone_is_said(url: str, said: str) -> None:
    assert said in "\n".join(lines("web-1", url, KEYS))
    assert said not in "\n".join(lines("web-1", "redis://prune-bot@redis.example:6379/0", KEYS))


def test_the_command_prints_what_the_line_takes(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("sw0rdfish\n")
    printed = subprocess.check_output(["/bin/sh", "-c", HASH_COMMAND.format(file=file)], text=True)
    assert f"#{printed.strip()}" == hashed("sw0rdfish")
