"""What came since a run began may have made an image the way back (S9)."""

import pytest

from tests.unit.facts_host import a_case, a_container, an_image, an_image_id, names, running, seen
from workers.execution.start import start_of
from workers.planning.inventory import Container
from workers.reasons import Code, Reason, reason

OLD = an_image("app:1")
OTHER = an_image("db:1")
BEFORE = (OLD, OTHER, an_image("app:9"), running("web", of="app:9"))
START = start_of(a_case(*BEFORE, memory=seen(named={"db:1": {"docker.io/library/mysql:1": 50}})))


def became(*came: Container, image: str = OLD.id) -> Reason | None:
    known = [thing for thing in BEFORE if isinstance(thing, Container)]
    return START.way_back(image, [*known, *came])


def test_s9_nothing_came_and_nothing_changed() -> None:
    assert became() is None


@pytest.mark.parametrize("name", ["app:2", "app:1", "docker.io/library/app:7", "app"])
def test_s9_a_container_of_the_repository_makes_it_the_way_back(name: str) -> None:
    new = running("new", image_id="sha256:new", image=name, references=names(name))

    assert became(new) == reason(Code.REPOSITORY_USED, repository="docker.io/library/app", container="new")
    assert became(new, image=OTHER.id) is None


def test_s9_a_stopped_container_of_the_repository_does_so_too() -> None:
    found = became(a_container("new", of="app:2"))

    assert found is not None
    assert found.code is Code.REPOSITORY_USED


def test_s9_a_look_alike_is_another_repository() -> None:
    new = running("new", image_id="sha256:new", references=names("app2:1", "example/app:1"), image="app2:1")

    assert became(new) is None


def test_s9_an_image_has_the_repositories_of_names_that_it_lost() -> None:
    new = running("new", image_id="sha256:new", image="mysql:2", references=names("mysql:2"))

    assert became(new, image=OTHER.id) is not None


def test_s9_by_id_a_container_uses_the_repositories_of_its_image() -> None:
    new = running("new", image=OLD.id, image_id=OLD.id, references=())

    assert became(new) is not None
    assert became(new, image=OTHER.id) is None


@pytest.mark.parametrize("made_of", [an_image_id("pulled since"), an_image_id("pulled since")[7:19]])
def test_s4_a_container_of_nobody_knows_what_keeps_all(made_of: str) -> None:
    new = running("new", image=made_of, image_id=an_image_id("pulled since"), references=())

    assert [became(new, image=id_) is not None for id_ in (OLD.id, OTHER.id)] == [True, True]


def test_s9_one_more_container_of_what_runs_changes_nothing() -> None:
    assert became(running("web-2", of="app:9")) is None


def test_an_image_without_repository_is_nobodys_way_back() -> None:
    nameless = an_image()
    start = start_of(a_case(nameless))

    assert start.way_back(nameless.id, [running("new", of="app:2")]) is None
