"""How a restore stands, made of what is recorded and told: in any order, and by no other's events."""

from collections.abc import Mapping
from itertools import permutations
from types import MappingProxyType
from typing import Any

import pytest

from bot.consent import asking
from bot.orders import RESTORE, RESTORE_PLAN, claims_id, restore_order, unsent
from bot.progress import at, standing
from bot.requests import Asked, Contact, Halt, Line, Phase, Request, Sent, Settled, Settlement, Stage, told
from bot.wanted import Wanted
from tests.unit.bot_values import ANA, BO, NOON, after, plan_ready
from tests.unit.restores_told import (
    restore_finished,
    restore_plan,
    restore_planned,
    restore_report,
    step_begun,
)
from workers.contract import Event, RestoreOrder, RestoreRequest, Status
from workers.reasons import Code, reason
from workers.signing import digest

ASKED = Asked("r1", "restore", "C1", ANA, ("web-1",), NOON, wanted=Wanted("ab12", ("app:1",)))
MADE = restore_plan()
ORDER = claims_id("r1", "web-1", RESTORE)
CONFIRMED = Settlement(Settled.CONFIRMED, after(60), BO, "set-1", {"web-1": digest(MADE)})
REPORT = restore_report(ORDER, MADE, digest(MADE), at=after(90))
NOBODY_SAID: Mapping[str, Halt] = MappingProxyType({})
LINE = Line(up=True, since=NOON)


def request(
    *events: Event,
    settlement: Settlement | None = None,
    sent: tuple[Sent, ...] = (),
    halts: Mapping[str, Halt] = NOBODY_SAID,
) -> Request:
    return standing(ASKED, settlement=settlement, sent=sent, events=told(events), halts=halts)


def test_it_is_ready_when_its_plan_came() -> None:
    assert request().phase is Phase.PLANNING
    ready = request(restore_planned(MADE))

    assert (ready.phase, ready.plans) == (Phase.READY, {"web-1": digest(MADE)})
    assert ready.expires_at == MADE.expires_at
    assert ready.set_digest != request(restore_planned(restore_plan(unusual=True))).set_digest


def test_s3_a_plan_of_removals_is_none_of_a_restore() -> None:
    assert request(plan_ready()).phase is Phase.PLANNING


def test_what_cannot_be_done_is_not_ready() -> None:
    for more in ({"steps": ()}, {"free": 0}):
        assert request(restore_planned(restore_plan(**more))).phase is Phase.CLOSED


def test_whatever_comes_in_which_order_it_stands_the_same() -> None:
    events = (restore_planned(MADE), *(step_begun(ORDER, MADE, n, at=after(80 + n)) for n in range(2)))
    under_way = [request(*found, settlement=CONFIRMED) for found in permutations((*events, events[-1]))]
    [part] = under_way[0].parts
    assert all(one == under_way[0] for one in under_way)
    assert (part.stage, part.steps_done, part.steps) == (Stage.EXECUTING, 1, 2)

    ended = (*events, restore_finished(REPORT))
    for found in permutations(ended):
        over = request(*found, settlement=CONFIRMED)
        assert (over.phase, over.parts[0].restored) == (Phase.FINISHED, REPORT)


def test_what_another_order_brings_back_is_not_this_ones() -> None:
    strange = restore_report("o9", MADE, digest(MADE), Status.DONE)
    found = request(restore_planned(MADE), restore_finished(strange), settlement=CONFIRMED)

    assert (found.phase, found.parts[0].stage) == (Phase.EXECUTING, Stage.ORDERED)


def test_a_restore_that_hosts_tell_of_was_confirmed_though_the_click_is_lost() -> None:
    found = request(restore_planned(MADE), restore_finished(REPORT))

    assert found.settlement is not None
    assert (found.settlement.by, found.settlement.plans) == (REPORT.approver, {"web-1": digest(MADE)})
    assert found.phase is Phase.FINISHED


def test_what_goes_out_is_what_was_asked_for_and_confirmed() -> None:
    [asking_] = unsent(request(), (), key_id="k1")
    assert isinstance(asking_, RestoreRequest)
    assert (asking_.run, asking_.objects) == ("ab12", ("app:1",))
    assert unsent(request(), (Sent("web-1", RESTORE_PLAN, NOON, asking_.id),), key_id="k1") == []
    confirmed = request(restore_planned(MADE), settlement=CONFIRMED)
    [order] = unsent(confirmed, (), key_id="k1")

    assert isinstance(order, RestoreOrder)
    assert (order.id, order.plan_digest, order.engine_id) == (ORDER, digest(MADE), MADE.engine.id)
    assert order.agreed == (BO,)
    assert restore_order(request(restore_planned(MADE)), "web-1", key_id="k1") is None
    assert (
        unsent(
            request(restore_planned(MADE), settlement=Settlement(Settled.CANCELLED, NOON)), (), key_id="k1"
        )
        == []
    )
    begun = request(restore_planned(MADE), step_begun(ORDER, MADE, 0), settlement=CONFIRMED)
    assert unsent(begun, (), key_id="k1") == []


def test_a_restore_is_stopped_while_it_is_ordered_or_at_work_and_once() -> None:
    def stoppable(*events: Event, **more: Any) -> bool:
        return bool(request(restore_planned(MADE), *events, settlement=CONFIRMED, **more).stoppable)

    begun = step_begun(ORDER, MADE, 0)
    over = restore_finished(restore_report(ORDER, MADE, digest(MADE)))
    assert not request(restore_planned(MADE)).stoppable
    assert [stoppable(), stoppable(begun), stoppable(begun, over)] == [True, True, False]
    halts = {"web-1": Halt(BO, NOON)}
    assert not stoppable(begun, halts=halts)
    [part] = request(restore_planned(MADE), begun, settlement=CONFIRMED, halts=halts).parts
    assert part.halt == halts["web-1"]


def test_s12_what_it_takes_counts_as_what_would_be_removed() -> None:
    usual, unusual = (asking(request(restore_planned(restore_plan(unusual=odd)))) for odd in (False, True))

    assert (usual.expected, usual.unusual, unusual.unusual) == (MADE.needs.high, False, True)


@pytest.mark.parametrize(
    ("busy", "stage"), [("restore", Stage.EXECUTING), ("", Stage.LOST), ("plan", Stage.LOST)]
)
def test_s14_a_host_at_no_restore_for_long_has_lost_it(busy: str, stage: Stage) -> None:
    under_way = request(restore_planned(MADE), step_begun(ORDER, MADE, 0, at=after(80)), settlement=CONFIRMED)
    contact = Contact("web-1", last_seen=after(599), busy=busy)

    [part] = at(under_way, contacts=[contact], line=LINE, now=after(600)).parts
    assert part.stage is stage


def test_a_freeze_withholds_no_restore() -> None:
    ready = request(restore_planned(MADE))
    frozen, off = (reason(code) for code in (Code.FROZEN, Code.CLOCK_OFF))

    def phase(*problems: object) -> Phase:
        contact = Contact("web-1", last_seen=after(1), problems=problems)  # type: ignore[arg-type]
        return at(ready, contacts=[contact], line=LINE, now=after(2)).phase

    assert (phase(frozen), phase(off), phase(frozen, off)) == (Phase.READY, Phase.CLOSED, Phase.CLOSED)
