"""S12: what nobody should send, over signed HTTP: turned away or answered, noted, and never a traceback."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from bot.memory.audit import Act, Audit, What
from bot.memory.database import Database
from bot.memory.store import Store
from bot.render import CANCEL, EDIT, EXECUTE
from bot.slack.gate import MOST_BYTES
from tests.service.bot_stage import Stage, bot_process, bot_stage, wait_until
from tests.stage.redis import free_port
from tests.workspace import Delivery, Message
from tests.workspace.signature import signed_headers

SECONDS = 60.0
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# By us, as nothing that is listened to, or by Bolt.
LEFT_OUT = (200, 400, 404, 500)
MALFORMED = {
    "deep": "[" * 100_000,
    "deep payload": "payload=" + "[" * 100_000,
    "deep object": '{"a":' * 50_000,
    "no json": "{",
    "no payload": "payload=",
    "a list": "payload=[]",
    "a number": "payload=1",
    "nothing": "",
    "no form": "\x00=\x00&&&=%zz%",
    "no actions": 'payload={"type":"block_actions"}',
    "empty actions": 'payload={"type":"block_actions","actions":[],"user":{},"team":{}}',
    "numbers": 'payload={"type":1,"actions":2,"user":3,"team":4,"channel":5}',
    "no user": 'payload={"type":"block_actions","actions":[{"action_id":"prune_execute","type":"button"}]}',
    "a modal": 'payload={"type":"view_submission","view":{"callback_id":"x"},"user":{"id":"U1"}}',
    "a number as event": '{"type":"event_callback","event":1}',
    "a command of nobody": "command=/prune&text=preview",
}


@dataclass
class Door:
    """The running bot's address, and what came of knocking at it."""

    stage: Stage
    url: str
    log: Path

    def post(
        self, body: str | bytes, *, secret: str = "", age: float = 0, kind: str = FORM, **headers: str
    ) -> int:
        """Send what somebody could; the status of the answer."""
        text = body if isinstance(body, str) else body.decode("latin-1")
        signed = signed_headers(secret or self.stage.slack.signing_secret, int(time.time() - age), text)
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.url, data, {"Content-Type": kind, **signed, **headers})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def command(self, text: str, **named: Any) -> int:
        slack = self.stage.slack
        fields = {
            "command": "/prune",
            "text": text,
            "team_id": slack.team_id,
            "user_id": slack.user_id("bo"),
            "channel_id": self.stage.channel,
            "trigger_id": f"1.{time.monotonic_ns()}",
            "response_url": f"{slack.url}/hooks/none",
        }
        return self.post(urlencode(fields), **named)

    def acts(self) -> tuple[Act, ...]:
        database = Database(self.stage.folder / "bot.sqlite3")
        try:
            return Audit(database).acts()
        finally:
            database.close()

    def requests(self) -> int:
        database = Database(self.stage.folder / "bot.sqlite3")
        try:
            return len(Store(database).open_requests())
        finally:
            database.close()

    def unchanged(self) -> tuple[object, ...]:
        """What must be as it was where nothing is to happen."""
        queued = [host.queued for host in self.stage.hosts.values()]
        return self.acts(), self.requests(), queued, self.stage.roots(), self.stage.slack.ephemerals("bo")


@pytest.fixture(scope="module")
def door(stage_place: Callable[[], Path]) -> Iterator[Door]:
    folder, port = stage_place(), free_port()
    folder.mkdir()
    with bot_stage(folder, "web-1", channels=("ops", "dev")) as stage:
        url, log = f"http://127.0.0.1:{port}/slack/events", folder / "bot.log"
        secret = stage.slack.signing_secret
        process = bot_process(stage, log=log, SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=secret, PORT=str(port))
        made = Door(stage, url, log)
        wait_until(lambda: "ready: " in log.read_text(), what="the bot", seconds=SECONDS)
        stage.slack.deliver_to(url)
        yield made
        assert process.poll() is None
        assert [line for line in log.read_text().splitlines() if is_trouble(line)] == []
        # Presses that Slack did not bring have nowhere to be answered.
        assert [v for v in stage.slack.violations if v.rule != "response_url"] == []


def is_trouble(line: str) -> bool:
    """What no input may bring about; Bolt itself stumbles, in a line, over what lacks a payload's fields."""
    return " ERROR " in line and "slack_bolt: Failed to run a middleware" not in line


@pytest.fixture(scope="module")
def root(door: Door) -> Message:
    """A plan that waits for somebody to decide."""
    door.stage.slack.command("ana", "ops", "/prune preview web-1")
    door.stage.host().answer_with_plan()
    return door.stage.ready_root()


# What Slack did not send


