"""What engines answer, in all their spellings, becomes the same facts."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import ENGINE, NOW, an_id, an_image_id, an_inventory, names
from workers.contract import Store
from workers.errors import EngineError
from workers.planning import accounting, answers, mentions
from workers.planning.fields import moment
from workers.planning.inventory import Container

ID = an_id("web")
LISTED: dict[str, Any] = {
    "Id": ID,
    "Names": ["/web"],
    "Image": "app:1",
    "ImageID": an_image_id("app:1"),
    "State": "exited",
    "Created": 1_700_000_000,
    "Labels": {"team": "web"},
    "HostConfig": {"NetworkMode": "front"},
    "NetworkSettings": {"Networks": {"front": {"NetworkID": "f00d"}, "back": None}},
    "Mounts": [{"Type": "volume", "Name": "data"}, {"Type": "bind", "Source": "/srv"}, {"Type": "volume"}],
}
INSPECTED: dict[str, Any] = {
    "State": {
        "Status": "exited",
        "StartedAt": "2026-01-01T00:00:00.123456789Z",
        "FinishedAt": "2026-01-02T00:00:00Z",
        "ExitCode": 3,
    },
    "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}},
    "Config": {"Image": "app:1"},
}
IMAGE: dict[str, Any] = {"Id": an_image_id("app:1"), "RepoTags": ["app:1"], "RepoDigests": [], "Size": 10}


def listed(**facts: Any) -> Container:
    return answers.container({**LISTED, **facts}, None, writable=0)


def inspected(**facts: Any) -> Container:
    return answers.container(LISTED, {**INSPECTED, **facts}, writable=0)


MOUNTED = {"Type": "bind", "Source": "/srv/conf", "Destination": "/conf"}


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (MOUNTED, True),
        ({"Type": "volume", "Name": "data", "Source": "/somewhere", "Destination": "/data"}, True),
        ({**MOUNTED, "Destination": "/elsewhere"}, False),
        ({"Type": "tmpfs", "Destination": "/tmp"}, False),
    ],
)
def test_s17_what_runs_is_inspected_where_it_may_have_its_mounts_from_a_stopped_one(
    mount: dict[str, str], expected: bool
) -> None:
    resting = {**LISTED, "Mounts": [MOUNTED, {"Type": "volume", "Name": "data", "Destination": "/data"}]}
    runs = {**LISTED, "State": "running", "Mounts": [mount]}

    assert answers.needs_inspection(runs, answers.resting_mounts([resting, runs])) is expected


# Times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("2026-01-02T05:04:05.5+02:00", datetime(2026, 1, 2, 3, 4, 5, 500000, UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        ("yesterday", None),
        (None, None),
        (0, None),
    ],
)
def test_s4_a_time_is_read_or_unknown(text: Any, expected: datetime | None) -> None:
    assert moment(text) == expected


@given(st.one_of(st.text(max_size=40), st.integers(), st.none()))
def test_s4_whatever_stands_for_a_time_is_read_or_unknown(text: Any) -> None:
    found = moment(text)

    assert found is None or found.tzinfo is UTC


# Containers


def test_a_container_is_read_from_its_line_and_its_inspection() -> None:
    found = inspected()

    assert (found.id, found.name, found.state, found.exit_code) == (ID, "web", "exited", 3)
    assert (found.restart_policy, found.references) == ("no", names("app:1"))
    assert (found.networks, found.volumes) == ({"front", "f00d", "back"}, ("data",))
    assert found.finished_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_mounts_listed_in_another_order_are_the_same_facts() -> None:
    mounts = [{"Type": "volume", "Name": name} for name in ("data", "cache", "logs")]

    assert listed(Mounts=mounts) == listed(Mounts=mounts[::-1])


def test_s4_what_only_an_inspection_tells_is_unknown_without_one() -> None:
    found = listed()

    assert (found.restart_policy, found.finished_at, found.started_at) == (None, None, None)


@pytest.mark.parametrize("policy", [None, {}, {"Name": ""}, {"Name": "no"}])
def test_no_restart_policy_is_spelled_in_several_ways(policy: Any) -> None:
    assert inspected(HostConfig={"RestartPolicy": policy}).restart_policy == "no"


@pytest.mark.parametrize(
    "host",
    [
        {"PidMode": "container:db"},
        {"IpcMode": "container:db"},
        {"VolumesFrom": ["db"]},
        {"VolumesFrom": ["db:ro"], "PidMode": "host", "IpcMode": "private"},
        {"Links": ["/db:/web/store"]},
    ],
)
def test_s17_what_a_container_takes_of_another_is_known(host: Any) -> None:
    assert inspected(HostConfig=host).joined == {"db"}


def test_s17_a_list_tells_who_has_a_link_to_a_container() -> None:
    assert listed(Names=["/proxy/store", "/db", "/web/store"]).linked_by == {"proxy", "web"}
    assert listed().linked_by == frozenset()


def test_a_name_is_its_own_and_not_one_that_a_link_gives() -> None:
    assert listed(Names=["/proxy/web", "/web"]).name == "web"
    assert listed(Names=None).name == ID[:12]


def test_s9_a_container_keeps_the_name_it_was_made_from_when_the_list_shows_an_id() -> None:
    moved = {**LISTED, "Image": an_image_id("app:1")}

    assert answers.container(moved, INSPECTED, writable=0).references == names("app:1")
    assert answers.container(moved, None, writable=0).references == ()


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ({"Name": "app:1", "Source": "/var/lib/docker/overlay2/x/merged"}, "docker.io/library/app:1"),
        ({"Source": an_image_id("app:1")}, an_image_id("app:1")),
        ({"Name": an_image_id("app:1")}, an_image_id("app:1")),
    ],
)
def test_a_mounted_image_is_known_by_its_name_or_id(mount: dict[str, str], expected: str) -> None:
    assert expected in listed(Mounts=[{"Type": "image", **mount}]).image_mounts


@pytest.mark.parametrize(
    ("mount", "unread"),
    [
        ({"Name": "data"}, "Mounts.Type: nothing"),
        ({"Type": "image", "Source": "/x/merged"}, "Mounts.Name: nothing"),
    ],
)
def test_s4_a_mount_of_no_kind_and_an_image_of_no_name_are_not_understood(
    mount: dict[str, str], unread: str
) -> None:
    assert unread in listed(Mounts=[mount]).unread


def test_s3_the_order_in_which_mounts_are_listed_does_not_matter() -> None:
    mounts = [{"Type": "volume", "Name": name} for name in ("b", "a", "c")]

    assert listed(Mounts=mounts) == listed(Mounts=mounts[::-1])


@pytest.mark.parametrize("missing", ["Labels", "Mounts", "HostConfig", "NetworkSettings", "Image", "Created"])
def test_a_line_without_a_field_is_read_all_the_same(missing: str) -> None:
    assert listed(**{missing: None}).id == ID


# Images


@pytest.mark.parametrize("none", [None, [], ["<none>:<none>"]])
def test_no_tags_are_spelled_in_several_ways(none: Any) -> None:
    found = answers.image(
        {**IMAGE, "RepoTags": none, "RepoDigests": none and ["<none>@<none>"]}, {}, written_at=None
    )

    assert (found.names, found.digests) == ((), ())


def test_a_tag_that_is_a_digest_is_no_tag() -> None:
    pinned = f"app@sha256:{'ab' * 32}"

    assert answers.image({**IMAGE, "RepoTags": [pinned]}, {}, written_at=None).names == ()


@pytest.mark.parametrize("name", ["UPPER:1", "a b:1", "app:", "sha256:" + "ab" * 32])
def test_s4_an_image_whose_name_cannot_be_read_is_unreadable(name: str) -> None:
    assert not answers.image({**IMAGE, "RepoTags": [name]}, {}, written_at=None).readable


def test_s4_an_image_without_details_is_unreadable_and_makes_the_whole_incomplete() -> None:
    found = answers.image(IMAGE, None, written_at=None)

    assert not found.readable
    assert not an_inventory(found).complete


def test_s7_a_fresh_inspection_and_the_survey_agree_on_an_image() -> None:
    raw = {
        **IMAGE,
        "Parent": "",
        "Metadata": {"LastTagTime": "2026-01-01T00:00:00Z"},
        "Config": {"Labels": None},
    }
    surveyed = answers.image(IMAGE, answers.image_details(raw), written_at=NOW)
    fresh = answers.inspected_image(raw)

    assert (fresh.names, fresh.digests, fresh.tagged_at) == (
        surveyed.names,
        surveyed.digests,
        surveyed.tagged_at,
    )


# Build cache, networks, volumes, services


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ({" Parents": ["a", "b"]}, ("a", "b")),
        ({"Parents": ["a"]}, ("a",)),
        ({"Parent": "a"}, ("a",)),
        ({"Parent": ""}, ()),
        ({}, ()),
    ],
)
def test_parents_of_a_record_are_spelled_in_three_ways(
    spelled: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert accounting.cache_record({"ID": "x", "InUse": False, **spelled}).parents == expected


def test_s4_a_record_that_does_not_say_is_in_use() -> None:
    assert accounting.cache_record({"ID": "x"}).in_use


def test_a_network_is_read_with_what_tells_whose_it_is() -> None:
    found = answers.network({"Id": "n", "Name": "front", "Created": "2026-01-01T00:00:00Z", "Ingress": True})

    assert (found.name, found.ingress, found.scope, found.labels) == ("front", True, "", {})


def test_a_volume_without_figures_has_unknown_ones() -> None:
    found = accounting.volume({"Name": "data"})

    assert (found.size, found.users) == (-1, -1)


def test_services_name_images_by_tag_and_by_digest() -> None:
    digest = f"sha256:{'ab' * 32}"
    specs = [{"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": f"app:1@{digest}"}}}}, {"Spec": {}}, {}]

    assert mentions.service_images(specs) == set(names("app:1", f"app@{digest}"))


@pytest.mark.parametrize("image", ["MyOrg/App:1", "App:1", "registry.example/a b", f"a/{'x' * 300}"])
@pytest.mark.parametrize("key", ["Spec", "PreviousSpec"])
def test_s4_a_service_whose_image_has_no_name_is_an_error_that_says_which(image: str, key: str) -> None:
    service = {key: {"TaskTemplate": {"ContainerSpec": {"Image": image}}}}

    with pytest.raises(EngineError, match=rf"^list services: {key}\..*Image: '{image[:9]}.* instead of"):
        mentions.service_images([{}, service])


def test_a_service_of_an_image_by_its_id_names_none() -> None:
    service = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": an_image_id("app:1")}}}}

    assert mentions.service_images([service]) == frozenset()


# Events


def an_event(action: str, name: str, *, kind: str = "image", time: int = 1_700_000_000) -> dict[str, Any]:
    return {"Type": kind, "Action": action, "time": time, "Actor": {"ID": name, "Attributes": {"name": name}}}


@pytest.mark.parametrize("action", ["pull", "load", "tag", "import"])
@pytest.mark.parametrize("name", ["app:1", "docker.io/library/app:1"])
def test_s10_events_tell_when_an_image_came(action: str, name: str) -> None:
    found = mentions.arrivals([an_event(action, name)])

    assert found == {"docker.io/library/app:1": datetime.fromtimestamp(1_700_000_000, UTC)}


def test_s10_the_last_event_counts_and_others_do_not() -> None:
    events = [an_event("pull", "app:1", time=1), an_event("tag", "app:1", time=2)]
    events += [an_event("untag", "app:1", time=3), an_event("pull", "app:1", kind="plugin", time=4)]

    assert mentions.arrivals(events) == {"docker.io/library/app:1": datetime.fromtimestamp(2, UTC)}


def test_s10_a_load_tells_the_id() -> None:
    assert set(mentions.arrivals([an_event("load", an_image_id("app:1"))])) == {an_image_id("app:1")}


# Disk usage


def test_s4_a_writable_layer_that_was_not_computed_is_of_unknown_size() -> None:
    sizes = {"a": {"SizeRw": 7}, "b": {}, "c": {"SizeRw": -1}, "d": {"SizeRw": None}, "e": {"SizeRw": "7"}}
    df = {"Containers": [{"Id": id_, **size} for id_, size in sizes.items()]}

    assert accounting.writable_sizes(df) == {"a": 7, "b": 0, "c": None, "d": None, "e": None}


def test_the_accounting_counts_nothing_twice_and_nothing_unknown() -> None:
    df = {
        "LayersSize": 100,
        "Containers": [{"SizeRw": 7}, {}, {"SizeRw": -1}],
        "BuildCache": [{"Size": 5, "Shared": False}, {"Size": 50, "Shared": True}],
        "Volumes": [{"UsageData": {"Size": 9}}, {"UsageData": {"Size": -1}}, {"UsageData": None}],
    }
    found = accounting.disk_usage(df, ENGINE, now=NOW)

    assert (found.images, found.containers, found.build_cache, found.volumes) == (100, 7, 5, 9)
    assert found.engine_bytes == 112


def test_what_a_container_takes_with_all_below_is_told_or_not() -> None:
    df = {"Containers": [{"Id": "a" * 64, "SizeRw": 7, "SizeRootFs": 57}, {"Id": "b" * 64}, {}]}

    assert accounting.rootfs_sizes(df) == {"a" * 64: 57, "b" * 64: None}


@pytest.mark.parametrize(
    ("version", "layers", "images"),
    [
        ("26.1.5+dfsg1", 100, 88),
        ("28.5.2", 12, 0),
        # The blobs of cache are in its records' sizes, and on some engines not in this figure.
        ("26.1.5+dfsg1", 11, None),
        ("28.5.2", 0, None),
        ("29.7.2", 100, 100),
        ("29.0.0-rc.1", 10, 10),
        ("30.0.0", 100, None),
        ("dev", 100, None),
    ],
)
def test_on_a_containerd_store_the_figure_for_layers_holds_what_it_does_on_that_engine(
    version: str, layers: int, images: int | None
) -> None:
    df = {"LayersSize": layers, "Containers": [{"SizeRw": 7}], "BuildCache": [{"Size": 5, "Shared": False}]}
    engine = ENGINE.model_copy(update={"store": Store.CONTAINERD, "version": version})
    found = accounting.disk_usage(df, engine, now=NOW)

    assert (found.containers, found.images, found.build_cache) == (7, images, 5)


@pytest.mark.parametrize("store", Store)
@pytest.mark.parametrize("df", [{}, {"LayersSize": -1}, {"LayersSize": "much"}])
def test_s4_a_figure_for_layers_that_is_not_there_is_unknown_and_not_nothing(
    df: dict[str, Any], store: Store
) -> None:
    found = accounting.disk_usage(df, ENGINE.model_copy(update={"store": store}), now=NOW)

    assert (found.images, found.engine_bytes) == (None, None)
