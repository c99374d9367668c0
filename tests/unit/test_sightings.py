"""What the ledger remembers of an engine's objects: since when they are here, and when they were used."""

from datetime import UTC, datetime, timedelta

import pytest

from workers.memory.ledger import Ledger
from workers.memory.sightings import GAP, Heard, Sightings

# Times without a fraction of a second sort like all others.
STARTS = (datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 12, 0, 0, 999999, tzinfo=UTC))


@pytest.fixture
def sightings(ledger: Ledger) -> Sightings:
    return Sightings(ledger, "ENG:1")


@pytest.fixture(params=STARTS, ids=["whole", "fraction"])
def hours(request: pytest.FixtureRequest) -> list[datetime]:
    return [request.param + timedelta(hours=number) for number in range(4)]


def take(sightings: Sightings, now: datetime, *images: str, used: datetime | None = None) -> None:
    sightings.see([("image", image, used) for image in images], now)
    sightings.see([("network", "bridge", None)], now)
    sightings.name([(f"docker.io/library/{image}:1", image) for image in images], now)
    sightings.take_in("inventory", now)


def first_seen(sightings: Sightings, image: str = "app") -> tuple[datetime, datetime]:
    """Since when the image is here, and since when it has its name."""
    name = sightings.names()[image][f"docker.io/library/{image}:1"]
    return sightings.all()["image", image].first_seen, name


def test_first_sight_stays_while_an_object_is_seen_each_time(
    sightings: Sightings, hours: list[datetime]
) -> None:
    for hour in hours:
        take(sightings, hour, "app")

    assert first_seen(sightings) == (hours[0], hours[0])


def test_s10_what_comes_back_is_new_again(sightings: Sightings, hours: list[datetime]) -> None:
    take(sightings, hours[0], "app", "other")
    take(sightings, hours[1], "other")
    take(sightings, hours[2], "app", "other")
    take(sightings, hours[3], "app", "other")

    assert first_seen(sightings) == (hours[2], hours[2])
    assert first_seen(sightings, "other") == (hours[0], hours[0])


def test_s10_a_name_that_comes_back_is_new_again(sightings: Sightings, hours: list[datetime]) -> None:
    take(sightings, hours[0], "app", "other")
    sightings.see([("image", "app", None)], hours[1])
    sightings.name([("docker.io/library/other:1", "other")], hours[1])
    sightings.take_in("inventory", hours[1])
    take(sightings, hours[2], "app", "other")

    assert first_seen(sightings) == (hours[0], hours[2])


def test_s9_the_last_use_stays_known_when_nothing_uses_it_any_more(
    sightings: Sightings, hours: list[datetime]
) -> None:
    take(sightings, hours[1], "app", used=hours[1])
    take(sightings, hours[2], "app", used=hours[0])
    take(sightings, hours[3], "app")

    assert sightings.all()["image", "app"].last_used == hours[1]


def test_s9_what_events_tell_before_the_first_look_makes_no_name_a_later_one(
    sightings: Sightings, hours: list[datetime]
) -> None:
    sightings.hear(Heard(uses={"app": hours[0]}))
    take(sightings, hours[1], "app")

    assert first_seen(sightings) == (hours[1], hours[1])
    assert sightings.uses() == {"app": hours[0]}


def test_of_two_uses_or_arrivals_the_later_stays_known(sightings: Sightings, hours: list[datetime]) -> None:
    for hour in (hours[1], hours[0]):
        sightings.hear(Heard(uses={"app": hour}, arrivals={"app": hour}))

    assert (sightings.uses(), sightings.arrivals()) == ({"app": hours[1]}, {"app": hours[1]})


def test_s10_a_name_that_an_event_tells_is_known_since_then(
    sightings: Sightings, hours: list[datetime]
) -> None:
    take(sightings, hours[0], "app")
    sightings.hear(Heard(names=(("docker.io/library/new:1", "app", hours[1]),)))

    assert sightings.names()["app"]["docker.io/library/new:1"] == hours[1]


