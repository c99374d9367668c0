"""What an engine's folders show from outside: the bytes of logs, and the filesystems that parts lie on."""

import os
from pathlib import Path

import pytest

from tests.unit.facts_host import ENGINE, an_id
from workers import measuring
from workers.contract import DiskPart, EngineIdentity, Store

WEB, DB = an_id("web"), an_id("db")


@pytest.fixture
def engine(tmp_path: Path) -> EngineIdentity:
    """An engine whose data lies in the test's own folder."""
    return ENGINE.model_copy(update={"data_root": str(tmp_path)})


def write(root: str, *path: str, size: int) -> None:
    file = Path(root, "containers", *path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(size))


def test_the_log_of_a_container_counts_with_its_rotated_files(engine: EngineIdentity) -> None:
    names = (f"{WEB}-json.log", f"{WEB}-json.log.1", f"{WEB}-json.log.2.gz", "config.v2.json", "hostname")
    for power, name in enumerate(names):
        write(engine.data_root, WEB, name, size=10**power)

    assert measuring.measure(engine, [WEB]).logs == {WEB: 111}


def test_drivers_that_keep_their_files_elsewhere_in_the_folder_are_counted(engine: EngineIdentity) -> None:
    write(engine.data_root, WEB, "local-logs", "container.log", size=5)
    write(engine.data_root, WEB, "local-logs", "container.log.1.gz", size=3)
    write(engine.data_root, DB, "container-cached.log", size=7)

    assert measuring.measure(engine, [WEB, DB]).logs == {WEB: 8, DB: 7}


def test_a_container_that_has_written_nothing_has_an_empty_log(engine: EngineIdentity) -> None:
    write(engine.data_root, WEB, "hostname", size=5)

    assert measuring.measure(engine, [WEB]).logs == {WEB: 0}


def test_a_log_that_cannot_be_read_is_left_out_and_not_counted_as_nothing(engine: EngineIdentity) -> None:
    write(engine.data_root, WEB, f"{WEB}-json.log", size=5)
    write(engine.data_root, DB, size=5)

    assert measuring.measure(engine, [WEB, DB, an_id("gone")]).logs == {WEB: 5}


@pytest.mark.parametrize("nonsense", ["n\x00l", "\ud800"])
def test_what_can_be_no_path_is_left_out_and_the_rest_is_measured(
    engine: EngineIdentity, nonsense: str
) -> None:
    write(engine.data_root, WEB, f"{WEB}-json.log", size=5)
    odd_driver = engine.model_copy(update={"storage_driver": nonsense})
    odd_root = engine.model_copy(update={"data_root": f"/{nonsense}"})

    assert measuring.measure(engine, [WEB, nonsense]).logs == {WEB: 5}
    assert [one.path for one in measuring.filesystems(odd_driver)] == [engine.data_root]
    assert len(measuring.devices(odd_driver)) == 1
    assert (measuring.filesystems(odd_root), measuring.devices(odd_root)) == ((), frozenset())


def test_parts_on_one_filesystem_are_found_there_once(engine: EngineIdentity) -> None:
    Path(engine.data_root, "overlay2").mkdir()
    [(found, holds)] = measuring.measure(engine, []).filesystems
    told = os.statvfs(engine.data_root)

    assert (found.path, holds) == (engine.data_root, frozenset(DiskPart))
    assert found.total == told.f_blocks * told.f_frsize
    assert found.used + found.free + found.reserved == found.total
    assert measuring.filesystems(engine)[0].path == engine.data_root


def test_an_engine_whose_files_are_not_here_is_not_measured_by_others(
    engine: EngineIdentity,
) -> None:
    away = engine.model_copy(update={"data_root": f"{engine.data_root}/nowhere"})

    assert measuring.measure(away, [WEB]) == measuring.Measured()


def test_what_is_kept_in_a_containerd_that_is_not_found_lies_nowhere_known(engine: EngineIdentity) -> None:
    away = engine.model_copy(update={"store": Store.CONTAINERD, "storage_driver": "no-such-snapshotter"})
    [(_, holds)] = measuring.measure(away, []).filesystems

    assert holds == {DiskPart.LOGS, DiskPart.VOLUMES}


def test_a_containerd_of_the_engines_own_is_found_in_its_data(engine: EngineIdentity) -> None:
    its = engine.model_copy(update={"store": Store.CONTAINERD, "storage_driver": "overlayfs"})
    Path(engine.data_root, "containerd/daemon/io.containerd.snapshotter.v1.overlayfs").mkdir(parents=True)
    [(found, holds)] = measuring.measure(its, []).filesystems

    assert (found.path, holds) == (engine.data_root, frozenset(DiskPart))


def test_the_devices_under_an_engines_data_are_those_of_its_parts_as_well() -> None:
    at_top = ENGINE.model_copy(update={"data_root": "/", "storage_driver": "proc"})

    assert measuring.devices(at_top) == {os.stat("/").st_dev, os.stat("/proc").st_dev}
    assert measuring.devices(ENGINE) == frozenset()


@pytest.mark.parametrize("major", [8, 0])
def test_a_filesystem_has_the_number_of_its_device_where_that_is_its_own(
    engine: EngineIdentity, major: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.measuring.os.major", lambda _: major)
    [found] = measuring.filesystems(engine)

    assert found.device == (os.stat(engine.data_root).st_dev if major else None)
