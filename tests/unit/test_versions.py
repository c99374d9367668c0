"""The way back stays: versions in use, those before them, and those that came after (S9)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import (
    ENGINE,
    a_case,
    a_container,
    a_plan,
    a_policy,
    an_image,
    an_image_id,
    days,
    going,
    names,
    running,
    seen,
    why,
)
from workers.contract import Store
from workers.memory.sightings import Sighting
from workers.planning.ages import REPOSITORY
from workers.planning.facts import Case, Memory
from workers.planning.inventory import Container, Image
from workers.planning.policy import Policy
from workers.reasons import Code

DIGEST = f"sha256:{'cd' * 32}"


def releases(count: int = 6) -> list[Image]:
    """app:1 came 50 days ago, each next one 5 days later."""
    return [an_image(f"app:{number}", arrived=55 - 5 * number) for number in range(1, count + 1)]


def staying(
    *users: Container, images: list[Image] | None = None, memory: Memory | None = None, **keys: int
) -> set[str]:
    """The tags of the releases that stay."""
    case = a_case(*users, *(images or releases()), policy=a_policy(**keys), memory=memory)
    return {image.shown for image in case.inventory.images} - going(case)


def test_s9_the_version_in_use_the_one_before_and_newer_ones_stay() -> None:
    case = a_case(running("web", of="app:4"), *releases())

    assert going(case) == {"app:1", "app:2"}
    assert (why(case, "app:3"), why(case, "app:5")) == ([Code.PREVIOUS_VERSION], [Code.NEWER_VERSION])
    assert why(case, "app:2") == [Code.SUPERSEDED]


@pytest.mark.parametrize(
    ("keep", "before"),
    [(0, set()), (1, {"app:3"}), (2, {"app:2", "app:3"}), (9, {"app:1", "app:2", "app:3"})],
)
def test_s9_keep_previous_says_how_many_stay(keep: int, before: set[str]) -> None:
    assert staying(running("web", of="app:4"), keep_previous=keep) == {"app:4", "app:5", "app:6"} | before


def test_s9_a_repository_that_nothing_uses_has_no_way_back() -> None:
    assert staying() == set()
    assert staying(running("web", of="other:1")) == set()


def test_s9_versions_stay_tagged_or_not() -> None:
    images = [*releases(2), an_image(id=an_image_id("before"), arrived=30), an_image("app:4", arrived=20)]
    memory = seen({"app:4": 20}, named={"before": {"docker.io/library/app:latest": 60}})

    assert staying(running("web", of="app:4"), images=images, memory=memory) == {images[2].shown, "app:4"}


def test_s9_digest_only_images_are_versions_too() -> None:
    pinned = an_image(id=an_image_id("pinned"), digests=names(f"app@{DIGEST}"), arrived=32)

    assert staying(running("web", of="app:4"), images=[*releases(), pinned]) >= {pinned.shown, "app:4"}


def test_s9_repositories_with_similar_names_are_different_ones() -> None:
    images = [an_image("app-worker:1"), an_image("team/app:1"), an_image("other.example/app:1")]

    assert staying(running("web", of="app:4"), images=images) == set()


def test_s9_protected_versions_do_not_count_toward_the_quota() -> None:
    policy = a_policy(protected_images=["app:3"])
    case = a_case(running("web", of="app:4"), *releases(), policy=policy)

    assert (going(case), why(case, "app:2")) == ({"app:1"}, [Code.PREVIOUS_VERSION])


@pytest.mark.parametrize("ended", [13, 10])
def test_s9_what_ran_lately_counts_as_used_though_its_container_goes(ended: float) -> None:
    case = a_case(a_container("web", of="app:4", ended=ended), *releases())

    assert going(case) == {"web", "app:1", "app:2"}


def test_s9_what_ran_long_ago_does_not() -> None:
    case = a_case(a_container("web", of="app:4", ended=20), *releases())

    assert going(case) == {"web"} | {image.shown for image in releases()}


def test_s9_the_ledger_remembers_what_ran_in_a_container_that_is_gone() -> None:
    assert staying(memory=seen(used={"app:4": 13.99})) == {"app:3", "app:4", "app:5", "app:6"}
    assert staying(memory=seen(used={"app:4": 14.01})) == set()


def test_s9_the_previous_version_is_the_one_that_ran_last_not_the_one_that_came_last() -> None:
    memory = seen(used={"app:1": 16, "app:6": 1})

    assert staying(running("web", of="app:6"), memory=memory) == {"app:1", "app:6"}


@pytest.mark.parametrize(
    ("since", "previous"), [(None, {"app:2"}), (44, {"app:2"}), (46, {"app:1", "app:2"})]
)
def test_s9_one_that_is_known_never_to_have_run_takes_no_place_of_one_that_did(
    since: float | None, previous: set[str]
) -> None:
    # app:2 came 45 days ago, when app:1 had been down for a day; app:3 came five days later, and runs.
    memory = replace(seen(used={"app:1": 46}), since=since and days(since))
    newer = {f"app:{number}" for number in range(3, 7)}

    assert staying(running("web", of="app:3"), memory=memory) == newer | previous


@pytest.mark.parametrize(("first", "previous"), [(44, {"app:2"}), (46, {"app:1", "app:2"})])
def test_s9_a_gap_does_not_make_a_version_that_never_ran_as_good_as_one_that_did(
    first: float, previous: set[str]
) -> None:
    memory = replace(seen(used={"app:1": 46}), since=days(1), followed_first=days(first))
    newer = {f"app:{number}" for number in range(3, 7)}

    assert staying(running("web", of="app:3"), memory=memory) == newer | previous


@pytest.mark.parametrize("used", [{"ran": 20}, {"ran": 20, "runs": 0}])
def test_s9_builds_that_took_over_the_name_of_what_runs_have_not_run(used: dict[str, float]) -> None:
    """Nightly builds of `app:latest` beside a container that was made of an earlier one."""
    came = {"ran": 60, "runs": 20, "night1": 3, "night2": 2}
    images = [an_image(id=an_image_id(image), arrived=ago) for image, ago in came.items()]
    images.append(an_image("app:latest", arrived=1))
    named = {image: {"docker.io/library/app:latest": ago} for image, ago in came.items()}
    web = running("web", of="app:latest", image_id=an_image_id("runs"))
    case = a_case(web, *images, memory=seen(used=used, named=named))

    assert [why(case, one.shown) for one in images] == [
        [Code.PREVIOUS_VERSION],
        [Code.IN_USE, Code.CURRENT_VERSION],
        [Code.NEWER_VERSION],
        [Code.NEWER_VERSION],
        [Code.IN_USE],
    ]


def test_s9_where_what_runs_has_lost_its_name_no_version_that_ran_before_is_taken_for_it() -> None:
    """`web` runs of what app:9 once was; app:2 ran yesterday. Which version runs is not known."""
    images = [an_image(f"app:{number}", arrived=ago) for number, ago in ((9, 50), (8, 45), (7, 40), (2, 20))]
    web = running("web", of="app:9", image_id=an_image_id("moved"))
    by_id = a_container("job", of="app:2", ended=1)
    by_name = a_container("job", of="app:2", image_id=an_image_id("moved too"), ended=1)

    for job in (by_id, by_name):
        assert going(a_case(web, job, *images, policy=a_policy(container_grace="0s"))) == {"job"}


def test_s9_a_use_still_to_come_leaves_the_versions_in_their_places() -> None:
    """A preview was made while the clock was ahead."""
    ahead = Sighting(days(60), days(-300), days(-300))
    memory = Memory(sightings={(REPOSITORY, "docker.io/library/app"): ahead})

    assert staying(running("web", of="app:4"), memory=memory) == {"app:3", "app:4", "app:5", "app:6"}


@pytest.mark.parametrize("policy", [{}, {"protected_containers": ["one"]}])
def test_s9_where_none_ran_by_id_the_name_places_versions_whatever_stays(policy: dict[str, Any]) -> None:
    """A container that stays must not make an older version go that would stay without it."""
    moved = {"of": "app:1", "image_id": an_image_id("untagged"), "ended": 15}
    pinned = a_container("pinned", **(moved | {"references": names(f"app@{DIGEST}")}))
    things = [
        a_container("one", **moved),
        pinned,
        an_image("app:1", arrived=15),
        an_image("app:4", arrived=15),
    ]
    keys = {"keep_previous": 0, "protected_containers": ["pinned", *policy.get("protected_containers", [])]}
    case = a_case(*things, policy=a_policy(**keys))

    assert going(case) - {"one"} == {"app:4"}


def test_s9_a_container_that_never_ran_is_no_version_that_ran() -> None:
    waiting = a_container("web", of="app:5", state="created", ended=None, restart_policy="always")

    assert staying(waiting, memory=seen(used={"app:4": 1})) == {"app:3", "app:4", "app:5", "app:6"}


def test_s9_where_nothing_ever_ran_what_waits_to_run_decides() -> None:
    waiting = a_container("web", of="app:5", state="created", ended=None, restart_policy="always")

    assert staying(waiting) == {"app:4", "app:5", "app:6"}


def test_s9_a_container_that_goes_still_tells_of_a_version_that_is_gone() -> None:
    orphan = a_container("web", of="app:9", image_id="sha256:dropped", ended=10)

    assert going(a_case(orphan, *releases())) == {"web"}


def test_s9_what_runs_is_in_use_however_soon_other_use_is_forgotten() -> None:
    case = a_case(running("web", of="app:4"), *releases(), policy=a_policy(image_unused_for="0s"))

    assert going(case) == {"app:1", "app:2"}


@pytest.mark.parametrize("arrived", [35, None])
@pytest.mark.parametrize(
    "news",
    [
        {"tagged_at": days(0)},
        {"memory": seen({"app:4": 35}, named={"app:4": {"docker.io/library/app:stable": 0}})},
        {"arrivals": {an_image_id("app:4"): days(0)}},
    ],
)
def test_s9_a_tag_given_to_what_runs_makes_it_no_newer_than_what_waits(
    news: dict[str, Any], arrived: float | None
) -> None:
    facts = {"tagged_at": news.get("tagged_at"), "arrived": arrived}
    running_one = an_image("app:4", "app:stable", **facts)
    told = {"memory": seen({"app:4": 35}), **news}
    told.pop("tagged_at", None)
    images = [running_one if one.shown == "app:4" else one for one in releases()]

    assert going(a_case(running("web", of="app:4"), *images, **told)) == {"app:1", "app:2"}


def test_s9_of_several_in_use_the_newest_decides() -> None:
    users = running("old", of="app:1"), running("new", of="app:5")

    assert staying(*users) == staying(*reversed(users)) == {"app:1", "app:4", "app:5", "app:6"}
    assert staying(*users, images=releases()[::-1]) == {"app:1", "app:4", "app:5", "app:6"}


def test_s9_where_the_version_that_runs_is_gone_none_can_be_placed_and_all_stay() -> None:
    orphan = running("web", of="app:9", image_id="sha256:dropped")

    assert staying(orphan) == {image.shown for image in releases()}


def test_s9_a_version_without_a_known_arrival_cannot_be_placed_and_stays() -> None:
    images = [an_image("app:7", arrived=None), *releases()]
    memory = seen(used={"app:7": 0})

    assert staying(running("web", of="app:7"), images=images, memory=Memory()) == {
        image.shown for image in images
    }
    assert "app:7" in staying(running("web", of="app:4"), images=images, memory=memory)


CONTAINERS = st.builds(
    lambda name, number, state, ended: a_container(name, of=f"app:{number}", state=state, ended=ended),
    name=st.sampled_from(["one", "two"]),
    number=st.integers(1, 6),
    state=st.sampled_from(["running", "exited", "created"]),
    ended=st.floats(0, 60),
)
HISTORIES = st.dictionaries(st.sampled_from([f"app:{n}" for n in range(1, 7)]), st.floats(0, 60), max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Case, list[str]]:
    """A repository with its history, and which of its versions run now."""
    users = draw(st.lists(CONTAINERS, max_size=2, unique_by=lambda one: one.name))
    policy: Policy = draw(st.integers(0, 2).map(lambda keep: a_policy(keep_previous=keep)))
    case = a_case(
        *users, *draw(st.permutations(releases())), policy=policy, memory=seen(used=draw(HISTORIES))
    )
    return case, [user.image for user in users if user.state == "running"]


@given(histories())
def test_s9_of_a_repository_that_runs_the_previous_ones_always_stay(drawn: tuple[Case, list[str]]) -> None:
    case, runs = drawn
    gone = going(case) & {image.shown for image in releases()}

    if runs:
        assert not gone & set(runs)
        assert len(gone) <= len(releases()) - len(set(runs)) - case.policy.keep_previous or not gone


# What the engine itself has dropped: on a containerd store, when the tag moved

CONTAINERD = ENGINE.model_copy(update={"store": Store.CONTAINERD})


def on_containerd(*things: Container | Image, memory: Memory | None = None, **keys: int) -> Case:
    return a_case(*things, memory=memory, policy=a_policy(**keys), engine=CONTAINERD)


def remembered(tag: str, ago: float, *, removed: float | None = None) -> Memory:
    """The ledger saw this tag so many days ago and lately, on an image that is not here any more."""
    memory = seen(used={tag: ago}, named={tag: {f"docker.io/library/{tag}": ago}})
    return replace(memory, removed_images={} if removed is None else {an_image_id(tag): days(removed)})


def said_lost(case: Case) -> list[object]:
    """The repositories whose way back the plan calls gone."""
    return [one.params["repository"] for one in a_plan(case).notices if one.code is Code.NO_WAY_BACK]


def test_s9_a_way_back_that_the_engine_dropped_keeps_what_is_left_of_the_repository() -> None:
    images = [an_image("app:1", arrived=50), an_image("app:2", arrived=40), an_image("app:9", arrived=5)]
    case = on_containerd(running("web", of="app:9"), *images, memory=remembered("app:latest", 20))

    assert going(case) == set()
    assert Code.WAY_BACK_DROPPED in why(case, "app:1")
    assert said_lost(case) == ["docker.io/library/app"]


@pytest.mark.parametrize(
    "case",
    [
        # Enough versions came after it.
        on_containerd(running("web", of="app:4"), *releases(), memory=remembered("app:latest", 48)),
        # One of our own runs removed it.
        on_containerd(running("web", of="app:4"), *releases(), memory=remembered("app:0", 36, removed=0)),
        # It is newer than what runs.
        on_containerd(running("web", of="app:4"), *releases(), memory=remembered("app:7", 1)),
        # Another repository's.
        on_containerd(running("web", of="app:4"), *releases(), memory=remembered("other:1", 36)),
        # A graph driver drops nothing by itself.
        a_case(running("web", of="app:4"), *releases(), memory=remembered("app:latest", 36)),
    ],
    ids=["superseded", "removed by a run", "newer", "another repository", "graph driver"],
)
def test_s9_a_version_that_is_gone_and_was_no_way_back_keeps_nothing(case: Case) -> None:
    assert going(case) == {"app:1", "app:2"}
    assert said_lost(case) == []


def test_s9_what_a_run_removed_once_and_came_again_can_be_dropped_like_any_other() -> None:
    memory = remembered("app:latest", 36, removed=90)
    case = on_containerd(running("web", of="app:4"), *releases(), memory=memory)

    assert (going(case), said_lost(case)) == (set(), ["docker.io/library/app"])


def test_s9_nobody_who_wants_no_way_back_misses_one() -> None:
    case = on_containerd(
        running("web", of="app:4"), *releases(), memory=remembered("app:latest", 36), keep_previous=0
    )

    assert going(case) == {"app:1", "app:2", "app:3"}


def test_s9_a_container_whose_image_the_engine_dropped_keeps_the_rest_of_its_repository() -> None:
    orphan = running("web", of="app:4", image_id="sha256:dropped")
    case = on_containerd(orphan, *[one for one in releases() if one.shown != "app:4"])

    assert going(case) == set()
    assert said_lost(case) == ["docker.io/library/app"]


def test_s9_where_it_is_unknown_when_what_runs_came_a_version_that_is_gone_may_be_its_way_back() -> None:
    images = [an_image("app:9", arrived=None), an_image("app:1", arrived=50)]
    case = on_containerd(running("web", of="app:9"), *images, memory=remembered("app:latest", 20))

    assert (going(case), said_lost(case)) == (set(), ["docker.io/library/app"])


def test_s9_a_dropped_image_is_said_though_nothing_else_of_it_is_here() -> None:
    staying, leaving = running("web", of="app:4"), a_container("spent", of="old:1")

    assert said_lost(on_containerd(staying, leaving)) == ["docker.io/library/app"]
