"""The whole system on this machine: Redis, engines, one worker each, the bot, and the workspace."""

import contextlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from bot.rights import Rights, hashed, of_bot, of_host
from tests.stage.engine import DisposableEngine
from tests.stage.faulty import Faulty
from tests.stage.hosts import FilledHost
from tests.stage.member import Member, finished
from tests.stage.processes import MINIMAL, ProjectProcess
from tests.stage.redis import RedisServer, free_port
from tests.workspace import Delivery, Message, Workspace

Fill = Callable[[DisposableEngine], FilledHost]
EXECUTE, CANCEL, AGAIN = "prune_execute", "prune_cancel", "prune_again"


class Company:
    """Everything started, in the order in which a person would set it up; all of it is gone at the end.

    `approvers`: who may execute. `policy`: lines for every host's policy. `over_http`: Slack calls the bot.
    `gated`: the workers reach their engines through gates. `engine`: which engines they are.
    `rules`: a rules file in place of `approvers`, in which `{ops}` and `{ana}` stand for ids.
    """

    # What Redis has refused to the bot or a worker of any company.
    refusals: ClassVar[list[str]] = []

    def __init__(
        self,
        folder: Path,
        hosts: Mapping[str, Fill],
        *,
        channels: Iterable[str] = ("ops",),
        approvers: Iterable[str] = ("ana", "bo"),
        rules: str = "",
        policy: str = "",
        over_http: bool = False,
        gated: bool = False,
        engine: Callable[[Path], DisposableEngine] = DisposableEngine,
    ) -> None:
        self.folder, self.over_http = folder, over_http
        self._hosts, self._policy, self._gated, self._engine = hosts, policy, gated, engine
        self.channels, self._approvers, self._rules = tuple(channels), tuple(approvers), rules
        # Where people type and read now; in a fresh channel nothing waits for its turn.
        self.channel = self.channels[0]
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            enter = self._stack.enter_context
            # One channel more than the bot takes commands in.
            self.slack = enter(Workspace.start(channels=(*self.channels, "elsewhere")))
            self.redis = enter(RedisServer(self.folder / "redis"))
            self._stack.callback(self._note_refusals)
            self.port = free_port()
            self.environment = self._bot_environment()
            self.run_bot("keys")
            self.members = {name: self._member(name, fill) for name, fill in self._hosts.items()}
            self.bot = ProjectProcess(
                "bot", ["-m", "bot"], folder=self.folder / "bot", environment=self.environment
            )
            self._stack.callback(self.bot.kill)
            self.start_bot()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    # The bot's process

    def start_bot(self) -> None:
        """Start it, or start it again, and wait until Slack and the bot have found each other."""
        self.bot.start()
        self.bot.wait_for_line("ready: ")
        if self.over_http:
            self.slack.deliver_to(f"http://127.0.0.1:{self.port}/slack/events")
        else:
            self.slack.wait_for_connection(30)

    def kill_bot(self) -> None:
        self.bot.kill()
        if not self.over_http:
            self.slack.wait_for(lambda: self.slack.state.connections == 0, 10, "the connection to end")

    def run_bot(self, *arguments: str) -> str:
        """Run one of the bot's commands to its end; returns what it printed."""
        done = finished("bot", arguments, {**MINIMAL, **self.environment})
        done.check_returncode()
        return done.stdout

    @property
    def signing_key_file(self) -> Path:
        return self.folder / "bot-state" / "signing.key"

    # What people do

    def command(self, text: str, *, user: str = "ana", channel: str = "") -> Delivery:
        return self.slack.command(user, channel or self.channel, f"/prune {text}")

    def ready(self, *hosts: str) -> Message:
        """Ask for a preview of these hosts and wait until it can be confirmed."""
        before = {message.ts for message in self.roots()}
        self.command(f"preview {' '.join(hosts)}")
        return self.root(lambda m: m.ts not in before and bool(m.controls), "a plan to confirm")

    def asked(self, text: str) -> Message:
        """Type a command; the root message that comes of it."""
        before = {message.ts for message in self.roots()}
        self.command(text)
        return self.root(lambda m: m.ts not in before, "a root message")

    def confirm(self, root: Message, *, user: str = "bo") -> Delivery:
        """Press the button and say yes in the dialog."""
        delivery = self.slack.click(user, root, EXECUTE)
        assert delivery is not None
        return delivery

    def pruned(self, *hosts: str) -> Message:
        """The whole way, to the last word."""
        root = self.ready(*hosts)
        self.confirm(root)
        return self.ended(root)

    def answer(self, user: str, act: Callable[[], object]) -> str:
        """What only this person reads after the act."""
        before = {message.ts for message in self.slack.ephemerals(user)}
        act()

        def said() -> Message | None:
            new = (m for m in self.slack.ephemerals(user) if m.ts not in before)
            return next((m for m in new if not m.plain.startswith("One moment:")), None)

        answer = self.slack.wait_for(said, 20, what=f"an answer to {user}")
        assert answer is not None
        return answer.plain

    # What there is to see

    def roots(self) -> tuple[Message, ...]:
        return tuple(m for m in self.slack.messages(self.channel) if m.is_root)

    def root(self, wanted: Callable[[Message], bool], what: str, seconds: float = 60) -> Message:
        """Wait for a root message of a kind."""
        found = self.slack.wait_for(
            lambda: next((m for m in self.roots() if wanted(m)), None), seconds, what=what
        )
        assert found is not None
        return found

    def becomes(self, root: Message, words: str, seconds: float = 60) -> Message:
        """Wait until the message says so in its first line."""
        return self.root(
            lambda m: m.ts == root.ts and words in m.first_line, f"{words!r} in {root.ts}", seconds
        )

    def ended(self, root: Message, seconds: float = 60) -> Message:
        """Wait until the message tells an outcome, and its thread the report of one host at least."""
        final = self.root(lambda m: m.ts == root.ts and _is_final(m), f"the end of {root.ts}", seconds)
        self.reply(root, "Confirmed by")
        return final

    def replies(self, root: Message) -> tuple[Message, ...]:
        return self.slack.thread(root.channel, root.ts)[1:]

    def reply(self, root: Message, words: str) -> Message:
        """Wait until something in the thread says so."""
        found = self.slack.wait_for(
            lambda: next((m for m in self.replies(root) if words in m.plain), None), 30, what=repr(words)
        )
        assert found is not None
        return found

    def queued(self, host: str) -> int:
        with contextlib.closing(self.redis.client()) as client:
            return int(client.llen(f"rq:queue:{host}"))

    # Setting up

    def _bot_environment(self) -> dict[str, str]:
        ways_in = {
            **self.slack.env(http=self.over_http),
            **({"PORT": str(self.port)} if self.over_http else {}),
        }
        return {
            **ways_in,
            **self._rights(of_bot()),
            "PRUNE_STATE_DIR": str(self.folder / "bot-state"),
            **self._who_may(),
        }

    def _who_may(self) -> dict[str, str]:
        if self._rules:
            known = self.slack.state.directory.names().known
            file = self.folder / "rules.toml"
            file.write_text(self._rules.format(**{name: id_ for id_, name in known.items()}))
            return {"PRUNE_RULES": str(file)}
        return {
            "PRUNE_CHANNELS": ",".join(self.slack.channel_id(name) for name in self.channels),
            "PRUNE_APPROVERS": ",".join(self.slack.user_id(name) for name in self._approvers),
        }

    def _rights(self, rights: Rights) -> dict[str, str]:
        """Have Redis know a user; what that user has to know."""
        password, file = secrets.token_hex(), self.folder / f"{rights.user}.password"
        file.write_text(f"{password}\n")
        file.chmod(0o600)
        self.redis.admit(rights.line(hashed(password)))
        return {
            "REDIS_URL": self.redis.address.replace("://", f"://{rights.user}@"),
            "PRUNE_REDIS_PASSWORD_FILE": str(file),
        }

    def _note_refusals(self) -> None:
        self.refusals.extend(self.redis.note_refusals())

    def _member(self, name: str, fill: Fill) -> Member:
        enter = self._stack.enter_context
        engine = enter(self._engine(self.folder / name))
        gate = enter(Faulty(self.folder / f"{name}.gate", engine.socket))
        filled = fill(engine)
        policy = self.folder / f"{name}.toml"
        policy.write_text(filled.policy_toml + self._policy)
        printed = self.run_bot("hosts", "add", name).splitlines()
        environment = dict(line.split("=", 1) for line in printed if not line.startswith("#")) | {
            **self._rights(of_host(name)),
            "DOCKER_HOST": gate.url if self._gated else engine.url,
            "PRUNE_POLICY": str(policy),
            "PRUNE_STATE_DIR": str(self.folder / f"{name}-state"),
            "PRUNE_ENGINES_DIR": str(self.folder / "engines"),
        }
        worker = enter(
            ProjectProcess(
                f"worker-{name}", ["-m", "workers"], folder=self.folder / "workers", environment=environment
            )
        )
        return Member(name, engine, gate, filled, policy, environment, worker)


def to_decide(message: Message) -> tuple[str, ...]:
    """What in a message decides something; to ask for another plan does not."""
    return tuple(control.action_id for control in message.controls if control.action_id != AGAIN)


def _is_final(message: Message) -> bool:
    return not to_decide(message) and "…" not in message.first_line
