"""Whoever waits for a host is told whose run holds it, and nobody is told of a run that is none."""

import pytest

from bot.holders import holders
from bot.progress import at, standing
from bot.requests import Asked, Contact, Holder, Line, Request, Sent, Settled, Settlement, Stage, told
from tests.unit.bot_values import (
    ANA,
    BO,
    NOON,
    after,
    finished,
    plan,
    plan_ready,
    plan_started,
    report,
    started,
    step_finished,
)
from workers.contract import Event
from workers.signing import digest

UP = Line(up=True, since=after(-3600))
MADE = plan(request="r1")
OF_BO = Holder((BO,), after(12), digest(MADE))
BEGUN = (plan_ready(MADE, at=after(5)), started("o1", MADE, at=after(12)))
AT_A_RUN = Contact("web-1", after(60), "execute", after(11))


def stands(id_: str, *events: Event, confirmed: bool = False, sent: tuple[Sent, ...] = ()) -> Request:
    settlement = Settlement(Settled.CONFIRMED, after(10), BO, plans={"web-1": digest(MADE)})
    asked = Asked(id_, "preview", "C1", ANA, ("web-1",), NOON)
    return standing(asked, settlement=settlement if confirmed else None, sent=sent, events=told(events))


def holder(
    waits: Request, *others: Request, contact: Contact = AT_A_RUN, seconds: float = 61
) -> Holder | None:
    held = holders([waits, *others])
    [part] = at(waits, contacts=[contact], line=UP, now=after(seconds), held=held).parts
    return part.holder


RUN = stands("r1", *BEGUN, confirmed=True)


def test_what_is_asked_behind_a_run_names_who_confirmed_it_since_when_and_its_plan() -> None:
    assert holder(stands("r2"), RUN) == OF_BO


def test_of_a_run_that_has_not_told_of_itself_it_is_known_since_when() -> None:
    assert holder(stands("r2")) == Holder(since=after(11))


@pytest.mark.parametrize("busy", ["", "plan"])
def test_a_host_that_is_at_no_run_holds_up_nobody(busy: str) -> None:
    assert holder(stands("r2"), RUN, contact=Contact("web-1", after(60), busy, after(11))) is None


def test_a_run_that_is_over_holds_nobody_up() -> None:
    over = stands(
        *("r1", *BEGUN, step_finished("o1", MADE, 0, at=after(13))),
        finished(report("o1", MADE, digest(MADE), at=after(14)), at=after(14)),
        confirmed=True,
    )
    assert holder(stands("r2"), over) == Holder(since=after(11))
    assert holder(stands("r2"), over, contact=Contact("web-1", after(60))) is None


def test_an_order_waits_behind_another_run_and_not_behind_itself() -> None:
    ordered = stands("r2", BEGUN[0], confirmed=True)

    assert holder(ordered, RUN) == OF_BO
    assert holder(ordered) is None


def test_what_a_host_is_at_itself_waits_for_nobody() -> None:
    assert holder(RUN) is None
    assert holder(stands("r2", plan_started(request="r2", at=after(3))), RUN) is None


def test_who_has_waited_too_long_is_told_what_for() -> None:
    waited = at(stands("r2"), contacts=[Contact("web-1", after(1000), "execute")], line=UP, now=after(1001))

    assert waited.parts[0].stage is Stage.SILENT
    assert holder(stands("r2"), RUN, contact=Contact("web-1", after(1000), "execute"), seconds=1001) == OF_BO
