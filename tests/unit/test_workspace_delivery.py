"""Deliveries to a real Bolt app: Socket Mode with several connections, and signed HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import Any

import pytest
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler as BuiltinHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.workspace import Workspace, WorkspaceError

Json = dict[str, Any]


class Desk:
    """A Bolt app that notes what reached it, and holds acknowledgements back when told to."""

    def __init__(self, slack: Workspace, secret: str = "") -> None:
        self.client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        self.app = App(
            client=self.client,
            token_verification_enabled=False,
            signing_secret=secret or slack.signing_secret,
        )
        self.reached: list[Json] = []
        self.retries: list[str] = []
        self.go = threading.Event()
        self.go.set()
        self.app.command("/prune")(self.command)
        self.app.action("execute")(self.clicked)
        self.app.action("hosts")(self.clicked)
        self.app.action("edit")(self.edit)
        self.app.view("edit")(self.submitted)
        self.app.event("app_home_opened")(lambda: None)
        self.app.use(self.at_third_try)

    def command(self, ack: Ack, command: Json) -> None:
        self.go.wait(10)
        self.reached.append(command)
        ack("Looking.")

    def clicked(self, ack: Ack, body: Json) -> None:
        self.reached.append(body)
        ack()

    def edit(self, ack: Ack, body: Json) -> None:
        self.reached.append(body)
        ack()
        self.client.views_open(trigger_id=body["trigger_id"], view=modal())

    def submitted(self, ack: Ack, body: Json) -> None:
        self.reached.append(body)
        ack(response_action="errors", errors={"why": "Say more."}) if len(self.reached) == 2 else ack()

    def at_third_try(self, body: Json, req: BoltRequest, next: Callable[[], None]) -> None:  # noqa: A002
        """Bolt acknowledges events before their listeners run: only a middleware can keep one from it."""
        if body.get("type") == "event_callback":
            self.retries.append(req.headers.get("x-slack-retry-num", [""])[0])
            if len(self.retries) < 3:
                raise RuntimeError("not yet")
        next()


def modal() -> Json:
    field = {"type": "plain_text_input", "action_id": "reason"}
    label = {"type": "plain_text", "text": "Reason"}
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": {"type": "plain_text", "text": "Edit"},
        "submit": {"type": "plain_text", "text": "Save"},
        "blocks": [{"type": "input", "block_id": "why", "label": label, "element": field}],
    }


def buttons(*names: str) -> list[Json]:
    elements = [
        {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name.title()}}
        for name in names
    ]
    return [{"type": "actions", "elements": elements}]


def ticks() -> list[Json]:
    options = [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("web-1", "web-2")]
    boxes = {"type": "checkboxes", "action_id": "hosts", "options": options, "initial_options": options}
    return [{"type": "actions", "elements": [boxes]}, *buttons("execute")]


@contextmanager
def connected(slack: Workspace, desk: Desk, connections: int = 1) -> Iterator[None]:
    handlers = [BuiltinHandler(desk.app, slack.app_token) for _ in range(connections)]
    for handler in handlers:
        handler.client.connect()
    slack.wait_for_connection(count=connections)
    yield
    closing = [threading.Thread(target=handler.client.close) for handler in handlers]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join(10)


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Workspace, Desk]]:
    """One app on one connection for all tests that do not need their own."""
    with Workspace.start(ack_seconds=1, rate_limits=False) as slack:
        desk = Desk(slack)
        with connected(slack, desk):
            yield slack, desk


@pytest.fixture
def slack(place: tuple[Workspace, Desk]) -> Workspace:
    return place[0]


@pytest.fixture
def desk(place: tuple[Workspace, Desk]) -> Desk:
    place[1].reached.clear()
    return place[1]


def post(slack: Workspace, desk: Desk, blocks: list[Json]) -> str:
    answer = desk.client.chat_postMessage(channel=slack.channel_id("ops"), text="x", blocks=blocks)
    return str(answer["ts"])


def test_a_command_reaches_the_app_and_its_answer_the_person(slack: Workspace, desk: Desk) -> None:
    delivery = slack.command("ana", "ops", "/prune preview web-1")
    assert (delivery.outcome, delivery.via) == ("acked", "socket")
    assert delivery.ack_ms is not None
    assert [one["text"] for one in desk.reached] == ["preview web-1"]
    assert slack.ephemerals("ana")[-1].text == "Looking."


def test_a_late_acknowledgement_is_told_as_slack_tells_it(slack: Workspace, desk: Desk) -> None:
    desk.go.clear()
    try:
        assert slack.command("bo", "ops", "/prune slow").outcome == "timeout"
    finally:
        desk.go.set()
    assert slack.ephemerals("bo")[-1].text == (
        "/prune failed because the app did not respond in time (operation_timeout)."
    )
    late = slack.wait_for(lambda: [one for one in slack.violations if "after its deadline" in one.detail])
    assert late[0].rule == "ack"


def test_a_click_carries_message_state_and_a_trigger(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, ticks())
    slack.choose("ana", slack.message("ops", ts), "hosts", ["web-2"])
    slack.click("ana", slack.message("ops", ts), "Execute")
    body = desk.reached[-1]
    chosen = next(iter(body["state"]["values"].values()))["hosts"]["selected_options"]
    assert [one["value"] for one in chosen] == ["web-2"]
    assert body["message"]["ts"] == ts


def test_what_one_person_ticked_is_not_what_another_sees(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, ticks())
    slack.choose("ana", slack.message("ops", ts), "hosts", [])
    slack.click("bo", slack.message("ops", ts), "execute")
    chosen = next(iter(desk.reached[-1]["state"]["values"].values()))["hosts"]["selected_options"]
    assert [one["value"] for one in chosen] == ["web-1", "web-2"]


def test_of_two_alike_the_one_that_is_named_is_pressed(slack: Workspace, desk: Desk) -> None:
    message = slack.message("ops", post(slack, desk, [*buttons("execute"), *buttons("execute")]))
    pressed = [message.controls[1], "execute", message.controls[1].block_id]
    for control in pressed:
        slack.click("ana", message, control)
    first, second = (one.block_id for one in message.controls)
    said = [body["actions"][0]["block_id"] for body in desk.reached]
    assert said == [second, first, second]


def test_what_is_ticked_in_one_of_two_alike_is_not_ticked_in_the_other(slack: Workspace, desk: Desk) -> None:
    message = slack.message("ops", post(slack, desk, [ticks()[0], *ticks()]))
    slack.choose("ana", message, message.controls[1], ["web-2"])
    slack.click("ana", message, "execute")
    states = [desk.reached[-1]["state"]["values"][one.block_id]["hosts"] for one in message.controls[:2]]
    assert [[one["value"] for one in state["selected_options"]] for state in states] == [
        ["web-1", "web-2"],
        ["web-2"],
    ]


def test_a_control_of_another_message_cannot_be_pressed(slack: Workspace, desk: Desk) -> None:
    one, other = (slack.message("ops", post(slack, desk, buttons("execute"))) for _ in range(2))
    with pytest.raises(WorkspaceError, match=r"no control '.* execute' here"):
        slack.click("ana", one, other.controls[0])


def test_a_click_on_what_was_there_a_moment_ago_is_marked(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, buttons("execute"))
    seen = slack.message("ops", ts)
    desk.client.chat_update(channel=seen.channel, ts=ts, text="done", blocks=[])
    late = slack.click("ana", seen, "execute")
    assert late is not None
    assert (late.stale, late.outcome) == (True, "acked")


def test_a_control_that_is_not_there_cannot_be_pressed(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, buttons("execute"))
    with pytest.raises(WorkspaceError, match=r"no control 'approve' here.*execute \(Execute\)"):
        slack.click("ana", slack.message("ops", ts), "approve")


def test_the_same_click_can_come_twice(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, buttons("execute"))
    click = slack.click("ana", slack.message("ops", ts), "execute")
    assert click is not None
    slack.redeliver(click)
    assert [one["actions"][0]["action_ts"] for one in desk.reached] == [
        click.payload["actions"][0]["action_ts"]
    ] * 2


def test_a_click_on_an_ephemeral_does_not_tell_its_message(slack: Workspace, desk: Desk) -> None:
    ops, ana = slack.channel_id("ops"), slack.user_id("ana")
    desk.client.chat_postEphemeral(channel=ops, user=ana, text="x", blocks=buttons("execute"))
    slack.click("ana", slack.ephemerals("ana")[-1], "execute")
    assert "message" not in desk.reached[-1]
    with pytest.raises(WorkspaceError, match="does not see"):
        slack.click("bo", slack.ephemerals("ana")[-1], "execute")


def test_a_modal_opens_shows_errors_and_closes(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, buttons("edit"))
    slack.click("ana", slack.message("ops", ts), "edit")
    view = slack.wait_for(lambda: slack.view("ana"), what="the modal")
    assert view is not None
    with pytest.raises(WorkspaceError, match="fill in"):
        slack.submit("ana", view, {})
    slack.submit("ana", view, {"reason": "space"})
    shown = slack.wait_for(lambda: slack.view("ana"))
    assert shown is not None
    assert shown.errors == {"why": "Say more."}
    slack.submit("ana", shown, {"reason": "space is short"})
    assert slack.view("ana") is None
    assert desk.reached[-1]["view"]["state"]["values"]["why"]["reason"]["value"] == "space is short"


def test_a_stale_trigger_opens_nothing(slack: Workspace, desk: Desk) -> None:
    delivery = slack.command("ana", "ops", "/prune x")
    slack.advance(3.1)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        desk.client.views_open(trigger_id=delivery.payload["trigger_id"], view=modal())


def test_commands_are_not_taken_in_threads(slack: Workspace, desk: Desk) -> None:
    ts = post(slack, desk, buttons("execute"))
    with pytest.raises(WorkspaceError, match="not supported in threads"):
        slack.say("ana", "ops", "/prune help", thread_ts=ts)


def test_an_event_that_fails_comes_again_with_its_number() -> None:
    with Workspace.start(event_retry_delays=(0, 0, 0), ack_seconds=0.3) as slack:
        desk = Desk(slack)
        with connected(slack, desk):
            delivery = slack.open_home("ana")
    assert (delivery.outcome, delivery.attempt) == ("acked", 2)
    assert desk.retries == ["0", "1", "2"]


def test_each_payload_goes_to_one_of_several_connections() -> None:
    with Workspace.start(rate_limits=False) as slack:
        desk = Desk(slack)
        with connected(slack, desk, connections=2):
            deliveries = [slack.command("ana", "ops", f"/prune {number}") for number in range(20)]
    assert len(desk.reached) == 20
    assert len({one.connection for one in deliveries}) == 2


def test_slacks_farewell_makes_the_client_connect_anew() -> None:
    with Workspace.start() as slack:
        desk = Desk(slack)
        with connected(slack, desk):
            before = slack.command("ana", "ops", "/prune one").connection
            slack.refresh_connections()
            slack.wait_for_connection()
            after = slack.command("ana", "ops", "/prune two").connection
    assert before != after


@contextmanager
def listening(desk: Desk) -> Iterator[str]:
    """Bolt's own adapter behind the standard library's server."""
    from slack_bolt.app.app import SlackAppDevelopmentServer

    development = SlackAppDevelopmentServer(port=0, path="/slack/events", app=desk.app)
    server: HTTPServer = development._server  # the port it was given is told nowhere else
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/slack/events"
    server.shutdown()
    server.server_close()


def test_signed_http_reaches_the_app() -> None:
    with Workspace.start() as slack:
        desk = Desk(slack)
        with listening(desk) as url:
            slack.deliver_to(url)
            command = slack.command("ana", "ops", "/prune preview")
            ts = post(slack, desk, buttons("execute"))
            click = slack.click("ana", slack.message("ops", ts), "execute")
    assert click is not None
    assert [(one.outcome, one.via) for one in (command, click)] == [("acked", "http")] * 2
    assert slack.ephemerals("ana")[0].text == "Looking."


def test_a_wrong_signature_does_not_get_in() -> None:
    with Workspace.start() as slack:
        desk = Desk(slack)
        with listening(desk) as url:
            slack.deliver_to(url, signing_secret="forged")
            delivery = slack.command("ana", "ops", "/prune preview")
    assert (delivery.outcome, delivery.error) == ("failed", "http_error 401")
    assert desk.reached == []


def test_an_event_over_http_is_retried_and_says_why() -> None:
    with Workspace.start(event_retry_delays=(0, 0, 0)) as slack:
        desk = Desk(slack)
        with listening(desk) as url:
            slack.deliver_to(url)
            delivery = slack.open_home("ana")
    assert (delivery.outcome, delivery.attempt, desk.retries) == ("acked", 2, ["", "1", "2"])
