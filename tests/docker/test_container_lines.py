"""What is remembered of stopped containers is what the engine would say: after a change it is asked again."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.docker.worker_host import WorkerHost, outcome_of
from workers import container_lines, survey
from workers.contract import Outcome
from workers.engine import Engine
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings
from workers.planning.inventory import Container

SECRET = "sesame-open"


class Asked(Engine):
    """An engine that notes of which containers somebody asks."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.about: list[str] = []

    def inspect_container(self, id_: str) -> dict[str, object]:
        self.about.append(id_)
        return super().inspect_container(id_)


@pytest.fixture
def jobs(host: WorkerHost) -> list[str]:
    """Two jobs that ended, one with a volume, and one that never began; a service runs beside them."""
    host.image("app:1")
    host.running("web", "app:1")
    return [
        host.spent("job", "app:1", environment={"TOKEN": SECRET}),
        host.spent("data", "app:1", volumes=["/data"]),
        host.create("never", "app:1"),
    ]


def look(host: WorkerHost, ledger_file: Path, **how: bool) -> tuple[tuple[Container, ...], list[str]]:
    """The containers of one look, in the order of their ids, and those that were asked about."""
    with closing(Ledger(ledger_file)) as ledger, closing(Asked(host.engine.url)) as engine:
        identity = engine.identity()
        sightings = Sightings(ledger, identity.id)
        how = {"local": True} | how
        taken = survey.take(engine, sightings, identity, now=datetime.now(UTC), **how)
    return tuple(sorted(taken.containers, key=lambda c: c.id)), sorted(engine.about)


def facts(containers: tuple[Container, ...]) -> list[dict[str, object]]:
    """All but what the passing seconds change, and what is remembered of an image that the engine dropped."""
    return [{**vars(c), "status": "", "layers": ()} for c in containers]


def at_rest(host: WorkerHost) -> None:
    """Wait until no file of a container was replaced so lately that nobody can be sure of it."""
    # Looked at each time: a busy engine writes down an end a moment after it has told of it.
    while time.time_ns() <= last_replaced(host) + container_lines.AT_REST_NS:
        time.sleep(0.05)


def last_replaced(host: WorkerHost) -> int:
    folder = host.engine.data_root / "containers"
    files = [file for name in container_lines.FILES for file in folder.glob(f"*/{name}")]
    return max(file.stat().st_ctime_ns for file in files)


@pytest.fixture
def remembered(host: WorkerHost, jobs: list[str], tmp_path: Path) -> Path:
    """A ledger in which all of them are remembered."""
    at_rest(host)
    ledger_file = tmp_path / "remembered.db"
    assert look(host, ledger_file)[1] == sorted(jobs)
    assert look(host, ledger_file)[1] == []
    return ledger_file


def test_nothing_that_rests_is_asked_about_twice(host: WorkerHost, remembered: Path, tmp_path: Path) -> None:
    known, asked = look(host, remembered)
    fresh, _ = look(host, tmp_path / "fresh.db")

    assert (facts(known), asked) == (facts(fresh), [])


def runs_again(host: WorkerHost) -> None:
    host.engine.client.start("job")
    host.engine.client.wait("job")


def gets_a_restart_policy(host: WorkerHost) -> None:
    # One that does not bring it up when the engine comes back: it has not failed.
    host.engine.client.update_container("job", restart_policy={"Name": "on-failure"})


def is_renamed(host: WorkerHost) -> None:
    host.engine.client.rename("job", "work")


def changes_networks(host: WorkerHost) -> None:
    network = host.network("front")
    host.engine.client.disconnect_container_from_network("job", "none")
    host.engine.client.connect_container_to_network("job", network)


def is_another_of_the_same_name(host: WorkerHost) -> None:
    host.engine.client.remove_container("job")
    host.spent("job", "app:1")


def loses_its_images_name(host: WorkerHost) -> None:
    host.image("app:1", content="the next version")


CHANGES = [
    runs_again,
    gets_a_restart_policy,
    is_renamed,
    changes_networks,
    is_another_of_the_same_name,
    loses_its_images_name,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("engine_dies", [False, True], ids=["told", "events-lost"])
def test_s4_s7_s17_what_changed_is_seen_whether_an_event_tells_of_it_or_not(
    host: WorkerHost,
    remembered: Path,
    tmp_path: Path,
    change: Callable[[WorkerHost], None],
    engine_dies: bool,
) -> None:
    before, _ = look(host, remembered)
    change(host)
    if engine_dies:
        host.engine.kill()
        host.engine.start()
    known, _ = look(host, remembered)
    fresh, _ = look(host, tmp_path / "fresh.db")

    assert facts(known) == facts(fresh)
    assert facts(known) != facts(before)


def test_s7_a_change_that_reached_no_file_is_seen_by_its_event(host: WorkerHost, remembered: Path) -> None:
    [job] = [c.id for c in look(host, remembered)[0] if c.name == "job"]
    runs_again(host)
    at_rest(host)
    look(host, remembered)
    # As on a full disk, on which the engine could not write down that it ran once more.
    with closing(Ledger(remembered)) as ledger:
        sightings = Sightings(ledger, host.engine.engine_id)
        bodies = sightings.inspections()
        mark, stands, _, told = json.loads(bodies[job])
        long_ago = json.dumps([mark, stands, 0, told])
        sightings.keep_inspections(bodies | {job: long_ago})

    assert look(host, remembered)[1] == [job]


def test_what_ended_a_moment_ago_is_not_remembered(host: WorkerHost, remembered: Path) -> None:
    late = host.spent("late", "app:1")

    assert [late in look(host, remembered)[1] for _ in range(2)] == [True, True]


def test_s7_a_run_asks_about_all_of_them_whatever_is_remembered(
    host: WorkerHost, remembered: Path, jobs: list[str]
) -> None:
    assert look(host, remembered, anew=True)[1] == sorted(jobs)
    assert look(host, remembered)[1] == []


def test_s7_a_run_believes_nothing_that_is_remembered(host: WorkerHost, jobs: list[str]) -> None:
    at_rest(host)
    plan = host.plan()
    with closing(Ledger(host.place.ledger_file)) as ledger:
        sightings = Sightings(ledger, host.engine.engine_id)
        sightings.keep_inspections({id_: restarting(body) for id_, body in sightings.inspections().items()})
        assert sorted(sightings.inspections()) == sorted(jobs)
    report = host.execute(plan)

    assert {outcome_of(report, job).outcome for job in jobs} == {Outcome.REMOVED}


def restarting(body: str) -> str:
    """What is remembered, with a lie in it for which the container would have to stay."""
    mark, stands, asked, told = json.loads(body)
    told["HostConfig"]["RestartPolicy"] = {"Name": "always"}
    return json.dumps([mark, stands, asked, told])


def test_from_afar_all_of_them_are_asked_about(host: WorkerHost, remembered: Path, jobs: list[str]) -> None:
    assert look(host, remembered, local=False)[1] == sorted(jobs)


def test_no_environment_of_a_container_is_remembered(host: WorkerHost, remembered: Path) -> None:
    with closing(Ledger(remembered)) as ledger:
        kept = Sightings(ledger, host.engine.engine_id).inspections()

    assert len(kept) == 3
    assert SECRET not in json.dumps(kept)
