"""The connection to Slack ends whole, whoever else closes its socket at that time."""

import pytest
from slack_bolt import App

from bot.errors import AccessLost
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
