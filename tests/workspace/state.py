"""Everything the workspace knows, behind one condition variable that wakes whoever waits for a change."""

import itertools
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.workspace import limits
from tests.workspace.clock import Clock
from tests.workspace.people import BOT_USER_ID, SLACKBOT_ID, Directory
from tests.workspace.records import Call, Delivery, File, Message, View, Violation

Json = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How strict, and what the app was granted."""

    commands: tuple[str, ...]
    scopes: frozenset[str]
    rate_limits: bool
    ack_seconds: float
    event_retry_delays: tuple[float, ...]


@dataclass
class State:
    directory: Directory
    options: Options
    clock: Clock = field(default_factory=Clock)
    scopes: set[str] = field(default_factory=set)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    stacks: dict[str, list[View]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    filled: dict[tuple[str, str], dict[str, Json]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    connections: int = 0
    groups_need_plan: bool = False
    token_error: str = ""
    version: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.scopes = set(self.options.scopes)

    @contextmanager
    def change(self) -> Iterator[None]:
        """The lock for a change; everybody waiting looks again afterwards."""
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()

    def violate(self, rule: str, detail: str) -> None:
        with self.change():
            found = Violation(rule, detail, limits.source(rule), self.clock.now())
            self.violations.append(found)

    def keep(self, message: Message) -> Message:
        """Stores a message, new or changed; every block gets an id, as in Slack."""
        with self.change():
            kept = replace(message, blocks=with_block_ids(message.blocks), names=self.directory.names())
            before = self.messages.get((message.channel, message.ts))
            self.messages[message.channel, message.ts] = kept
            if before:
                self._forget_filled(before, kept)
            return kept

    def _forget_filled(self, before: Message, now: Message) -> None:
        """What was ticked in a block goes with it: another block id is another block."""
        gone = {one.place for one in before.controls} - {one.place for one in now.controls}
        for (_, key), filled in self.filled.items():
            if key == now.ts:
                for place in gone:
                    filled.pop(place, None)

    def drop(self, message: Message) -> None:
        with self.change():
            self.messages.pop((message.channel, message.ts), None)

    def post(self, channel: str, text: str, **fields: Any) -> Message:
        """A new message, by the bot unless told otherwise."""
        author = fields.pop("user", BOT_USER_ID)
        return self.keep(Message(channel, self.clock.next_ts(), author, text, **fields))

    def tell(self, channel: str, user: str, text: str, thread_ts: str | None = None) -> Message:
        """Slack's own note to one person."""
        return self.post(channel, text, user=SLACKBOT_ID, ephemeral_to=user, thread_ts=thread_ts)

    def record_delivery(self, delivery: Delivery) -> Delivery:
        with self.change():
            self.deliveries[delivery.number] = delivery
            return delivery

    def in_channel(self, channel: str) -> tuple[Message, ...]:
        with self.changed:
            found = [one for one in self.messages.values() if one.channel == channel]
        return tuple(sorted(found, key=lambda one: one.ts))

    def roots(self, channel: str) -> tuple[Message, ...]:
        everybody = [one for one in self.in_channel(channel) if one.ephemeral_to is None]
        return tuple(one for one in everybody if one.is_root or one.broadcast)

    def thread(self, channel: str, ts: str, viewer: str | None = None) -> tuple[Message, ...]:
        visible = [one for one in self.in_channel(channel) if one.ephemeral_to in (None, viewer)]
        return tuple(one for one in visible if ts in (one.ts, one.thread_ts))

    def ephemerals(self, user: str) -> tuple[Message, ...]:
        with self.changed:
            found = [one for one in self.messages.values() if one.ephemeral_to == user]
        return tuple(sorted(found, key=lambda one: one.ts))

    def top_view(self, user: str) -> View | None:
        with self.changed:
            stack = self.stacks.get(user)
            return stack[-1] if stack else None


def with_block_ids(blocks: tuple[Json, ...]) -> tuple[Json, ...]:
    return tuple(_with_block_id(block) for block in blocks)


def _with_block_id(block: Json) -> Json:
    named = {"block_id": f"b{secrets.token_hex(3)}", **block}
    if "child_blocks" in named:
        named["child_blocks"] = [_with_block_id(child) for child in named["child_blocks"]]
    for key in ("elements", "accessory", "element"):
        if key in named and block["type"] in ("actions", "section", "input", "context_actions"):
            named[key] = _with_action_ids(named[key])
    return named


def _with_action_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_action_ids(one) for one in value]
    return {"action_id": f"a{secrets.token_hex(3)}", **value} if value.get("type") != "image" else value
