"""What nobody foresaw: whoever pressed or typed is told, with a mark that finds it in the log (S14)."""

import logging
import secrets
from typing import Any

from slack_bolt import Ack, BoltResponse, Respond

from bot.marks import mark
from bot.render import closed_form
from bot.render.blocks import Message
from bot.render.receipts import failed
from bot.slack.payloads import Payload

logger = logging.getLogger(__name__)


def private(message: Message) -> dict[str, Any]:
    """An answer that only one person sees."""
    return {"response_type": "ephemeral", "text": message.text, "blocks": list(message.blocks)}


def answer(
    error: Exception, body: Payload, ack: Ack, respond: Respond, response: BoltResponse | None
) -> None:
    """Answer in place of a listener; `response`: what Slack gets, None where it has its answer already."""
    sign = mark(secrets.token_hex(8))
    logger.error("[%s] what somebody pressed or typed failed", sign, exc_info=error)
    told = failed(sign)
    if response is not None:
        made = BoltResponse(status=200, body=_in_place(body, told) or "")
        response.status, response.headers, response.body = made.status, made.headers, made.body
        ack.response = response
    if body.get("response_url") and (response is None or "command" not in body):
        respond(**private(told), replace_original=False)


def _in_place(body: Payload, told: Message) -> dict[str, Any]:
    """A command is answered with its acknowledgement, and an answer stands where a form was."""
    if "command" in body:
        return private(told)
    is_form = body.get("type") == "view_submission"
    return {"response_action": "update", "view": closed_form(told)} if is_form else {}
