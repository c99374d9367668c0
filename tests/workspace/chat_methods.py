"""Web API: chat.*, what posts, edits and deletes messages."""

from dataclasses import replace
from typing import Any

from tests.workspace import limits
from tests.workspace.arguments import Arguments
from tests.workspace.errors import ApiError
from tests.workspace.people import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID
from tests.workspace.posting import Content, checked_content, checked_metadata
from tests.workspace.records import Message

Json = dict[str, Any]


def post_message(call: Arguments) -> Json:
    channel = call.postable_channel()
    content, thread_ts = _content(call, "chat.postMessage"), _thread(call, channel.id)
    message = call.state.post(
        channel.id,
        content.text,
        blocks=content.blocks,
        thread_ts=thread_ts,
        metadata=checked_metadata(call.decoded("metadata", "invalid_metadata_format")),
        # What is no reply is in the channel anyway.
        broadcast=call.flag("reply_broadcast") and thread_ts is not None,
    )
    return _answer(message, content)


def post_ephemeral(call: Arguments) -> Json:
    channel, user = call.postable_channel(), call.user()
    if user.id not in channel.members:
        raise ApiError("user_not_in_channel")
    content = _content(call, "chat.postEphemeral")
    message = call.state.post(
        channel.id,
        content.text,
        blocks=content.blocks,
        thread_ts=_thread(call, channel.id),
        ephemeral_to=user.id,
    )
    return {"message_ts": message.ts}


def update(call: Arguments) -> Json:
    message = _own_message(call, "cant_update_message")
    if len(call.text("text")) > limits.most("message.update_text"):
        call.state.violate("message.update_text", f"chat.update: {len(call.text('text'))} characters")
        raise ApiError("msg_too_long")
    content = _changed_content(call, message)
    metadata = checked_metadata(call.decoded("metadata", "invalid_metadata_format"))
    changed = replace(
        message,
        text=content.text,
        blocks=content.blocks,
        metadata=message.metadata if metadata is None else metadata,
        edited=call.state.clock.next_ts(),
        revision=message.revision + 1,
    )
    return _answer(call.state.keep(changed), content)


def _changed_content(call: Arguments, message: Message) -> Content:
    """A field that is not sent keeps its value; an empty list removes the blocks."""
    blocks = call.decoded("blocks", "invalid_blocks_format")
    text = call.text("text")
    if blocks is None:
        kept = list(message.blocks) if message.blocks else None
        return checked_content(call.state, text, kept, "chat.update")
    return checked_content(call.state, text, blocks or None, "chat.update")


def delete(call: Arguments) -> Json:
    message = _own_message(call, "cant_delete_message")
    call.state.drop(message)
    return {"channel": message.channel, "ts": message.ts}


def permalink(call: Arguments) -> Json:
    channel = call.channel()
    ts = call.needed("message_ts", "message_not_found")
    if (channel.id, ts) not in call.state.messages:
        raise ApiError("message_not_found")
    link = f"{call.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": link}


def _content(call: Arguments, where: str) -> Content:
    blocks = call.decoded("blocks", "invalid_blocks_format")
    return checked_content(call.state, call.text("text"), blocks or None, where)


def _own_message(call: Arguments, refusal: str) -> Message:
    channel = call.channel()
    if channel.is_archived:
        # chat.update: "The message cannot be edited within a frozen, archived or deleted channel".
        raise ApiError("is_inactive")
    message = call.state.messages.get((channel.id, call.needed("ts", "message_not_found")))
    # Ephemeral messages do not exist for chat.update: only the response_url of a click on them edits them.
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    if message.user != BOT_USER_ID:
        raise ApiError(refusal)
    return message


def _thread(call: Arguments, channel: str) -> str | None:
    ts = call.text("thread_ts")
    if not ts:
        return None
    root = call.state.messages.get((channel, ts))
    if root is None or root.ephemeral_to:
        call.state.violate("thread", f"thread_ts {ts} is no message of this channel")
        raise ApiError("cannot_reply_to_message")
    if not root.is_root:
        call.state.violate("thread", f"thread_ts {ts} is a reply, not the root of its thread")
        return root.thread_ts
    return ts


def _answer(message: Message, content: Content) -> Json:
    answer: Json = {"channel": message.channel, "ts": message.ts, "text": message.text}
    answer["message"] = message_json(message)
    if content.warnings:
        answer["response_metadata"] = {"warnings": list(content.warnings)}
    return answer


def message_json(message: Message, *, metadata: bool = False) -> Json:
    """A message as the Web API and payloads show it."""
    shown: Json = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    shown |= {"team": TEAM_ID, "blocks": list(message.blocks)}
    if message.user == BOT_USER_ID:
        shown |= {"bot_id": BOT_ID, "app_id": APP_ID}
    if message.thread_ts:
        shown["thread_ts"] = message.thread_ts
    if message.broadcast:
        shown["subtype"] = "thread_broadcast"
    if message.edited:
        shown["edited"] = {"user": message.user, "ts": message.edited}
    if message.files:
        shown["files"] = list(message.files)
    if metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown
