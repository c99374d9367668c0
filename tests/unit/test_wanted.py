"""What somebody types to have something back, read as one host, a run and objects of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import Help, UsageReply, parse
from bot.wanted import Restore, Wanted
from workers.contract import LONGEST_NAME, MOST_OBJECTS

RUN = "3f2a" * 8


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("restore", Restore()),
        ("Restore  web-1", Restore("web-1")),
        ("restore WEB-1 3F2A", Restore("web-1", Wanted("3f2a"))),
        (f"restore web-1 {RUN} app:2 Front", Restore("web-1", Wanted(RUN, ("app:2", "Front")))),
        ("restore web-1 sha256:3f2a", Restore("web-1", Wanted("sha256:3f2a"))),
        ("restore web-1 app:2", Restore("web-1", Wanted("", ("app:2",)))),
        ("restore web-1 last cafe", Restore("web-1", Wanted("", ("cafe",)))),
        ("restore web-1 cafe", Restore("web-1", Wanted("cafe"))),
        ("restore web-1 3f2a app:2 app:2", Restore("web-1", Wanted("3f2a", ("app:2",)))),
        ("restore `web-1` “3f2a” `app:2`,", Restore("web-1", Wanted("3f2a", ("app:2",)))),
        (
            "restore web\u20111 3f2a <http://app.example|app.example>/x",
            Restore("web-1", Wanted("3f2a", ("app.example/x",))),
        ),
        ("restore --help", Help()),
        ("restore -h", Help()),
    ],
)
def test_what_is_typed_becomes_one_wish(text: str, command: object) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("restore web-*", "takes one host"),
        ("restore web-1,web-2", "takes one host"),
        ("restore --all", "takes one host"),
        ("restore web-1 3f2a --force", "takes no option"),
        (f"restore web-1 3f2a {' '.join(f'o{n}' for n in range(MOST_OBJECTS + 1))}", "At most"),
        (f"restore web-1 3f2a {'x' * (LONGEST_NAME + 1)}", "has at most"),
    ],
)
def test_what_cannot_be_meant_is_answered(text: str, words: str) -> None:
    found = parse(text)

    assert isinstance(found, UsageReply)
    assert words in found.text


@given(st.text(max_size=60))
def test_whatever_is_typed_there_is_one_answer(text: str) -> None:
    found = parse(f"restore {text}")

    assert isinstance(found, Restore | UsageReply | Help)
    if isinstance(found, Restore):
        assert found.wanted == Wanted() or found.host


@given(
    st.sampled_from(["", "3f2a"]),
    st.lists(st.sampled_from(["app:2", "Front", "x/y@z", "beef", "last"]), max_size=3, unique=True),
)
def test_what_is_shown_to_be_typed_again_means_the_same(run: str, objects: list[str]) -> None:
    wanted = Wanted(run, tuple(objects))

    assert parse(wanted.words("web-1").removeprefix("/prune ")) == Restore("web-1", wanted)
