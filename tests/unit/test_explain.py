"""Why one object stays or goes, by whatever somebody calls it."""

import pytest
from hypothesis import given

from tests.unit.facts_drawn import cases
from tests.unit.facts_host import (
    a_case,
    a_container,
    a_network,
    a_plan,
    a_record,
    a_volume,
    an_id,
    an_image,
    an_image_id,
    days,
    names,
    record_id,
    running,
    seen,
)
from workers.contract import Explanation
from workers.planning.explain import explain, nearest
from workers.planning.facts import Case
from workers.planning.inventory import Volume
from workers.reasons import Code

DIGEST = f"sha256:{'ab' * 32}"
HOST = a_case(
    running("web", of="app:2"),
    a_container("spent", of="app:1", volumes=("data",)),
    an_image("app:1", arrived=40),
    an_image("app:2", "mirror.example:5000/app:2", arrived=30, digests=names(f"app@{DIGEST}")),
    an_image("other:1"),
    a_network("loose"),
    a_record("RUN make"),
    Volume(name="data", size=5_000_000, created_at=days(50), users=1),
    memory=seen(used={"app:2": 1}),
)


def explained(text: str, case: Case = HOST) -> list[Explanation]:
    return list(explain(case, a_plan(case), text))


@pytest.mark.parametrize(
    "text",
    [
        "app:2",
        "/docker.io/library/app:2",
        "docker.io/library/app:2",
        "mirror.example:5000/app:2",
        f"app@{DIGEST}",
        an_image_id("app:2"),
        an_image_id("app:2").removeprefix("sha256:"),
        an_image_id("app:2").removeprefix("sha256:")[:12],
    ],
)
def test_an_image_is_found_by_its_id_and_by_each_of_its_names(text: str) -> None:
    [found] = explained(text)

    assert (found.id, found.keep) == (an_image_id("app:2"), True)
    # It is the version in use of two repositories.
    assert [one.code for one in found.reasons] == [Code.IN_USE, *[Code.CURRENT_VERSION] * 2]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("web", "container"),
        ("/web", "container"),
        (an_id("web")[:12], "container"),
        ("loose", "network"),
        (an_id("loose")[:6], "network"),
        ("RUN make", "build-cache"),
        (record_id("RUN make"), "build-cache"),
        ("data", "volume"),
    ],
)
def test_everything_else_is_found_by_name_or_id(text: str, kind: str) -> None:
    assert [found.kind for found in explained(text)] == [kind]


@pytest.mark.parametrize("name", ["app:2", "app:1", "docker.io/library/app:gone"])
def test_a_name_pinned_to_a_digest_means_what_has_it_whatever_tag_stands_beside_it(name: str) -> None:
    assert [found.id for found in explained(f"{name}@{DIGEST}")] == [an_image_id("app:2")]
    assert explained(f"{name}@sha256:{'cd' * 32}") == []


def test_a_build_cache_record_is_found_by_the_name_that_the_plan_shows() -> None:
    long, nameless, rooted = (
        a_record("long", description=f"RUN {'x' * 200}"),
        a_record("nameless", description="", type="source.local"),
        a_record("rooted", description="/bin/sh -c true"),
    )
    case = a_case(long, nameless, rooted)

    for verdict in a_plan(case).verdicts:
        assert [one.id for one in explained(verdict.object.name, case)] == [verdict.object.id]


def test_s1_a_volume_that_only_a_container_tells_of_is_found_and_its_size_is_unknown() -> None:
    [found] = explained("elsewhere", a_case(running("web", volumes=("elsewhere",))))

    assert (found.kind, found.keep, [one.code for one in found.reasons]) == ("volume", True, [Code.VOLUME])
    assert found.facts == {"used by": "web"}


def test_objects_of_two_kinds_without_an_id_are_told_apart() -> None:
    made_up = {"id": "without an id (1 of the list)", "readable": False, "unread": "Id"}
    case = a_case(a_container("web", **made_up), an_image("app:1", **made_up))

    assert [(one.kind, one.name) for one in explained("web", case)] == [("container", "web")]
    assert [(one.kind, one.name) for one in explained("app:1", case)] == [("image", "app:1")]


def test_a_repository_means_all_its_versions() -> None:
    assert [found.name for found in explained("app")] == ["app:1", "app:2"]


def test_a_name_is_not_taken_for_the_beginning_of_an_id() -> None:
    called = a_container(an_id("spent")[:12])

    assert [one.name for one in explained(called.name, a_case(called, a_container("spent")))] == [called.name]


@pytest.mark.parametrize("text", ["", "app:3", "we", "sha256:", "ab", "/", "App:2", "*"])
def test_what_nothing_is_called_is_not_found(text: str) -> None:
    assert explained(text) == []


def test_what_is_most_alike_is_named() -> None:
    assert nearest(HOST, "spend")[0] == "spent"
    assert nearest(HOST, "aap:2")[0] == "app:2"
    assert nearest(HOST, "\N{SNOWMAN}") == []


def test_what_it_was_judged_by_is_told() -> None:
    [image], [container] = explained("app:2"), explained("spent")

    assert image.facts["on this host since"] == days(30).isoformat()
    assert (image.facts["known from"], image.facts["used by"]) == ("written", "web")
    assert image.facts["last used"] == days(1).isoformat()
    assert (container.facts["stopped"], container.facts["volumes"]) == (days(40).isoformat(), "data")


def test_s4_a_size_that_the_engine_did_not_compute_is_left_out() -> None:
    case = a_case(a_container("spent", writable=-1), a_record("step", size=-1), a_volume("data", size=-1))
    facts = [explained(text, case)[0].facts for text in ("spent", "step", "data")]

    assert not {"written inside", "size"} & {name for known in facts for name in known}


def test_s1_a_volume_is_explained_and_stays() -> None:
    [found] = explained("data")

    assert (found.keep, [one.code for one in found.reasons]) == (True, [Code.VOLUME])
    assert found.facts["size"] == 5_000_000


@given(cases())
def test_every_object_is_found_by_its_id_with_the_verdict_of_the_plan(case: Case) -> None:
    plan = a_plan(case)
    for verdict in plan.verdicts:
        [found] = [one for one in explain(case, plan, verdict.object.id) if one.id == verdict.object.id]

        assert (found.keep, found.reasons) == (verdict.keep, verdict.reasons)
