"""Where the disk of a real engine went: what stat and the engine say, and unknown where they say nothing."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost
from tests.stage.engine import DisposableEngine
from tests.stage.kinds import EngineKind
from tests.stage.small_disk import mount_small_disk
from workers import measuring
from workers.contract import DiskAttribution, DiskPart, FilesystemUse, PartUse, Plan, Store, VolumeUse
from workers.planning.disk import attribution
from workers.reasons import Code, Reason
from workers.wording import sentence

NOBODY = 65534
SMALL = 80_000_000
CHATTER = "yes 0123456789 | head -c 3000000"


@pytest.fixture
def small(stage_place: Callable[[], Path], engine_kind: EngineKind, tmp_path: Path) -> Iterator[WorkerHost]:
    """A host whose engine keeps its data on a small filesystem that nothing else writes to."""
    engine = DisposableEngine(stage_place(), engine_kind)
    mount_small_disk(engine.folder / "disk", engine.data_root, size=SMALL)
    with engine:
        yield WorkerHost(engine, tmp_path)


def disk_of(host: WorkerHost) -> DiskAttribution:
    found = host.plan().disk
    assert found is not None
    return found


def part(found: DiskAttribution, wanted: DiskPart) -> PartUse:
    return next(use for use in found.parts if use.part is wanted)


def volume(found: DiskAttribution, name: str) -> VolumeUse:
    return next(one for one in found.volumes if one.name == name)


def only(found: DiskAttribution) -> FilesystemUse:
    [use] = found.filesystems
    return use


def run(host: WorkerHost, name: str, command: str, *binds: str, **options: object) -> str:
    id_ = host.create(name, "app:1", command, host={"binds": list(binds), **options})
    host.engine.client.start(id_)
    host.engine.client.wait(id_)
    return id_


def log_files(host: WorkerHost, id_: str) -> list[Path]:
    return list((host.engine.data_root / "containers" / id_).glob("*-json.log*"))


def bytes_of(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Look at files as somebody who owns none of them."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# Logs


def test_a_log_is_told_by_its_container_and_to_the_byte(host: WorkerHost) -> None:
    host.image("app:1")
    loud, quiet = run(host, "loud", CHATTER), run(host, "quiet", "echo hello")
    found = disk_of(host)

    assert bytes_of(log_files(host, loud)) > 3_000_000
    assert [(log.container, log.size) for log in found.logs] == [
        ("loud", bytes_of(log_files(host, loud))),
        ("quiet", bytes_of(log_files(host, quiet))),
    ]
    assert part(found, DiskPart.LOGS).size == sum(log.size for log in found.logs)


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_rotated_files_count_as_well(host: WorkerHost, driver: str) -> None:
    host.image("app:1")
    settings = {"type": driver, "config": {"max-size": "500k", "max-file": "3", "compress": "false"}}
    loud = run(host, "loud", CHATTER, log_config=settings)
    folder = host.engine.data_root / "containers" / loud
    files = [file for file in folder.rglob("*.log*") if file.is_file()]

    assert len(files) == 3
    assert disk_of(host).logs[0].size == bytes_of(files)


def test_logs_that_may_not_be_looked_at_are_unknown_and_not_nothing(host: WorkerHost) -> None:
    host.image("app:1")
    run(host, "loud", CHATTER)
    with host.opened() as opened:
        _, case = opened.look()
        with as_nobody():
            hidden = measuring.measure(opened.identity, [c.id for c in case.inventory.containers])
    found = attribution(replace(case, inventory=replace(case.inventory, measured=hidden)))

    assert part(found, DiskPart.LOGS) == PartUse(part=DiskPart.LOGS, size=None, count=1, unsized=1)
    assert found.logs == ()


# Volumes


def test_volumes_are_told_to_the_byte_with_who_mounts_them(host: WorkerHost) -> None:
    host.image("app:1")
    before = datetime.now(UTC).replace(microsecond=0)
    run(host, "writer", "head -c 123456 /dev/zero > /data/x", "pgdata:/data")
    anonymous = host.create("nameless", "app:1", "head -c 777 /dev/zero > /data/x", volumes=["/data"])
    host.engine.client.start(anonymous)
    host.engine.client.wait(anonymous)
    [unnamed] = host.volumes() - {"pgdata"}
    found = disk_of(host)

    assert [(one.name, one.size, one.users) for one in found.volumes] == [
        ("pgdata", 123_456, ("writer",)),
        (unnamed, 777, ("nameless",)),
    ]
    assert part(found, DiskPart.VOLUMES) == PartUse(part=DiskPart.VOLUMES, size=124_233, count=2)
    assert all(one.created_at and before <= one.created_at <= datetime.now(UTC) for one in found.volumes)


def test_the_last_use_of_a_volume_outlives_the_container_that_used_it(host: WorkerHost) -> None:
    host.image("app:1")
    host.engine.client.create_volume("never")
    ended = run(host, "writer", "true", "pgdata:/data")
    finished = host.engine.client.inspect_container(ended)["State"]["FinishedAt"]
    host.plan()
    host.engine.client.remove_container(ended)
    found = disk_of(host)

    assert volume(found, "pgdata").users == ()
    assert volume(found, "pgdata").last_used_at == datetime.fromisoformat(finished)
    assert volume(found, "never").last_used_at is None


def test_a_volume_made_anew_under_its_old_name_has_no_use_of_before(host: WorkerHost) -> None:
    host.image("app:1")
    ended = run(host, "writer", "true", "pgdata:/data")
    host.plan()
    client = host.engine.client
    client.remove_container(ended)
    client.remove_volume("pgdata")
    # Engines write the time of a volume in whole seconds.
    finished = volume_time(host, "other")
    while volume_time(host, "pgdata") <= finished:
        client.remove_volume("pgdata")

    assert volume(disk_of(host), "pgdata").last_used_at is None


def volume_time(host: WorkerHost, name: str) -> datetime:
    return datetime.fromisoformat(host.engine.client.create_volume(name)["CreatedAt"])


def test_a_volume_that_lies_elsewhere_is_left_out_by_the_engine_itself(small: WorkerHost) -> None:
    small.image("app:1")
    # Beside its data, where an engine of another suite sees it too.
    outside = small.engine.folder / "outside"
    outside.mkdir()
    (outside / "data").write_bytes(bytes(5_000_000))
    bound = {"type": "none", "o": "bind", "device": str(outside)}
    small.engine.client.create_volume("far", driver="local", driver_opts=bound)
    small.running("user", "app:1", host={"binds": ["far:/data", "near:/near"]})
    found = disk_of(small)

    assert [one.name for one in found.volumes] == ["near"]
    assert part(found, DiskPart.VOLUMES).count == 1


# The filesystem


def test_images_and_build_cache_are_what_the_engine_says(host: WorkerHost) -> None:
    host.image("app:1")
    build = "FROM app:1\nRUN head -c 54321 /dev/urandom > /made\n"
    host.engine.cli("build", "--network", "none", "-", stdin=build.encode())
    df, found = host.engine.client.df(), disk_of(host)
    cache = [record["Size"] for record in df["BuildCache"] if not record["Shared"]]

    # A containerd store counts the snapshots of the cache among those of images.
    counted = sum(cache) if host.engine.kind.store is Store.CONTAINERD else 0
    assert part(found, DiskPart.IMAGES).size == df["LayersSize"] - counted > 0
    assert part(found, DiskPart.BUILD_CACHE) == PartUse(
        part=DiskPart.BUILD_CACHE, size=sum(cache), count=len(cache)
    )


def test_a_foreign_file_is_all_that_the_rest_grows_by(small: WorkerHost) -> None:
    before = only(disk_of(small))
    foreign = small.engine.data_root / "backup.tar"
    foreign.write_bytes(os.urandom(7_000_000))
    os.sync()
    after = only(disk_of(small))
    grown = foreign.stat().st_blocks * 512

    # The engine's own databases may take a block meanwhile.
    assert grown <= after.rest.low - before.rest.low <= grown + 100_000
    assert after.holds == tuple(DiskPart)
    assert after.filesystem.used == used_by_df(small)


def used_by_df(host: WorkerHost) -> int:
    told = subprocess.run(
        ["df", "--block-size=1", "--output=used", str(host.engine.data_root)], capture_output=True, check=True
    )
    return int(told.stdout.split()[-1])


@pytest.mark.parametrize(
    ("mounts", "holds"), [(1, set(DiskPart)), (2, set(DiskPart) - {DiskPart.LOGS})], ids=["folder", "mount"]
)
def test_a_folder_kept_from_the_worker_lies_where_its_parent_does_unless_it_was_a_mount(
    small: WorkerHost, mounts: int, holds: set[DiskPart]
) -> None:
    """As systemd hides one: an empty folder without permissions is mounted over it."""
    small.image("app:1")
    run(small, "loud", CHATTER)
    folder = str(small.engine.data_root / "containers")
    with ExitStack() as hidden:
        for _ in range(mounts):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=000", "hidden", folder], check=True)
            hidden.callback(subprocess.run, ["umount", folder], check=True)
        found = disk_of(small)

    assert part(found, DiskPart.LOGS).size is None
    assert [set(use.holds) for use in found.filesystems] == [holds]


def test_volumes_on_a_disk_of_their_own_are_told_apart(small: WorkerHost) -> None:
    volumes = small.engine.data_root / "volumes"
    small.engine.stop()
    mount_small_disk(small.engine.folder / "second", volumes, size=20_000_000)
    small.engine.start()
    first, second = disk_of(small).filesystems

    assert DiskPart.VOLUMES not in first.holds
    assert (second.filesystem.path, second.holds) == (str(volumes), (DiskPart.VOLUMES,))


# When pruning cannot help


def full(plan: Plan) -> list[Reason]:
    return [notice for notice in plan.notices if notice.code is Code.DISK_STAYS_FULL]


def test_s1_a_disk_filled_by_a_volume_says_so_and_offers_nothing_of_it(small: WorkerHost) -> None:
    small.image("app:1")
    small.spent("spent", "app:1")
    assert full(small.plan()) == []

    capacity = only(disk_of(small)).filesystem.capacity
    run(small, "writer", f"head -c {capacity * 9 // 10} /dev/zero > /data/x; sync", "pgdata:/data")
    plan = small.plan()
    [told] = full(plan)
    use = only(disk_of(small))

    assert int(told.params["share"]) >= 90
    assert told.params["used"] == use.filesystem.used
    assert str(told.params["biggest"]).startswith(f"volume {capacity * 9 // 10} pgdata\n")
    assert "volume pgdata" in sentence(told)
    assert {step.object.name for step in plan.steps} >= {"spent", "writer"}
    assert not {step.object.name for step in plan.steps} & small.volumes()


def test_a_disk_filled_by_a_log_that_goes_is_not_called_hopeless(small: WorkerHost) -> None:
    small.image("app:1")
    capacity = only(disk_of(small)).filesystem.capacity
    # Each line of 11 bytes becomes one of about 80 in the log.
    run(small, "loud", f"yes 0123456789 | head -c {capacity // 8 // 11 * 11}")
    plan = small.plan()

    assert only(disk_of(small)).filesystem.used > capacity * 0.85
    assert plan.steps[0].object.name == "loud"
    assert full(plan) == []
