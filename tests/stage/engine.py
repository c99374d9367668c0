"""Disposable Docker engines: real ones, in namespaces of their own under one folder, gone without a trace."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from docker import APIClient

from tests.stage.cgroups import cgroup_of, remove_cgroup, thaw_cgroup
from tests.stage.errors import ForeignEngine, NotReady
from tests.stage.kinds import MACHINE, EngineKind
from tests.stage.leftovers import MARKER, OWNER_VARIABLE, remove_leftovers
from tests.stage.objects import connect, contents
from tests.stage.readiness import ReadySocket

INIT = Path(__file__).with_name("engine-init")
SOCKET_PATH_LIMIT = 107
SETTINGS = {"dns": ["127.0.0.1"]}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
READY_SECONDS = 60
STOP_SECONDS = 20

NAMESPACES = (
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
)


class DisposableEngine:
    """A dockerd whose containerd, containers, mounts and networks exist only for it."""

    def __init__(self, folder: Path, kind: EngineKind = MACHINE) -> None:
        self.folder = folder
        self.kind = kind
        self.socket = folder / "docker.sock"
        self.data_root = folder / "root"
        self.log = folder / "engine.log"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._client: APIClient | None = None
        self._cgroup = cgroup_of(folder)
        self._take_folder()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process that holds the namespaces, seen from outside."""
        return self._running_process().pid

    @property
    def client(self) -> APIClient:
        """The stage's own client of this engine, bound to its socket and to no other."""
        if self._client is None:
            self._client = connect(self.url)
        return self._client

    @property
    def engine_id(self) -> str:
        return str(self.client.info()["ID"])

    def start(self) -> Self:
        if self.is_running:
            return self
        self._forget_last_boot()
        with ReadySocket(self.folder / "ready.sock") as ready:
            self._launch(ready.environment)
            self._await(ready)
        self._refuse_foreign_engine()
        return self

    def stop(self) -> None:
        """An orderly stop, containers first; what does not stop in time is killed with all its children."""
        if self._lifeline is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._lifeline, b"stop\n")
        self._end(STOP_SECONDS)

    def kill(self) -> None:
        """A power cut: engine, containerd, shims and containers are gone at once, nothing is written down."""
        self._end(0)

    def restart(self) -> Self:
        self.stop()
        return self.start()

    def snapshot(self) -> Path:
        """A copy of all that it stores now, to roll back to."""
        copy = self.folder / f"snapshot-{len(list(self.folder.glob('snapshot-*')))}"
        self.stop()
        _copy(self.data_root, copy)
        self.start()
        return copy

    def roll_back(self, snapshot: Path) -> Self:
        """Come back as of the snapshot, as an engine does whose machine is restored from a backup."""
        self._lose_everything()
        _copy(snapshot, self.data_root)
        return self.start()

    def restart_empty(self) -> Self:
        """Come back with nothing, under another id, as an engine does whose disk was replaced."""
        self._lose_everything()
        return self.start()

    def _lose_everything(self) -> None:
        self.kill()
        shutil.rmtree(self.data_root)
        for key in (self.folder / "etc").glob("*"):
            key.unlink()

    def remove(self) -> None:
        """Stop and delete everything this engine ever made."""
        self.kill()
        remove_leftovers(self.folder)

    def cli(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Debian's docker command line against this engine, without anybody's configuration or plug-ins."""
        environment = self._environment() | {
            "DOCKER_CONFIG": str(self.folder / "cli"),
            "DOCKER_BUILDKIT": "1",
        }
        command = ["/usr/bin/docker", "--host", self.url, *arguments]
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, check=False)
        if done.returncode:
            raise subprocess.SubprocessError(f"{' '.join(command)}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def refuse_contents(self) -> None:
        """Refuse an engine that holds any object: somebody else made it."""
        found = contents(self.client)
        if found:
            raise ForeignEngine(f"engine in {self.folder} is not empty: {', '.join(map(str, found))}")

    def log_tail(self, lines: int = 15) -> str:
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""
        )

    def _take_folder(self) -> None:
        if len(str(self.socket)) > SOCKET_PATH_LIMIT:
            raise ForeignEngine(f"{self.socket} is too long for a unix socket (limit {SOCKET_PATH_LIMIT})")
        marker = self.folder / MARKER
        if not marker.exists() and self.folder.exists() and any(self.folder.iterdir()):
            raise ForeignEngine(f"{self.folder} holds something and carries no {MARKER}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.write_text(f"{self.folder}\n")

    def _forget_last_boot(self) -> None:
        # The pid files of a killed engine name pids that belong to other processes in the new namespace.
        self._end(0)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)
        for name in ("engine.pid", "docker.sock"):
            (self.folder / name).unlink(missing_ok=True)

    def _launch(self, ready: dict[str, str]) -> None:
        (self.folder / "etc").mkdir(exist_ok=True)
        self._write_settings()
        read_end, self._lifeline = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "unshare",
                    *NAMESPACES,
                    str(INIT),
                    str(read_end),
                    str(self.folder),
                    str(self.kind.root),
                    *self._command(),
                ],
                env=self._environment() | ready,
                pass_fds=(read_end,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        os.close(read_end)

    def _write_settings(self) -> None:
        (self.folder / "daemon.json").write_text(json.dumps({**SETTINGS, **self.kind.settings}))

    def _command(self) -> list[str]:
        paths = {
            "config-file": "daemon.json",
            "data-root": "root",
            "exec-root": "exec",
            "pidfile": "engine.pid",
        }
        return [
            "dockerd",
            *(f"--{option}={self.folder / name}" for option, name in paths.items()),
            f"--host={self.url}",
            *("--bridge=none", "--iptables=false", "--ip6tables=false"),
            # systemd would be told pids of the engine's own namespace, which mean nothing to it.
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent=/{self._cgroup}",
        ]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": PATH,
            "HOME": str(self.folder),
            OWNER_VARIABLE: str(self.folder),
        }

    def _await(self, ready: ReadySocket) -> None:
        try:
            ready.wait(self._running_process().pid, seconds=READY_SECONDS)
        except NotReady as silence:
            self.kill()
            raise NotReady(f"engine in {self.folder}: {silence}\n{self.log_tail()}") from silence

    def _refuse_foreign_engine(self) -> None:
        answered = self.client.info()["DockerRootDir"]
        if answered != str(self.data_root):
            self.kill()
            raise ForeignEngine(f"{self.socket} is answered by an engine with its data in {answered}")

    def _end(self, grace: float) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._process is not None:
            self._end_namespace(self._process, grace)
            remove_cgroup(self._cgroup)
            self._process = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _end_namespace(self, holder: subprocess.Popen[bytes], grace: float) -> None:
        """Wait for the namespace to empty itself, then kill it; its last process is reaped on return."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            holder.wait(grace)
            return
        for init in Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(init), signal.SIGKILL)
        thaw_cgroup(self._cgroup)
        holder.wait()

    def _running_process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady(f"engine in {self.folder} is not running")
        return self._process


def _copy(data_root: Path, place: Path) -> None:
    # Layers hold device files, links and attributes that Python's own copying leaves out.
    subprocess.run(["cp", "--archive", str(data_root), str(place)], check=True)
