"""Images that came from a registry, which serves an engine alone, in its network, while it is needed."""

import contextlib
import subprocess
from collections.abc import Iterable, Iterator

from docker import APIClient

from tests.stage.engine import PATH, DisposableEngine
from tests.stage.errors import StageError
from tests.stage.leftovers import OWNER_VARIABLE
from tests.stage.readiness import wait_until
from tests.stage.spawn import mortal

ADDRESS = "127.0.0.1:5000"
READY_SECONDS = 20
SETTINGS = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/content}}}}
http: {{addr: "{address}"}}
"""


def come_from_registry(engine: DisposableEngine, images: Iterable[tuple[str, str]]) -> None:
    """Send each (tag, "tag" or "digest") to a registry, remove it, pull it back by the one or the other."""
    with _registry(engine):
        for tag, how in images:
            repository, _, version = tag.rpartition(":")
            digest = _push(engine.client, repository, version)
            engine.client.remove_image(tag)
            pulled = digest if how == "digest" else version
            _answers(engine.client.pull(repository, tag=pulled, stream=True, decode=True))


@contextlib.contextmanager
def _registry(engine: DisposableEngine) -> Iterator[None]:
    folder = engine.folder / "registry"
    folder.mkdir(exist_ok=True)
    settings = folder / "settings.yml"
    settings.write_text(SETTINGS.format(folder=folder, address=ADDRESS))
    enter = ["nsenter", "--target", str(engine.pid), "--net", "--"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            mortal([*enter, "docker-registry", "serve", str(settings)]),
            env={"PATH": PATH, OWNER_VARIABLE: str(engine.folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        # It says nothing when it is ready.
        wait_until(lambda: _answers_at(enter), f"registry, see {folder}/log", seconds=READY_SECONDS)
        yield
    finally:
        process.kill()
        process.wait()


def _answers_at(enter: list[str]) -> bool:
    ask = [*enter, "/bin/busybox", "wget", "-q", "-O", "/dev/null", f"http://{ADDRESS}/v2/"]
    return subprocess.run(ask, capture_output=True, check=False).returncode == 0


def _push(client: APIClient, repository: str, version: str) -> str:
    answers = _answers(client.push(repository, tag=version, stream=True, decode=True))
    return next(str(answer["aux"]["Digest"]) for answer in answers if "aux" in answer)


def _answers(stream: Iterable[dict[str, dict[str, str]]]) -> list[dict[str, dict[str, str]]]:
    answers = list(stream)
    for answer in answers:
        if "error" in answer:
            raise StageError(f"engine: {answer['error']}")
    return answers
