"""What a ledger is told of the containers of an inventory."""

from tests.unit.facts_host import NOW, a_container, an_image_id, days, names, running
from workers.planning.ages import names_made_of


def test_s9_the_name_of_a_container_is_that_of_the_image_it_has_whoever_has_it_now() -> None:
    web = running("web", of="app:latest", image_id=an_image_id("before"), created_at=days(3))

    assert names_made_of([web], NOW) == [("docker.io/library/app:latest", an_image_id("before"), days(3))]


def test_the_beginning_of_an_id_is_no_name() -> None:
    id_ = an_image_id("app:1")
    spent = a_container(image_id=id_, references=names(id_.removeprefix("sha256:")[:12]))

    assert names_made_of([spent], NOW) == []


def test_s9_a_container_that_cannot_be_read_names_nothing_and_one_of_the_future_no_later_than_now() -> None:
    strange = [a_container(image_id=""), a_container(created_at=None), a_container(created_at=days(-1))]

    assert names_made_of(strange, NOW) == [("docker.io/library/gone:1", an_image_id("gone:1"), NOW)]
