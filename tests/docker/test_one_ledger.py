"""Two workers of one machine, or a ledger that was lost: one execution and one ledger per engine (S11)."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.docker.test_recovery import standing_still, three_images
from tests.docker.worker_host import WorkerHost, order_for
from workers.cli.adoption import SHORTEST_ID, adopted
from workers.cli.doctor import Finding, examine
from workers.contract import Status
from workers.errors import RefusedError
from workers.host import Place
from workers.memory.ledger import Ledger
from workers.reasons import Code, Reason
from workers.whoami import whoami


@dataclass
class Neighbour(WorkerHost):
    """A second worker of the same machine, with a state folder of its own."""

    engines: Path | None = None

    @property
    def place(self) -> Place:
        return replace(super().place, engines_dir=self.engines)


def neighbour_of(host: WorkerHost) -> Neighbour:
    folder = host.folder / "neighbour"
    folder.mkdir()
    return Neighbour(host.engine, folder, engines=host.place.engines)


def ledger_id(host: WorkerHost) -> str:
    with closing(Ledger(host.place.ledger_file)) as ledger:
        return ledger.id


def refusal(execute: Callable[[], object]) -> Reason:
    with pytest.raises(RefusedError) as refused:
        execute()
    [why] = refused.value.reasons
    return why


def belonging(host: WorkerHost) -> Finding:
    return next(found for found in examine(host.place) if found.what == "engine belongs to")


def adopt(host: WorkerHost, typed: str | None) -> tuple[bool, str]:
    said: list[str] = []
    with host.opened() as opened:
        done = adopted(opened, typed, said.append)
    return done, " ".join(said)


def test_s11_two_workers_with_ledgers_of_their_own_do_not_execute_at_once(host: WorkerHost) -> None:
    other = neighbour_of(host)
    with standing_still(host, three_images(host), "before"):
        why = refusal(lambda: other.execute(other.plan()))

    assert (why.code, len(host.tags())) == (Code.HELD, 3)


def test_s11_a_second_ledger_executes_nothing_until_a_person_takes_the_engine_over(host: WorkerHost) -> None:
    other = neighbour_of(host)
    three_images(host)
    first = host.execute(host.plan())
    host.image("waste:again")
    why = refusal(lambda: other.execute(other.plan()))
    mine, theirs = ledger_id(host), ledger_id(other)

    assert (first.status, why.code, list(host.tags())) == (Status.DONE, Code.OTHER_LEDGER, ["waste:again"])
    assert why.params == {
        "theirs": f"{mine[:SHORTEST_ID]} in {host.place.ledger_file}",
        "ours": f"{theirs[:SHORTEST_ID]} in {other.place.ledger_file}",
    }
    assert (belonging(host).good, belonging(other).good) == (True, False)
    assert f"adopt --confirm {mine[:SHORTEST_ID]}" in belonging(other).next_step
    assert [adopt(other, typed)[0] for typed in (None, "", mine[:4], theirs)] == [False] * 4
    assert adopt(other, mine[:SHORTEST_ID])[0]
    assert other.execute(other.plan()).status is Status.DONE
    host.image("waste:at-last")
    assert refusal(lambda: host.execute(host.plan())).code is Code.OTHER_LEDGER


def test_s4_a_ledger_that_is_lost_is_not_replaced_by_an_empty_one(host: WorkerHost) -> None:
    three_images(host)
    host.execute(host.plan())
    for file in host.folder.glob("state/ledger.db*"):
        file.unlink()
    host.image("waste:again")
    plan = host.plan()

    assert refusal(lambda: host.execute(plan)).code is Code.OTHER_LEDGER
    assert list(host.tags()) == ["waste:again"]


@pytest.mark.parametrize("spoil", ["no folder", "unreadable"])
def test_s4_where_whose_engine_it_is_cannot_be_told_nothing_is_executed(host: WorkerHost, spoil: str) -> None:
    plan = three_images(host)
    if spoil == "no folder":
        host.place.engines.write_text("a file stands in its place")
    else:
        name = host.place.engines / f"engine-{plan.engine.id.replace(':', '-')}.ledgers"
        name.parent.mkdir()
        name.write_text("{")

    assert refusal(lambda: host.execute(plan)).code is Code.NO_LOCK
    assert host.plan().steps == plan.steps
    assert not belonging(host).good
    assert len(host.tags()) == 3


def test_s11_who_took_an_engine_over_is_on_record(host: WorkerHost) -> None:
    other = neighbour_of(host)
    host.execute(three_images(host))
    adopt(other, ledger_id(host))
    with other.opened() as opened:
        owner = opened.ownership.owner()

    assert owner is not None
    assert (owner.ledger, owner.by) == (ledger_id(other), whoami().spelled)


def test_s11_a_ledger_that_was_put_back_executes_nothing_until_a_person_says_so(host: WorkerHost) -> None:
    host.execute(three_images(host))
    copy = host.folder / "copy.db"
    with closing(sqlite3.connect(host.place.ledger_file)) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    host.image("waste:since")
    order = order_for(host.plan())
    with host.opened() as opened:
        opened.execute(order, told_to_stop=lambda: False)
    for file in host.folder.glob("state/ledger.db*"):
        file.unlink()
    copy.rename(host.place.ledger_file)
    host.image("waste:again")
    plan = host.plan()

    why = refusal(lambda: host.execute(plan))
    assert (why.code, why.params["order"], list(host.tags())) == (
        Code.LEDGER_PUT_BACK,
        order.id,
        ["waste:again"],
    )
    assert not belonging(host).good
    mine = ledger_id(host)
    assert not adopt(host, None)[0]
    assert adopt(host, mine)[0]
    assert refusal(lambda: host.execute(plan)).code is Code.PLAN_BEFORE_ADOPTION
    assert host.execute(host.plan()).status is Status.DONE
