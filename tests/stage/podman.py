"""A disposable Podman: it speaks Docker's API, and means other things by it."""

import json

from tests.stage.engine import DisposableEngine

CONTAINERS = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
ENGINE = 'cgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'


class DisposablePodman(DisposableEngine):
    """Podman's service under its own folder, to be looked at: its containers are never started."""

    def _write_settings(self) -> None:
        # What lies here appears in the engine's own /etc.
        settings = self.folder / "upper/etc/containers"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "policy.json").write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
        (settings / "containers.conf").write_text(f"[containers]\n{CONTAINERS}[engine]\n{ENGINE}")

    def _command(self) -> list[str]:
        places = {"root": "root", "runroot": "exec", "tmpdir": "tmp"}
        return [
            "podman",
            *(f"--{option}={self.folder / name}" for option, name in places.items()),
            "--storage-driver=overlay",
            *("system", "service", "--time=0", self.url),
        ]
