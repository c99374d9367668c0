"""What a ledger is told of the containers of an inventory, and how what it remembers is read."""

from tests.unit.facts_host import NOW, a_container, an_image_id, days, names, running
from workers import survey
from workers.contract import Kind
from workers.memory.sightings import Heard, Sighting, Sightings
from workers.planning.ages import REPOSITORY, names_made_of
from workers.planning.facts import Memory, as_of


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


def test_s9_a_use_still_to_come_counts_as_one_just_now() -> None:
    image, network, repository = ((kind, "it") for kind in (Kind.IMAGE.value, Kind.NETWORK.value, REPOSITORY))
    used = {image: days(3), network: days(-300), repository: days(-1)}
    sightings = {key: Sighting(days(60), NOW, at) for key, at in used.items()}
    memory = Memory(sightings=sightings, uses={"it": days(5), "other": days(-2)})
    read = as_of(memory, NOW)

    assert [read.last_used(*key) for key in used] == [days(3), NOW, NOW]
    assert read.uses == {"it": days(5), "other": NOW}
    assert as_of(read, NOW) == read


def test_s9_a_ledger_keeps_what_a_clock_that_was_ahead_wrote_down(sightings: Sightings) -> None:
    sightings.see([(Kind.IMAGE.value, "app", days(-300))], days(-300))
    sightings.hear(Heard(uses={"app": days(-300)}))

    assert survey.remember(sightings, NOW, since=None).last_used(Kind.IMAGE, "app") == NOW
    assert survey.remember(sightings, days(-301), since=None).last_used(Kind.IMAGE, "app") == days(-300)
