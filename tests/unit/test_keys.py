"""Signing keys are replaced without a moment in which none signs, and the file is whole at every moment."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot import key_commands, keys
from bot.__main__ import main, parser
from bot.errors import SettingsError
from bot.memory.audit import Audit
from bot.memory.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keys.make(tmp_path / "signing.key")
    return tmp_path / "signing.key"


def ids(path: Path) -> list[str]:
    return [key.id for key in keys.load_all(path)]


def said(path: Path, *words: str) -> list[str]:
    options = parser().parse_args(["keys", *words])
    return list(key_commands.ACTIONS[options.action](options, path))


def test_a_second_key_does_not_sign_until_it_is_told_to(path: Path) -> None:
    old = keys.load(path).id
    new = keys.add(path).id

    assert (keys.load(path).id, ids(path)) == (old, [old, new])
    keys.use(path, new)
    assert ids(path) == [new, old]
    keys.retire(path, old)
    assert ids(path) == [new]


def test_the_key_that_signs_is_never_retired(path: Path) -> None:
    keys.add(path)
    before = path.read_bytes()

    with pytest.raises(SettingsError, match="signs, so hosts would stop obeying"):
        keys.retire(path, keys.load(path).id)
    assert path.read_bytes() == before


def test_there_are_two_keys_at_most(path: Path) -> None:
    second = keys.add(path).id

    with pytest.raises(SettingsError, match=f"keys retire {second}"):
        keys.add(path)


@pytest.mark.parametrize("change", [keys.use, keys.retire])
def test_a_key_that_is_not_there_is_named_with_those_that_are(path: Path, change: object) -> None:
    assert callable(change)
    with pytest.raises(SettingsError, match=f"no key k9; there is: {keys.load(path).id}"):
        change(path, "k9")


def test_a_first_key_is_not_replaced(path: Path) -> None:
    with pytest.raises(SettingsError, match="not replaced"):
        keys.make(path)


def test_the_file_is_for_the_bot_alone_and_nothing_is_left_beside_it(path: Path) -> None:
    keys.use(path, keys.add(path).id)

    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_disk_that_takes_nothing_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(SettingsError, match="No space left"):
        keys.add(path)
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link.key")
    link.symlink_to(path)

    keys.add(link)

    assert link.is_symlink()
    assert len(ids(path)) == 2


@pytest.mark.parametrize("cut", [2, 60, 100])
def test_half_a_file_is_no_key(path: Path, cut: int) -> None:
    keys.add(path)
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(SettingsError, match="is not a signing key"):
        keys.load(path)


def test_who_signs_is_looked_at_again_when_the_file_is_another_one(path: Path) -> None:
    signing = keys.InUse(path)
    old, new = signing().id, keys.add(path).id

    assert signing().id == old
    keys.use(path, new)
    assert signing().id == new


def test_a_file_that_cannot_be_read_any_more_does_not_silence_a_running_bot(path: Path) -> None:
    signing = keys.InUse(path)
    known = signing().id
    path.unlink()
    assert signing().id == known

    path.write_bytes(keys.SigningKey(Ed25519PrivateKey.generate()).pem)
    assert signing().id != known


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("", "a", [("key_made", "a")]),
        ("a", "ab", [("key_made", "b")]),
        ("ab", "ba", [("key_used", "b")]),
        ("ba", "b", [("key_retired", "a")]),
        ("ab", "ab", []),
    ],
)
def test_what_was_done_to_the_keys_is_for_the_record(
    before: str, after: str, found: list[tuple[str, str]]
) -> None:
    assert key_commands.changes(before, after) == found


def test_the_command_line_leads_from_one_key_to_the_other(path: Path) -> None:
    (old,) = ids(path)
    new = said(path, "new")

    known = ids(path)
    assert new[-1] == keys.host_line(keys.load_all(path))
    assert [f"{old}\tsigns", f"{known[1]}\tdoes not sign", new[-1]] == said(path)
    assert any(f"keys retire {old}" in line for line in said(path, "use", known[1]))
    assert said(path, "retire", old)[-1] == keys.host_line([keys.load(path)])


class _Closed:
    """A standard output that nobody reads any more, as behind `| head -0`."""

    def write(self, _: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        """Nothing is held."""


def test_what_was_done_is_on_record_before_it_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNE_STATE_DIR", str(path.parent))
    (old,) = ids(path)
    monkeypatch.setattr("sys.stdout", _Closed())
    with pytest.raises(BrokenPipeError):
        main(["keys", "new"])

    (new,) = set(ids(path)) - {old}
    with closing(Database(path.parent / "bot.sqlite3")) as database:
        acts = [(act.what, act.detail["key"]) for act in Audit(database).acts()]
    assert acts == [("key_made", new)]


def test_s4_what_could_not_be_recorded_is_not_done(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNE_STATE_DIR", str(path.parent))
    (path.parent / "bot.sqlite3").write_text("no database")

    assert (main(["keys", "new"]), len(ids(path))) == (1, 1)
