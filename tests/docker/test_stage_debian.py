"""Programs of another Debian suite lie in a folder, whole, or they are fetched again."""

from pathlib import Path

import pytest

from tests.stage.debian import Closure, unpacked, version_in
from tests.stage.errors import NotToBeHad

SMALL = Closure(suite="trixie", packages=("tini",))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suites")
    unpacked(SMALL, folder)
    return folder


def stamp(cache: Path) -> int:
    return (cache / "trixie-tini.json").stat().st_mtime_ns


def test_what_was_unpacked_is_kept(cache: Path) -> None:
    before = stamp(cache)
    folder = unpacked(SMALL, cache)

    assert (stamp(cache), (folder / "usr/bin/tini").stat().st_size > 0) == (before, True)
    assert version_in(folder, "tini").startswith("0.")


@pytest.mark.parametrize("harm", ["cut short", "lost"])
def test_what_is_not_whole_is_made_again(cache: Path, harm: str) -> None:
    before, program = stamp(cache), cache / "trixie-tini/usr/bin/tini"
    whole = program.stat().st_size
    if harm == "lost":
        program.unlink()
    else:
        program.write_bytes(program.read_bytes()[:100])
    unpacked(SMALL, cache)

    assert (stamp(cache) > before, program.stat().st_size) == (True, whole)


def test_what_no_mirror_has_is_named(cache: Path) -> None:
    with pytest.raises(NotToBeHad, match="nosuchsuite"):
        unpacked(Closure(suite="nosuchsuite", packages=("tini",)), cache)
    assert not (cache / "nosuchsuite-tini.json").exists()
