"""Where people ask for what runs removed: recorded as a request of its own, or answered with the runs."""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import render
from bot.arrivals import Call
from bot.memory.runs import Runs
from bot.memory.store import Store
from bot.render.blocks import Message
from bot.requests import Asked
from bot.wanted import Wanted

logger = logging.getLogger(__name__)

RESTORE = "restore"
RUNS_SHOWN = 10


@dataclass(frozen=True)
class Returns:
    """Takes what people want back, once it is known that they may."""

    store: Store
    runs: Runs
    clock: Callable[[], datetime]

    def runs_on(self, hosts: Sequence[str]) -> Message:
        """The last runs on these hosts that removed something."""
        return render.restorable(self.runs.that_removed(hosts, most=RUNS_SHOWN))

    def ask(self, call: Call, host: str, wanted: Wanted) -> str:
        """Record that somebody wants something back; returns the request's id."""
        about = (secrets.token_hex(8), RESTORE, call.channel, call.person, (host,), self.clock())
        asked = Asked(*about, wanted=wanted, thread=call.thread)
        request_id = self.store.ask(asked, trigger_id=call.trigger_id, response_url=call.response_url)
        logger.info("request %s: restore on %s by %s", request_id, host, call.person.user)
        return request_id
