"""Images that no registry has are saved before they go, and come back from there, on a real engine."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

from tests.docker import test_restore as restores
from tests.docker.test_recovery import standing_still as interrupted
from tests.docker.test_restore import away, ends, plan_of, restore, shared, tags
from tests.docker.worker_host import Busy, WorkerHost, codes, order_for, outcome_of, why
from tests.stage import images
from tests.stage.fixtures import RegistryFactory
from workers.archive.shelf import Shelf
from workers.cli import doctor
from workers.contract import (
    FromArchive,
    FromRegistry,
    Kind,
    Outcome,
    Plan,
    Report,
    Restorable,
    Restored,
    RestorePlan,
    RestoreReport,
    Status,
)
from workers.errors import EngineError, RefusedError
from workers.host import Host
from workers.memory.ledger import Ledger
from workers.planning.activity import MEMORY
from workers.reasons import Code

ROOT = Path(__file__).parents[2]
MB = 1_000_000
ROOM = 100 * MB
Hook = Callable[[], object]


@pytest.fixture
def disk(host: WorkerHost) -> Path:
    """A disk of the archive's own; whoever deletes the engine's folder unmounts it."""
    disk = host.engine.folder / "archive"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "archive", str(disk)], check=True)
    host.policy(archive_dir=f'"{disk}"', archive_max_bytes=str(ROOM))
    return disk


class Saving(Busy):
    """An engine at which something happens after the first piece of an image that it sends."""

    happens: Hook = staticmethod(lambda: None)

    def saved(self, image_id: str, *, within: timedelta) -> Iterator[bytes]:
        for piece in super().saved(image_id, within=within):
            yield piece
            self.happens()


def executed(host: WorkerHost, plan: Plan, happens: Hook) -> Report:
    """Execute a plan at an engine where something happens while an image is saved."""
    with host.opened() as opened, closing(Saving(host.engine.url)) as engine:
        engine.happens = happens
        return Host(host.place, opened.ledger, engine).execute(order_for(plan), told_to_stop=lambda: False)


class Overheard(Saving):
    """One that tells how often it was asked for its events."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._asked = Semaphore(0)

    def events(self, *asked: Any, **about: Any) -> list[Any]:
        told = super().events(*asked, **about)
        self._asked.release()
        return told

    def await_asked(self) -> None:
        while self._asked.acquire(blocking=False):
            pass
        # The first may have been asked before.
        for _ in range(2):
            assert self._asked.acquire(timeout=60), "nobody asks for events"


def files(disk: Path) -> list[str]:
    return sorted(path.name for path in disk.rglob("*") if path.is_file() and path.name != "filler")


def named(*ids: str) -> list[str]:
    """The files of images in an archive."""
    return sorted(f"{id_.removeprefix('sha256:')}.tar.zst" for id_ in ids)


