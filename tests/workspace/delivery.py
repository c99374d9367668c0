"""Handing payloads to the app, over one socket or as signed HTTP, with Slack's deadline and retries."""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.workspace.records import Delivery
from tests.workspace.signature import signed_headers
from tests.workspace.sockets import Connection, Sockets
from tests.workspace.state import State

Json = dict[str, Any]
ENVELOPES = {"command": "slash_commands", "event": "events_api"}


@dataclass(frozen=True)
class Errand:
    """A payload to hand over, and what happens in the workspace once that went well or badly."""

    kind: str
    user: str
    payload: Json
    finish: Callable[[Delivery], None]
    stale: bool = False


@dataclass(frozen=True)
class HttpTarget:
    url: str
    secret: str


class Refused(Exception):
    """The app answered, but not with 2xx; or nobody could be reached."""


class Courier:
    def __init__(self, state: State, sockets: Sockets) -> None:
        self.state = state
        self.sockets = sockets
        self.target: HttpTarget | None = None

    def begin(self, errand: Errand, attempt: int = 0, reason: str = "") -> Delivery:
        """The delivery's record, under way from now on."""
        number = next(self.state.numbers)
        now = self.state.clock.now()
        fresh = Delivery(number, errand.kind, errand.user, errand.payload, attempt, reason, sent_at=now)
        return self.state.record_delivery(replace(fresh, stale=errand.stale))

    async def carry(self, errand: Errand, delivery: Delivery) -> Delivery:
        """Delivers; an event that is not acknowledged comes again, anything else does not."""
        done = await self._attempt(delivery)
        errand.finish(done)
        if errand.kind == "event" and done.outcome != "acked":
            return await self._again(errand, done)
        return done

    async def _again(self, errand: Errand, last: Delivery) -> Delivery:
        delays = self.state.options.event_retry_delays
        if last.attempt >= len(delays) or "x-slack-no-retry" in (last.answer or {}):
            return last
        await asyncio.sleep(delays[last.attempt])
        return await self.carry(errand, self.begin(errand, last.attempt + 1, last.error))

    async def _attempt(self, delivery: Delivery) -> Delivery:
        begun = asyncio.get_running_loop().time()
        try:
            done = await self._send(delivery)
        except TimeoutError:
            self.state.violate("ack", f"{delivery.kind} not acknowledged in {self._seconds()} s")
            done = replace(delivery, outcome="timeout", error="timeout")
        except (Refused, ClientError, OSError) as cause:
            done = replace(delivery, outcome="failed", error=str(cause) or type(cause).__name__)
        if done.outcome == "acked":
            done = replace(done, ack_ms=(asyncio.get_running_loop().time() - begun) * 1000)
        return self.state.record_delivery(done)

    def _seconds(self) -> float:
        return self.state.options.ack_seconds

    async def _send(self, delivery: Delivery) -> Delivery:
        if self.target:
            return await self._post(delivery, self.target)
        connection = self.sockets.pick()
        if connection is None:
            raise Refused("no connection")
        return await self._push(delivery, connection)

    async def _push(self, delivery: Delivery, connection: Connection) -> Delivery:
        sent = replace(delivery, via="socket", connection=connection.number)
        answer = await self.sockets.ask(connection, _envelope(delivery), self._seconds())
        return replace(sent, outcome="acked", answer=answer)

    async def _post(self, delivery: Delivery, target: HttpTarget) -> Delivery:
        body, content_type = _http_body(delivery)
        headers = {"Content-Type": content_type} | _retry_headers(delivery)
        headers |= signed_headers(target.secret, int(self.state.clock.now()), body)
        timeout = ClientTimeout(total=self._seconds())
        async with (
            ClientSession(timeout=timeout) as session,
            session.post(target.url, data=body.encode(), headers=headers) as response,
        ):
            text = await response.text()
            if not 200 <= response.status < 300:
                raise Refused(f"http_error {response.status}")
            return replace(delivery, via="http", outcome="acked", answer=_http_answer(text))


def _envelope(delivery: Delivery) -> Json:
    envelope: Json = {
        "envelope_id": str(uuid.uuid4()),
        "type": ENVELOPES.get(delivery.kind, "interactive"),
        "accepts_response_payload": delivery.kind != "event",
        "payload": delivery.payload,
    }
    if delivery.kind == "event":
        envelope |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason}
    return envelope


def _http_body(delivery: Delivery) -> tuple[str, str]:
    form = "application/x-www-form-urlencoded"
    if delivery.kind == "command":
        return urlencode(delivery.payload), form
    if delivery.kind == "event":
        return json.dumps(delivery.payload), "application/json"
    return urlencode({"payload": json.dumps(delivery.payload)}), form


def _retry_headers(delivery: Delivery) -> dict[str, str]:
    if not delivery.attempt:
        return {}
    reason = "http_timeout" if delivery.reason == "timeout" else "http_error"
    return {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": reason}


def _http_answer(text: str) -> Json:
    if not text.strip():
        return {}
    try:
        decoded = json.loads(text)
    except ValueError:
        return {"text": text}
    return decoded if isinstance(decoded, dict) else {"text": text}
