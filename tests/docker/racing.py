"""The race that an engine itself does not referee: a container is created while its image is removed (S7)."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection

from tests.docker.worker_host import WorkerHost, codes
from workers.contract import Kind, Report
from workers.reasons import Code

MEETING_SECONDS = 60
Push = Callable[[str, str], object]


class Creation:
    """Asks for a container of an image, and lets its removal go as soon as that is on its way."""

    def __init__(self, socket_path: str, image: str) -> None:
        self.made = ""
        self.removed = False
        self._socket_path, self._image = socket_path, image
        self._together = threading.Barrier(2, timeout=MEETING_SECONDS)
        self._thread = threading.Thread(target=self._create, daemon=True)
        self._thread.start()

    def _create(self) -> None:
        asked = _Unix(self._socket_path)
        with closing(asked):
            asked.connect()
            self._together.wait()
            body = json.dumps({"Image": self._image, "Cmd": ["sh"]})
            asked.request("POST", "/containers/create", body, {"Content-Type": "application/json"})
            self._together.wait()
            self.made = str(json.load(asked.getresponse()).get("Id", ""))

    def before(self, kind: str, _id: str) -> None:
        if kind == "image":
            self._together.wait()
            self._together.wait()

    def after(self, kind: str, _id: str) -> None:
        self.removed = self.removed or kind == "image"

    def join(self) -> None:
        self._thread.join()


class _Unix(HTTPConnection):
    """HTTP to an engine's socket."""

    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=MEETING_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Race:
    """One race: `lost` where both succeeded, and what the run said of it."""

    lost: bool
    image_is_there: bool
    alarms: int
    brought_back: int
    in_order: bool
    report: Report


def race(host: WorkerHost, name: str, *, push: Push | None = None) -> Race:
    """Remove one image while a container of it is created; the host is empty again afterwards."""
    image = host.image(name)
    if push is not None:
        push(image, name)
    plan = host.plan((Kind.IMAGE,))
    creation = Creation(str(host.engine.socket), name)
    report = host.execute(plan, before=creation.before, after=creation.after)
    creation.join()
    lost = bool(creation.made) and creation.removed
    found = codes(report.findings)
    done = Race(
        lost=lost,
        image_is_there=host.image_named(name) == image,
        alarms=found.count(Code.LOST_RACE),
        brought_back=found.count(Code.BROUGHT_BACK),
        # Whatever the race came to: a container has its image, or the run has said that it has not.
        in_order=not creation.made or host.has(image) or Code.LOST_RACE in found,
        report=report,
    )
    _clear(host, image, creation.made)
    return done


def races(host: WorkerHost, repository: str = "race", *, push: Push | None = None) -> Iterator[Race]:
    """One race after another, without end."""
    number = 0
    while True:
        number += 1
        yield race(host, f"{repository}:{number}", push=push)


def _clear(host: WorkerHost, image: str, container: str) -> None:
    if container:
        host.engine.client.remove_container(container)
    if host.has(image):
        host.engine.client.remove_image(image, force=True)
