"""The host's command line where no engine is needed: what it takes, what it refuses, and what it says."""

from pathlib import Path

import pytest

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
