"""Redis and project processes of the stage: started alone, gone when asked, and never left behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stage.errors import NotReady
from tests.stage.processes import REPOSITORY, ProjectProcess
from tests.stage.readiness import wait_until_gone
from tests.stage.redis import RedisServer

CHATTY = "import subprocess as s; child = s.Popen(['sleep', '1000']); print('child', child.pid); child.wait()"


def process(folder: Path, program: str, **environment: str) -> ProjectProcess:
    return ProjectProcess("some", ["-c", program], folder=folder, environment=environment)


@pytest.fixture
def chatty(stage_place: Callable[[], Path]) -> Iterator[ProjectProcess]:
    with process(stage_place(), CHATTY) as running:
        yield running


def test_a_process_is_given_what_is_named_and_little_else(stage_place: Callable[[], Path]) -> None:
    with process(stage_place(), "import os; print(sorted(os.environ))", ONLY="this") as running:
        line = running.wait_for_line("ONLY")

    assert set(re.findall(r"'(\w+)'", line)) - {"LC_CTYPE"} == {
        *("HOME", "LANG", "ONLY", "PATH", "PYTHONUNBUFFERED", "SAFE_PRUNE_STAGE", "TZ"),
    }


def test_a_line_is_waited_for_once(stage_place: Callable[[], Path]) -> None:
    with process(stage_place(), "print('one'); print('one more')") as running:
        lines = [running.wait_for_line("one"), running.wait_for_line("one")]

    assert lines == ["one", "one more"]


def test_a_process_that_ends_without_the_line_is_reported(stage_place: Callable[[], Path]) -> None:
    refused = pytest.raises(NotReady, match=r"(?s)some ended with 1.*no settings")

    with process(stage_place(), "raise SystemExit('no settings')") as running, refused:
        running.wait_for_line("ready")


def test_a_killed_process_takes_its_children_along(chatty: ProjectProcess) -> None:
    child = int(chatty.wait_for_line("child").split()[1])
    chatty.kill()

    assert wait_until_gone(child, seconds=5)


def test_a_stopped_process_tells_its_exit_status(stage_place: Callable[[], Path]) -> None:
    program = "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(7)); print('up'); signal.pause()"
    with process(stage_place(), program) as running:
        running.wait_for_line("up")

        assert running.stop() == 7


STARTER = """
import pathlib, signal, sys
from tests.stage.processes import ProjectProcess
from tests.stage.redis import RedisServer
folder = pathlib.Path(sys.argv[1])
redis = RedisServer(folder / "redis").start()
program = "import signal; print('up'); signal.pause()"
some = ProjectProcess("some", ["-c", program], folder=folder, environment={}).start()
# Before it is itself nobody has told the kernel whom it is not to outlive.
some.wait_for_line("up")
print(redis.pid, some.pid, flush=True)
signal.pause()
"""


def test_nothing_outlives_a_killed_starter(stage_place: Callable[[], Path]) -> None:
    folder = stage_place()
    command = [sys.executable, "-c", STARTER, str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        started = [int(pid) for pid in starter.stdout.readline().split()]
        os.kill(starter.pid, signal.SIGKILL)

    assert len(started) == 2
    assert all(wait_until_gone(pid, seconds=30) for pid in started)


def test_redis_keeps_what_it_has_over_a_crash(redis_server: RedisServer) -> None:
    redis_server.client().set("key", "kept")
    redis_server.kill()
    redis_server.start()

    assert redis_server.client().get("key") == b"kept"


def test_redis_comes_back_empty(redis_server: RedisServer) -> None:
    redis_server.client().set("key", "lost")
    redis_server.restart_empty()

    assert redis_server.client().dbsize() == 0


def test_redis_rolls_back_to_a_snapshot(redis_server: RedisServer) -> None:
    redis_server.client().set("key", "old")
    snapshot = redis_server.snapshot()
    redis_server.client().set("key", "new")
    redis_server.roll_back(snapshot)

    assert redis_server.client().get("key") == b"old"


def test_redis_is_set_up_as_the_product_asks(redis_server: RedisServer) -> None:
    settings = redis_server.client().config_get("appendonly", "maxmemory-policy", "bind")

    assert settings == {"appendonly": "yes", "maxmemory-policy": "noeviction", "bind": "127.0.0.1"}
