"""What Slack's answers mean to us: wait, the channel is closed, the message is gone, or it is refused."""

import contextlib
from collections.abc import Iterator
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import ChannelClosed, MessageGone, MessageRefused, SlackAway, SlackError

CHANNEL_CLOSED = frozenset(
    {"not_in_channel", "channel_not_found", "is_archived", "no_permission", "restricted_action"}
)
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
ACCESS = frozenset(
    {
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("missing_scope", "not_allowed_token_type", "ekm_access_denied", "org_login_required"),
    }
)
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
        ) from error
    except (SlackClientError, HTTPException, OSError) as error:
        said = f"{method}: {type(error).__name__}: {error}"
        raise SlackAway(said, seconds=BROKEN_SECONDS, certain=False) from error


def of_answer(method: str, *, status: int, code: str, retry_after: str = "") -> SlackError:
    """Say what an answer that is not ok means."""
    said = f"{method}: {code or status}"
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return SlackAway(said, seconds=_seconds(retry_after), certain=True)
    if status >= 500 or code in BROKEN:
        return SlackAway(f"{method}: status {status}", seconds=BROKEN_SECONDS, certain=False)
    if code in ACCESS:
        return SlackAway(said, seconds=ACCESS_SECONDS, certain=True)
    if code in CHANNEL_CLOSED:
        return ChannelClosed(said)
    return MessageGone(said) if code in MESSAGE_GONE else MessageRefused(said)


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdigit() else LIMITED_SECONDS
