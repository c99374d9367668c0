"""The connection to Slack does not stay deaf, and ends whole, whoever else closes its socket."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.errors import AccessLost
from bot.health import Signs, troubles
from bot.loop import Loop
from bot.requests import Line
from bot.slack.app import SocketMode
from tests.workspace import Workspace


class Raced:
    """A session whose socket another thread closes while we do."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        if self.closed == 1:
            raise AttributeError("'NoneType' object has no attribute 'close'")


def test_a_lost_app_token_is_said_once_until_it_is_taken_again(caplog: pytest.LogCaptureFixture) -> None:
    with Workspace.start() as slack:
        bolt = App(token="xoxb-1", signing_secret="s", token_verification_enabled=False)
        socket = SocketMode(bolt, app_token=slack.app_token, base_url=slack.api_url)
        for times in (2, 1):
            slack.refuse_next("apps.connections.open", "invalid_auth", times=times)
            for _ in range(times):
                with pytest.raises(AccessLost, match="invalid_auth"):
                    socket.open()
            assert socket._handler.client.issue_new_wss_url().startswith("ws://")
        socket.close()

    said = [message for message in caplog.messages if message.startswith("no connection to Slack")]
    assert len(said) == 2
    assert "set SLACK_APP_TOKEN to what the app has now" in said[0]


PING_SECONDS = 0.2


@pytest.fixture
def connection(slack: Workspace) -> Iterator[SocketMode]:
    who = AuthorizeResult(enterprise_id=None, team_id=slack.team_id, bot_token="")
    bolt = App(authorize=lambda: who, signing_secret="s")
    bolt.command("/prune")(lambda ack: ack())
    made = SocketMode(bolt, app_token=slack.app_token, base_url=slack.api_url, ping_seconds=PING_SECONDS)
    watching = Loop("socket", made.watch)
    watching.start()
    yield made
    watching.stop(10)
    made.close()


@pytest.fixture
def slack() -> Iterator[Workspace]:
    with Workspace.start() as workspace:
        yield workspace


def test_a_connection_over_which_nothing_comes_any_more_is_made_anew(
    slack: Workspace, connection: SocketMode
) -> None:
    connection.open()
    slack.wait_for_connection(10)

    slack.deafen_connections()

    slack.wait_for_connection(20)
    assert slack.command("ana", "ops", "/prune").outcome == "acked"


def test_so_is_one_over_which_nothing_ever_came(slack: Workspace, connection: SocketMode) -> None:
    slack.deafen_connections(new_ones=True)
    connection.open()

    slack.deafen_connections()

    slack.wait_for_connection(20)
    assert slack.command("ana", "ops", "/prune").outcome == "acked"


def test_who_watches_the_bot_is_told_of_a_deaf_connection() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    line = Line(up=True, since=noon)

    def told(is_connected: bool | None, silent_for: float | None) -> list[str]:
        return list(troubles(Signs(is_connected, silent_for, line, noon, noon), noon))

    assert told(True, 59.0) == told(None, None) == []
    assert told(True, 61.0) == ["nothing came over the connection to Slack for 61 s"]
    assert told(False, 61.0) == ["not connected to Slack"]


def test_a_socket_that_is_closed_by_two_at_once_leaves_no_thread_behind() -> None:
    bolt = App(token="xoxb-1", signing_secret="s", token_verification_enabled=False)
    socket = SocketMode(bolt, app_token="xapp-1", base_url="http://127.0.0.1:1/api/")
    client = socket._handler.client
    client.current_session = Raced()

    socket.close()

    assert client.current_session.closed == 2
    assert not client.message_processor.is_alive()
    with pytest.raises(RuntimeError, match="shutdown"):
        client.message_workers.submit(print)
