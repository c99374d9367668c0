"""deploy/INSTALL.md, walked from its first block to the first preview, as it is written."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.rights import of_bot
from tests.stage import images
from tests.stage.engine import DisposableEngine
from tests.stage.processes import REPOSITORY
from tests.stage.redis import free_port
from tests.stage.terminal import Terminal
from tests.unit.instructions import Block, blocks
from tests.workspace import Message, Workspace

SOMETHING_IS_MISSING = "FAILED: .venv/bin/python -m bot doctor"
SYSTEMCTL = """\
#!/bin/sh -e
[ "$*" = "restart redis-server" ]
exec redis-server {redis}/redis.conf > /dev/null
"""
# What Debian's own file begins with, as far as it matters; the ports and folders are the test's.
REDIS_CONF = """\
bind 127.0.0.1 -::1
port {port}
dir {redis}
daemonize yes
pidfile {redis}/redis.pid
set-proc-title no
appendonly no
"""


@dataclass
class Machine:
    """Somebody's machine: its folders stand for those of the document, its engine for the machine's own."""

    folder: Path
    slack: Workspace
    engine: DisposableEngine

    def __post_init__(self) -> None:
        self.etc, self.redis, self.state = (self.folder / name for name in ("settings", "redis", "state"))
        self.ports = {"6379": free_port(), "8080": free_port()}
        bin_ = self.folder / "bin"
        for place in (self.redis, bin_):
            place.mkdir()
        (self.redis / "redis.conf").write_text(REDIS_CONF.format(redis=self.redis, port=self.ports["6379"]))
        (bin_ / "systemctl").write_text(SYSTEMCTL.format(redis=self.redis))
        (bin_ / "systemctl").chmod(0o755)
        path = f"{bin_}:/usr/sbin:/usr/bin:/sbin:/bin"
        self.environments = {
            "bot": {"PATH": path, "SLACK_API_URL": self.slack.api_url},
            "host": {
                "PATH": path,
                "DOCKER_HOST": self.engine.url,
                "PRUNE_POLICY": str(self.etc / "policy.toml"),
                "PRUNE_STATE_DIR": str(self.state / "worker"),
                "PRUNE_ENGINES_DIR": str(self.state / "engines"),
            },
        }

    def here(self, words: str) -> str:
        """The document's folders and ports as they are on this machine."""
        places = {"/opt/safe-prune": REPOSITORY, "/etc/safe-prune": self.etc, "/etc/redis": self.redis}
        for there, here in (places | {"/var/lib/safe-prune-bot": self.state / "bot"}).items():
            words = words.replace(there, str(here))
        for there, port in self.ports.items():
            words = re.sub(rf"(?<=[:=]){there}\b", str(port), words)
        return words

    def settle(self) -> None:
        """Files that the commands have made speak of the document's folders."""
        for file in self.etc.glob("*.env"):
            file.write_text(self.here(file.read_text()))

    def fill_in(self, lines: str) -> None:
        """What is copied from Slack by hand."""
        values = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "PRUNE_CHANNELS": self.slack.channel_id("ops"),
            "PRUNE_APPROVERS": self.slack.user_id("ana"),
        }
        file = self.etc / "bot.env"
        for name in (line.partition("=")[0] for line in lines.splitlines()):
            file.write_text(re.sub(rf"(?m)^{name}=.*$", f"{name}={values[name]}", file.read_text()))


