"""A redis-server of one's own on the loopback interface, with the durability the product asks for.

The default user may do everything and is the tests' own; it has a password, so that nobody passes for it.
"""

import random
import shutil
import socket
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from tests.stage.certificates import Authority, Pair
from tests.stage.errors import NotReady
from tests.stage.leftovers import OWNER_VARIABLE, remove_leftovers
from tests.stage.readiness import ReadySocket
from tests.stage.spawn import mortal

OWN_PASSWORD = "stage"
READY_SECONDS = 60
STOP_SECONDS = 10
# Below the ports that the kernel gives to connections, of which any could take one that is free now.
NEVER_GIVEN = range(10_000, 32_768)


class RedisServer:
    """Start, stop, kill, empty or roll back at will; the address stays the same.

    With an authority it speaks TLS alone, and only to whom the authority has given a certificate.
    """

    def __init__(self, folder: Path, authority: Authority | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"redis://127.0.0.1:{self.port}/0"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._listening = {"port": str(self.port)}
        if authority:
            self._listen_with(authority)
        self.url = self.url_of("default", OWN_PASSWORD)
        self.refusals: list[str] = []
        self._users = folder / "users.acl"
        self.log = folder / "redis.log"
        self._append_only = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._users.write_text(f"user default on >{OWN_PASSWORD} ~* &* +@all\n")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        remove_leftovers(self.folder)

    @property
    def pid(self) -> int:
        return self._running().pid

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _listen_with(self, authority: Authority) -> None:
        """Take nobody without a certificate of this authority; the tests' own client has one."""
        own = authority.pair("redis")
        self.address = over_tls(f"rediss://127.0.0.1:{self.port}/0", authority, authority.pair("tests"))
        self._listening = {
            "port": "0",
            "tls-port": str(self.port),
            "tls-cert-file": str(own.certificate),
            "tls-key-file": str(own.key),
            "tls-ca-cert-file": str(authority.file),
            "tls-auth-clients": "yes",
        }

    def url_of(self, user: str, password: str) -> str:
        return self.address.replace("://", f"://{user}:{password}@")

    def admit(self, acl_line: str) -> None:
        """Give a user its rights, for good."""
        _, user, *rules = acl_line.split()
        with closing(self.client()) as client:
            client.execute_command("ACL", "SETUSER", user, *rules)
            client.execute_command("ACL", "SAVE")

    def note_refusals(self) -> list[str]:
        """What anybody was refused so far, over all lives of this server."""
        with suppress(redis.RedisError), closing(redis.Redis.from_url(self.url, socket_timeout=5)) as client:
            answer: Any = client.acl_log()
            self.refusals += [
                f"{e['username']}: {e['reason']} {e['object']} ({e['context']})" for e in answer
            ]
            client.acl_log_reset()
        return self.refusals

    def start(self) -> Self:
        """Return when it answers; to be called from a thread that outlives it."""
        self._append_only.mkdir(exist_ok=True)
        with ReadySocket(self.folder / "ready.sock") as ready, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                mortal(self._command()),
                env={"PATH": "/usr/bin:/bin", OWNER_VARIABLE: str(self.folder), **ready.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._await(ready)
        return self

    def stop(self) -> None:
        """An orderly stop: everything is on disk."""
        if self._process is not None:
            self.note_refusals()
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """A crash: what the append-only file has not got is lost."""
        if self._process is not None:
            self.note_refusals()
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart_empty(self) -> Self:
        """Come back with nothing, as a Redis does whose disk was replaced."""
        self.kill()
        shutil.rmtree(self._append_only)
        return self.start()

    def snapshot(self) -> Path:
        """A copy of all that is stored now, to roll back to."""
        copy = self.folder / f"snapshot-{len(list(self.folder.glob('snapshot-*')))}"
        self.stop()
        shutil.copytree(self._append_only, copy)
        self.start()
        return copy

    def copied(self) -> Path:
        """The same while it goes on: every write is on the disk before it is answered."""
        copy = self.folder / f"snapshot-{len(list(self.folder.glob('snapshot-*')))}"
        shutil.copytree(self._append_only, copy)
        return copy

    def roll_back(self, snapshot: Path) -> Self:
        """Come back as of the snapshot, as a Redis does that is restored from a backup."""
        self.kill()
        shutil.rmtree(self._append_only)
        shutil.copytree(snapshot, self._append_only)
        return self.start()

    def _command(self) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            **self._listening,
            "dir": str(self._append_only),
            "aclfile": str(self._users),
            "appendonly": "yes",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "supervised": "systemd",
            "daemonize": "no",
            # A new title would be written over the environment, and with it over the mark of whose it is.
            "set-proc-title": "no",
        }
        return ["redis-server", *(word for key, value in settings.items() for word in (f"--{key}", value))]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady(f"redis-server on {self.url} is not running")
        return self._process

    def _await(self, ready: ReadySocket) -> None:
        try:
            ready.wait(self.pid, seconds=READY_SECONDS)
        except NotReady as silence:
            self.kill()
            raise NotReady(
                f"redis-server on port {self.port}: {silence}\n{self.log.read_text()}"
            ) from silence


def over_tls(url: str, authority: Authority, pair: Pair) -> str:
    """The same address for who shows this certificate and trusts this authority."""
    return f"{url}?ssl_ca_certs={authority.file}&ssl_certfile={pair.certificate}&ssl_keyfile={pair.key}"


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and that no connection is given by itself."""
    while True:
        port = random.choice(NEVER_GIVEN)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
