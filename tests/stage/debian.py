"""Programs of other Debian suites, unpacked into a folder: nothing is installed, apt is left as it is.

What was once made is kept between runs. It is made again where anything of it is missing.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stage.errors import NotToBeHad
from tests.stage.folder import HOME, refuse_strangers

CACHE = HOME / "safe-prune-suites"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FETCH_SECONDS = 600
ARCHIVE = re.compile(r"^'(?P<mirror>[^']+/debian)/+dists/", re.MULTILINE)
# Later suites take these folders for links; unpacked without them, half of the programs would not be found.
CHOSEN_WHEN_INSTALLED = ("iptables", "ip6tables")
MERGED = ("bin", "sbin", "lib", "lib64")


@dataclass(frozen=True, kw_only=True)
class Closure:
    """Packages of a Debian suite, with all that they depend on."""

    suite: str
    packages: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the folder of it is called."""
        return f"{self.suite}-{self.packages[0]}"


def unpacked(wanted: Closure, cache: Path = CACHE) -> Path:
    """The folder that holds the packages, made first where it is not there or not whole.

    Raises:
        NotToBeHad: they cannot be fetched here.
    """
    folder = cache / wanted.name
    with _held(cache, wanted.name):
        if not _is_whole(folder):
            _make(wanted, folder)
    return folder


def version_in(folder: Path, package: str) -> str:
    """The version of a package that was unpacked there, as Debian counts."""
    archives = (name.split("_") for name in _noted(folder)["archives"])
    return next(version.replace("%3a", ":") for name, version, _ in archives if name == package)


@contextmanager
def _held(cache: Path, name: str) -> Iterator[None]:
    """One maker at a time; a second one waits and finds it made."""
    refuse_strangers(cache)
    cache.mkdir(mode=0o700, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(wanted: Closure, folder: Path) -> None:
    fetching = folder.with_name(f"{folder.name}.fetching")
    for old in (folder, fetching, _notes(folder)):
        _delete(old)
    try:
        archives = _fetch(wanted, fetching)
        _unpack(archives, folder)
        _notes(folder).write_text(
            json.dumps({"archives": [path.name for path in archives], "files": _files(folder)})
        )
    finally:
        _delete(fetching)


def _fetch(wanted: Closure, place: Path) -> list[Path]:
    """Download the packages with an apt that knows only this suite and nothing of what is installed here."""
    for part in ("lists/partial", "cache/archives/partial"):
        (place / part).mkdir(parents=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {wanted.suite} main\n")
    (place / "apt.conf").write_text(_apt_configuration(place))
    _apt(place, "update")
    _apt(place, "install", "--download-only", "--no-install-recommends", *wanted.packages)
    return sorted((place / "cache/archives").glob("*.deb"))


def _apt_configuration(place: Path) -> str:
    settings = {
        "Dir::Etc::sourcelist": place / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": place / "lists",
        "Dir::State::status": place / "status",
        "Dir::Cache": place / "cache",
        "APT::Keep-Downloaded-Packages": "true",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Debug::NoLocking": "true",
    }
    return "".join(f'{key} "{value}";\n' for key, value in settings.items())


def _mirror() -> str:
    """Where this machine itself gets Debian from."""
    told = subprocess.run(["apt-get", "--print-uris", "update"], capture_output=True, text=True, check=False)
    found = ARCHIVE.search(told.stdout)
    if found is None:
        raise NotToBeHad("no Debian archive is named in the apt sources of this machine")
    return found["mirror"]


def _apt(place: Path, *arguments: str) -> None:
    environment = {**os.environ, "APT_CONFIG": str(place / "apt.conf"), "LC_ALL": "C.UTF-8"}
    _run(["apt-get", "-qq", "-y", *arguments], environment)


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(str(error)) from error
    if done.returncode:
        raise NotToBeHad(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")


def _unpack(archives: Sequence[Path], folder: Path) -> None:
    for name in MERGED:
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    for place in ("proc", "sys", "dev", "run", "tmp", "etc", "var/tmp"):
        (folder / place).mkdir(parents=True)
    for archive in archives:
        _run(["bash", "-o", "pipefail", "-c", UNPACK, "unpack", str(archive), str(folder)])
    for name in CHOSEN_WHEN_INSTALLED:
        (folder / "usr/sbin" / name).symlink_to(f"{name}-nft")


# Packages that still ship /bin itself must follow the link that is already there.
UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"'


def _is_whole(folder: Path) -> bool:
    return _notes(folder).exists() and _noted(folder)["files"] == _files(folder)


def _noted(folder: Path) -> dict[str, dict[str, int]]:
    noted: dict[str, dict[str, int]] = json.loads(_notes(folder).read_text())
    return noted


def _notes(folder: Path) -> Path:
    """What was unpacked, written last: without it, or where it does not fit, the folder is no good."""
    return folder.with_name(f"{folder.name}.json")


def _files(folder: Path) -> dict[str, int]:
    """Every file with its size."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.stat().st_size for path in found}


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
