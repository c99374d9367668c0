"""The host's command line does what needs neither Redis nor the engine, whatever is wrong with these two."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.stage.member import finished
from tests.stage.processes import MINIMAL
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders


def typed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PRUNE_HOST": "web-1",
        "DOCKER_HOST": f"unix://{folder}/none.sock",
        "PRUNE_STATE_DIR": str(folder / "state"),
        "PRUNE_REDIS_PASSWORD_FILE": str(folder / "none"),
    }
    return finished("workers", arguments, {**MINIMAL, **environment})


def test_a_password_that_cannot_be_read_bars_no_freeze(tmp_path: Path) -> None:
    assert typed(tmp_path, "freeze", "disk", "swap").returncode == 0
    with closing(Ledger(tmp_path / "state" / "ledger.db")) as ledger:
        assert StandingOrders(ledger).frozen() is not None


def test_an_unfreeze_says_whether_the_host_was_frozen(tmp_path: Path) -> None:
    said = [typed(tmp_path, command).stdout for command in ("unfreeze", "freeze", "unfreeze")]
    assert (said[0], said[2]) == ("web-1 was not frozen.\n", "web-1 is not frozen any more.\n")


def test_a_doctor_says_that_it_cannot_be_read(tmp_path: Path) -> None:
    done = typed(tmp_path, "doctor")
    assert (done.returncode, "PRUNE_REDIS_PASSWORD_FILE" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("command", "holds"),
    [("freeze", "web-1 is not frozen by this."), ("unfreeze", "What held before holds on.")],
)
def test_what_was_not_written_down_is_said_not_to_hold(command: str, holds: str, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    done = typed(tmp_path, command)
    assert (done.returncode, holds in done.stderr) == (3, True)
