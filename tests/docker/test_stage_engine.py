"""Engines of the stage: real, alone, and gone without a trace."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stage import images
from tests.stage.cgroups import cgroup_of, members
from tests.stage.engine import DisposableEngine
from tests.stage.errors import ForeignEngine, NotReady, StageInUse
from tests.stage.fixtures import EngineFactory
from tests.stage.folder import stage_folder
from tests.stage.kinds import EngineKind
from tests.stage.leftovers import marked_processes, mounts_under, remove_leftovers
from tests.stage.objects import contents
from tests.stage.processes import REPOSITORY
from tests.stage.readiness import wait_until_gone

STOP_AND_KILL = pytest.mark.parametrize("end", [DisposableEngine.stop, DisposableEngine.kill])


def run_something(engine: DisposableEngine, *, paused: bool = False) -> str:
    images.load(engine.client, [images.Archived(tags=("some/thing:1",), layers=(images.base_layer(),))])
    made: str = engine.client.create_container(
        "some/thing:1", ["tail", "-f", "/dev/null"], name="something", stop_signal="SIGKILL"
    )["Id"]
    engine.client.start(made)
    if paused:
        engine.client.pause(made)
    return made


def test_an_engine_starts_empty(engine: DisposableEngine) -> None:
    assert contents(engine.client) == set()


def test_engines_side_by_side_do_not_see_each_other(fresh_engine: EngineFactory) -> None:
    one, other = fresh_engine(), fresh_engine()
    one.client.create_network("only-here")
    one.client.create_volume("only-here")

    assert one.engine_id != other.engine_id
    assert contents(other.client) == set()


def test_what_an_engine_holds_survives_stop_and_power_cut(engine: DisposableEngine) -> None:
    engine.client.create_volume("kept")
    before, identity = contents(engine.client), engine.engine_id

    engine.restart()
    engine.kill()
    engine.start()

    assert (contents(engine.client), engine.engine_id) == (before, identity)


def test_containers_talk_over_a_network_of_their_own(engine: DisposableEngine) -> None:
    engine.client.create_network("shop", driver="bridge")
    images.load(engine.client, [images.Archived(tags=("some/web:1",), layers=(images.base_layer(),))])
    shop = engine.client.create_host_config(network_mode="shop")
    server = ["httpd", "-f", "-p", "80", "-h", "/srv"]
    asker = ["wget", "-q", "-O", "-", "http://server/"]

    engine.client.start(engine.client.create_container("some/web:1", server, name="server", host_config=shop))
    engine.client.start(engine.client.create_container("some/web:1", asker, name="asker", host_config=shop))
    engine.client.wait("asker")

    assert engine.client.logs("asker") == b"ok\n"


@STOP_AND_KILL
@pytest.mark.parametrize("paused", [False, True])
def test_a_stopped_engine_leaves_no_process_and_no_mount(
    engine: DisposableEngine, end: Callable[[DisposableEngine], None], paused: bool
) -> None:
    run_something(engine, paused=paused)
    running = members(cgroup_of(engine.folder))
    end(engine)

    assert running
    assert all(wait_until_gone(pid, seconds=0) for pid in running)
    assert list(marked_processes(engine.folder)) == []
    assert mounts_under(engine.folder) == []
    assert list(Path("/sys/fs/cgroup").glob(f"**/{cgroup_of(engine.folder)}")) == []


def test_a_removed_engine_leaves_no_folder(engine: DisposableEngine) -> None:
    engine.remove()

    assert not engine.folder.exists()


MAKER = """
import pathlib, signal, sys
from tests.docker.test_stage_engine import run_something
from tests.stage.engine import DisposableEngine
engine = DisposableEngine(pathlib.Path(sys.argv[1])).start()
run_something(engine, paused=True)
print(engine.pid, flush=True)
signal.pause()
"""


def killed_maker_of(folder: Path) -> int:
    """Another process makes an engine in the folder and is killed; the pid of what held the engine."""
    command = [sys.executable, "-c", MAKER, str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        holder = int(maker.stdout.readline())
        os.kill(maker.pid, signal.SIGKILL)
    return holder


def test_remains_of_a_killed_maker_are_removed(stage_place: Callable[[], Path]) -> None:
    folder = stage_place()
    holder = killed_maker_of(folder)
    left = members(cgroup_of(folder))
    remove_leftovers(folder)

    assert left
    assert all(wait_until_gone(pid, seconds=0) for pid in {holder, *left})
    assert list(marked_processes(folder)) == []
    assert list(Path("/sys/fs/cgroup").glob(f"**/{cgroup_of(folder)}")) == []
    assert not folder.exists()


def test_a_stage_folder_has_one_owner_at_a_time(run_folder: Path) -> None:
    with (
        stage_folder(run_folder / "owned"),
        pytest.raises(StageInUse, match=str(os.getpid())),
        stage_folder(run_folder / "owned"),
    ):
        pass


def test_a_stage_folder_begins_without_what_a_dead_owner_left(run_folder: Path) -> None:
    folder = run_folder / "left"
    folder.mkdir()
    (folder / "rest").touch()

    with stage_folder(folder):
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_a_folder_with_foreign_contents_is_refused(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()

    with pytest.raises(ForeignEngine, match=str(tmp_path)):
        DisposableEngine(tmp_path)


def test_a_folder_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignEngine, match="too long"):
        DisposableEngine(tmp_path / ("x" * 100))


def test_an_engine_that_holds_something_is_refused(engine: DisposableEngine) -> None:
    engine.client.create_volume("somebodys")

    with pytest.raises(ForeignEngine, match="volume somebodys"):
        engine.refuse_contents()


def test_an_engine_that_cannot_start_says_why(stage_place: Callable[[], Path], tmp_path: Path) -> None:
    engine = DisposableEngine(stage_place(), EngineKind(root=tmp_path))

    with pytest.raises(NotReady, match=str(engine.folder)):
        engine.start()
