"""When pruning cannot help: a filesystem stays full whatever the plan frees."""

from typing import Any

import pytest

from tests.unit.facts_host import (
    NOW,
    Thing,
    a_case,
    a_container,
    a_plan,
    a_policy,
    a_volume,
    an_image,
    running,
)
from tests.unit.test_disk import EVERYTHING, measured, usage
from workers.contract import DiskPart, Filesystem
from workers.planning.inventory import Measured
from workers.reasons import Code, Reason
from workers.wording import Voice, sentence

ABOUT = (Code.DISK_STAYS_FULL, Code.INODES_STAY_SCARCE)


def a_filesystem(used: int = 0, *, inodes: int = 0, path: str = "/data") -> Filesystem:
    """Of 1,000 bytes and 1,000 inodes."""
    return Filesystem(path=path, total=1000, free=1000 - used, inodes=1000, inodes_free=1000 - inodes)


def said(*things: Thing, on: Filesystem, logs: dict[str, int] | None = None, **facts: Any) -> list[Reason]:
    case = a_case(*things, **{"measured": measured(logs, on=on)} | facts)
    return [notice for notice in a_plan(case).notices if notice.code in ABOUT]


@pytest.mark.parametrize(("used", "expected"), [(850, []), (851, [Code.DISK_STAYS_FULL]), (0, [])])
def test_only_what_is_fuller_than_85_percent_is_said(used: int, expected: list[Code]) -> None:
    assert [one.code for one in said(on=a_filesystem(used))] == expected


@pytest.mark.parametrize(("used", "expected"), [(850, []), (851, [Code.INODES_STAY_SCARCE])])
def test_inodes_likewise(used: int, expected: list[Code]) -> None:
    assert [one.code for one in said(on=a_filesystem(inodes=used))] == expected


def test_a_filesystem_without_a_number_of_inodes_has_enough() -> None:
    assert said(on=a_filesystem().model_copy(update={"inodes": 0, "inodes_free": 0})) == []


def test_a_host_that_cannot_be_measured_is_not_called_full() -> None:
    assert said(running("web"), on=a_filesystem(), measured=Measured()) == []


@pytest.mark.parametrize(("used", "expected"), [(851, []), (852, [Code.DISK_STAYS_FULL])])
def test_a_plan_that_frees_enough_is_not_complained_of(used: int, expected: list[Code]) -> None:
    """In these plans each removal frees one byte."""
    assert [one.code for one in said(an_image("app:1"), on=a_filesystem(used))] == expected


def test_what_is_freed_on_another_filesystem_does_not_help_this_one() -> None:
    full = measured(on=a_filesystem(851), holds=EVERYTHING - {DiskPart.IMAGES})
    [told] = said(an_image("app:1"), on=a_filesystem(), measured=full)

    assert (told.params["freed"], told.params["after"]) == (0, 86)


def test_the_log_of_a_container_goes_with_it() -> None:
    assert said(a_container("spent"), on=a_filesystem(1000), logs={"spent": 149}) == []
    [told] = said(a_container("spent"), running("web"), on=a_filesystem(1000), logs={"spent": 148, "web": 9})

    assert told.params["freed"] == 149
    assert str(told.params["biggest"]).split("\n") == ["rest 843", "log 9 web"]


def test_what_is_big_instead_is_named_biggest_first_and_exactly() -> None:
    things = (
        *(running("api", writable=7), a_volume("pgdata", size=400), a_volume("small", size=2)),
        an_image("app:1"),
    )
    [told] = said(*things, on=a_filesystem(960), logs={"api": 100}, usage=usage(30))

    assert told.params == {
        "path": "/data",
        "share": 96,
        "freed": 1,
        "used": 960,
        "after": 96,
        "biggest": "rest 421\nvolume 400 pgdata\nlog 100 api",
    }


def test_images_that_stay_are_told_without_those_that_go() -> None:
    [told] = said(an_image("app:1"), on=a_filesystem(900), usage=usage(880))

    assert str(told.params["biggest"]) == "images 879\nrest 20"


def test_no_more_than_two_are_said_and_the_gravest_first() -> None:
    disks = tuple(
        (a_filesystem(used, inodes=inodes, path=path), frozenset[DiskPart]())
        for used, inodes, path in ((870, 990, "/a"), (950, 0, "/b"))
    )

    found = said(on=a_filesystem(), measured=Measured(filesystems=disks))

    assert [(one.code, one.params["path"], one.params["share"]) for one in found] == [
        (Code.INODES_STAY_SCARCE, "/a", 99),
        (Code.DISK_STAYS_FULL, "/b", 95),
    ]


def test_what_guards_the_host_is_said_before() -> None:
    case = a_case(measured=measured(on=a_filesystem(999)), policy=a_policy(protected_images=["nothing"]))

    codes = [notice.code for notice in a_plan(case).notices]
    assert codes[:3] == [Code.NOTHING_CRITICAL, Code.DISK_STAYS_FULL, Code.PATTERN_MATCHES_NOTHING]


# In words


def test_a_sentence_says_what_stays_and_what_is_big() -> None:
    [told] = said(running("api"), a_volume("pgdata", size=400), on=a_filesystem(960), logs={"api": 100})

    assert sentence(told, Voice(quote=lambda name: f"`{name}`", now=NOW)) == (
        "The filesystem of `/data` is 96 % full, and this plan frees at most 0 B of the 960 B in use there, "
        "which leaves it 96 % full; biggest there: what Docker does not count (460 B), "
        "volume `pgdata` (400 B) and the log of `api` (100 B). "
        "Pruning cannot help there; look at what is biggest."
    )


def test_inodes_are_told_by_their_number() -> None:
    [told] = said(on=a_filesystem(inodes=990))

    assert sentence(told) == (
        "The filesystem of /data has 99 % of its inodes in use (990 of 1,000), and no engine tells how many "
        "a removal frees. Look for folders of many small files; du --inodes counts them."
    )


@pytest.mark.parametrize("code", ABOUT)
def test_s1_no_advice_speaks_of_removing_volumes(code: Code) -> None:
    words = sentence(Reason(code=code, params={"biggest": "volume 5 data"})).lower()

    assert not {"remove", "delete", "rm"} & set(words.replace(",", " ").replace(".", " ").split())
