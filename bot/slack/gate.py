"""The gate for HTTP: what comes in is small, signed by Slack, and not old, before anything reads it.

Bolt reads a request before it asks who signed it: JSON that is none, or too deep, would end in its traceback.
"""

import io
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from slack_sdk.signature import SignatureVerifier

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

# Slack's own payloads hold one message or one view; those stay far below this.
MOST_BYTES = 1_000_000


class Gate:
    """Lets through what Slack signed in the last five minutes, and answers for what cannot be read."""

    def __init__(self, inside: "WSGIApplication", signing_secret: str) -> None:
        self._inside, self._verifier = inside, SignatureVerifier(signing_secret)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request."""
        body = environ["wsgi.input"].read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            return say(start_response, "413 Content Too Large", "too large")
        if not self._is_signed(body, environ):
            return say(start_response, "401 Unauthorized", "not signed by Slack, or too long ago")
        return self._let_in(body, environ, start_response)

    def _is_signed(self, body: bytes, environ: "WSGIEnvironment") -> bool:
        timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP")
        signature = environ.get("HTTP_X_SLACK_SIGNATURE")
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except (ValueError, TypeError):
            # No number, no text, or letters that no signature has: not by Slack.
            return False

    def _let_in(
        self, body: bytes, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        read = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        try:
            return self._inside(read, start_response)
        except Exception as error:  # noqa: BLE001 - the edge of the process: what comes in may be anything
            logger.warning("a request is left out, for it cannot be read: %s", type(error).__name__)
            return say(start_response, "400 Bad Request", "not understood")


def say(start_response: "StartResponse", status: str, text: str) -> Iterable[bytes]:
    """Answer in plain words."""
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
