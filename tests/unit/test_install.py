"""What deploy/INSTALL.md tells people to type, to set and to read is what the programs take and say.

It is walked from its first to its last block in tests/acceptance/test_install.py.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from bot.__main__ import parser as bot_parser
from bot.settings import BotSettings
from tests.unit.instructions import FILE, Block, blocks, text
from workers.cli.command_line import parser as worker_parser
from workers.planning import policy
from workers.settings import WorkerSettings

ROOT = FILE.parents[1]
PARSERS = {"bot": bot_parser, "workers": worker_parser}
SETTINGS: tuple[type[BaseSettings], ...] = (BotSettings, WorkerSettings)
# What shells and readers add to a command.
AFTER = re.compile(r"\s*(?:[>|;)`].*)?$")
PLAYED = {"bot", "host", "bot, stays", "host, stays", "bot.env", "policy.toml"}


def commands() -> Iterator[tuple[str, str]]:
    """Each command line of the project's that is in a block or in the text."""
    for line in text().splitlines():
        for program, words in re.findall(r"python -m (bot|workers)\b([^`\n]*)", line):
            yield program, AFTER.sub("", words.split(" >")[0]).strip()


def sources() -> str:
    files = [path for package in ("bot", "workers") for path in (ROOT / package).rglob("*.py")]
    # Sentences that go over two lines of code are sentences all the same.
    return re.sub(r'"\s*\n\s*f?"', "", "".join(path.read_text() for path in files))


def troubles() -> list[list[str]]:
    table = text().partition("\n| step | what you read |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize(("program", "words"), sorted(set(commands())))
def test_a_command_is_one_that_the_program_takes(program: str, words: str) -> None:
    typed = [word.replace("NAME", "name") for word in shlex.split(words)]

    assert PARSERS[program]().parse_args(typed)


def test_the_commands_are_found() -> None:
    found = set(commands())

    assert {("bot", "keys"), ("bot", "hosts add web-1"), ("bot", "doctor --blocks"), ("bot", "")} <= found
    assert {("workers", "init"), ("workers", "doctor"), ("workers", "")} <= found


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\bdeploy/[\w./-]*\w", text()))))
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", text()))))
def test_a_link_leads_somewhere(link: str) -> None:
    assert (FILE.parent / link).exists()


def test_a_setting_is_one_that_there_is() -> None:
    fields = {field.upper() for settings in SETTINGS for field in settings.model_fields}
    named = set(re.findall(r"\b(?:SLACK|PRUNE|REDIS|DOCKER)_[A-Z_]+\b|\bPORT\b", text()))

    assert named <= fields
    assert {"SLACK_BOT_TOKEN", "PRUNE_BOT_KEYS", "REDIS_URL", "DOCKER_HOST", "PORT"} <= named


def block(place: str) -> Block:
    (found,) = [block for block in blocks() if block.place == place]
    return found


def test_the_lines_to_fill_in_are_lines_of_the_example() -> None:
    example = (ROOT / "deploy" / "bot.env.example").read_text().splitlines()
    wanted = [line.partition("=")[0] for line in block("bot.env").text.splitlines()]

    assert [sum(line.startswith(f"{name}=") for line in example) for name in wanted] == [1] * len(wanted)


def test_a_block_that_is_run_twice_appends_once(tmp_path: Path) -> None:
    [block_] = [one.text for one in blocks() if "/etc/redis/redis.conf" in one.text]
    [appending] = re.findall(r"^grep .*\n.*>> /etc/redis/redis.conf$", block_, re.M)
    (tmp_path / "redis.conf").write_text("port 6379\n")
    typed = appending.replace("/etc/redis", str(tmp_path))
    read = []
    for _ in range(2):
        subprocess.run(["/bin/sh", "-ec", typed], check=True, cwd=ROOT)
        read.append((tmp_path / "redis.conf").read_text().splitlines())

    assert read[0] == read[1]
    assert {"port 6379", "appendonly yes", f"aclfile {tmp_path}/users.acl"} <= set(read[0])


def test_who_else_uses_that_redis_is_warned() -> None:
    before, _, _ = text().partition("{ echo user default off")
    assert "whatever else uses it is shut out, and it holds 256 MB at most" in before
    assert "maxmemory 256mb" in (ROOT / "deploy" / "redis.conf").read_text().splitlines()


def test_the_policy_lines_are_a_policy_s() -> None:
    added = block("policy.toml").text
    whole = policy.parse(f"protected_images = []\ncritical_containers = []\n{added}", "policy.toml")

    assert {getattr(whole, line.split()[0]).total_seconds() for line in added.splitlines()} == {0}


def test_the_ages_that_are_told_are_the_defaults() -> None:
    default = policy.parse("protected_images = []\ncritical_containers = []\n", "policy.toml")
    hours = {default.image_grace, default.cache_grace}
    days = {default.container_grace, default.network_grace}

    assert [f"{int(one.total_seconds()) // 3600} hours" for one in hours] == ["24 hours"]
    assert [f"{one.days} days" for one in days] == ["7 days"]
    assert default.image_unused_for.days == 14
    assert "images and build cache for 24 hours, images that a container used for 14 days after" in text()
    assert "stopped containers and unused networks for 7 days" in text()


@pytest.mark.parametrize("row", troubles(), ids=lambda row: row[1][:40])
def test_what_somebody_reads_is_what_is_said(row: list[str]) -> None:
    step, read, what_to_do = row
    said = re.findall(r"`([^`]+)`", read)

    assert all((step, what_to_do))
    assert [words for words in said if words not in sources()] == []
    assert said or "Slack" in read or "this channel" in read


def test_every_block_has_its_place() -> None:
    places = [block.place for block in blocks()]

    assert set(places) == {*PLAYED, ""}
    # The program itself, and the services: what tests have no network and no systemd for.
    assert places.count("") == 2


def test_the_readme_leaves_it_to_this_page() -> None:
    readme = (ROOT / "README.md").read_text()

    assert "deploy/INSTALL.md" in readme
    for line in (line for block in blocks() if block.language == "sh" for line in block.text.splitlines()):
        assert line not in readme.splitlines()


def test_the_folders_are_those_of_the_examples() -> None:
    example = (ROOT / "deploy" / "bot.env.example").read_text()
    named = set(re.findall(r"/(?:etc|var/lib)/safe-prune[\w./-]*\w", text()))

    assert {"/etc/safe-prune/bot.env", "/etc/safe-prune/worker.env", "/etc/safe-prune/policy.toml"} <= named
    assert "/etc/safe-prune/bot-redis-password" in example
    assert Path("/etc/safe-prune/policy.toml") == WorkerSettings.model_fields["prune_policy"].default
