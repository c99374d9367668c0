"""How a request stands: made of facts that may come twice, late or out of turn, and of the time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.orders import EXECUTE, PLAN, claims_id, execution_order, plan_request, undelivered, unsent
from bot.progress import ORDER_DEAD_AFTER, TOLD_WITHIN, at, standing
from bot.requests import (
    Choice,
    Contact,
    HostPart,
    Line,
    Phase,
    Request,
    Sent,
    Settled,
    Settlement,
    Stage,
    told,
)
from tests.unit.bot_values import (
    BO,
    NOON,
    after,
    asked,
    finished,
    plan,
    plan_failed,
    plan_ready,
    plan_started,
    refused,
    report,
    started,
    step_finished,
    work_begun,
)
from workers.contract import Doing, Event, Kind
from workers.reasons import Code, reason
from workers.signing import MAX_LIFE, digest

PLANS = {"web-1": plan("web-1"), "web-2": plan("web-2")}
DIGESTS = {host: digest(made) for host, made in PLANS.items()}
ORDER = claims_id("r1", "web-1", EXECUTE)
CONFIRMED = Settlement(Settled.CONFIRMED, after(10), BO, plans=DIGESTS)
SENT = Sent("web-1", EXECUTE, after(11), ORDER)
LATER = after(20)
UP = Line(up=True, since=after(-3600))
HEARD = (Contact("web-1", after(20)), Contact("web-2", after(20)))


def request(
    *events: Event,
    hosts: Sequence[str] = ("web-1",),
    settlement: Settlement | None = None,
    sent: Sequence[Sent] = (),
    contacts: Sequence[Contact] = HEARD,
    line: Line | None = None,
    now: datetime = LATER,
) -> Request:
    recorded = standing(asked(*hosts), settlement=settlement, sent=sent, events=told(events))
    return at(recorded, contacts=contacts, line=line or UP, now=now)


def stage(folded: Request) -> Stage:
    return folded.parts[0].stage


def whole_life() -> list[Event]:
    made = PLANS["web-1"]
    return [
        plan_started(at=after(1)),
        plan_ready(made, at=after(5)),
        started(ORDER, made, at=after(12)),
        step_finished(ORDER, made, 0, at=after(13)),
        step_finished(ORDER, made, 1, at=after(14)),
        finished(report(ORDER, made, DIGESTS["web-1"], at=after(15)), at=after(15)),
    ]


def test_a_request_begins_with_every_host_asked() -> None:
    assert (request().phase, stage(request())) == (Phase.PLANNING, Stage.ASKED)


def test_a_request_is_ready_when_every_host_has_answered() -> None:
    one = request(plan_ready(PLANS["web-1"]), hosts=("web-1", "web-2"))
    both = request(plan_ready(PLANS["web-1"]), plan_failed("web-2"), hosts=("web-1", "web-2"))

    assert (one.phase, both.phase) == (Phase.PLANNING, Phase.READY)


def test_a_request_closes_when_no_host_has_anything_to_confirm() -> None:
    assert request(plan_ready(plan(steps=0))).phase is Phase.CLOSED


def test_s3_the_set_drawn_changes_with_each_plan_in_it() -> None:
    one = request(plan_ready(PLANS["web-1"]), hosts=("web-1", "web-2"))
    both = request(plan_ready(PLANS["web-1"]), plan_ready(PLANS["web-2"]), hosts=("web-1", "web-2"))

    assert one.set_digest != both.set_digest


def test_s3_of_two_plans_for_one_request_the_first_stays() -> None:
    second = plan(steps=5, at=after(30))

    folded = request(plan_ready(PLANS["web-1"], at=after(1)), plan_ready(second, at=after(31)))

    assert folded.plans == {"web-1": DIGESTS["web-1"]}


def test_s3_a_plan_that_comes_after_the_click_is_not_ordered() -> None:
    late = Settlement(Settled.CONFIRMED, after(10), BO, plans={"web-1": DIGESTS["web-1"]})

    plans = plan_ready(PLANS["web-1"]), plan_ready(PLANS["web-2"], at=after(11))
    folded = request(*plans, hosts=("web-1", "web-2"), settlement=late)

    assert [(part.ordered, part.stage) for part in folded.parts] == [
        (True, Stage.ORDERED),
        (False, Stage.SILENT),
    ]
    assert list(folded.plans) == ["web-1"]
    assert execution_order(folded, "web-2", key_id="k") is None


def test_s3_a_plan_that_the_click_left_alone_is_told_of_as_left_out_and_not_ordered() -> None:
    click = Settlement(Settled.CONFIRMED, after(10), BO, plans={"web-1": DIGESTS["web-1"]})

    plans = plan_ready(PLANS["web-1"]), plan_ready(PLANS["web-2"], at=after(9))
    folded = request(*plans, hosts=("web-1", "web-2"), settlement=click)

    other = folded.parts[1]
    assert (other.stage, other.is_left_out, other.ordered) == (Stage.PLANNED, True, False)
    assert list(folded.plans) == ["web-1"]
    assert execution_order(folded, "web-2", key_id="k") is None


def test_s3_an_order_leaves_out_what_the_settlement_leaves_out_and_nothing_chosen_later() -> None:
    chosen = (Choice("web-1", (1,)),)
    click = Settlement(Settled.CONFIRMED, after(10), BO, plans={"web-1": DIGESTS["web-1"]}, choices=chosen)
    sent_later = standing(
        asked(),
        settlement=click,
        sent=[],
        events=told([plan_ready(PLANS["web-1"])]),
        choices=(Choice("web-1", (0,)),),
    )

    order = execution_order(sent_later, "web-1", key_id="k")
    assert order is not None
    assert order.excluded == (1,)


def test_s3_what_is_left_out_has_a_set_digest_of_its_own() -> None:
    def digest_of(*choices: Choice) -> str:
        events = told([plan_ready(PLANS["web-1"]), plan_ready(PLANS["web-2"])])
        asked_for = asked("web-1", "web-2")
        return standing(asked_for, settlement=None, sent=[], events=events, choices=choices).set_digest

    every = [
        digest_of(),
        digest_of(Choice("web-1", (0,))),
        digest_of(Choice("web-1", (1,))),
        digest_of(Choice("web-2", (0,))),
        digest_of(Choice("web-1", is_left_out=True)),
        digest_of(Choice("web-2", is_left_out=True)),
    ]
    assert len(set(every)) == len(every)
    assert digest_of(Choice("web-1")) == every[0]


def test_s3_an_order_names_the_digest_of_the_plan_that_was_confirmed() -> None:
    order = execution_order(request(plan_ready(PLANS["web-1"]), settlement=CONFIRMED), "web-1", key_id="k")

    assert order is not None
    assert (order.plan_digest, order.approver, order.engine_id) == (DIGESTS["web-1"], BO, "engine-1")
    assert order.expires_at - order.issued_at <= MAX_LIFE


def test_messages_to_hosts_are_the_same_whenever_they_are_made() -> None:
    assert plan_request(asked(), "web-1", key_id="k") == plan_request(asked(), "web-1", key_id="k")
    assert claims_id("r1", "web-1", PLAN) != claims_id("r1", "web-1", EXECUTE)


@given(st.data())
def test_any_repeated_or_late_delivery_ends_in_the_same_request(data: st.DataObject) -> None:
    life = whole_life()
    again = data.draw(st.lists(st.sampled_from(life)))
    delivered = data.draw(st.permutations([*life, *again]))

    shuffled = request(*delivered, settlement=CONFIRMED, sent=[SENT])

    assert shuffled == request(*life, settlement=CONFIRMED, sent=[SENT])


@given(st.integers(0, 6), st.data())
def test_a_prefix_delivered_twice_is_the_prefix(length: int, data: st.DataObject) -> None:
    prefix = whole_life()[:length]
    late = data.draw(st.lists(st.sampled_from(prefix))) if prefix else []

    assert request(*prefix, *late, settlement=CONFIRMED, sent=[SENT]) == request(
        *prefix, settlement=CONFIRMED, sent=[SENT]
    )


def test_a_host_that_turns_the_request_away_ends_its_part() -> None:
    folded = request(refused(claims_id("r1", "web-1", PLAN), at=after(2)))

    assert (folded.phase, stage(folded)) == (Phase.CLOSED, Stage.REFUSED)


def test_a_run_counts_each_step_once() -> None:
    life = whole_life()

    folded = request(*life[:4], life[3], life[3], settlement=CONFIRMED, sent=[SENT])

    assert (folded.parts[0].steps_done, folded.parts[0].steps) == (1, 2)


def test_a_step_that_people_left_out_is_nothing_a_run_does() -> None:
    life = whole_life()
    chosen = replace(CONFIRMED, choices=(Choice("web-1", (1,)),))

    folded = request(*life[:5], settlement=chosen, sent=[SENT])

    assert folded.parts[0].steps_done == 1


def test_a_run_does_what_it_said_last_in_whatever_turn_it_comes() -> None:
    life = whole_life()
    looking = work_begun(ORDER, Doing.LOOKING, at=after(11))
    removing = work_begun(ORDER, Doing.REMOVING, at=after(13), kind=Kind.IMAGE, count=2)
    another = work_begun("another", Doing.MEASURING, at=after(19))

    waiting = request(*life[:2], looking, settlement=CONFIRMED, sent=[SENT])
    folded = request(*life[:4], removing, another, looking, settlement=CONFIRMED, sent=[SENT])

    assert (stage(waiting), waiting.parts[0].work) == (Stage.ORDERED, looking)
    assert (stage(folded), folded.parts[0].work, folded.parts[0].done_of_kind) == (
        Stage.EXECUTING,
        removing,
        1,
    )


def test_s11_a_second_copy_of_the_order_that_is_refused_changes_nothing() -> None:
    life = whole_life()
    twice = refused(ORDER, at=after(16))

    assert request(*life, twice, settlement=CONFIRMED, sent=[SENT]).parts[0].report is not None
    assert stage(request(*life[:4], twice, settlement=CONFIRMED, sent=[SENT])) is Stage.EXECUTING


def test_an_order_that_the_host_refuses_ends_the_request() -> None:
    folded = request(
        plan_ready(PLANS["web-1"]), refused(ORDER, at=after(12)), settlement=CONFIRMED, sent=[SENT]
    )

    assert (folded.phase, stage(folded)) == (Phase.FINISHED, Stage.REFUSED)
    assert folded.parts[0].reasons


@pytest.mark.parametrize(
    ("how", "phase"),
    [
        (Settled.CANCELLED, Phase.CLOSED),
        (Settled.EXPIRED, Phase.CLOSED),
        (Settled.SUPERSEDED, Phase.CLOSED),
        (Settled.CONFIRMED, Phase.EXECUTING),
    ],
)
def test_s13_only_a_confirmation_leads_to_an_execution(how: Settled, phase: Phase) -> None:
    settlement = Settlement(how, after(10), BO, plans=DIGESTS)

    folded = request(plan_ready(PLANS["web-1"]), settlement=settlement)

    assert folded.phase is phase
    assert (execution_order(folded, "web-1", key_id="k") is not None) == (how is Settled.CONFIRMED)


def test_s14_a_host_that_gives_no_sign_of_life_ends_silent() -> None:
    never = request(contacts=(), now=after(61))

    assert (never.phase, stage(never)) == (Phase.CLOSED, Stage.SILENT)


def test_a_host_that_is_heard_of_is_waited_for() -> None:
    folded = request(plan_started(), contacts=(Contact("web-1", after(600)),), now=after(610))

    assert stage(folded) is Stage.PLANNING


def test_s14_even_a_host_that_is_heard_of_has_a_deadline_for_its_plan() -> None:
    folded = request(plan_started(), contacts=(Contact("web-1", after(1000)),), now=after(1000))

    assert stage(folded) is Stage.SILENT


def test_s14_a_host_that_falls_silent_during_a_run_is_lost_until_it_reports() -> None:
    life = whole_life()
    gone = (Contact("web-1", after(15)),)

    lost = request(*life[:4], settlement=CONFIRMED, sent=[SENT], contacts=gone, now=after(100))
    back = request(*life, settlement=CONFIRMED, sent=[SENT], contacts=gone, now=after(100))

    assert (lost.phase, stage(lost)) == (Phase.FINISHED, Stage.LOST)
    assert stage(back) is Stage.FINISHED


def test_s14_a_run_that_its_host_is_not_at_and_does_not_tell_of_is_lost_until_it_reports() -> None:
    life = whole_life()
    idle, busy = Contact("web-1", after(199)), Contact("web-1", after(199), busy=EXECUTE)

    def at_200(*events: Event, contact: Contact, line: Line | None = None) -> Stage:
        now = after(200)
        return stage(
            request(*events, settlement=CONFIRMED, sent=[SENT], contacts=(contact,), line=line, now=now)
        )

    assert at_200(*life[:4], contact=idle) is Stage.LOST
    assert at_200(*life[:4], contact=busy) is Stage.EXECUTING
    assert at_200(*life[:4], step_finished(ORDER, PLANS["web-1"], 1, at=after(150)), contact=idle) is (
        Stage.EXECUTING
    )
    assert at_200(*life[:4], contact=idle, line=Line(up=True, since=after(150))) is Stage.EXECUTING
    assert at_200(*life, contact=idle) is Stage.FINISHED


@pytest.mark.parametrize("how", [None, Settled.SUPERSEDED, Settled.EXPIRED, Settled.CANCELLED])
def test_s14_a_run_of_our_order_is_told_though_the_click_was_forgotten(how: Settled | None) -> None:
    forgotten = None if how is None else Settlement(how, after(10))
    running = request(*whole_life()[:4], settlement=forgotten)
    over = request(*whole_life(), settlement=forgotten)

    assert (running.phase, over.phase) == (Phase.EXECUTING, Phase.FINISHED)
    assert over.settlement is not None
    assert (over.settlement.how, over.settlement.by) == (Settled.CONFIRMED, BO)
    assert [unsent(one, (), key_id="k") for one in (running, over)] == [[], []]


def test_s12_a_run_of_an_order_that_is_not_ours_confirms_nothing() -> None:
    made = PLANS["web-1"]
    folded = request(plan_ready(made), started("another", made), hosts=("web-1", "web-2"))

    assert (folded.settlement, folded.phase) == (None, Phase.PLANNING)


def test_s3_what_one_host_ran_confirms_nothing_for_another() -> None:
    folded = request(
        *whole_life(), plan_ready(PLANS["web-2"], at=after(5)), hosts=("web-1", "web-2"), settlement=None
    )

    assert unsent(folded, (), key_id="k") == []
    assert [part.ordered for part in folded.parts] == [True, False]


def test_no_host_is_called_silent_before_it_was_listened_to() -> None:
    just_up = Line(up=True, since=after(95))

    assert stage(request(contacts=(), line=just_up, now=after(100))) is Stage.ASKED


def test_s14_a_queue_that_cannot_be_read_ends_the_waiting_with_its_error() -> None:
    down = Line(up=False, since=after(5), error="connection refused")
    life = whole_life()

    planning = request(plan_started(), line=down, now=after(100))
    running = request(*life[:4], settlement=CONFIRMED, sent=[SENT], line=down, now=after(100))

    assert (stage(planning), planning.parts[0].error) == (Stage.UNREACHABLE, "connection refused")
    assert stage(running) is Stage.LOST


def test_a_job_that_could_not_be_sent_yet_says_why_and_goes_on_waiting() -> None:
    trying = undelivered(plan_request(asked(), "web-1", key_id="k"), "refused", certain=True, now=after(5))

    folded = request(sent=[trying])

    assert (stage(folded), folded.parts[0].error) == (Stage.ASKED, "refused")
    assert unsent(folded, (trying,), key_id="k")


def test_s14_an_order_that_could_not_be_sent_ends_with_nothing_removed() -> None:
    ready = request(plan_ready(PLANS["web-1"]), settlement=CONFIRMED)
    order = execution_order(ready, "web-1", key_id="k")
    assert order is not None
    given_up = undelivered(order, "refused", certain=True, now=after(80))

    folded = request(plan_ready(PLANS["web-1"]), settlement=CONFIRMED, sent=[given_up], now=after(80))

    assert (folded.phase, stage(folded)) == (Phase.FINISHED, Stage.UNREACHABLE)
    assert unsent(folded, (given_up,), key_id="k") == []


def test_an_order_that_may_have_arrived_is_not_called_unsent() -> None:
    ready = request(plan_ready(PLANS["web-1"]), settlement=CONFIRMED)
    order = execution_order(ready, "web-1", key_id="k")
    assert order is not None

    doubtful = undelivered(order, "answer lost", certain=False, now=after(80))
    over = undelivered(order, "answer lost", certain=False, now=after(2000))

    assert not doubtful.final
    assert stage(request(plan_ready(PLANS["web-1"]), settlement=CONFIRMED, sent=[over])) is Stage.LOST


def confirmed(seen: float | None, *, busy: str = "", sent: Sent = SENT, now: float = 2000) -> Request:
    """One that was confirmed, of whose order its host has said nothing."""
    contact = Contact("web-1", None if seen is None else after(seen), busy=busy)
    told = plan_ready(PLANS["web-1"])
    return request(told, settlement=CONFIRMED, sent=[sent], contacts=[contact], now=after(now))


DEAD = 11 + (ORDER_DEAD_AFTER + TOLD_WITHIN).total_seconds()


def test_s14_an_order_that_expired_at_a_host_that_is_heard_of_was_not_executed() -> None:
    folded = confirmed(DEAD + 1, now=DEAD + 2)

    assert (folded.phase, stage(folded)) == (Phase.FINISHED, Stage.NOT_EXECUTED)


def test_s14_the_same_of_an_order_of_which_it_is_not_known_whether_it_was_sent() -> None:
    doubtful = replace(SENT, error="answer lost", final=True, certain=False)

    assert stage(confirmed(20, sent=doubtful, now=2000)) is Stage.LOST
    assert stage(confirmed(DEAD + 1, sent=doubtful, now=2000)) is Stage.NOT_EXECUTED


@pytest.mark.parametrize("seen", [None, 20, DEAD])
def test_s14_what_a_silent_host_did_is_unknown_until_it_is_heard_of(seen: float | None) -> None:
    assert stage(confirmed(seen)) is Stage.LOST
    assert stage(confirmed(1990)) is Stage.NOT_EXECUTED


def test_a_host_that_is_heard_of_may_take_its_order_to_the_last_moment() -> None:
    assert stage(confirmed(DEAD, now=DEAD)) is Stage.ORDERED


def test_s14_a_host_that_is_at_a_run_may_be_at_this_one() -> None:
    assert stage(confirmed(2000, busy="execute")) is Stage.ORDERED
    assert stage(confirmed(2000, busy="plan")) is Stage.NOT_EXECUTED


def test_s14_whatever_was_said_of_an_order_the_host_s_own_word_counts() -> None:
    late = request(*whole_life(), settlement=CONFIRMED, sent=[SENT], contacts=(), now=after(5000))
    heard = request(*whole_life()[:3], settlement=CONFIRMED, sent=[SENT], now=after(5000))

    assert (stage(late), stage(heard)) == (Stage.FINISHED, Stage.LOST)


NO_LEDGER = reason(Code.LEDGER_UNUSABLE, file="/var/lib/safe-prune/ledger.db", detail="disk I/O error")


def troubled(*events: Event, seen: float = 20, settlement: Settlement | None = None) -> HostPart:
    contact = Contact("web-1", after(seen), problems=(NO_LEDGER,))
    folded = request(*events, settlement=settlement, sent=[SENT] if settlement else [], contacts=[contact])
    return folded.parts[0]


def test_s4_s14_a_host_without_a_ledger_makes_no_plan_and_says_why() -> None:
    for events in ((), (plan_started(),)):
        part = troubled(*events)
        assert (part.stage, part.reasons) == (Stage.PLAN_FAILED, (NO_LEDGER,))
    assert troubled(seen=-100).stage is Stage.ASKED


def test_s4_a_host_whose_ledger_broke_has_its_plan_shown_and_no_button() -> None:
    part = troubled(plan_ready(PLANS["web-1"]))

    assert (part.stage, part.withheld, part.confirmable) == (Stage.PLANNED, NO_LEDGER, False)


NO_KEY = reason(Code.KEY_NOT_HELD, key="key-2")


def test_s14_a_host_without_the_key_that_signs_makes_no_plan_and_takes_no_order() -> None:
    contact = Contact("web-1", after(20), problems=(NO_KEY,))
    asked, planning, planned, running = (
        request(*events, settlement=settlement, sent=sent, contacts=[contact]).parts[0]
        for events, settlement, sent in (
            ((), None, []),
            ((plan_started(),), None, []),
            ((plan_ready(PLANS["web-1"]),), None, []),
            (whole_life()[:4], CONFIRMED, [SENT]),
        )
    )

    assert (asked.stage, asked.reasons) == (Stage.PLAN_FAILED, (NO_KEY,))
    assert planning.stage is Stage.PLANNING
    assert (planned.stage, planned.withheld) == (Stage.PLANNED, NO_KEY)
    assert (running.stage, running.trouble) == (Stage.EXECUTING, None)


def test_s13_a_frozen_host_has_its_plan_shown_and_nothing_to_confirm() -> None:
    frozen = reason(Code.FROZEN, by="T1/U1", at=NOON.isoformat(), why="disk swap")
    found = request(plan_ready(PLANS["web-1"]), contacts=[Contact("web-1", after(20), problems=(frozen,))])

    assert (found.phase, found.parts[0].withheld, found.confirmable) == (Phase.CLOSED, frozen, ())


def test_s14_a_host_whose_ledger_breaks_in_a_run_is_said_to_be_in_trouble() -> None:
    life = whole_life()

    ordered, running = (troubled(*life[:count], settlement=CONFIRMED) for count in (2, 4))
    over = troubled(*life, settlement=CONFIRMED)

    assert [(p.stage, p.trouble) for p in (ordered, running)] == [
        (Stage.ORDERED, NO_LEDGER),
        (Stage.EXECUTING, NO_LEDGER),
    ]
    assert (over.stage, over.trouble) == (Stage.FINISHED, None)


def test_a_request_expires_with_the_first_of_its_plans() -> None:
    soon = plan("web-2", at=after(-600))

    folded = request(plan_ready(PLANS["web-1"]), plan_ready(soon), hosts=("web-1", "web-2"))

    assert folded.expires_at == soon.expires_at
    assert not folded.is_expired(NOON)
    assert folded.is_expired(soon.expires_at)


def test_a_host_that_comes_back_after_its_deadline_does_not_hold_up_the_others() -> None:
    def folded(overdue: frozenset[str]) -> Request:
        events = told([plan_ready(PLANS["web-1"]), plan_started("web-2", at=after(65))])
        recorded = standing(asked("web-1", "web-2"), settlement=None, sent=[], events=events, overdue=overdue)
        return at(recorded, contacts=(Contact("web-2", after(70)),), line=UP, now=after(70))

    assert folded(frozenset()).phase is Phase.PLANNING
    assert folded(frozenset({"web-2"})).phase is Phase.READY
