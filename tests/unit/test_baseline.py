"""What is written down before a run is enough to compare with after it, and holds no label of anybody's."""

import json
from dataclasses import replace

import pytest

from tests.unit.facts_host import NOW, a_policy, an_id, running
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


def test_what_a_service_was_attached_to_and_made_of_is_written_down() -> None:
    web = running("web", of="shop/app:3", networks=frozenset({"front", an_id("front")}))
    [again] = read(written([a_vital(container=web)]))

    assert (again.container.networks, again.container.references) == (web.networks, web.references)


def test_what_an_earlier_version_wrote_down_is_read() -> None:
    [entry] = json.loads(written([a_vital()]))
    since = ("networks", "references", "removes_itself", "unsteady")
    entries = [{key: value for key, value in entry.items() if key not in since}]
    [again] = read(json.dumps(entries))

    assert (again.removes_itself, again.unsteady) == (False, False)
    assert (again.name, again.container.networks, again.container.references) == ("web", frozenset(), ())


@pytest.mark.parametrize("fact", ["removes_itself", "unsteady"])
def test_what_a_container_was_going_to_do_by_itself_is_written_down(fact: str) -> None:
    [again] = read(written([a_vital(**{fact: True})]))

    assert getattr(again, fact)


def test_a_run_that_had_not_come_so_far_has_nothing_to_compare() -> None:
    assert read("") == []


def test_s15_no_other_label_is_written_down() -> None:
    assert "hunter2" not in written([a_vital(container=running("web", labels={"token": "hunter2"}))])
