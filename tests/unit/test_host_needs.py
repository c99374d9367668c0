"""What `hosts add` prints can be used as it is, and says where it cannot."""

import subprocess
from pathlib import Path

import pytest

from bot.host_needs import HASH_COMMAND, lines
from bot.rights import hashed

HOST = "web-1"
KEYS = "PRUNE_BOT_KEYS=id:key"


def settings(redis_url: str) -> list[str]:
    return [line for line in lines(HOST, redis_url, KEYS) if not line.startswith("# ")]


def test_all_but_the_settings_is_commented_out() -> None:
    assert settings("rediss://prune-bot:secret@redis.example:6380/0") == [
        "PRUNE_HOST=web-1",
        "REDIS_URL=rediss://prune-host-web-1@redis.example:6380/0",
        "PRUNE_REDIS_PASSWORD_FILE=/etc/safe-prune/redis-password",
        KEYS,
    ]


@pytest.mark.parametrize(
    "query", ["", "?ssl_ca_certs=/ca.crt&ssl_certfile=/web-1.crt&ssl_keyfile=/web-1.key", "?db=0;$(id) #'"]
)
def test_a_shell_that_reads_the_lines_has_the_whole_address(query: str, tmp_path: Path) -> None:
    file = tmp_path / "worker.env"
    file.write_text("\n".join(lines("web-1", f"rediss://prune-bot@redis.example:6380/0{query}", KEYS)))
    sourced = f"set -a; . {file}; exec env"
    found = subprocess.check_output(["/bin/sh", "-c", sourced], text=True, env={}).splitlines()

    [address] = [line.removeprefix("REDIS_URL=") for line in found if line.startswith("REDIS_URL=")]
    wanted = query.replace("'", "%27")
    assert address == f"rediss://prune-host-web-1@redis.example:6380/0{wanted}"
    assert f"PRUNE_HOST={HOST}" in found


def test_what_needs_quotes_has_single_ones_around_all_of_it() -> None:
    """Compose and systemd take no others off unchanged: between double ones they read `$` and `\\`."""
    [line] = [one for one in settings("rediss://b@r:1/0?ssl_ca_certs=/it's&a=$b") if one.startswith("REDIS")]

    assert line == "REDIS_URL='rediss://prune-host-web-1@r:1/0?ssl_ca_certs=/it%27s&a=$b'"


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