@pytest.mark.parametrize("body", ["", *MALFORMED.values()], ids=["a command", *MALFORMED])
@pytest.mark.parametrize("forged", [{"secret": "another"}, {"age": 301}, {"age": -400}], ids=str)
def test_what_slack_did_not_sign_or_not_now_is_turned_away_unread(
    door: Door, body: str, forged: dict[str, Any]
) -> None:
    before = door.unchanged()

    status = door.post(body, **forged) if body else door.command("preview web-1", **forged)

    assert (status, door.unchanged()) == (401, before)


@pytest.mark.parametrize("stamp", ["", "x", "1e9", "9" * 5000, "-1", "\u0661"])
@pytest.mark.parametrize("signature", [None, "", "v0=", "\xe9", "v0=" + "0" * 64])
def test_marks_that_are_none_are_turned_away(door: Door, stamp: str, signature: str | None) -> None:
    marks = {"X-Slack-Request-Timestamp": stamp.encode().decode("latin-1")}
    marks |= {} if signature is None else {"X-Slack-Signature": signature}

    assert door.command("preview web-1", **marks) == 401


def test_what_is_no_text_is_turned_away(door: Door) -> None:
    assert door.post(b"\xff\xfe" * 100) == 401


def test_what_is_far_too_long_is_turned_away_before_it_comes(door: Door) -> None:
    address = urlsplit(door.url)
    with contextlib.closing(HTTPConnection(address.netloc, timeout=SECONDS)) as connection:
        connection.putrequest("POST", address.path)
        connection.putheader("Content-Length", str(MOST_BYTES + 1))
        connection.endheaders()

        assert connection.getresponse().status == 413


# What is signed and makes no sense


@pytest.mark.parametrize("kind", [FORM, JSON])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_cannot_be_read_is_left_out(door: Door, body: str, kind: str) -> None:
    before = door.unchanged()

    status = door.post(body, kind=kind)

    assert status in LEFT_OUT
    assert door.unchanged() == before


@pytest.mark.parametrize("wrong", [1, None, [], {}, True, ["x"]], ids=str)
@pytest.mark.parametrize(
    "where",
    ["user", "user.id", "user.team_id", "channel", "channel.id", "container", "trigger_id", "actions"],
)
def test_fields_that_are_no_text_settle_nothing(door: Door, root: Message, where: str, wrong: object) -> None:
    payload = json.loads(json.dumps(click_payload(door, root)))
    outer, _, inner = where.partition(".")
    if inner:
        payload[outer][inner] = wrong
    else:
        payload[outer] = wrong
    # Whoever's team is not told is of the message's; this click must not count for another reason.
    payload["actions"] = payload["actions"] and [{**root_action(root), "value": "{}"}]

    assert door.post(urlencode({"payload": json.dumps(payload)})) in LEFT_OUT
    assert settled(door) == []


def click_payload(door: Door, root: Message) -> dict[str, Any]:
    slack = door.stage.slack
    return {
        "type": "block_actions",
        "user": {"id": slack.user_id("bo"), "team_id": slack.team_id},
        "team": {"id": slack.team_id},
        "channel": {"id": root.channel},
        "container": {"type": "message", "message_ts": root.ts, "is_ephemeral": False},
        "trigger_id": f"2.{time.monotonic_ns()}",
        "response_url": f"{slack.url}/hooks/none",
        "actions": [root_action(root)],
    }


def root_action(root: Message) -> dict[str, Any]:
    control = next(c for c in root.controls if c.action_id == EXECUTE)
    return {"type": "button", "action_id": EXECUTE, "block_id": control.block_id, "value": control.value}


def settled(door: Door) -> list[Act]:
    decided = (What.CONFIRMED, What.CANCELLED)
    return [act for act in door.acts() if act.what in decided]


# Buttons that are not, or no longer, what the bot draws


