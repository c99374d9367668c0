"""A channel, or one thread of it, as a person would read it from top to bottom."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.workspace.records import Message
from tests.workspace.state import State

THREAD_INDENT = "    "


def transcript_of(state: State, channel: str, ts: str | None, viewer: str | None) -> str:
    """With `viewer`, also what only they see."""
    with state.changed:
        return "\n".join(_lines(state, channel, ts, viewer))


def _lines(state: State, channel: str, ts: str | None, viewer: str | None) -> Iterator[str]:
    shown = [one for one in state.in_channel(channel) if one.ephemeral_to in (None, viewer)]
    for root in shown:
        if root.is_root and ts in (None, root.ts):
            yield from _message(state, root, "")
            for reply in shown:
                if reply.thread_ts == root.ts and reply.ts != root.ts:
                    yield from _message(state, reply, THREAD_INDENT)


def _message(state: State, message: Message, indent: str) -> Iterator[str]:
    author = state.directory.names().of(message.user)
    moment = datetime.fromtimestamp(float(message.ts), UTC)
    notes = [" (edited)"] if message.edited else []
    notes += [" (also shown in the channel)"] if message.broadcast else []
    notes += (
        [f" (only visible to {state.directory.names().of(message.ephemeral_to)})"]
        if message.ephemeral_to
        else []
    )
    yield f"{indent}{author}  {moment:%H:%M} UTC{''.join(notes)}"
    for line in message.plain.split("\n"):
        yield f"{indent}  {line}".rstrip()
    yield ""