def test_engines_are_remembered_apart(ledger: Ledger, sightings: Sightings, hours: list[datetime]) -> None:
    take(sightings, hours[0], "app")
    take(Sightings(ledger, "ENG:2"), hours[1], "other")
    take(sightings, hours[2], "app")

    assert first_seen(sightings) == (hours[0], hours[0])
    assert first_seen(Sightings(ledger, "ENG:2"), "other") == (hours[1], hours[1])


def test_use_is_known_only_while_events_are_followed(sightings: Sightings, hours: list[datetime]) -> None:
    take(sightings, hours[0], "app")
    assert sightings.followed_since(hours[0]) is None

    sightings.take_in("followed since", hours[0])
    sightings.take_in("events", hours[1])
    assert sightings.followed_since(hours[1]) == hours[0]
    assert sightings.followed_since(hours[2]) is None


def test_s9_what_a_clock_took_in_that_has_gone_back_is_not_followed(
    sightings: Sightings, hours: list[datetime]
) -> None:
    sightings.take_in("followed since", hours[0])
    sightings.take_in("events", hours[2])

    assert sightings.followed_since(hours[2] - GAP) == hours[0]
    assert sightings.followed_since(hours[1]) is None
    assert sightings.heard_upto(hours[3], "events", "caught up") == hours[2]
    assert sightings.heard_upto(hours[1], "events", "caught up") is None


def test_what_is_out_of_date_is_asked_anew(sightings: Sightings) -> None:
    sightings.keep_layers({"app": "{}", "other": "{}"})
    sightings.forget_layers("app")

    assert sightings.layers() == {"other": "{}"}


def forgetful(sightings: Sightings, hours: list[datetime]) -> None:
    """Of both images all was heard in the first hour; `gone` went before the second, `app` is still here."""
    take(sightings, hours[0], "app", "gone")
    for image in ("app", "gone"):
        sightings.see(
            [("base", image, hours[0]), ("repository", f"docker.io/library/{image}", hours[0])], hours[0]
        )
        name = f"docker.io/library/{image}:latest"
        sightings.hear(
            Heard({image: hours[0]}, ((name, image, hours[0]),), {image: hours[0], name: hours[0]})
        )
    sightings.keep_layers({"app": "{}", "gone": "{}"})


def known_of(sightings: Sightings, image: str) -> set[str]:
    """Under what anything is known of an image."""
    kinds = {kind for kind, id_ in sightings.all() if id_ in (image, f"docker.io/library/{image}")}
    tables = {"names": sightings.names(), "uses": sightings.uses(), "layers": sightings.layers()}
    came = {
        f"arrival of {key.partition('library/')[2] or 'it'}" for key in sightings.arrivals() if image in key
    }
    return kinds | {table for table, keys in tables.items() if image in keys} | came


def test_s9_of_an_image_that_is_still_here_nothing_is_forgotten(
    sightings: Sightings, hours: list[datetime]
) -> None:
    forgetful(sightings, hours)
    before = known_of(sightings, "app")
    # The name has moved by now, as of what a service ran before it was deployed anew.
    sightings.see([("image", "app", None)], hours[2])
    sightings.take_in("inventory", hours[2])
    sightings.forget_before(hours[1])

    assert known_of(sightings, "app") == before
    assert {"image", "base", "repository", "names", "uses", "layers", "arrival of it"} < before
    assert set(sightings.names()["app"]) == {"docker.io/library/app:1", "docker.io/library/app:latest"}
    assert known_of(sightings, "gone") == set()


def test_s9_where_nobody_has_looked_since_nothing_is_forgotten(
    sightings: Sightings, hours: list[datetime]
) -> None:
    """As at the start of a worker with its clock a year ahead."""
    forgetful(sightings, hours)
    before = known_of(sightings, "gone")
    sightings.forget_before(hours[1])

    assert known_of(sightings, "gone") == before != set()
