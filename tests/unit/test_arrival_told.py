"""Whether it can be read when images came here: the doctor finds it, and `init` says it."""

import argparse
from pathlib import Path

import pytest

from tests.unit.facts_host import ENGINE
from workers.cli.commands import init
from workers.cli.doctor import arrival
from workers.cli.initial import policy_text
from workers.contract import EngineIdentity, Store
from workers.host import Place

UNREAD = "cannot be read, so images count from when this worker first saw them"
RECORDS = ("image", "overlay2", "imagedb", "content", "sha256")


def a_place(folder: Path, address: str = "unix:///nonexistent.sock") -> Place:
    return Place("web-1", address, folder / "policy.toml", folder)


def an_engine(root: Path, store: Store = Store.GRAPH_DRIVER) -> EngineIdentity:
    return ENGINE.model_copy(update={"data_root": str(root), "store": store})


def test_records_that_may_be_looked_at_tell_when_images_came(tmp_path: Path) -> None:
    records = tmp_path.joinpath(*RECORDS)
    records.mkdir(parents=True)
    found = arrival(a_place(tmp_path), an_engine(tmp_path))

    assert (found.good, found.found, found.next_step) == (True, f"read from {records}", "")


# A name that is too long fails as a folder does that others may not look into; whoever is root may.
@pytest.mark.parametrize("root", ["missing", "x" * 300, "n\x00l", "\ud800"])
def test_s10_where_no_record_can_be_looked_at_images_count_from_first_sight(
    tmp_path: Path, root: str
) -> None:
    found = arrival(a_place(tmp_path), an_engine(tmp_path / root))

    assert (found.good, found.found) == (True, UNREAD)
    assert found.next_step == f"Let the worker read {tmp_path / root} to know it at once."


def test_s10_records_of_this_machine_are_not_those_of_an_engine_elsewhere(tmp_path: Path) -> None:
    tmp_path.joinpath(*RECORDS).mkdir(parents=True)
    found = arrival(a_place(tmp_path, "tcp://elsewhere.example:2376"), an_engine(tmp_path))

    assert found.found == UNREAD


def test_an_engine_with_a_containerd_store_knows_it_itself(tmp_path: Path) -> None:
    found = arrival(a_place(tmp_path), an_engine(tmp_path / "missing", Store.CONTAINERD))

    assert (found.found, found.next_step) == ("the engine records it", "")


# Said by `init`


class Answering:
    """An engine as far as `init` asks it."""

    def __init__(self, data_root: Path) -> None:
        self._identity = an_engine(data_root)

    def containers(self) -> list[object]:
        return []

    def identity(self) -> EngineIdentity:
        return self._identity

    def close(self) -> None:
        pass


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, *, prints: bool) -> list[str]:
    monkeypatch.setattr(init, "Engine", lambda address: Answering(folder / "missing"))
    lines: list[str] = []
    init.run(argparse.Namespace(print=prints), a_place(folder), lines.append)
    return lines


def test_init_says_that_arrival_cannot_be_read_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = said(tmp_path, monkeypatch, prints=False)

    step = f"Let the worker read {tmp_path / 'missing'} to know it at once."
    assert first == f"Arrival of images: {UNREAD}. {step}"
    assert last.startswith(f"Wrote {tmp_path / 'policy.toml'}.")


def test_what_init_prints_is_the_policy_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, monkeypatch, prints=True) == [policy_text(())]
