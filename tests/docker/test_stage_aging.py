"""Ages on the stage are real: the engine itself tells them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.stage import images
from tests.stage.aging import AgePlan, Lifetime, age
from tests.stage.catalogue import days
from tests.stage.engine import DisposableEngine
from tests.stage.hosts import FilledHost
from tests.stage.objects import usage
from workers.contract import Store

TOLERANCE = timedelta(minutes=5)


@pytest.fixture
def with_image(engine: DisposableEngine) -> DisposableEngine:
    images.load(engine.client, [images.Archived(tags=("some/thing:1",), layers=(images.base_layer(),))])
    return engine


def since(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment[:19]).replace(tzinfo=UTC)


def is_about(expected: timedelta, moment: str) -> bool:
    return expected - TOLERANCE < since(moment) < expected + TOLERANCE


def run(engine: DisposableEngine, *command: str) -> str:
    made: str = engine.client.create_container("some/thing:1", list(command), stop_signal="SIGKILL")["Id"]
    engine.client.start(made)
    return made


def test_an_image_arrived_as_long_ago_as_asked(with_image: DisposableEngine) -> None:
    image = images.import_layer(with_image.client, images.base_layer(), "imported/thing:1")
    age(with_image, AgePlan(images={image: days(40)}))

    assert is_about(days(40), images.inspect(with_image.client, image)["Metadata"]["LastTagTime"])


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="a containerd store keeps no file per image")
def test_an_image_was_written_down_as_long_ago_as_asked(with_image: DisposableEngine) -> None:
    image = images.import_layer(with_image.client, images.base_layer(), "imported/thing:1")
    age(with_image, AgePlan(images={image: days(40)}))
    content = with_image.data_root / "image/overlay2/imagedb/content/sha256" / image.removeprefix("sha256:")

    assert is_about(days(40), datetime.fromtimestamp(content.stat().st_mtime, UTC).isoformat())


def test_a_container_ended_as_long_ago_as_asked(with_image: DisposableEngine) -> None:
    container = run(with_image, "true")
    with_image.client.wait(container)
    age(with_image, AgePlan(containers={container: Lifetime(created=days(50), stopped=days(49))}))
    found = with_image.client.inspect_container(container)

    assert is_about(days(50), found["Created"])
    assert is_about(days(49), found["State"]["FinishedAt"])
    assert found["State"]["Status"] == "exited"


def test_what_ran_before_runs_again_and_is_old(with_image: DisposableEngine) -> None:
    container = run(with_image, "tail", "-f", "/dev/null")
    age(with_image, AgePlan(containers={container: Lifetime(created=days(20))}))
    found = with_image.client.inspect_container(container)

    assert found["State"]["Running"]
    assert is_about(days(20), found["Created"])


def test_a_network_is_as_old_as_asked(engine: DisposableEngine) -> None:
    old, young = (engine.client.create_network(name)["Id"] for name in ("old", "young"))
    age(engine, AgePlan(networks={old: days(33)}))

    assert is_about(days(33), engine.client.inspect_network(old)["Created"])
    assert is_about(timedelta(), engine.client.inspect_network(young)["Created"])


def test_build_cache_is_as_old_as_asked(with_image: DisposableEngine) -> None:
    images.build_with_cache(with_image, "FROM some/thing:1\nRUN echo 1 > /one", "built/thing:1")
    before = {record["ID"] for record in usage(with_image.client)["BuildCache"]}
    age(with_image, AgePlan(cache=dict.fromkeys(before, days(30))))
    records = usage(with_image.client)["BuildCache"]

    assert {record["ID"] for record in records} == before
    assert all(is_about(days(30), record[key]) for record in records for key in ("CreatedAt", "LastUsedAt"))


def test_what_is_not_named_stays_young(web_host: FilledHost) -> None:
    network = web_host.engine.client.inspect_network(web_host.id_of("network", "canary"))

    assert is_about(timedelta(), network["Created"])
