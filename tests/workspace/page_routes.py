"""The web page's routes: its files, what one person sees, their acts, and a stream of changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.workspace.acting import Acting
from tests.workspace.delivery import Errand
from tests.workspace.errors import WorkspaceError
from tests.workspace.page_state import find_target, page_state
from tests.workspace.server import Server

Json = dict[str, Any]
FOLDER = Path(__file__).parent / "page"
LOOK_SECONDS = 0.1
LOCAL = ("127.0.0.1", "localhost")


class PageRoutes:
    def __init__(self, server: Server, acting: Acting) -> None:
        self.server = server
        self.acting = acting

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._index),
            web.get("/archives/{channel}/p{ts:[0-9]{7,}}", self._permalink),
            web.get("/page/state", self._state),
            web.get("/page/changes", self._changes),
            web.post("/page/act", self._act),
            web.get("/page/{name}", self._file),
            web.get("/files/{id}", self._download),
        ]

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return _fresh(FOLDER / "index.html")

    async def _permalink(self, request: web.Request) -> web.StreamResponse:
        """What chat.getPermalink gave: the page, at that channel and with that message's thread open."""
        channel, digits = request.match_info["channel"], request.match_info["ts"]
        message = self.server.state.messages.get((channel, f"{digits[:-6]}.{digits[-6:]}"))
        if message is None:
            return web.Response(status=404, text="no such message")
        place = {"channel": channel, "thread": message.thread_ts or message.ts}
        raise web.HTTPFound(f"/?{urlencode(place)}")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        wanted = request.match_info["name"]
        known = {path.name: path for path in FOLDER.iterdir() if path.is_file()}
        return _fresh(known[wanted]) if wanted in known else web.Response(status=404, text="no such file")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        file = self.server.state.files.get(request.match_info["id"])
        if file is None:
            return web.Response(status=404, text="no such file")
        charset = None if file.is_image else "utf-8"
        return web.Response(body=file.content, content_type=file.mimetype, charset=charset)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        try:
            seen = page_state(self.server.state, query.get("user", "ana"), query.get("channel", ""))
        except WorkspaceError as refusal:
            return web.json_response({"error": str(refusal)}, status=404)
        return web.json_response(seen)

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await stream.prepare(request)
        try:
            async for version in self._versions():
                await stream.write(f"data: {version}\n\n".encode())
        except ConnectionError:
            pass
        return stream

    async def _versions(self) -> AsyncIterator[int]:
        """Changes, gathered over a moment: a page need not redraw more often than eyes can follow."""
        seen = -1
        while not self.server.away:
            if self.server.state.version != seen:
                seen = self.server.state.version
                yield seen
            await asyncio.sleep(LOOK_SECONDS)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        """Only this page acts: another site open in the same browser must not press buttons here."""
        origin = request.headers.get("Origin", "")
        if request.url.host not in LOCAL or origin not in (
            f"http://{host}:{self.server.port}" for host in LOCAL
        ):
            return web.json_response({"error": "only this page may act"}, status=403)
        wanted = await request.json()
        try:
            note = await self._perform(wanted)
        except WorkspaceError as refusal:
            return web.json_response({"error": str(refusal)})
        return web.json_response(note)

    async def _perform(self, wanted: Json) -> Json:
        acts: dict[str, Callable[[Json], Errand | None]] = {
            "command": lambda act: self.acting.command(act["user"], act["channel"], act["text"]),
            "say": self._say,
            "click": self._click,
            "choose": self._choose,
            "submit": self._submit,
            "close": lambda act: self.acting.close(act["user"]),
            "home": lambda act: self.acting.open_home(act["user"]),
        }
        errand = acts[wanted["act"]](wanted)
        if errand is None:
            return {}
        courier = self.server.courier
        done = await courier.carry(errand, courier.begin(errand))
        return {"outcome": done.outcome, "ack_ms": done.ack_ms}

    def _say(self, act: Json) -> None:
        self.acting.say(act["user"], act["channel"], act["text"], act.get("thread_ts"))

    def _click(self, act: Json) -> Errand:
        target = find_target(self.server.state, act)
        return self.acting.click(act["user"], target, act["control"], act.get("option"))

    def _choose(self, act: Json) -> Errand:
        target = find_target(self.server.state, act)
        return self.acting.choose(act["user"], target, act["control"], act["values"])

    def _submit(self, act: Json) -> Errand:
        view = self.server.state.top_view(self.server.state.directory.user(act["user"]).id)
        if view is None:
            raise WorkspaceError("no modal is open")
        return self.acting.submit(act["user"], view, act["values"])


def _fresh(path: Path) -> web.FileResponse:
    return web.FileResponse(path, headers={"Cache-Control": "no-store"})
