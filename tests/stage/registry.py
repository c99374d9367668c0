"""A real registry (Debian's docker-registry) on the loopback of one engine, which trusts its own loopback."""

import base64
import contextlib
import http.client
import json
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from docker.errors import APIError

from tests.stage.engine import PATH, DisposableEngine
from tests.stage.errors import NotReady, StageError
from tests.stage.leftovers import OWNER_VARIABLE
from tests.stage.netns import inside
from tests.stage.spawn import mortal

READY_SECONDS = 60
ANSWER_SECONDS = 30
MANIFESTS = ", ".join(
    f"application/vnd.{form}+json"
    for form in (
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "oci.image.index.v1",
    )
)
LOGIN = {"username": "stage", "password": "stage"}
# The registry reads nothing but bcrypt; this is the login above.
HTPASSWD = "stage:$2b$05$kZezJcKHgCwZEE16XxeQ7OjtZ1UvRgRrMnkdsZ.OX73S/dbpda7sW\n"


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Registry:
    """Stop it and start it at will: what was pushed stays. With `private`, only LOGIN gets in."""

    def __init__(
        self, engine: DisposableEngine, folder: Path, *, port: int = 5000, private: bool = False
    ) -> None:
        self.engine, self.folder, self.port = engine, folder, port
        self.address = f"127.0.0.1:{port}"
        self.log = folder / "registry.log"
        self._login = LOGIN if private else None
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "htpasswd").write_text(HTPASSWD)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Return when it listens; to be called from a thread that outlives it, while the engine runs."""
        (self.folder / "config.json").write_text(json.dumps(self._settings()))
        self._process = subprocess.Popen(
            mortal(
                [
                    *("nsenter", "--target", str(self.engine.pid), "--net", "--"),
                    *("docker-registry", "serve", str(self.folder / "config.json")),
                ]
            ),
            env={"PATH": PATH, OWNER_VARIABLE: str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._wait_until_it_listens(self._process)
        return self

    def stop(self) -> None:
        """The registry is away: connections to it are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def push(self, image: str, name: str) -> str:
        """Push an image of the engine as ``app:1``, let it keep the name, and return its digest there."""
        repository, _, tag = name.rpartition(":")
        self.engine.client.tag(image, f"{self.address}/{repository}", tag)
        answers = self.engine.client.push(
            f"{self.address}/{repository}", tag, stream=True, decode=True, auth_config=self._login
        )
        for _ in _without_error(answers):
            pass
        return self.digest(repository, tag)

    def pull(self, name: str) -> str:
        """Pull ``app:1`` or ``app@sha256:…`` to the engine; returns the image's id."""
        return pull(self.engine, f"{self.address}/{name}", login=self._login)

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Forget an image, as a retention rule of a registry does; engines go on naming its digest."""
        answer = self._ask("DELETE", f"/v2/{repository}/manifests/{digest}")
        if answer.status != http.client.ACCEPTED:
            raise StageError(f"registry: {answer.status} for deleting {repository}@{digest}")

    def digest(self, repository: str, reference: str) -> str:
        """The digest of what it would give back for a tag. Not all engines say it when they push."""
        return str(self._found(f"/v2/{repository}/manifests/{reference}").headers["Docker-Content-Digest"])

    def has(self, repository: str, reference: str) -> bool:
        """Whether it would give the image back, by tag or by digest."""
        return self._ask("HEAD", f"/v2/{repository}/manifests/{reference}").status == http.client.OK

    def blobs(self, repository: str, digest: str) -> list[str]:
        """The digests of an image's layers as they are transferred, base first."""
        manifest = json.loads(self._found(f"/v2/{repository}/manifests/{digest}").body)
        return [str(layer["digest"]) for layer in manifest["layers"]]

    def _found(self, path: str) -> "_Answer":
        answer = self._ask("GET", path)
        if answer.status != http.client.OK:
            raise StageError(f"registry: {answer.status} for {path}: {answer.body.decode(errors='replace')}")
        return answer

    def _ask(self, method: str, path: str) -> "_Answer":
        return inside(self.engine, lambda: self._answer(method, path))

    def _answer(self, method: str, path: str) -> "_Answer":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Accept": MANIFESTS} | self._credentials())
            answer = connection.getresponse()
            return _Answer(answer.status, answer.headers, answer.read())

    def _credentials(self) -> dict[str, str]:
        if self._login is None:
            return {}
        pair = f"{self._login['username']}:{self._login['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def _settings(self) -> dict[str, Any]:
        door = {"realm": "stage", "path": str(self.folder / "htpasswd")}
        return {
            "version": "0.1",
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "storage")},
                # Deleted is deleted: no cache goes on vouching for it.
                "delete": {"enabled": True},
            },
            "http": {"addr": self.address, "secret": "stage"},
            **({"auth": {"htpasswd": door}} if self._login else {}),
        }

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        listens, silent = threading.Event(), threading.Event()
        threading.Thread(target=self._follow, args=(process, listens, silent), daemon=True).start()
        if not listens.wait(READY_SECONDS) or silent.is_set():
            self.stop()
            raise NotReady(f"registry on {self.address} does not listen:\n{self.log.read_text()}")

    def _follow(
        self, process: subprocess.Popen[bytes], listens: threading.Event, silent: threading.Event
    ) -> None:
        """Write down what it says; at its end nobody waits any longer."""
        said = False
        with self.log.open("ab", buffering=0) as log:
            for line in process.stderr or ():
                log.write(line)
                if b"listening on" in line:
                    said = True
                    listens.set()
        if not said:
            silent.set()
            listens.set()


def pull(engine: DisposableEngine, name: str, *, login: Mapping[str, str] | None = None) -> str:
    """Pull REGISTRY/NAME:TAG or REGISTRY/NAME@DIGEST; returns the image's id."""
    # docker-py reads a digest as the tag.
    repository, _, tag = name.partition("@") if "@" in name else name.rpartition(":")
    try:
        answers = engine.client.pull(repository, tag, stream=True, decode=True, auth_config=login)
    except APIError as error:
        raise StageError(f"engine: {error.explanation}") from error
    for _ in _without_error(answers):
        pass
    found: Any = engine.client.inspect_image(name)  # type: ignore[no-untyped-call]
    return str(found["Id"])


def _without_error(answers: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for answer in answers:
        if "error" in answer:
            raise StageError(f"engine: {answer['error']}")
        yield answer
