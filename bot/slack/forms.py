"""Forms in Slack: opened within the three seconds that Slack gives, drawn again while they are filled in."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient

from bot.access import Unsure
from bot.arrivals import Call, Click, Filled
from bot.errors import SlackError
from bot.reception import Reception
from bot.render import form_not_opened
from bot.render.blocks import Message
from bot.slack.answers import named_errors
from bot.slack.directory import Directory

logger = logging.getLogger(__name__)

ROUNDS = 2


class Forms:
    """Shows forms; it goes over the network, so it is called when Slack has its answer."""

    def __init__(self, client: WebClient, reception: Reception, directory: Directory) -> None:
        self._client, self._reception, self._directory = client, reception, directory

    def start(self, call: Call) -> Message | None:
        """Open the form of a command without words; returns why that does not work, None where it does."""
        found = self._reception.start(call)
        for _ in range(ROUNDS):
            if isinstance(found, Unsure):
                self._directory.look_up(found.needs)
                found = self._reception.start(call)
        if isinstance(found, Unsure):
            return form_not_opened("it did not say in time whether you may")
        if isinstance(found, Message):
            return found
        try:
            self._open(call.trigger_id, found)
        except SlackError as error:
            return form_not_opened(str(error))
        return None

    def edit(self, click: Click) -> None:
        """Open the form of one host's plan."""
        view = self._reception.choosing.open(click)
        if view is None:
            return
        try:
            self._open(click.trigger_id, view)
        except SlackError as error:
            self._reception.choosing.not_opened(click, str(error))

    def redraw(self, filled: Filled) -> None:
        """Show what is left by what a form says now; another change may have been faster."""
        view = self._reception.choosing.draw(filled)
        try:
            with named_errors("views.update"):
                self._client.views_update(view_id=filled.view, hash=filled.version, view=view)
        except SlackError as error:
            logger.info("a form is not drawn again: %s", error)

    def _open(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        with named_errors("views.open"):
            self._client.views_open(trigger_id=trigger_id, view=dict(view))
