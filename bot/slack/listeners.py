"""Slack's callbacks: each reads what arrived, hands it over, and acknowledges."""

import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar

from slack_bolt import Ack, App, Respond

from bot.arrivals import Call, Click, Filled
from bot.commands import Doctor, parse
from bot.edits import KEEP, KINDS, NAMED, OBJECTS
from bot.errors import BotError, PayloadUnreadable
from bot.reception import Reception
from bot.render import (
    AGAIN,
    CANCEL,
    CHECK,
    EDIT,
    EXECUTE,
    HOSTS,
    KEEP_ALWAYS,
    NEWER,
    OLDER,
    REFRESH,
    RESTORE_RUN,
    RESTORE_USED,
    START,
    STOP,
    closed_form,
)
from bot.render.blocks import Message
from bot.render.receipts import not_noted, not_readable
from bot.slack.failures import answer, private
from bot.slack.forms import Forms
from bot.slack.homes import Homes
from bot.slack.payloads import Payload, call_of, click_of, filled_of, presser_of, reader_of
from bot.starts import Fault
from workers.contract import Person

logger = logging.getLogger(__name__)

COMMAND = "/prune"
ANY = re.compile("")
Arrived = TypeVar("Arrived", Call, Click, Filled, Person)
HOME_OPENED = "app_home_opened"


def register(app: App, reception: Reception, forms: Forms, homes: Homes) -> None:
    """Connect the app with the reception, and with what is shown by itself."""
    app.command(COMMAND)(_on_command(reception, forms))
    app.action(EXECUTE)(_on_click(reception.execute))
    app.action(CANCEL)(_on_click(reception.cancel))
    app.action(STOP)(_on_click(reception.stop))
    app.action(AGAIN)(_on_click(reception.preview_again))
    app.action(HOSTS)(_on_click(reception.tick))
    app.action(KEEP_ALWAYS)(_on_click(reception.keep))
    app.action(CHECK)(_on_click(reception.check_again))
    for wanted in (RESTORE_USED, RESTORE_RUN):
        app.action(wanted)(_on_click(reception.bring_back))
    for way in (NEWER, OLDER):
        app.action(way)(_on_click(reception.leaf))
    app.action(EDIT)(_afterwards(click_of, forms.edit))
    for field in (KINDS, OBJECTS, NAMED, KEEP):
        app.action(field)(_afterwards(filled_of, forms.redraw))
    app.event(HOME_OPENED)(_afterwards(reader_of, homes.want))
    app.action(REFRESH)(_afterwards(presser_of, homes.want))
    for form in (EDIT, START):
        app.view(form)(_on_submission(reception))
    app.error(answer)
    # The last ones, for they take what is left: controls and forms of other versions.
    app.action(ANY)(_on_click(reception.unknown))
    app.view(ANY)(_on_submission(reception))


def _on_command(reception: Reception, forms: Forms) -> Callable[..., None]:
    def on_command(ack: Ack, command: Payload, respond: Respond) -> None:
        call = _read(call_of, command)
        if call is None:
            ack(**private(not_readable()))
        elif isinstance(parse(call.text), Doctor):
            ack()
            _owe(reception, call, forms.examine, respond)
        elif call.text.strip():
            ack(**private(reception.command(call)))
        else:
            ack()
            _owe(reception, call, forms.start, respond)

    return on_command


def _owe(reception: Reception, call: Call, find: Callable[[Call], Message | None], respond: Respond) -> None:
    """What is found after Slack has its answer is owed like any answer: given in Slack's time, and once."""
    try:
        if answer := find(call):
            reception.answering.answer(call, answer)
    except BotError as error:
        respond(**private(not_noted(str(error))))
        raise


def _afterwards(
    reader: Callable[[Payload], Arrived | None], show: Callable[[Arrived], None]
) -> Callable[..., None]:
    """What only opens or draws a form or a tab goes over the network, so Slack has its answer first."""

    def listen(ack: Ack, body: Payload) -> None:
        ack()
        if (arrived := _read(reader, body)) is not None:
            show(arrived)

    return listen


def _on_submission(reception: Reception) -> Callable[..., None]:
    def on_submission(ack: Ack, body: Payload) -> None:
        filled = _read(filled_of, body)
        ack(**_in_form(reception.fill(filled) if filled else not_readable()))

    return on_submission


def _on_click(take: Callable[[Click], None]) -> Callable[..., None]:
    def on_click(ack: Ack, body: Payload, respond: Respond) -> None:
        try:
            take(click_of(body))
        except PayloadUnreadable as error:
            _leave_out(error)
        except BotError as error:
            logger.exception("a press could not be noted down")
            ack()
            respond(**private(not_noted(str(error))), replace_original=False)
            return
        ack()

    return on_click


def _read(reader: Callable[[Payload], Arrived | None], body: Payload) -> Arrived | None:
    try:
        return reader(body)
    except PayloadUnreadable as error:
        _leave_out(error)
        return None


def _in_form(answer: Message | Fault | None) -> dict[str, Any]:
    if isinstance(answer, Fault):
        return {"response_action": "errors", "errors": {answer.field: answer.text}}
    return {"response_action": "update", "view": closed_form(answer)} if answer else {}


def _leave_out(error: PayloadUnreadable) -> None:
    logger.warning("what came from Slack is left out: %s", error)
