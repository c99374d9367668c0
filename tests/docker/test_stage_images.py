"""The stage's image factory."""

from datetime import UTC, datetime

from tests.stage import images
from tests.stage.engine import DisposableEngine


def archived(*tags: str, content: str, built: datetime = images.LONG_AGO) -> images.Archived:
    program = images.layer({"program": images.noise(content, 0.1)})
    return images.Archived(tags=tags, layers=(images.base_layer(), program), built=built)


def test_loaded_images_have_the_ids_told(engine: DisposableEngine) -> None:
    told = images.load(engine.client, [archived("a/b:1", content="one"), archived(content="two")])

    assert {found["Id"] for found in engine.client.images(all=True)} == set(told)


def test_a_build_date_can_be_any(engine: DisposableEngine) -> None:
    long_ago = datetime(1985, 10, 26, tzinfo=UTC)
    images.load(engine.client, [archived("a/b:1", content="one", built=long_ago)])

    assert images.inspect(engine.client, "a/b:1")["Created"] == "1985-10-26T00:00:00Z"


def test_equal_layers_are_stored_once(engine: DisposableEngine) -> None:
    images.load(engine.client, [archived("a/b:1", content="one"), archived("a/b:2", content="two")])
    one, two = (images.inspect(engine.client, tag)["RootFS"]["Layers"] for tag in ("a/b:1", "a/b:2"))

    assert one[0] == two[0]
    assert one[1] != two[1]


def test_noise_is_repeatable() -> None:
    assert images.noise("one", 0.01) == images.noise("one", 0.01) != images.noise("two", 0.01)


def test_a_tag_that_moves_leaves_a_dangling_image(engine: DisposableEngine) -> None:
    first = images.load(engine.client, [archived("a/b:1", content="one")])[0]
    second = images.load(engine.client, [archived("a/b:2", content="two")])[0]
    images.add_tags(engine.client, second, ["a/b:1"])

    assert [found["Id"] for found in engine.client.images(filters={"dangling": True})] == [first]


def test_the_classic_builder_leaves_images_in_between(engine: DisposableEngine) -> None:
    base = images.import_layer(engine.client, images.base_layer(), "base/box:1")
    built = images.build_classic(engine.client, "FROM base/box:1\nRUN true\nRUN echo 1 > /one", "a/b:1")
    between = {found["Id"] for found in engine.client.images(all=True)} - {base, built}

    assert len(between) == 1
    assert images.inspect(engine.client, built)["Parent"] in between


def test_buildkit_leaves_cache_records(engine: DisposableEngine) -> None:
    images.import_layer(engine.client, images.base_layer(), "base/box:1")
    images.build_with_cache(engine, "FROM base/box:1\nRUN echo 1 > /one", "a/b:1")

    assert {record["Type"] for record in engine.client.df()["BuildCache"]} == {"regular", "source.local"}
