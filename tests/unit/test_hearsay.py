"""What an engine's events tell of images: uses, names, and who is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.facts_host import an_id, an_image_id
from workers.planning import hearsay

SOON = datetime.fromtimestamp(1_790_000_000, UTC)
APP = an_image_id("app:1")


def event(type_: str, action: str, id_: str, **attributes: str) -> dict[str, Any]:
    actor = {"ID": id_, "Attributes": attributes}
    return {"Type": type_, "Action": action, "Actor": actor, "time": int(SOON.timestamp())}


@pytest.mark.parametrize("action", ["start", "die"])
def test_s9_a_container_that_starts_or_ends_uses_its_image(action: str) -> None:
    told = event("container", action, an_id("web"), image="app:1", name="web")

    assert hearsay.uses([told]) == [hearsay.Use(an_id("web"), "app:1", SOON, "web", ended=action == "die")]


@pytest.mark.parametrize("action", ["create", "destroy", "exec_start: true", "health_status: healthy"])
def test_nothing_else_is_a_use(action: str) -> None:
    assert hearsay.uses([event("container", action, an_id("web"), image="app:1")]) == []


def test_a_container_that_goes_is_gone() -> None:
    assert hearsay.gone([event("container", "destroy", an_id("web"))]) == [an_id("web")]


def test_s9_a_tag_names_its_image_though_it_has_moved_on_since() -> None:
    [news] = hearsay.image_news([event("image", "tag", APP, name="app:latest")])

    assert hearsay.names(news, {"Id": APP, "RepoTags": ["app:1"]}) == [
        ("docker.io/library/app:1", APP, SOON),
        ("docker.io/library/app:latest", APP, SOON),
    ]
    assert hearsay.names(news, {}) == [("docker.io/library/app:latest", APP, SOON)]


@pytest.mark.parametrize("told", [("load", APP, APP), ("import", APP, APP), ("pull", "app:1", "app")])
def test_s9_what_came_has_the_names_it_has_now(told: tuple[str, str, str]) -> None:
    action, subject, name = told
    [news] = hearsay.image_news([event("image", action, subject, name=name)])

    assert hearsay.names(news, {"Id": APP, "RepoTags": ["app:1"]}) == [("docker.io/library/app:1", APP, SOON)]
    assert hearsay.names(news, {}) == []


@pytest.mark.parametrize("broken", [{}, {"Type": "image"}, {"Type": "container", "Action": "start"}])
def test_an_event_that_says_nothing_is_passed_over(broken: dict[str, Any]) -> None:
    assert (hearsay.uses([broken]), hearsay.image_news([broken]), hearsay.gone([broken])) == ([], [], [])


def tagged(image: str, seconds: float, name: str = "app:latest") -> hearsay.ImageNews:
    return hearsay.ImageNews(image, name, SOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("told", "image"),
    [
        ([tagged("sha256:one", -2), tagged("sha256:two", 1)], "sha256:one"),
        ([tagged("sha256:one", -2), tagged("sha256:two", -1)], "sha256:two"),
        ([tagged("sha256:one", 0, "docker.io/library/app")], "sha256:one"),
        ([tagged("sha256:one", -1, "app:1"), tagged("sha256:one", -1, "")], ""),
        ([tagged("sha256:two", 1)], ""),
        ([], ""),
    ],
)
def test_s9_a_name_is_of_the_image_that_had_it_when_it_was_used(
    told: list[hearsay.ImageNews], image: str
) -> None:
    assert hearsay.meant(hearsay.Use(an_id("web"), "app:latest", SOON), told) == image


def test_what_was_used_by_its_id_needs_no_name() -> None:
    assert hearsay.meant(hearsay.Use(an_id("web"), APP, SOON), [tagged("sha256:one", -1, "")]) == ""


def test_an_image_without_a_name_has_none() -> None:
    [news] = hearsay.image_news([event("image", "load", APP, name=APP)])

    assert hearsay.names(news, {"Id": APP, "RepoTags": ["<none>:<none>"]}) == []


def test_s9_a_container_tells_what_its_name_meant_when_it_was_made() -> None:
    made = {"Image": APP, "Created": SOON.isoformat(), "Config": {"Image": "app:latest"}}

    assert hearsay.made_of(made) == [("docker.io/library/app:latest", APP, SOON)]
    assert hearsay.made_of(made | {"Config": {"Image": APP}}) == hearsay.made_of({}) == []
    # Made of the beginning of an id, which would read as a name.
    assert hearsay.made_of(made | {"Config": {"Image": APP.removeprefix("sha256:")[:12]}}) == []


def test_s9_a_line_of_the_list_tells_what_a_name_meant_when_its_container_was_made() -> None:
    line = {"Image": "app", "ImageID": APP, "Created": int(SOON.timestamp())}

    assert hearsay.listed_made_of(line) == [("docker.io/library/app:latest", APP, SOON)]
    for no_name in (APP, APP.removeprefix("sha256:")[:12], "", None):
        assert hearsay.listed_made_of(line | {"Image": no_name}) == []
    for unknown in ({"ImageID": ""}, {"Created": 0}):
        assert hearsay.listed_made_of(line | unknown) == []


def test_s9_images_have_the_names_in_their_list() -> None:
    lines = [
        {"Id": APP, "RepoTags": ["app:1", "<none>:<none>"]},
        {"Id": "", "RepoTags": ["b:1"]},
        {"Id": APP},
    ]

    assert hearsay.listed_names(lines, SOON) == [("docker.io/library/app:1", APP, SOON)]
