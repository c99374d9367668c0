"""Socket Mode: the connections of the app, and the envelopes that wait for their acknowledgement."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.workspace import limits
from tests.workspace.people import APP_ID
from tests.workspace.state import State
from tests.workspace.tickets import Tickets

Json = dict[str, Any]


@dataclass
class Connection:
    number: int
    socket: web.WebSocketResponse
    retired: bool = False
    deaf: bool = False


@dataclass
class Sockets:
    """All connections; one payload goes to one of them, at random, as in Slack."""

    state: State
    tickets: Tickets
    open: list[Connection] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    deaf: bool = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from its ticket to its close."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets.sockets:
            return web.Response(status=401, text="invalid_ticket")
        self.tickets.sockets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30, autoping=False)
        await socket.prepare(request)
        connection = Connection(next(self.state.numbers), socket, deaf=self.deaf)
        if len(self.open) >= limits.most("socket.connections"):
            await self._turn_away(socket)
        else:
            await self._keep(connection)
        return socket

    async def _turn_away(self, socket: web.WebSocketResponse) -> None:
        self.state.violate("socket.connections", f"connection number {len(self.open) + 1}")
        await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
        await socket.close()

    async def _keep(self, connection: Connection) -> None:
        await connection.socket.send_json(self._hello())
        self.open.append(connection)
        self._count()
        try:
            await self._listen(connection)
        finally:
            self.open.remove(connection)
            self._count()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open) + 1,
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "localhost", "approximate_connection_time": 18060},
        }

    def _count(self) -> None:
        with self.state.change():
            self.state.connections = len(self.usable())

    async def _listen(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.deaf:
                continue
            if message.type is WSMsgType.PING:
                await connection.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        envelope = answer.get("envelope_id")
        waiting = self.waiting.get(envelope)
        if waiting and not waiting.done():
            waiting.set_result(answer.get("payload") or {})
        elif envelope in self.forgotten:
            self.state.violate("ack", f"envelope {envelope} acknowledged after its deadline")

    def usable(self) -> list[Connection]:
        return [one for one in self.open if not (one.retired or one.deaf or one.socket.closed)]

    def pick(self) -> Connection | None:
        usable = self.usable()
        return random.choice(usable) if usable else None

    async def ask(self, connection: Connection, envelope: Json, seconds: float) -> Json:
        """Sends an envelope and waits for its acknowledgement; TimeoutError past the deadline."""
        key = envelope["envelope_id"]
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.waiting[key] = waiting
        try:
            await connection.socket.send_json(envelope)
            return await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            self.forgotten.add(key)
            raise
        finally:
            del self.waiting[key]

    async def deafen(self, *, new_ones: bool) -> None:
        """Connections stand and nothing is heard over them, not even a ping."""
        self.deaf = new_ones
        for connection in self.open:
            connection.deaf = True
        self._count()

    async def refresh(self) -> None:
        """Slack's regular farewell: the client is to open another connection, then this one is closed."""
        leaving = self.usable()
        for connection in leaving:
            connection.retired = True
            await connection.socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
        self._count()
        await asyncio.gather(*(self._close_later(connection) for connection in leaving))

    async def _close_later(self, connection: Connection) -> None:
        pending = list(self.waiting.values())
        if pending:
            await asyncio.wait(pending, timeout=self.state.options.ack_seconds)
        await connection.socket.close()

    async def close_all(self) -> None:
        for connection in list(self.open):
            await connection.socket.close(code=1001, message=b"going away")
