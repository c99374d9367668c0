"""A channel, or one thread of it, as a person would read it from top to bottom."""

from collections.abc import Container, Iterator
from datetime import UTC, datetime

from tests.workspace.records import Message
from tests.workspace.state import State

THREAD_INDENT = "    "


def transcript_of(
    state: State, channel: str, ts: str | None, viewer: str | None, read: Container[Message] = ()
) -> str:
    """With `viewer`, also what only they see; without what stands as it was when it was `read`."""
    with state.changed:
        return "\n".join(_lines(state, channel, ts, viewer, read))


def _lines(
    state: State, channel: str, ts: str | None, viewer: str | None, read: Container[Message]
) -> Iterator[str]:
    shown = [one for one in state.in_channel(channel) if one.ephemeral_to in (None, viewer)]
    for root in (one for one in shown if one.is_root and ts in (None, one.ts)):
        replies = [one for one in shown if one.thread_ts == root.ts and one.ts != root.ts]
        for message in (root, *replies):
            if message not in read:
                yield from _message(state, message, "" if message is root else THREAD_INDENT)


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