@pytest.fixture
def machine(stage_place: Callable[[], Path]) -> Iterator[Machine]:
    """One with two images that came just now, one of them in use, and the manifest's app in the channel."""
    app = yaml.safe_load((REPOSITORY / "deploy" / "slack-manifest.yaml").read_text())
    folder = stage_place()
    folder.mkdir(parents=True)
    with (
        Workspace.start(
            bot_in=(),
            commands=[one["command"] for one in app["features"]["slash_commands"]],
            scopes=app["oauth_config"]["scopes"]["bot"],
        ) as slack,
        DisposableEngine(stage_place()) as engine,
    ):
        for name in ("new", "web"):
            layers = (images.base_layer(), images.layer({name: images.noise(name, 0.1)}))
            images.load(engine.client, [images.Archived(layers=layers, tags=(f"shop/{name}:1",))])
        always = engine.client.create_host_config(restart_policy={"Name": "always"})
        engine.client.create_container("shop/web:1", ["true"], name="web", host_config=always)
        slack.invite_bot("ops")
        made = Machine(folder, slack, engine)
        yield made
        if (pid := made.redis / "redis.pid").exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)


def newest(slack: Workspace, words: str) -> Message:
    found = slack.wait_for(
        lambda: next((m for m in slack.messages("ops")[::-1] if words in m.first_line), None), 60, words
    )
    assert found
    return found


def read(slack: Workspace, root: Message) -> str:
    return "\n".join(message.plain for message in slack.thread("ops", root.ts))


def play(machine: Machine, block: Block, terminals: dict[str, Terminal]) -> list[str]:
    """Do what a block says; what was said in answer."""
    match block.place.split(", "):
        case ["bot.env"]:
            machine.fill_in(block.text)
        case ["bot" | "host" as place]:
            said = terminals[place].run(machine.here(block.text))
            machine.settle()
            return said
        case ["bot", "stays"]:
            return [terminals["bot"].stay(machine.here(block.text), "ready: Socket Mode")]
        case ["host", "stays"]:
            return [terminals["host"].stay(machine.here(block.text), "serves the bot")]
    return []


def test_the_walk_to_the_first_preview(machine: Machine) -> None:
    played = [block for block in blocks() if block.place]
    policy = next(block.text for block in played if block.place == "policy.toml")
    slack, file = machine.slack, machine.etc / "policy.toml"
    with (
        Terminal(machine.folder, machine.environments["bot"]) as bot,
        Terminal(machine.folder, machine.environments["host"]) as host,
        Terminal(machine.folder, machine.environments["bot"]) as third,
    ):
        said = [line for b in played for line in play(machine, b, {"bot": bot, "host": host})]

        # Of all that was typed only the doctor finds something missing, and that is what the document says.
        assert [line for line in said if "FAILED" in line] == [SOMETHING_IS_MISSING]
        assert [line for line in said if line.startswith("MISSING")] == [
            "MISSING  host web-1: gives no sign of life; is its worker running?"
        ]
        assert [line for line in said if line.startswith("NOT OK")] == []
        assert any(line.startswith("ok     engine: ") for line in said)
        assert any(line.endswith("answers, and lets this host in") for line in said)

        slack.command("ana", "ops", "/prune preview web-1")
        first = newest(slack, "0 B now on web-1, up to ")
        assert [one.action_id for one in first.controls] == ["prune_again"]

        before = file.read_text()
        file.write_text(before + policy)
        slack.command("ana", "ops", "/prune preview web-1")
        sooner = newest(slack, "on web-1?")
        slack.wait_for(lambda: "shop/new:1" in read(slack, sooner), 60, what="the list of what would go")

        file.write_text(before)
        slack.click("ana", sooner, "prune_execute")
        refused = "The host's policy changed after the plan was made, from "
        slack.wait_for(lambda: refused in read(slack, sooner), 60, what="the refusal")
        assert machine.engine.client.images("shop/new:1")

        third.run(machine.here("cd /opt/safe-prune; set -a; . /etc/safe-prune/bot.env; set +a"))
        assert [line for line in third.run(".venv/bin/python -m bot doctor") if "ok  " not in line] == []
        looked_at = third.run(".venv/bin/python -m bot doctor --blocks")
        assert [line for line in looked_at if not line.endswith(": taken")] == []
        assert [line for line in bot.interrupt() if "stopping" in line]
    assert slack.violations == ()
    assert of_bot().user in (machine.redis / "users.acl").read_text()
