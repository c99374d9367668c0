"""The connection to Slack ends whole, whoever else closes its socket at that time."""

import pytest
from slack_bolt import App

from bot.slack.app import SocketMode


class Raced:
    """A session whose socket another thread closes while we do."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        if self.closed == 1:
            raise AttributeError("'NoneType' object has no attribute 'close'")


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
