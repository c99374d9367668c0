"""What Slack's answers mean to us, and to whoever can mend it: wait, closed, gone, refused, no access."""

import contextlib
import json
from collections.abc import Iterator
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import AccessLost, ChannelClosed, MessageGone, MessageRefused, SlackAway, SlackError
from bot.scopes import NEXT_STEP, lacking, refused
from workers.wording import listing

INVITE = "invite the bot there with /invite"
UNARCHIVE = "unarchive the channel, or use another one"
ASK_AN_OWNER = "have an owner of the workspace let the app write there"
RESTRICTED = ("read_only_channel", "non_threadable_channel", "thread_only_channel", "thread_locked")
# What keeps the bot out of a channel, and what opens it; `is_inactive` is chat.update's word for archived.
CHANNEL_CLOSED = {
    **dict.fromkeys(("not_in_channel", "channel_not_found"), INVITE),
    **dict.fromkeys(("is_archived", "is_inactive", "channel_is_archived"), UNARCHIVE),
    **dict.fromkeys(("no_permission", "posting_to_channel_denied", "restricted_action"), ASK_AN_OWNER),
    **dict.fromkeys((f"restricted_action_{how}" for how in RESTRICTED), ASK_AN_OWNER),
}
MESSAGE_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "cannot_reply_to_message",
        "thread_not_found",
    }
)
# Slack says these of its own trouble, with any status.
BROKEN = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "timeout"})
# Only a person can mend these, so there is no hurry to try again.
TOKEN_LOST = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("not_allowed_token_type", "ekm_access_denied", "org_login_required", "team_access_not_granted"),
    }
)
MISSING_SCOPE = "missing_scope"
SET_ANEW = "set {} to what the app has now (install it again where it was removed) and restart the bot"
APP_METHODS = ("apps.connections.open",)
# What Slack says of the drawing, not of where or when.
CONTENT_REFUSED = frozenset(
    {
        *("invalid_blocks", "invalid_blocks_format", "invalid_attachments", "invalid_payload", "no_text"),
        *("msg_too_long", "msg_blocks_too_long"),
    }
)
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
LIMITED_SECONDS = 30.0
BROKEN_SECONDS = 2.0
ACCESS_SECONDS = 60.0


@contextlib.contextmanager
def named_errors(method: str) -> Iterator[None]:
    """Raise the SDK's errors as ours, with the method that met them."""
    try:
        yield
    except SlackApiError as error:
        raise of_answer(
            method,
            status=int(error.response.status_code),
            code=str(error.response.get("error", "")),
            retry_after=str(error.response.headers.get("Retry-After", "")),
            needed=str(error.response.get("needed", "")),
            provided=str(error.response.get("provided", "")),
        ) from error
    except (SlackClientError, HTTPException, OSError) as error:
        said = f"{method}: {type(error).__name__}: {error}"
        raise SlackAway(said, seconds=BROKEN_SECONDS, certain=False) from error


def of_answer(
    method: str, *, status: int, code: str, retry_after: str = "", needed: str = "", provided: str = ""
) -> SlackError:
    """Say what an answer that is not ok means."""
    said = f"{method}: {code or status}"
    if status == 429 or code in LIMITED:
        return SlackAway(said, seconds=_seconds(retry_after), certain=True, code="ratelimited")
    if status >= 500 or code in BROKEN:
        return SlackAway(f"{method}: status {status}", seconds=BROKEN_SECONDS, certain=False, code=code)
    if code == MISSING_SCOPE or code in TOKEN_LOST:
        return _no_access(method, code, refused(needed, provided) if code == MISSING_SCOPE else ())
    if code in CHANNEL_CLOSED:
        return ChannelClosed(said, code=code, remedy=CHANNEL_CLOSED[code])
    return (MessageGone if code in MESSAGE_GONE else MessageRefused)(said, code=code)


def code_in(body: str) -> str:
    """What a response_url calls it, which answers in JSON or in a word."""
    try:
        told = json.loads(body)
    except ValueError:
        return body
    return str(told.get("error", "")) if isinstance(told, dict) else body


def _no_access(method: str, code: str, scopes: tuple[str, ...]) -> AccessLost:
    said, seconds = f"{method}: {code}", ACCESS_SECONDS
    if code == MISSING_SCOPE:
        said = f"{said}: {listing([*map(lacking, scopes)]) if scopes else 'which one is not told'}"
        return AccessLost(said, seconds=seconds, code=code, remedy=NEXT_STEP, scopes=scopes)
    name = "SLACK_APP_TOKEN" if method in APP_METHODS else "SLACK_BOT_TOKEN"
    return AccessLost(said, seconds=seconds, code=code, remedy=SET_ANEW.format(name))


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdigit() else LIMITED_SECONDS
