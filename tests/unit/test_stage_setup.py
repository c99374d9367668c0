"""The set-up scripts say what stands in the way before they change anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stage.processes import REPOSITORY

NOBODY = ["unshare", "--user", "--"]
NO_CGROUPS = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /sys/fs/cgroup && exec "$@"', "sh"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The scripts alone, where a .venv or anything else they made would be seen."""
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy")
    return tmp_path


@pytest.fixture
def old_pythons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs that shadow every python3 of the machine."""
    folder = tmp_path_factory.mktemp("old")
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (folder / name).write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
        (folder / name).chmod(0o755)
    return folder


def run(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def told(copy: Path, *before: str) -> str:
    """What set-up says when it is started by the command `before`; it must refuse and leave nothing."""
    status, said = run(*before, str(copy / "deploy/setup"))

    assert status == 1
    assert [path.name for path in copy.iterdir()] == ["deploy"]
    return said


def test_without_root_it_names_root(copy: Path) -> None:
    assert "run it as root" in told(copy, *NOBODY)


def test_without_control_groups_it_names_them(copy: Path) -> None:
    assert "control groups under /sys/fs/cgroup cannot be made" in told(copy, *NO_CGROUPS)


def test_an_old_python_is_named(copy: Path, old_pythons: Path) -> None:
    assert "Python 3.9.2 is too old" in told(copy, "env", f"PATH={old_pythons}:/usr/sbin:/usr/bin")


@pytest.mark.parametrize("script", ["deploy/setup", "deploy/demo"])
def test_an_unknown_option_gets_the_usage(copy: Path, script: str) -> None:
    status, said = run(str(copy / script), "--nonsense")

    assert (status, said.split(":")[0]) == (2, "usage")


@pytest.mark.parametrize("option", ["--once", "--story restore"])
def test_the_demo_tells_what_it_plays(copy: Path, option: str) -> None:
    told = subprocess.run([copy / "deploy/demo", "--help"], capture_output=True, text=True, check=True).stdout

    assert option in told
    assert option in run(str(copy / "deploy/demo"), "--story")[1]
