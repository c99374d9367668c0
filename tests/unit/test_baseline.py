"""What is written down before a run is enough to compare with after it, and holds no label of anybody's."""

from dataclasses import replace

from tests.unit.facts_host import NOW, a_policy, running
from tests.unit.test_health import a_vital, looked
from workers.execution import health
from workers.execution.baseline import read, written


def test_s6_what_was_written_down_compares_as_it_did() -> None:
    web, db, job = a_vital("web"), a_vital("db", state="paused"), a_vital("job", health="")
    after = looked(replace(web, health="unhealthy"), job)
    policy = a_policy(critical_containers=["compose:shop/web"])
    told = health.lines([web, db, job], after, policy, last_removal=NOW)

    again = read(written([web, db, job]))

    assert health.lines(again, after, policy, last_removal=NOW) == told
    assert sum(line.critical for line in told) == 1


def test_a_run_that_had_not_come_so_far_has_nothing_to_compare() -> None:
    assert read("") == []


def test_s15_no_other_label_is_written_down() -> None:
    assert "hunter2" not in written([a_vital(container=running("web", labels={"token": "hunter2"}))])