def altered(root: Message, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Message:
    """The message as somebody's client could hold it."""

    def redrawn(block: dict[str, Any]) -> dict[str, Any]:
        elements = block.get("elements")
        return {**block, "elements": [change(dict(e)) for e in elements]} if elements else block

    return replace(root, blocks=tuple(redrawn(dict(block)) for block in root.blocks))


def valued(change: Callable[[str], str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def changed(element: dict[str, Any]) -> dict[str, Any]:
        is_ours = element.get("action_id") in (EXECUTE, CANCEL)
        return {**element, "value": change(element["value"])} if is_ours else element

    return changed


VALUES: dict[str, tuple[Callable[[str], str], str, str]] = {
    "truncated": (lambda v: v[: len(v) // 2], "not known any more", "not_known"),
    "emptied": (lambda v: "", "not known any more", "not_known"),
    "of an older version": (lambda v: json.loads(v)["request"], "not known any more", "not_known"),
    "of an older shape": (
        lambda v: json.dumps({"request": json.loads(v)["request"]}),
        "not known any more",
        "not_known",
    ),
    "of another request": (
        lambda v: json.dumps(json.loads(v) | {"request": "0" * 16}),
        "not known any more",
        "not_known",
    ),
    "of another set": (lambda v: json.dumps(json.loads(v) | {"set": "0" * 16}), "plans changed", "changed"),
    "of other types": (
        lambda v: json.dumps({"request": [json.loads(v)["request"]], "set": {}}),
        "not known any more",
        "not_known",
    ),
    "too deep": (lambda v: "[" * 2000, "not known any more", "not_known"),
    "with quotes for sqlite": (
        lambda v: json.dumps({"request": "x' OR 1=1 --", "set": "\x00"}),
        "not known any more",
        "not_known",
    ),
}


@pytest.mark.parametrize("host", ["web-9", "", "{}"])
def test_the_form_of_a_host_that_is_not_offered_is_not_opened(door: Door, root: Message, host: str) -> None:
    def elsewhere(element: dict[str, Any]) -> dict[str, Any]:
        return {**element, "value": host} if element.get("action_id") == EDIT else element

    assert "The plans changed after you saw them." in pressed(door, altered(root, elsewhere), EDIT)
    assert door.stage.slack.view("bo") is None


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("button", [EXECUTE, CANCEL])
def test_a_button_with_another_value_is_answered_and_noted(
    door: Door, root: Message, name: str, button: str
) -> None:
    change, words, why = VALUES[name]

    said = pressed(door, altered(root, valued(change)), button)

    check_turned_away(door, said, words, why)


def test_a_button_of_another_version_is_answered_and_noted(door: Door, root: Message) -> None:
    older = altered(root, lambda element: {**element, "action_id": "confirm_prune_v0"})

    said = pressed(door, older, "confirm_prune_v0")

    check_turned_away(door, said, "not known any more", "not_known")


def test_a_button_in_another_channel_is_answered_and_noted(door: Door, root: Message) -> None:
    elsewhere = replace(root, channel=door.stage.slack.channel_id("dev"))

    said = pressed(door, elsewhere, EXECUTE)

    check_turned_away(door, said, "belongs to #ops", "of_another_channel")


def test_a_press_from_another_workspace_is_noted_and_does_not_count(door: Door, root: Message) -> None:
    payload = click_payload(door, root)
    payload["user"]["team_id"] = payload["team"]["id"] = "T0ELSEWHERE"

    assert door.post(urlencode({"payload": json.dumps(payload)})) == 200

    check_turned_away(door, "", "", "other_team", by="T0ELSEWHERE/")


def pressed(door: Door, message: Message, button: str) -> str:
    """Press it; what only the presser reads then."""
    slack = door.stage.slack
    before = {m.ts for m in slack.ephemerals("bo")}
    delivery = slack.click("bo", message, button)
    assert isinstance(delivery, Delivery)
    assert (delivery.via, delivery.outcome) == ("http", "acked")

    def answer() -> Message | None:
        return next((m for m in slack.ephemerals("bo") if m.ts not in before), None)

    found = slack.wait_for(answer, SECONDS, what="an answer")
    assert found is not None
    return found.plain


def check_turned_away(door: Door, said: str, words: str, why: str, *, by: str = "") -> None:
    last = door.acts()[-1]
    assert words in said
    assert (last.what, last.detail["why"]) == (What.TURNED_AWAY, why)
    assert last.who.startswith(by or f"{door.stage.slack.team_id}/{door.stage.slack.user_id('bo')}")
    assert settled(door) == []
    assert door.stage.host().queued == 0


# What is typed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("preview " + "w" * 8000, "characters long"),
        ("preview " + "web-1 " * 10_000, "characters long"),
        ("preview " + "web-1 " * 600, ""),
        ("preview " + " " * 3900 + "x", 'No host is called "x"'),
        ("preview " + "[" * 3900, "No host is called"),
        ("preview " + "*a" * 1900, "No host is called"),
        ("preview " + " ".join(f"*{n}*" for n in range(500)), "patterns"),
        ("preview \x00\x01\x1b[31m\u202e\u2028", "No host is called"),
        ("\x00", "There is no command"),
        ("history " + "\U0001f600" * 500, "No host is called"),
        ("history " + "\U0001f600" * 900, "too long a list of hosts"),
        ("history by " + "\U0001f600" * 900, "Nobody called"),
        ("history since " + "9" * 3000, "since needs a time"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_whatever_is_typed_is_answered_in_time(door: Door, root: Message, text: str, words: str) -> None:
    delivery = door.stage.slack.command("bo", "ops", f"/prune {text}")

    assert delivery.outcome == "acked"
    said = str((delivery.answer or {}).get("text"))
    assert words in said or words in json.dumps(delivery.answer)
    assert not any(ord(character) < 32 for character in said)


def test_a_request_sent_twice_within_its_time_is_one(door: Door) -> None:
    slack, before = door.stage.slack, door.requests()
    delivery = slack.command("ana", "ops", "/prune preview web-1")

    again = slack.redeliver(delivery)

    assert again.outcome == "acked"
    assert door.requests() == before + 1
