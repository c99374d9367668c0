"""The host's command line where no engine is needed: what it takes, what it refuses, and what it says."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from workers import __main__ as process
from workers.cli.command_line import parser, run
from workers.cli.refusal import Exit
from workers.host import Place

NOBODY = "unix:///nowhere/docker.sock"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A host whose engine does not answer."""
    return Place(
        host="web-1",
        address=NOBODY,
        policy_file=tmp_path / "policy.toml",
        state_dir=tmp_path / "state",
    )


def command(place: Place, *arguments: str) -> tuple[Exit, list[str]]:
    said: list[str] = []
    return run(parser().parse_args(arguments), place, said.append), said


def test_s3_a_plan_that_is_confirmed_is_not_cut_down_by_kind(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was confirmed once went whole, whatever --only said."""
    done, said = command(place, "execute", "--confirm", "0123456789ab", "--only", "container")

    assert (done, said) == (Exit.USAGE, [])
    assert "leave --only out" in capsys.readouterr().err


# At the process's edge


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """What a process needs to work with a ledger of its own and no engine."""
    mine = {"PRUNE_HOST": "web-1", "PRUNE_STATE_DIR": str(tmp_path), "DOCKER_HOST": NOBODY}
    return {"PATH": os.environ["PATH"], "PRUNE_POLICY": str(tmp_path / "policy.toml"), **mine}


def started(environment: Mapping[str, str], arguments: str, output: str) -> tuple[int, str]:
    """What a shell has of it: the exit code, and what was said beside the output."""
    line = f"exec {sys.executable} -m workers {arguments} {output}"
    done = subprocess.run(
        ["/bin/bash", "-c", line], env=environment, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("output", "why"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")]
)
def test_an_output_that_takes_nothing_is_said_in_one_sentence(
    environment: Mapping[str, str], output: str, why: str
) -> None:
    found = started(environment, "standing", output)

    assert found == (Exit.FAILED, f"The output cannot be written ({why}). Nothing was removed.\n")


@pytest.mark.parametrize("arguments", ["standing", "--help"])
def test_a_reader_that_is_gone_ends_a_command_as_it_does_any_other(
    environment: Mapping[str, str], arguments: str
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "workers", arguments]
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize(
    ("command", "state"), [("preview", "Nothing was removed."), ("execute", "python -m workers audit")]
)
def test_ctrl_c_is_told_in_one_sentence(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    state: str,
) -> None:
    def cut_off(*_: object, **__: object) -> Exit:
        raise KeyboardInterrupt

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(process, "run", cut_off)
    ended, told = process.main([command]), capsys.readouterr().err

    assert (ended, told.count("\n")) == (Exit.INTERRUPTED, 1)
    assert told.startswith("Interrupted.")
    assert state in told
