"""The HTTP server, in a thread with its own loop: Web API, response urls, uploads, sockets."""

import asyncio
import json
import secrets
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from aiohttp import web

from tests.workspace.delivery import Courier
from tests.workspace.errors import ApiError, WorkspaceError
from tests.workspace.failures import Failure, Failures
from tests.workspace.responses import answer_response_url
from tests.workspace.sockets import Sockets
from tests.workspace.state import State
from tests.workspace.tickets import Tickets
from tests.workspace.web_api import Answer, Tokens, WebApi

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Result = TypeVar("Result")
HOST = "127.0.0.1"
SILENCE_SECONDS = 60
# What a response_url answers that does not post, by its HTTP status; anything else is 400.
GONE = {
    **dict.fromkeys(("used_url", "expired_url", "no_such_url", "message_not_found"), 404),
    "channel_is_archived": 410,
}


class Server:
    """Owns the loop; everything else in the workspace reaches it through `run`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.tickets = Tickets()
        self.tokens = Tokens(f"xoxb-{secrets.token_hex(12)}", f"xapp-{secrets.token_hex(12)}")
        self.api = WebApi(state, self.tickets, self.tokens, lambda: self.url)
        self.sockets = Sockets(state, self.tickets)
        self.courier = Courier(state, self.sockets)
        self.failures = Failures()
        self.routes: list[web.RouteDef] = []
        self.port = 0
        self.away = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="workspace", daemon=True)
        self._silence: asyncio.Event | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self, port: int) -> None:
        self._thread.start()
        try:
            self.run(self._open(port))
        except OSError:
            self._end_loop()
            raise

    def stop(self) -> None:
        self.run(self._close())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Result], seconds: float | None = 30) -> Result:
        return self.begin(work).result(seconds)

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _open(self, port: int) -> None:
        app = web.Application(middlewares=[self._gate], client_max_size=64 * 1024 * 1024)
        app.add_routes(self._own_routes() + self.routes)
        self._silence = asyncio.Event()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await self._listen(port)

    async def _listen(self, port: int) -> None:
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, HOST, port, reuse_address=True)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])

    async def _close(self) -> None:
        self.away = True
        await self._end_silence()
        await self.sockets.close_all()
        if self._runner:
            await self._runner.cleanup()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _end_silence(self) -> None:
        if self._silence:
            self._silence.set()
            self._silence = asyncio.Event()

    def go_away(self) -> None:
        self.run(self._go_away())

    async def _go_away(self) -> None:
        self.away = True
        if self._site:
            await self._site.stop()
        await self._end_silence()
        await self.sockets.close_all()

    def end_silence(self) -> None:
        self.run(self._end_silence())

    def come_back(self) -> None:
        self.away = False
        self.run(self._listen(self.port))

    def must_be_here(self) -> None:
        if self.away:
            raise WorkspaceError("slack is away: nobody reaches it")

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Connections kept open from before must not get through while the workspace is away."""
        if self.away and request.transport:
            request.transport.abort()
        return await handler(request)

    def _own_routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/api/{method}", self._api),
            web.get("/link/", self.sockets.serve),
            web.post("/hooks/{path:.+}", self._hook),
            web.post("/upload/v1/{ticket}", self._upload),
        ]

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        values = await _values(request)
        failure = self.failures.take(method)
        if failure and not failure.after_effect:
            return await self._fail(request, method, values, failure)
        answer = self.api.answer(method, _token(request, values), values)
        if failure:
            return await self._fail(request, method, values, failure)
        return self._api_answer(answer)

    def _api_answer(self, answer: Answer) -> web.Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self.state.scopes))}
        if answer.retry_after:
            headers["Retry-After"] = str(answer.retry_after)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _fail(self, request: web.Request, name: str, values: Json, failure: Failure) -> web.Response:
        body = {"ok": False, "error": failure.name}
        self.api.record(name, values, Answer(body, failure.status or 0))
        if failure.status is None:
            await self._stay_silent(request)
        retry = failure.retry_after if failure.status == 429 else None
        return self._api_answer(Answer(body, failure.status or 504, retry))

    async def _stay_silent(self, request: web.Request) -> None:
        assert self._silence is not None
        with suppress(TimeoutError):
            await asyncio.wait_for(self._silence.wait(), SILENCE_SECONDS)
        if request.transport:
            request.transport.abort()

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        values = await _values(request)
        body = json.loads(values["payload"]) if "payload" in values else values
        failure = self.failures.take("response_url")
        if failure:
            return await self._fail(request, "response_url", body, failure)
        return self._hook_answer(request.match_info["path"], body)

    def _hook_answer(self, path: str, body: Json) -> web.Response:
        try:
            answer_response_url(self.state, self.tickets, path, body)
        except ApiError as refusal:
            status = GONE.get(refusal.name, 400)
            found = Answer({"ok": False, "error": refusal.name, **refusal.fields}, status)
            self.api.record("response_url", body, found)
            return self._api_answer(found)
        self.api.record("response_url", body, Answer({"ok": True}))
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        upload = self.tickets.uploads.get(request.match_info["ticket"])
        if upload is None or upload.content is not None:
            return web.Response(status=404, text="no such upload")
        upload.content = await _uploaded_bytes(request)
        return web.Response(text=f"OK - {len(upload.content)}")


async def _uploaded_bytes(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    form = await request.post()
    found = next(iter(form.values()))
    return found.file.read() if isinstance(found, web.FileField) else str(found).encode()


async def _values(request: web.Request) -> Json:
    """The arguments of a call: query, then form or JSON body."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        decoded = json.loads(text) if text else {}
        return values | (decoded if isinstance(decoded, dict) else {})
    form = await request.post()
    return values | {key: str(value) for key, value in form.items()}


def _token(request: web.Request, values: Json) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") if header else str(values.get("token", ""))
