"""The host's command line where no engine is needed: what it takes, what it refuses, and what it says."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from workers import __main__ as process
from workers.cli.command_line import parser, run
from workers.cli.commands import init
from workers.cli.refusal import Exit
from workers.errors import UsageError
from workers.host import Place
from workers.settings import WorkerSettings

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


# A state folder that cannot be used


@pytest.fixture
def shut(place: Place) -> Place:
    """Nothing can be written there, whoever tries: even root makes no folder inside a file."""
    place.state_dir.write_text("")
    return replace(place, state_dir=place.state_dir / "deeper")


def test_a_freeze_that_cannot_be_kept_is_told_in_whole_sentences(
    shut: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    done, said = command(shut, "freeze", "release")
    told = capsys.readouterr().err

    assert (done, said) == (Exit.REFUSED, [])
    assert (
        "web-1 is not frozen by this. Nothing was removed. To see what is wrong: python -m workers doctor"
        in told
    )
    assert ".." not in told


def test_a_doctor_tells_of_a_ledger_that_cannot_be_used_once_with_what_to_do(shut: Place) -> None:
    done, said = command(shut, "doctor")
    found = [line for line in said if str(shut.state_dir) in line]

    assert (done, len(found)) == (Exit.FAILED, 1)
    assert found[0].startswith(f"NOT OK ledger: ledger {shut.ledger_file}: ")
    assert found[0].endswith(
        f"next: Make the folder {shut.state_dir} for the worker's user, or correct PRUNE_STATE_DIR."
    )


# Help and usage


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(arguments)
    assert ended.value.code == Exit.USAGE
    return capsys.readouterr().err


def test_what_is_too_much_is_answered_with_the_usage_of_its_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    preview = refused(["preview", "image"], capsys)
    top = refused(["--colour"], capsys)

    assert preview.startswith("usage: python -m workers preview [-h] [--only KIND,…]")
    assert "unrecognized arguments: image" in preview
    assert top.startswith("usage: python -m workers [-h] COMMAND")


@pytest.mark.parametrize("command", ["preview", "execute"])
def test_the_help_of_only_names_the_kinds(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([command, "--help"])

    assert "only these: container, image, network, build-cache" in " ".join(capsys.readouterr().out.split())


def test_the_help_names_variables_with_the_defaults_that_they_have() -> None:
    told = parser().format_help()
    named = dict(re.findall(r"^  ([A-Z_]+) .* default:? (\S+)$", told, re.M))
    known = {name.upper(): str(field.default) for name, field in WorkerSettings.model_fields.items()}

    assert {"DOCKER_HOST", "PRUNE_POLICY", "PRUNE_STATE_DIR"} <= set(named)
    assert {name: known[name] for name in named} == named
    assert set(re.findall(r"PRUNE_[A-Z_]+|REDIS_URL", told)) <= set(known)


# The first policy


def test_one_folder_is_made_for_the_first_policy_and_told(tmp_path: Path) -> None:
    said: list[str] = []
    init.write_new(tmp_path / "etc" / "policy.toml", "text", said.append)

    assert (tmp_path / "etc" / "policy.toml").read_text() == "text"
    assert said == [f"Made the folder {tmp_path / 'etc'}."]


def test_a_first_policy_somewhere_unlikely_is_not_written(tmp_path: Path) -> None:
    """A slip in PRUNE_POLICY made folders that nobody looks into."""
    with pytest.raises(UsageError, match=f"no folder {tmp_path / 'ect'}; correct PRUNE_POLICY"):
        init.write_new(tmp_path / "ect" / "safe-prune" / "policy.toml", "text", lambda _: None)

    assert list(tmp_path.iterdir()) == []


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


def test_a_broken_pipe_to_an_engine_is_an_error_to_be_told_and_ends_no_process(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def look(*_: object, **__: object) -> Exit:
        found.append(signal.getsignal(signal.SIGPIPE))
        return Exit.DONE

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(process, "run", look)
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        process.main(["preview"])
    finally:
        signal.signal(signal.SIGPIPE, before)

    assert found == [signal.SIG_IGN]


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


def test_who_finds_no_engine_reads_where_it_was_looked_for(environment: Mapping[str, str]) -> None:
    nameless = {name: value for name, value in environment.items() if name != "PRUNE_HOST"}
    ended, told = started(nameless, "preview", "")

    assert ended == Exit.USAGE
    assert f"correct DOCKER_HOST ({NOBODY}), or set PRUNE_HOST" in told