def test_s7_what_happens_while_an_image_is_saved_is_heard(host: WorkerHost, disk: Path) -> None:
    first, second = host.image("first:1"), host.image("second:1")
    base, client = host.image("base:1"), host.engine.client
    host.policy(protected_images='["base"]')
    plan, busy = host.plan((Kind.IMAGE,)), iter([MEMORY // 2] * 3)

    def work() -> None:
        for count in busy:
            for number in range(count):
                client.tag(base, "base", f"at-{number}")
            engine.await_asked()

    with host.opened() as opened, closing(Overheard(host.engine.url)) as engine:
        engine.happens = work
        at_it = Host(host.place, opened.ledger, engine)
        report = at_it.execute(order_for(plan), told_to_stop=lambda: False)

    assert {outcome_of(report, image).outcome for image in (first, second)} == {Outcome.REMOVED}


def only_file(disk: Path) -> Path:
    [path] = disk.rglob("*.tar.zst")
    return path


def marks(plan: Plan) -> dict[str, Restorable]:
    return {step.object.id: step.restorable for step in plan.steps}


def stays(plan: Plan) -> dict[str, Code]:
    return {v.object.id: v.reasons[0].code for v in plan.verdicts if v.keep}


def comes_from_archive(plan: RestorePlan, image: str) -> bool:
    """One store knows a registry of every image, be there one or not."""
    sources = [source for step in plan.steps if step.object.id == image for source in step.sources]
    return any(isinstance(source, FromArchive) for source in sources)


def noise(host: WorkerHost, tag: str, megabytes: float) -> str:
    """An image that cannot be compressed to less than about so many megabytes."""
    own = images.layer({"noise": images.noise(tag, megabytes)})
    made = images.Archived(tags=(tag,), layers=(images.base_layer(), own))
    [id_] = images.load(host.engine.client, [made])
    return id_


def gone(host: WorkerHost) -> Report:
    report = host.execute(host.plan())
    assert report.status is Status.DONE, report.outcomes
    return report


# There and back


def test_an_image_without_a_registry_goes_and_comes_back_with_its_id_and_tags(
    host: WorkerHost, disk: Path
) -> None:
    image = host.image("web:1", "web:2")
    before = tags(host)
    plan = host.plan()
    told = codes(plan.notices)
    assert marks(plan) == {image: Restorable.ARCHIVED}
    assert (Code.ARCHIVED_FIRST in told, Code.UNRESTORABLE_COUNT in told) == (True, False)
    assert host.execute(plan).status is Status.DONE
    assert (host.has(image), files(disk)) == (False, named(image))

    back = plan_of(host)
    [step] = back.steps
    assert (type(step.sources[0]), back.notices, away(back)) == (FromArchive, (), {})
    done = restore(host, back)
    assert (done.status, done.findings, ends(done)) == (Status.DONE, (), {image: Restored.RESTORED})
    assert tags(host) == before


def test_s15_the_way_back_in_the_journal_names_the_file(host: WorkerHost, disk: Path) -> None:
    host.image("web:1")
    report = gone(host)
    with host.opened() as opened:
        [(_, way_back, _)] = opened.ledger.ways_back(report.order_id)

    assert only_file(disk).name in way_back


def test_s15_a_copy_is_whole_and_in_the_journal_before_the_engine_is_asked(
    host: WorkerHost, disk: Path
) -> None:
    image, found = host.image("web:1"), list[tuple[list[str], bool]]()

    def look(_kind: str, _id: str) -> None:
        with closing(Ledger(host.place.ledger_file)) as ledger:
            [one] = ledger.archived()
            [run] = ledger.open_runs()
            [(_, way_back, _)] = ledger.ways_back(run.order.id)
        good = Shelf(only_file(disk).parent).is_good(one.file, one.sha256)
        found.append((files(disk), good and one.sha256 in way_back))

    host.execute(host.plan(), before=look)
    assert found == [(named(image), True)] * len(found)
    assert found


def test_restored_twice_everything_is_there_already(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1")
    gone(host)
    first, second = plan_of(host), plan_of(host, "web:1")
    restore(host, first)

    assert ends(restore(host, second)) == {image: Restored.ALREADY_THERE}
    with pytest.raises(RefusedError) as refused:
        restore(host, first)
    assert codes(refused.value.reasons) == [Code.RESTORE_PLAN_USED]
    assert away(plan_of(host)) == {image: Code.ALREADY_THERE}


def test_what_came_back_goes_again_with_the_file_that_is_there(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1")
    gone(host)
    before = only_file(disk).stat()
    assert restore(host, plan_of(host)).status is Status.DONE
    gone(host)
    after = only_file(disk).stat()

    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert restore(host, plan_of(host)).status is Status.DONE
    assert host.has(image)


def test_a_tag_that_names_another_image_by_now_is_left_there(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1", "web:2")
    gone(host)
    other = host.image("web:1", content="other")
    done = restore(host, plan_of(host))

    assert (done.status, tags(host)) == (Status.DONE, {"web:1": other, "web:2": image})


def test_what_a_registry_gives_back_is_not_saved(
    host: WorkerHost, disk: Path, fresh_registry: RegistryFactory
) -> None:
    host.policy(probe_registry="true")
    registry = fresh_registry(host.engine)
    given, _ = shared(host, registry, "web:1")
    local = host.image("local:1")
    plan = host.plan()

    assert marks(plan) == {given: Restorable.YES, local: Restorable.ARCHIVED}
    assert host.execute(plan).status is Status.DONE
    assert files(disk) == named(local)


def test_a_copy_comes_before_registries_that_nobody_asked(
    host: WorkerHost, disk: Path, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(host.engine)
    image, _ = shared(host, registry, "web:1")
    gone(host)
    registry.stop()
    unasked = plan_of(host)
    [step] = unasked.steps

    assert ([type(one) for one in step.sources], unasked.notices) == ([FromArchive, FromRegistry], ())
    host.policy(probe_registry="true")
    assert [type(one) for one in plan_of(host).steps[0].sources] == [FromArchive]
    done = restore(host, unasked)
    assert (done.status, done.findings, host.has(image)) == (Status.DONE, (), True)


def test_where_its_registry_gives_it_the_copy_is_not_touched(
    host: WorkerHost, disk: Path, fresh_registry: RegistryFactory
) -> None:
    image, _ = shared(host, fresh_registry(host.engine), "web:1")
    gone(host)
    os.truncate(only_file(disk), 100)
    host.policy(probe_registry="true")
    plan = plan_of(host)
    assert [type(one) for one in plan.steps[0].sources] == [FromRegistry, FromArchive]
    done = restore(host, plan)

    assert (done.status, done.findings, files(disk)) == (Status.DONE, (), named(image))


# Faults


def test_a_damaged_archive_is_refused_named_and_kept_aside(host: WorkerHost, disk: Path) -> None:
    image, other = host.image("web:1"), host.image("other:1")
    gone(host)
    before = plan_of(host)
    damaged = next(path for path in disk.rglob(named(image)[0]))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    done = restore(host, before)

    assert ends(done) == {image: Restored.FAILED, other: Restored.RESTORED}
    told = next(one.reason for one in done.outcomes if one.object.id == image)
    assert told is not None
    assert (told.code, told.params) == (
        Code.ARCHIVE_DAMAGED,
        {"file": damaged.name, "aside": f"{damaged.name}.damaged"},
    )
    assert (host.has(image), files(disk)) == (False, sorted([f"{damaged.name}.damaged", *named(other)]))
    assert (disk / damaged.parent / f"{damaged.name}.damaged").read_bytes() == content
    assert not comes_from_archive(plan_of(host), image)


@pytest.mark.parametrize("left", [0, 100])
def test_a_truncated_archive_is_refused_named_and_kept_aside(host: WorkerHost, disk: Path, left: int) -> None:
    image = host.image("web:1")
    gone(host)
    os.truncate(only_file(disk), left)
    done = restore(host, plan_of(host))

    assert (ends(done), host.has(image)) == ({image: Restored.FAILED}, False)
    assert codes([one.reason for one in done.outcomes]) == [Code.ARCHIVE_DAMAGED]
    assert files(disk) == [f"{named(image)[0]}.damaged"]


def test_where_the_copy_is_damaged_its_registry_is_asked(
    host: WorkerHost, disk: Path, fresh_registry: RegistryFactory
) -> None:
    image, _ = shared(host, fresh_registry(host.engine), "web:1")
    gone(host)
    os.truncate(only_file(disk), 100)
    done = restore(host, plan_of(host))

    assert (done.status, codes(done.findings)) == (Status.DONE, [Code.ARCHIVE_DAMAGED])
    assert host.has(image)


def test_an_archive_that_is_away_gives_nothing_back_and_takes_nothing(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1")
    gone(host)
    plan = plan_of(host)
    subprocess.run(["umount", str(disk)], check=True)
    done = restore(host, plan)

    assert codes([one.reason for one in done.outcomes]) == [Code.ARCHIVE_UNREADABLE]
    assert (comes_from_archive(plan_of(host), image), host.has(image)) == (False, False)


def test_on_the_engines_own_disk_nothing_is_saved_and_what_would_be_stays(
    host: WorkerHost, disk: Path
) -> None:
    image, network = host.image("web:1"), host.network("front")
    before = host.plan()
    # What is left is a folder of the engine's disk.
    subprocess.run(["umount", str(disk)], check=True)
    plan = host.plan()

    assert (stays(plan)[image], marks(plan).keys()) == (Code.ARCHIVE_UNUSABLE, {network})
    assert Code.ARCHIVE_UNUSABLE in codes(plan.notices)
    report = host.execute(before)
    assert (why(report, image), host.has(image), files(disk)) == (Code.ARCHIVE_UNUSABLE, True, [])
    assert outcome_of(report, network).outcome is Outcome.REMOVED


def test_where_the_worker_may_not_write_such_images_stay_and_can_come_back(
    host: WorkerHost, disk: Path
) -> None:
    first = host.image("first:1")
    gone(host)
    second = host.image("second:1")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    plan = host.plan()

    assert (stays(plan)[second], plan.steps) == (Code.ARCHIVE_UNUSABLE, ())
    assert restore(host, plan_of(host)).status is Status.DONE
    assert host.has(first)


def leave(disk: Path, size: int) -> None:
    """Fill the archive's disk with somebody else's data, up to about so many bytes."""
    with (disk / "filler").open("wb") as file:
        told = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, told.f_bavail * told.f_frsize - size)


def test_a_disk_that_is_too_small_bars_the_plan_the_step_and_the_copy_and_the_image_stays(
    host: WorkerHost, disk: Path
) -> None:
    image, small, network = noise(host, "big:1", 30), host.image("small:1"), host.network("front")
    before, second, third = host.plan(), host.plan(), host.plan()
    leave(disk, 20 * MB)
    plan = host.plan()
    assert (stays(plan)[image], marks(plan).keys()) == (Code.ARCHIVE_FULL, {small, network})
    assert Code.ARCHIVE_TOO_SMALL in codes(plan.notices)

    report = host.execute(before)
    assert {one.object.id: one.outcome for one in report.outcomes} == {
        image: Outcome.REFUSED,
        small: Outcome.REMOVED,
        network: Outcome.REMOVED,
    }
    assert (why(report, image), host.has(image), files(disk)) == (Code.ARCHIVE_FULL, True, named(small))

    # Room when it is looked for, and none when it is needed.
    (disk / "filler").unlink()
    report = executed(host, second, lambda: None if (disk / "filler").exists() else leave(disk, 0))
    assert (why(report, image), host.has(image), files(disk)) == (Code.ARCHIVE_FULL, True, named(small))

    (disk / "filler").unlink()
    report = host.execute(third)
    assert (outcome_of(report, image).outcome, files(disk)) == (Outcome.REMOVED, named(small, image))


def test_a_smaller_limit_of_the_policy_is_kept_to(host: WorkerHost, disk: Path) -> None:
    first, second = noise(host, "first:1", 15), noise(host, "second:1", 10)
    # What an image takes on its engine differs by store, and is what a plan counts on.
    [size] = [verdict.size for verdict in host.plan().verdicts if verdict.object.id == first]
    assert size is not None
    host.policy(archive_max_bytes=str(size + MB))
    plan = host.plan()

    assert (marks(plan).keys(), stays(plan)[second]) == ({first}, Code.ARCHIVE_FULL)
    gone(host)
    assert files(disk) == named(first)
    assert stays(host.plan())[second] is Code.ARCHIVE_FULL


def test_the_oldest_goes_first_and_never_what_a_young_run_needs(host: WorkerHost, disk: Path) -> None:
    first = noise(host, "first:1", 15)
    gone(host)
    second = noise(host, "second:1", 15)
    gone(host)
    third = noise(host, "third:1", 15)
    host.policy(archive_max_bytes=str(40 * MB))
    assert stays(host.plan())[third] is Code.ARCHIVE_FULL

    host.policy(restore_for='"0s"')
    gone(host)
    assert (host.has(third), files(disk)) == (False, named(second, third))
    assert first not in {one.object.id for one in plan_of(host).steps}


def test_an_engine_that_breaks_off_fails_the_step_and_the_run_goes_on(host: WorkerHost, disk: Path) -> None:
    image, network = host.image("web:1"), host.network("front")

    def breaks_off() -> None:
        raise EngineError("save: broken")

    report = executed(host, host.plan(), breaks_off)
    assert (outcome_of(report, image).outcome, why(report, image)) == (Outcome.FAILED, Code.ARCHIVE_FAILED)
    assert outcome_of(report, network).outcome is Outcome.REMOVED
    assert (host.has(image), files(disk)) == (True, [])


def test_an_engine_that_dies_while_it_sends_ends_the_run_and_the_image_stays(
    host: WorkerHost, disk: Path
) -> None:
    image = noise(host, "web:1", 5)
    report = executed(host, host.plan(), host.engine.kill)
    host.engine.start()

    assert (report.status, codes(report.stopped_by)) == (Status.STOPPED, [Code.ENGINE_UNREACHABLE])
    assert outcome_of(report, image).outcome is Outcome.NOT_ATTEMPTED
    assert (host.has(image), files(disk)) == (True, [])


def test_s7_what_came_into_use_while_it_was_saved_stays(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1")
    made: list[str] = []

    def is_used() -> None:
        if not made:
            made.append(host.create("web", "web:1"))

    found = outcome_of(executed(host, host.plan(), is_used), image)
    # By the look after the copy, and not by the engine's own refusal.
    assert (found.outcome, found.reason and found.reason.code) == (Outcome.REFUSED, Code.BECAME_USED)
    assert host.has(image)


def test_s7_an_image_that_was_lost_in_a_race_comes_back_from_there(host: WorkerHost, disk: Path) -> None:
    image = host.image("web:1", "web:2")

    def lose(kind: str, _id: str) -> None:
        if kind == "image" and not host.has(image):
            lost_in_a_race(host, image)

    report = host.execute(host.plan(), after=lose)
    assert codes(report.findings) == [Code.LOST_RACE, Code.BROUGHT_BACK]
    assert tags(host) == {"web:1": image, "web:2": image}


# The worker's process dies


@contextmanager
def standing_still(host: WorkerHost, order: str, what: str) -> Iterator[None]:
    """A process that stands still in the middle of an image; killed at the end."""
    command = [sys.executable, "-m", "tests.docker.interrupted_archive"]
    command += [host.engine.url, str(host.folder), order, what]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "half"
        yield
        process.kill()


def test_s11_killed_while_it_saves_the_image_stays_and_nothing_is_left_over(
    host: WorkerHost, disk: Path
) -> None:
    image = noise(host, "web:1", 5)
    plan = host.plan()
    with standing_still(host, order_for(plan).model_dump_json(), "save"):
        assert files(disk) == [f"{named(image)[0]}.part"]
        with host.opened() as opened, pytest.raises(RefusedError):
            opened.recover()
        assert files(disk) == [f"{named(image)[0]}.part"]
    with host.opened() as opened:
        [report] = opened.recover()

    assert (report.status, outcome_of(report, image).outcome) == (Status.INTERRUPTED, Outcome.NOT_ATTEMPTED)
    assert (tags(host), files(disk)) == ({"web:1": image}, [])
    gone(host)
    assert files(disk) == named(image)


def lost_in_a_race(host: WorkerHost, image: str) -> None:
    """What is left of a lost race: a container whose image went in the moment it was made."""
    assert host.image("web:1", "web:2") == image
    host.create("web", image)
    host.engine.client.remove_image(image, force=True)


def test_s7_a_race_that_was_lost_before_the_worker_died_is_mended_from_there(
    host: WorkerHost, disk: Path
) -> None:
    image = host.image("web:1", "web:2")
    with interrupted(host, host.plan(), "after"):
        pass
    assert not host.has(image)
    lost_in_a_race(host, image)
    with host.opened() as opened:
        [report] = opened.recover()

    assert (report.status, codes(report.findings)) == (
        Status.INTERRUPTED,
        [Code.LOST_RACE, Code.BROUGHT_BACK],
    )
    assert tags(host) == {"web:1": image, "web:2": image}


def test_s7_where_the_copy_is_damaged_the_race_is_mended_from_the_registry(
    host: WorkerHost, disk: Path, fresh_registry: RegistryFactory
) -> None:
    registry = fresh_registry(host.engine)
    image, _ = shared(host, registry, "web:1")
    name = f"{registry.address}/web:1"
    with interrupted(host, host.plan(), "after"):
        pass
    os.truncate(only_file(disk), 100)
    registry.pull("web:1")
    host.create("web", image)
    host.engine.client.remove_image(image, force=True)
    with host.opened() as opened:
        [report] = opened.recover()

    assert codes(report.findings) == [Code.LOST_RACE, Code.BROUGHT_BACK]
    assert host.image_named(name) == image
    assert files(disk) == [f"{named(image)[0]}.damaged"]


def test_s11_killed_while_it_loads_it_does_not_go_on_and_the_next_plan_brings_it(
    host: WorkerHost, disk: Path
) -> None:
    image = noise(host, "web:1", 5)
    gone(host)
    plan: RestorePlan = plan_of(host)
    with standing_still(host, restores.order_for(plan).model_dump_json(), "load"):
        pass
    with host.opened() as opened:
        opened.recover()
        report: RestoreReport = opened.ledger.restore_reports()[-1]

    assert (report.status, ends(report)) == (Status.INTERRUPTED, {image: Restored.FAILED})
    assert (host.has(image), files(disk)) == (False, named(image))
    assert restore(host, plan_of(host)).status is Status.DONE
    assert tags(host) == {"web:1": image}


def test_a_doctor_tells_what_lies_there_and_what_is_damaged(host: WorkerHost, disk: Path) -> None:
    def found() -> doctor.Finding:
        [one] = [one for one in doctor.examine(host.place) if one.what == "archive"]
        return one

    host.image("web:1")
    gone(host)
    assert (found().good, found().found.startswith("1 image in ")) == (True, True)
    os.truncate(only_file(disk), 100)
    restore(host, plan_of(host))
    assert (found().good, found().found.startswith("no images in ")) == (False, True)
    assert ".damaged" in found().found

    subprocess.run(["umount", str(disk)], check=True)
    assert (found().good, "frees nothing" in found().found) == (False, True)
