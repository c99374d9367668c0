"""What the workspace remembers, as frozen values: messages, views, files, calls, deliveries, violations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.workspace.controls import Control, controls_in
from tests.workspace.text import Names, plain_message

Json = dict[str, Any]
Outcome = Literal["under way", "acked", "timeout", "failed"]


@dataclass(frozen=True)
class Message:
    """One version of a message. `plain` is what a person reads, `controls` what they may press."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[Json, ...] = ()
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: str | None = None
    ephemeral_to: str | None = None
    files: tuple[Json, ...] = ()
    broadcast: bool = False
    revision: int = 1
    names: Names = field(default_factory=Names, repr=False, compare=False)

    @property
    def is_root(self) -> bool:
        return self.thread_ts is None or self.thread_ts == self.ts

    @property
    def plain(self) -> str:
        return plain_message(self.text, self.blocks, self.files, self.names)

    @property
    def first_line(self) -> str:
        return next((line for line in self.plain.splitlines() if line.strip()), "")

    @property
    def controls(self) -> tuple[Control, ...]:
        return controls_in(self.blocks)


@dataclass(frozen=True)
class View:
    """A modal or Home view as it stands."""

    id: str
    kind: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    names: Names = field(default_factory=Names, repr=False, compare=False)

    @property
    def title(self) -> str:
        return str(self.body.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.body.get("blocks", ()))

    @property
    def plain(self) -> str:
        return plain_message("", self.blocks, (), self.names)

    @property
    def controls(self) -> tuple[Control, ...]:
        return controls_in(self.blocks)


@dataclass(frozen=True)
class File:
    """An uploaded file; `channels` are where it was shared."""

    id: str
    name: str
    title: str
    content: bytes
    channels: tuple[str, ...] = ()
    alt: str = ""

    @property
    def mimetype(self) -> str:
        return "image/png" if self.content.startswith(b"\x89PNG\r\n\x1a\n") else "text/plain"

    @property
    def is_image(self) -> bool:
        return self.mimetype.startswith("image/")

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True)
class Call:
    """One call of the Web API or of a response_url, with the answer it got."""

    method: str
    arguments: Json
    answer: Json
    status: int
    at: float


@dataclass(frozen=True)
class Violation:
    """Something Slack would refuse, or advises against; with where that is written."""

    rule: str
    detail: str
    source: str
    at: float


@dataclass(frozen=True)
class Delivery:
    """One attempt to hand a payload to the app."""

    number: int
    kind: str
    user: str
    payload: Json
    attempt: int = 0
    reason: str = ""
    via: str = ""
    connection: int | None = None
    sent_at: float = 0.0
    outcome: Outcome = "under way"
    ack_ms: float | None = None
    answer: Json | None = None
    error: str = ""
    stale: bool = False
