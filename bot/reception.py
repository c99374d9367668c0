"""Where commands and clicks arrive: understood, allowed or not, written down in one commit, and answered.

Nothing here goes over the network; what follows is the desk's.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import ValidationError

from bot import questions, render
from bot.access import Unsure
from bot.answering import Answering, NoCount
from bot.arrivals import CALL, CLICK, FILLED, Call, Click, Filled
from bot.choosing import Choosing
from bot.commands import HISTORY, Preview, Restore, parse
from bot.council import Said
from bot.decisions import Protect, Verb
from bot.edits import EDITED
from bot.errors import StoreError
from bot.facts import Facts, Lookup
from bot.memory.waiting import COMMAND, Pending, Waiting
from bot.presses import TOO_LATE, Presses
from bot.render import receipts
from bot.render.blocks import Block, Message
from bot.requests import Settled
from bot.starts import STARTED, Fault, command_of
from bot.stopping import Stopping
from bot.typed import Typed

logger = logging.getLogger(__name__)

__all__ = ["Call", "Click", "Reception"]
# What may wait for a look-up besides commands and presses.
TICKED, FILLED_IN, STOP, LEAFED, AGAIN = "ticked", "filled_in", "stop", "leafed", "again"
CHECKED = "checked"


@dataclass(frozen=True)
class Reception:
    """Takes what people say; `facts` are young enough to act on."""

    typed: Typed
    waiting: Waiting
    answering: Answering
    presses: Presses
    choosing: Choosing
    stopping: Stopping
    facts: Callable[[], Facts]
    clock: Callable[[], datetime]
    look_up: Callable[[], None]

    def command(self, call: Call) -> Message:
        """Answer a command, where only the asker sees it."""
        try:
            found = self.typed.answer(call, self.facts(), self.clock())
            if isinstance(found, Message):
                return found
            self._wait(call.trigger_id, COMMAND, CALL.dump_json(call))
        except StoreError as error:
            logger.exception("a command could not be noted down")
            return receipts.not_noted(str(error))
        return receipts.looking_up()

    def execute(self, click: Click) -> None:
        """Take the press of the button that confirms."""
        self._press(click, Settled.CONFIRMED)

    def cancel(self, click: Click) -> None:
        """Take the press of the button that cancels."""
        self._press(click, Settled.CANCELLED)

    def tick(self, click: Click) -> None:
        """Take the boxes of the hosts."""
        if self.choosing.tick(click, self.facts()):
            self._wait(click.trigger_id, TICKED, CLICK.dump_json(click))

    def stop(self, click: Click) -> None:
        """Take the press of the button that ends a run."""
        if self.stopping.press(click, self.facts(), _said(click, self.clock())):
            self._wait(click.trigger_id, STOP, CLICK.dump_json(click))

    def preview_again(self, click: Click) -> None:
        """Take the press that asks for the same plans once more."""
        if self._ask_again(click, self.facts()):
            self._wait(click.trigger_id, AGAIN, CLICK.dump_json(click))

    def keep(self, click: Click) -> None:
        """Take the press that protects an object, as if it were typed; it types nothing else."""
        command = parse(click.value)
        if isinstance(command, Protect) and command.verb is Verb.PROTECT:
            self._as_typed(click)
        else:
            self.unknown(click)

    def bring_back(self, click: Click) -> None:
        """Take the press that has a host plan a restore, as if it were typed; it types nothing else."""
        command = parse(click.value)
        if isinstance(command, Restore) and command.host:
            self._as_typed(click)
        else:
            self.unknown(click)

    def check_again(self, click: Click) -> None:
        """Take the press that has a host look at the services again that were worse after a run."""
        if self._checked(click, self.facts(), self.clock()):
            self._wait(click.trigger_id, CHECKED, CLICK.dump_json(click))

    def leaf(self, click: Click) -> None:
        """Take the press that turns a page of the history."""
        if self._leafed(click, self.facts()):
            self._wait(click.trigger_id, LEAFED, CLICK.dump_json(click))

    def _as_typed(self, click: Click) -> None:
        call = self._call(click, click.value)
        with self.answering.together():
            found = self.typed.answer(call, self.facts(), self.clock())
            if isinstance(found, Unsure):
                self._wait(call.trigger_id, COMMAND, CALL.dump_json(call))
            else:
                self.answering.answer(call, found)

    def _call(self, click: Click, text: str = "") -> Call:
        """A press as if it were typed; what comes of it stands in the thread in which people were called."""
        thread = self.answering.posts.thread_of(click.channel, click.message_ts)
        return Call(text, click.person, click.channel, click.trigger_id, click.response_url, thread)

    def operate(self, call: Call) -> Message | Unsure | None:
        """Why this person may not look after the bot here; None where they may."""
        return self.typed.operate(call, self.facts())

    def start(self, call: Call) -> Block | Message | Unsure:
        """The form of a command without words, or why there is none."""
        return self.typed.start(call, self.facts())

    def fill(self, filled: Filled) -> Message | Fault | None:
        """Take a form; returns what stands in its place or is wrong in it, None where it is simply closed."""
        about = self.presses.tickets.opened(filled.about, filled.person)
        if about is None or filled.form not in (render.EDIT, render.START):
            logger.warning("a form of %s is left out: the bot has not made it", filled.person.user)
            return render.outdated()
        filled = replace(filled, about=about)
        try:
            found = self._filled(filled, self.facts(), self.clock())
            if isinstance(found, Unsure):
                self._wait(filled.trigger_id, FILLED_IN, FILLED.dump_json(filled))
                return None
        except StoreError as error:
            logger.exception("a form could not be noted down")
            return receipts.not_noted(str(error))
        return found

    def unknown(self, click: Click) -> None:
        """Take the press of a control that this version does not draw."""
        self.answering.refuse(click, NoCount("not_known", render.outdated()), wanted="unknown")

    def again(self, act: Pending, failed: Mapping[Lookup, str]) -> frozenset[Lookup]:
        """Decide what had to wait, now that things were looked up; returns what is needed still."""
        facts = replace(self.facts(), failed=failed)
        with self.answering.together():
            unsure = self._decided(act, facts)
            if unsure is None:
                self.waiting.close(act.id)
        return unsure.needs if unsure else frozenset()

    def give_up(self, act: Pending) -> None:
        """Answer what can never be decided; nothing is begun by it."""
        with self.answering.together():
            if act.verb == COMMAND:
                self.answering.answer(CALL.validate_json(act.body), render.waited_too_long())
            elif act.verb == FILLED_IN:
                self._answer_form(FILLED.validate_json(act.body), render.waited_too_long())
            else:
                self.answering.refuse(CLICK.validate_json(act.body), TOO_LATE, wanted=act.verb)
            self.waiting.close(act.id)

    def _decided(self, act: Pending, facts: Facts) -> Unsure | None:
        if act.verb == FILLED_IN:
            return self._filled_late(FILLED.validate_json(act.body), facts, act.at)
        if act.verb != COMMAND:
            return self._pressed(act.verb, CLICK.validate_json(act.body), facts, act.at)
        call = CALL.validate_json(act.body)
        found = self.typed.answer(call, facts, act.at)
        if isinstance(found, Unsure):
            return found
        self.answering.answer(call, found)
        return None

    def _pressed(self, verb: str, click: Click, facts: Facts, at: datetime) -> Unsure | None:
        """What a press comes to that had to wait."""
        if verb == AGAIN:
            return self._ask_again(click, facts)
        if verb == CHECKED:
            return self._checked(click, facts, at)
        if verb == TICKED:
            return self.choosing.tick(click, facts)
        if verb == STOP:
            return self.stopping.press(click, facts, _said(click, at))
        if verb == LEAFED:
            return self._leafed(click, facts)
        return self.presses.decide(click, Settled(verb), facts, at=at)

    def _ask_again(self, click: Click, facts: Facts) -> Unsure | None:
        """As if it were typed; pressed twice it asks once."""
        asked = self.typed.underway.asked_at(click)
        if asked is None or asked.is_restore:
            self.answering.refuse(click, NoCount("not_known", render.outdated()), wanted="preview")
            return None
        call = Call("", click.person, click.channel, click.trigger_id, click.response_url)
        with self.answering.together():
            again = Preview(asked.hosts, asked.kinds)
            found = self.typed.underway.alike(asked) or self.typed.request(call, again, facts)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _checked(self, click: Click, facts: Facts, at: datetime) -> Unsure | None:
        ask, call = questions.pressed(click.value), self._call(click)
        if ask is None:
            self.unknown(click)
            return None
        with self.answering.together():
            found = self.typed.question(call, ask, facts, at)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _filled(self, filled: Filled, facts: Facts, at: datetime) -> Message | Fault | Unsure | None:
        if filled.form == render.START:
            return self._started(filled, facts)
        return self.choosing.take(filled, facts, at)

    def _filled_late(self, filled: Filled, facts: Facts, at: datetime) -> Unsure | None:
        found = self._filled(filled, facts, at)
        if isinstance(found, Fault):
            # The form is closed by now, so what is wrong with it is told where it was opened.
            self._answer_form(filled, render.not_taken(found.text))
        if isinstance(found, Message):
            self._answer_form(filled, found)
        return found if isinstance(found, Unsure) else None

    def _started(self, filled: Filled, facts: Facts) -> Message | Fault | Unsure | None:
        """What a form asks for is asked as if it were typed; the answer comes where it was opened."""
        command, call = command_of(filled.values), _place(filled)
        if isinstance(command, Fault):
            return command
        if call is None:
            return render.outdated()
        with self.answering.together():
            found = self.typed.request(call, command, facts)
            if isinstance(found, Unsure):
                return found
            self.answering.answer(call, found)
        return None

    def _answer_form(self, filled: Filled, message: Message) -> None:
        if call := _place(filled):
            self.answering.answer(call, message)

    def _press(self, click: Click, how: Settled) -> None:
        if self.presses.decide(click, how, self.facts(), at=self.clock()):
            self._wait(click.trigger_id, how, CLICK.dump_json(click))

    def _wait(self, id_: str, verb: str, body: bytes) -> None:
        """What is acknowledged is not forgotten; nothing is looked up before that."""
        self.waiting.add(Pending(id_, verb, body.decode(), self.clock()))
        self.look_up()

    def _leafed(self, click: Click, facts: Facts) -> Unsure | None:
        found = self.typed.chronicle.turn(click, facts)
        if isinstance(found, NoCount):
            self.answering.refuse(click, found, wanted=HISTORY)
        elif isinstance(found, Message):
            self.answering.reply(click, found)
        return found if isinstance(found, Unsure) else None


def _said(click: Click, at: datetime) -> Said:
    return Said(at, click.person, click.channel, click.trigger_id, click.response_url)


def _place(filled: Filled) -> Call | None:
    """Where a form was opened, and by whom."""
    try:
        of = (EDITED if filled.form == render.EDIT else STARTED).validate_json(filled.about)
    except ValidationError:
        return None
    return Call("", filled.person, of.channel, filled.trigger_id, of.response_url)
