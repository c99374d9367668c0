"""Bot and worker as people start them, over TLS, with their secrets in files: nobody reads these anywhere."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from bot.rights import Rights, hashed, of_bot, of_host
from tests.stage.certificates import Authority
from tests.stage.member import finished, until
from tests.stage.processes import MINIMAL, ProjectProcess
from tests.stage.redis import RedisServer, over_tls
from tests.workspace import Workspace
from workers.transport.connection import Patience, connect

HOST = "web-1"
SECONDS = 90.0


@dataclass
class Meeting:
    """A Redis that takes certificates alone, and who meets there."""

    folder: Path
    server: RedisServer
    slack: Workspace
    authority: Authority
    secrets: dict[str, str]

    def __post_init__(self) -> None:
        channel, people = self.slack.channel_id("ops"), (self.slack.user_id("ana"), self.slack.user_id("bo"))
        self.for_bot = {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN_FILE": self.kept("bot-token", self.slack.bot_token),
            "SLACK_APP_TOKEN_FILE": self.kept("app-token", self.slack.app_token),
            "SLACK_SIGNING_SECRET_FILE": self.kept("signing-secret", self.slack.signing_secret),
            "PRUNE_STATE_DIR": str(self.folder / "bot-state"),
            "PRUNE_CHANNELS": channel,
            "PRUNE_APPROVERS": ",".join(people),
            **self.redis_for(of_bot()),
        }
        self.run("bot", "keys")
        printed = self.run("bot", "hosts", "add", HOST).stdout.splitlines()
        self.for_worker = {
            **dict(line.split("=", 1) for line in printed if not line.startswith("#")),
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
            "PRUNE_POLICY": str(self.folder / "policy.toml"),
            "PRUNE_STATE_DIR": str(self.folder / "worker-state"),
            **self.redis_for(of_host(HOST)),
        }
        (self.folder / "policy.toml").write_text("protected_images = []\ncritical_containers = []\n")
        self.bot = self.process("bot", self.for_bot)
        self.worker = self.process("workers", self.for_worker)

    def kept(self, name: str, secret: str) -> str:
        file = self.folder / f"{name}.secret"
        file.write_text(f"{secret}\n")
        file.chmod(0o600)
        self.secrets[name] = secret
        return str(file)

    def redis_for(self, rights: Rights) -> dict[str, str]:
        password, pair = secrets.token_hex(), self.authority.pair(rights.user)
        self.server.admit(rights.line(hashed(password)))
        url = over_tls(f"rediss://{rights.user}@127.0.0.1:{self.server.port}/0", self.authority, pair)
        return {"REDIS_URL": url, "PRUNE_REDIS_PASSWORD_FILE": self.kept(rights.user, password)}

    def run(self, package: str, *arguments: str, **changed: str) -> "subprocess.CompletedProcess[str]":
        environment = self.for_bot if package == "bot" else self.for_worker
        return finished(package, arguments, {**MINIMAL, **environment, **changed})

    def process(self, package: str, environment: dict[str, str]) -> ProjectProcess:
        return ProjectProcess(package, ["-m", package], folder=self.folder, environment=environment)

    def change_passwords(self) -> None:
        """From now on Redis takes none of the passwords, and hangs up on who had used one."""
        for rights in (of_bot(), of_host(HOST)):
            self.server.admit(rights.line(hashed("another")))
        with closing(self.server.client()) as client:
            for rights in (of_bot(), of_host(HOST)):
                client.execute_command("CLIENT", "KILL", "USER", rights.user)


@pytest.fixture(scope="module")
def meeting(stage_place: Callable[[], Path]) -> Iterator[Meeting]:
    folder = stage_place()
    folder.mkdir(parents=True)
    authority = Authority(folder)
    with RedisServer(folder / "redis", authority) as server, Workspace.start() as slack:
        meeting = Meeting(folder, server, slack, authority, {})
        with meeting.bot, meeting.worker:
            slack.wait_for_connection(SECONDS)
            yield meeting


def test_bot_and_worker_meet_over_tls_with_certificates_and_least_rights(meeting: Meeting) -> None:
    meeting.slack.command("ana", "ops", "/prune preview")

    def said() -> Any:
        return [m for m in meeting.slack.messages("ops") if "The Docker engine does not answer" in m.plain]

    meeting.slack.wait_for(said, SECONDS, what="what the worker found")
    assert meeting.server.note_refusals() == []


@pytest.mark.parametrize("whose", ["nobody's", "a stranger's"])
def test_s12_who_has_no_certificate_does_not_even_get_to_the_password(meeting: Meeting, whose: str) -> None:
    url = f"rediss://127.0.0.1:{meeting.server.port}/0?ssl_ca_certs={meeting.authority.file}"
    if whose == "a stranger's":
        pair = Authority(meeting.folder, "stranger").pair("stranger")
        url = over_tls(url.partition("?")[0], meeting.authority, pair)

    with closing(redis.Redis.from_url(url)) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_s12_a_redis_that_is_another_is_not_told_the_password(meeting: Meeting) -> None:
    stranger = Authority(meeting.folder, "impostor")
    url = meeting.for_worker["REDIS_URL"].replace(str(meeting.authority.file), str(stranger.file))

    with closing(connect(url, Patience(0))) as client, pytest.raises(redis.ConnectionError) as said:
        client.ping()

    assert "CERTIFICATE_VERIFY_FAILED" in str(said.value)


def trouble(meeting: Meeting) -> Iterator[str]:
    """Provoke every error that has a secret at hand; what is said of each."""
    wrong = meeting.kept("wrong", f"xoxb-{secrets.token_hex()}")
    yield from output(meeting.run("bot", SLACK_BOT_TOKEN_FILE=wrong, **another_state(meeting)))
    yield from output(meeting.run("workers", "doctor", PRUNE_REDIS_PASSWORD_FILE=wrong))
    garbled = meeting.kept("garbled", "rediss://u:pass/word@redis:6380/0")
    yield from output(meeting.run("workers", "doctor", REDIS_URL="", REDIS_URL_FILE=garbled))
    meeting.change_passwords()
    yield from (locked_out(process) for process in (meeting.bot, meeting.worker))


def another_state(meeting: Meeting) -> dict[str, str]:
    key = meeting.folder / "bot-state" / "signing.key"
    return {"PRUNE_STATE_DIR": f"{meeting.folder}/two", "PRUNE_SIGNING_KEY_FILE": str(key)}


def locked_out(process: ProjectProcess) -> str:
    until(lambda: "invalid username-password" in process.log.read_text(), process.log_tail(), SECONDS)
    return process.log.read_text()


def output(done: "subprocess.CompletedProcess[str]") -> Iterator[str]:
    assert done.returncode != 0
    yield done.stdout + done.stderr


def test_s12_no_secret_is_said_shown_or_stored(meeting: Meeting) -> None:
    said = "\n".join(trouble(meeting))
    pids = (meeting.bot.pid, meeting.worker.pid)
    shown = [Path(f"/proc/{pid}/{file}") for pid in pids for file in ("cmdline", "environ")]
    stored = [file for file in meeting.folder.rglob("*") if file.is_file() and is_kept_data(file)]
    key = "".join((meeting.folder / "bot-state" / "signing.key").read_text().splitlines()[1:-1])
    known = {**meeting.secrets, "signing key": key, "a part of a password": "pass/word"}

    assert {file.name for file in stored} >= {"bot.sqlite3", "ledger.db", "redis.log"}
    assert any(file.name.endswith(".aof") for file in stored)
    assert "SLACK_BOT_TOKEN is not taken" in said
    assert "REDIS_URL cannot be used" in said
    texts = [said.encode(), *(file.read_bytes() for file in (*shown, *stored))]
    assert [name for name, secret in known.items() if any(secret.encode() in text for text in texts)] == []


def is_kept_data(file: Path) -> bool:
    """All that is written, but for what is there to hold a secret."""
    return file.suffix not in (".secret", ".key")
