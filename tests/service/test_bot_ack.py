"""What precedes an acknowledgement, watched from inside: a local commit at most, and no network."""

import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures.thread import _WorkItem
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import pytest
from slack_bolt import Ack, BoltRequest

from bot.edits import KEEP, KEEP_FOR, KINDS, OBJECTS
from bot.render import AGAIN, CANCEL, CHECK, EDIT, EXECUTE, HOSTS, KEEP_ALWAYS, RESTORE_RUN
from bot.render.buttons import pressed
from bot.service import identified
from bot.slack import app
from bot.starts import PREVIEW, START_HOSTS, START_KINDS, START_VERB
from tests.service.bot_stage import Clock, HandDriven, Stage, listen
from tests.workspace import View
from workers.contract import Kind

Payload = dict[str, Any]
ALL_KINDS = [kind.value for kind in Kind]
ACK, COMMIT, NETWORK, BEGUN = "ack", "commit", "network", "begun"
# Leftovers of another test may be collected, and with it closed, in any thread at any moment.
CLOSES = frozenset({"close", "shutdown"})
STEPS = {Ack.__call__.__code__: ACK, _WorkItem.run.__code__: BEGUN}


@dataclass
class Watch:
    """What threads do, from when they begin: which one, and what."""

    db: sqlite3.Connection
    seen: list[tuple[int, str]] = field(default_factory=list)
    written: int = 0

    def note(self, what: str) -> None:
        self.seen.append((threading.get_ident(), what))

    def look(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and isinstance(getattr(called, "__self__", None), socket.socket):
            if called.__name__ not in CLOSES:
                self.note(NETWORK)
        elif event == "call" and frame.f_code in STEPS:
            self.note(STEPS[frame.f_code])

    def statement(self, text: str) -> None:
        """A commit of nothing costs nothing."""
        if text.startswith("COMMIT") and self.written != self.db.total_changes:
            self.written = self.db.total_changes
            self.note(COMMIT)

    def around_the_answer(self, asking: int) -> tuple[list[str], list[str]]:
        """What the threads that asked and answered have done until the acknowledgement, and after it."""
        answering, at = next((who, n) for n, (who, what) in enumerate(self.seen) if what == ACK)
        # The thread that answers may have been at the end of something else.
        begun = max((n for n, one in enumerate(self.seen[:at]) if one == (answering, BEGUN)), default=-1)
        before = [
            what
            for n, (who, what) in enumerate(self.seen[:at])
            if who == asking or (who == answering and n > begun)
        ]
        return before, [what for who, what in self.seen[at:] if who == answering]


@dataclass
class Scene:
    """A bot whose threads are watched, and plans of two hosts that wait for a decision."""

    stage: Stage
    bot: HandDriven
    app: app.BoltApp
    watch: Watch

    def deliver(self, payload: Payload) -> tuple[list[str], list[str]]:
        """Have the bot answer; what it did before that, and what it has done since."""
        self.watch.seen.clear()
        sys.setprofile(self.watch.look)
        try:
            answer = self.app.dispatch(BoltRequest(body=payload, mode="socket_mode"))
        finally:
            sys.setprofile(None)
        assert answer.status == 200
        return self.watch.around_the_answer(threading.get_ident())

    def command(self, text: str, user: str = "ana") -> Payload:
        """Nobody is connected, so what would have been delivered is at hand."""
        return dict(self.stage.slack.command(user, "ops", f"/prune {text}").payload)

    def click(self, name: str, user: str = "ana", **changed: str) -> Payload:
        """A press under the plan, or of a control that is there no more."""
        delivery = self.stage.slack.click(user, self.stage.ready_root(), name)
        assert delivery
        payload = dict(delivery.payload)
        return payload | {"actions": [payload["actions"][0] | changed]}

    def tick(self, *hosts: str) -> Payload:
        root = self.stage.ready_root()
        return dict(self.stage.slack.choose("ana", root, HOSTS, list(hosts)).payload)

    def form(self, payload: Payload) -> View:
        """The form that is opened by that."""
        self.app.dispatch(BoltRequest(body=payload, mode="socket_mode"))
        found = self.stage.slack.wait_for(lambda: self.stage.slack.view("ana"), what="a form")
        assert isinstance(found, View)
        return found

    def filled(self, view: View, **values: Any) -> Payload:
        return dict(self.stage.slack.submit("ana", view, values).payload)

    def private(self) -> Payload:
        """A press in the copy of the question that only ana sees."""
        payload = self.click(EXECUTE)
        value = pressed(payload["actions"][0]["value"])
        assert value
        tickets, person = self.bot.parts.reception.presses.tickets, self.bot.person("ana")
        ticket = tickets.issue(value.request, value.set_digest, person)
        named = payload["actions"][0]["value"].replace("}", f', "ticket": "{ticket}"}}')
        action = payload["actions"][0] | {"value": named}
        return payload | {"container": payload["container"] | {"is_ephemeral": True}, "actions": [action]}


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    bot = HandDriven(stage, Clock())
    listen(stage, bot)
    bot.command("preview web-1 web-2", user="bo")
    bot.carry_on()
    for name in ("web-1", "web-2"):
        stage.host(name).answer_with_plan()
    bot.hear()
    bot.carry_on(4)
    # Somebody must have been seen lately, or everything waits until Slack has said who they are.
    bot.command("stop web-1", user="ana")
    who = identified(stage.wiring(), threading.Event())
    assert who is not None
    built = app.build(
        who=who,
        base_url=stage.slack.api_url,
        signing_secret="",
        reception=bot.parts.reception,
        forms=bot.parts.forms,
        homes=bot.parts.homes,
    )
    with bot.parts.database.reading() as db:
        watch = Watch(db, written=db.total_changes)
        db.set_trace_callback(watch.statement)
    threading.setprofile(watch.look)
    yield Scene(stage, bot, built, watch)
    threading.setprofile(None)
    built.listener_runner.listener_executor.shutdown()
    bot.close()


START = {START_VERB: PREVIEW, START_HOSTS: ["web-1"], START_KINDS: ALL_KINDS}
KEPT = {KINDS: ["image"], OBJECTS: [], KEEP: ["0"], KEEP_FOR: "7d"}
# What is acknowledged and must not be forgotten is one commit; the rest is none.
ONE: dict[str, Callable[[Scene], Payload]] = {
    "a preview": lambda at: at.command("preview web-1"),
    "a preview of all hosts": lambda at: at.command("preview"),
    "an execution without a plan": lambda at: at.command("execute web-1"),
    "who may not": lambda at: at.command("execute web-1", user="cy"),
    "who is not known yet": lambda at: at.command("preview web-1", user="cy"),
    "a question about an object": lambda at: at.command("why web-1 app:2"),
    "a question about a policy": lambda at: at.command("policy web-1"),
    "cancelling": lambda at: at.command("cancel web-1"),
    "a freeze": lambda at: at.command("freeze web-* disk swap"),
    "a protection": lambda at: at.command("protect web-1 app:1 --for 7d"),
    "the button that confirms": lambda at: at.click(EXECUTE, user="bo"),
    "the same in a message for one person": lambda at: at.private(),
    "the button that cancels": lambda at: at.click(CANCEL, user="bo"),
    "a button of who may not": lambda at: at.click(EXECUTE, user="cy"),
    "a button of nothing known": lambda at: at.click(EXECUTE, value="{}"),
    "a button of another version": lambda at: at.click(EXECUTE, action_id="of_another_version"),
    "the button that keeps": lambda at: at.click(
        EXECUTE, action_id=KEEP_ALWAYS, value="protect web-1 image:app:1"
    ),
    "the button that asks for a way back": lambda at: at.click(
        EXECUTE, action_id=RESTORE_RUN, value="restore web-1 last"
    ),
    "the button that looks again": lambda at: at.click(EXECUTE, action_id=AGAIN),
    "the button that has services looked at": lambda at: at.click(
        EXECUTE, action_id=CHECK, value="web-1 5e0c3d71"
    ),
    "boxes of hosts": lambda at: at.tick("web-1"),
    "a form of a plan": lambda at: at.filled(at.form(at.click(EDIT)), **{KINDS: ["image"]}),
    "a form that keeps for good": lambda at: at.filled(at.form(at.click(EDIT)), **KEPT),
    "a form to start with": lambda at: at.filled(at.form(at.command("")), **START),
}
NONE: dict[str, Callable[[Scene], Payload]] = {
    "help": lambda at: at.command("help"),
    "the hosts": lambda at: at.command("hosts"),
    "the history": lambda at: at.command("history"),
    "what is under way": lambda at: at.command("status"),
    "the protections": lambda at: at.command("protections"),
    "what is misspelt": lambda at: at.command("previw"),
    "a plan that is shown already": lambda at: at.command("execute web-1 web-2"),
    "stopping where nothing runs": lambda at: at.command("stop web-1"),
}
# Only what follows goes over the network.
SHOWN_AFTERWARDS: dict[str, Callable[[Scene], Payload]] = {
    "a bare command": lambda at: at.command(""),
    "the doctor": lambda at: at.command("doctor"),
    "the button that edits": lambda at: at.click(EDIT),
    "a form while it is filled in": lambda at: changed(at, at.form(at.click(EDIT))),
}


def changed(scene: Scene, view: View) -> Payload:
    return dict(scene.stage.slack.choose("ana", view, KINDS, ["image"]).payload)


@pytest.mark.parametrize("act", ONE)
def test_what_must_not_be_forgotten_is_acknowledged_after_one_commit_and_no_network(
    scene: Scene, act: str
) -> None:
    before, _ = scene.deliver(ONE[act](scene))

    assert before == [COMMIT]


@pytest.mark.parametrize("act", NONE)
def test_what_only_tells_is_acknowledged_before_anything_else(scene: Scene, act: str) -> None:
    before, _ = scene.deliver(NONE[act](scene))

    assert before == []


@pytest.mark.parametrize("act", SHOWN_AFTERWARDS)
def test_what_goes_over_the_network_comes_after_the_acknowledgement(scene: Scene, act: str) -> None:
    before, after = scene.deliver(SHOWN_AFTERWARDS[act](scene))

    assert before == []
    scene.stage.slack.wait_for(lambda: NETWORK in after or NETWORK in seen_now(scene), what="the network")


@pytest.mark.parametrize("callback", ["of_another_version", ""])
def test_a_form_of_another_version_is_answered_in_its_place(scene: Scene, callback: str) -> None:
    payload = scene.filled(scene.form(scene.click(EDIT)), **{KINDS: ["image"]})
    changed_ = payload | {"view": payload["view"] | {"callback_id": callback}}

    answer = scene.app.dispatch(BoltRequest(body=changed_, mode="socket_mode"))

    assert (answer.status, '"response_action": "update"' in answer.body) == (200, True)


def seen_now(scene: Scene) -> list[str]:
    return scene.watch.around_the_answer(threading.get_ident())[1]
