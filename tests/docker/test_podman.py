"""A Podman speaks Docker's API and means other things by it: it is read, and nothing is removed on it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost, codes
from tests.stage.errors import NotToBeHad
from tests.stage.kinds import RELEASES, EngineKind, programs
from tests.stage.objects import contents
from tests.stage.podman import DisposablePodman
from tests.stage.processes import REPOSITORY
from workers.cli.command_line import Exit
from workers.engine import Engine, ForbiddenCall
from workers.errors import EngineError, RefusedError
from workers.reasons import Code
from workers.signing import digest


@pytest.fixture
def podman(stage_place: Callable[[], Path], tmp_path: Path) -> Iterator[WorkerHost]:
    """A host with Podman 4.3: an image that nobody uses, and one of a container that never started.

    It does not list what networks a container is made for, and what cannot be read is kept.
    """
    try:
        kind = EngineKind(root=programs(RELEASES["4.3"]))
    except NotToBeHad as reason:
        pytest.skip(f"there is no Podman 4.3 to be had here: {reason}")
    with DisposablePodman(stage_place(), kind) as engine:
        host = WorkerHost(engine, tmp_path)
        for name in ("app:1", "waste:1"):
            host.image(f"docker.io/library/{name}")
        host.create("spent", "docker.io/library/app:1")
        yield host


def test_s4_a_plan_of_it_can_be_looked_at_and_not_applied(podman: WorkerHost) -> None:
    plan = podman.plan()

    assert {step.object.name for step in plan.steps} == {"waste:1"}
    [spent] = [verdict for verdict in plan.verdicts if verdict.object.name == "spent"]
    assert codes(spent.reasons) == [Code.UNREADABLE]
    [notice] = [notice for notice in plan.notices if notice.code is Code.ENGINE_NOT_DOCKER]
    assert not plan.applicable
    assert notice.params == {"engine": "Podman Engine 4.3.1", "ours": "1.41 to 1.51"}


def test_s4_an_order_for_it_is_refused_with_the_reason(podman: WorkerHost) -> None:
    before = contents(podman.engine.client)
    with pytest.raises(RefusedError) as refused:
        podman.execute(podman.plan())

    assert Code.ENGINE_NOT_DOCKER in codes(refused.value.reasons)
    assert contents(podman.engine.client) == before


def test_s4_no_call_that_changes_anything_reaches_it(podman: WorkerHost) -> None:
    [container] = podman.engine.client.containers(all=True)
    with closing(Engine(podman.engine.url)) as engine:
        for change in (
            lambda: engine.remove_container(container["Id"]),
            lambda: engine.remove_image(container["ImageID"]),
            lambda: engine.tag(container["ImageID"], "other", "1"),
            lambda: engine.remove_cache_records(["a" * 25], unused=timedelta()),
        ):
            with pytest.raises(EngineError) as refused:
                change()
            assert refused.type is ForbiddenCall


def test_the_command_line_says_why_it_does_not_execute(podman: WorkerHost) -> None:
    place = {
        "DOCKER_HOST": podman.engine.url,
        "PRUNE_HOST": podman.place.host,
        "PRUNE_POLICY": str(podman.place.policy_file),
        "PRUNE_STATE_DIR": str(podman.place.state_dir),
        "PRUNE_ENGINES_DIR": str(podman.place.engines),
    }
    command = [sys.executable, "-m", "workers", "execute", "--confirm", digest(podman.plan())]
    done = subprocess.run(command, cwd=REPOSITORY, env=place, capture_output=True, text=True, check=False)

    assert (done.returncode, "Podman Engine 4.3.1" in done.stdout) == (Exit.REFUSED, True), done.stderr
