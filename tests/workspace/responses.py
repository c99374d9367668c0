"""What an app says besides the Web API: the body of its acknowledgement, and posts to a response_url."""

from dataclasses import replace
from typing import Any

from tests.workspace.errors import ApiError
from tests.workspace.people import BOT_USER_ID
from tests.workspace.posting import checked_content
from tests.workspace.records import Message
from tests.workspace.state import State
from tests.workspace.tickets import ResponseUrl, Tickets

Json = dict[str, Any]


def answer_response_url(state: State, tickets: Tickets, path: str, body: Json) -> None:
    """One post to a response_url; ApiError says why not."""
    try:
        url = tickets.use_response(path, state.clock.now())
    except ApiError as refusal:
        state.violate("response_url", refusal.name)
        raise
    if state.directory.channels[url.channel].is_archived:
        # As incoming webhooks say it; of a response_url nothing is written.
        raise ApiError("channel_is_archived")
    if url.message_ts and (body.get("replace_original") or body.get("delete_original")):
        _original(state, url, body)
        return
    if body.get("replace_original") or body.get("delete_original"):
        state.violate("response_url", "a command's response_url cannot replace or delete; posted anew")
    say(state, url, body, "response_url")


def _original(state: State, url: ResponseUrl, body: Json) -> None:
    message = state.messages.get((url.channel, str(url.message_ts)))
    if message is None or message.user != BOT_USER_ID:
        raise ApiError("message_not_found")
    if body.get("delete_original"):
        state.drop(message)
    else:
        _replace(state, message, body)


def _replace(state: State, message: Message, body: Json) -> None:
    content = checked_content(state, str(body.get("text") or ""), body.get("blocks") or None, "response_url")
    state.keep(
        replace(
            message,
            text=content.text,
            blocks=content.blocks,
            edited=state.clock.next_ts(),
            revision=message.revision + 1,
        )
    )


def say(state: State, url: ResponseUrl, body: Json, where: str) -> Message:
    """Posts an answer where the command or click came from; only its person sees it unless told otherwise."""
    content = checked_content(state, str(body.get("text") or ""), body.get("blocks") or None, where)
    public = body.get("response_type") == "in_channel"
    return state.post(
        url.channel,
        content.text,
        blocks=content.blocks,
        ephemeral_to=None if public else url.user,
        thread_ts=str(body["thread_ts"]) if body.get("thread_ts") else None,
    )
