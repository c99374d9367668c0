"""What follows Slack's answer at once: forms, opened within three seconds and drawn again, and the doctor."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from slack_sdk import WebClient

from bot.access import Unsure
from bot.arrivals import Call, Click, Filled
from bot.errors import SlackError
from bot.marks import mark
from bot.reception import Reception
from bot.render import checkup, form_not_opened, not_told_in_time
from bot.render.blocks import Block, Message
from bot.slack.answers import named_errors
from bot.slack.checkup import Checkup
from bot.slack.directory import Directory

logger = logging.getLogger(__name__)

ROUNDS = 2
Told = TypeVar("Told")


class Forms:
    """Shows forms and findings; it goes over the network, so it is called when Slack has its answer."""

    def __init__(
        self, client: WebClient, reception: Reception, directory: Directory, checkup: Checkup
    ) -> None:
        self._client, self._reception, self._directory = client, reception, directory
        self._checkup = checkup

    def start(self, call: Call) -> Message | None:
        """Open the form of a command without words; returns why that does not work, None where it does."""
        found: Block | Message = self._told(call, lambda: self._reception.start(call))
        if isinstance(found, Message):
            return found
        try:
            self._open(call.trigger_id, found)
        except SlackError as error:
            return self._not_opened(call.trigger_id, error)
        return None

    def examine(self, call: Call) -> Message:
        """What the doctor finds, or why it is not for this person."""
        told = self._told(call, lambda: self._reception.operate(call))
        return told or checkup(list(self._checkup.findings()), self._checkup.clock())

    def _told(self, call: Call, ask: Callable[[], Told | Unsure]) -> Told | Message:
        """What is decided when Slack has said who somebody is."""
        found = ask()
        for _ in range(ROUNDS):
            if isinstance(found, Unsure):
                self._directory.look_up(found.needs)
                found = ask()
        if isinstance(found, Unsure):
            sign = mark(call.trigger_id)
            logger.warning("[%s] Slack does not say who %s is", sign, call.person.user)
            return not_told_in_time(sign)
        return found

    def edit(self, click: Click) -> None:
        """Open the form of one host's plan."""
        view = self._reception.choosing.open(click)
        if view is None:
            return
        try:
            self._open(click.trigger_id, view)
        except SlackError as error:
            self._reception.choosing.not_opened(click, self._not_opened(click.trigger_id, error))

    def redraw(self, filled: Filled) -> None:
        """Show what is left by what a form says now; another change may have been faster."""
        view = self._reception.choosing.draw(filled)
        try:
            with named_errors("views.update"):
                self._client.views_update(view_id=filled.view, hash=filled.version, view=view)
        except SlackError as error:
            logger.info("a form is not drawn again: %s", error)

    def _not_opened(self, act: str, error: SlackError) -> Message:
        logger.warning("[%s] a form is not opened: %s", mark(act), error.told)
        return form_not_opened(error, mark(act))

    def _open(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        with named_errors("views.open"):
            self._client.views_open(trigger_id=trigger_id, view=dict(view))
