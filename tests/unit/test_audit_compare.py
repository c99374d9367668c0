"""Two copies of the same days: what agrees says nothing, and each thing that does not is named."""

from dataclasses import replace

import pytest

from bot.acts import Act, What
from bot.audit.compare import compare
from bot.audit.findings import NOTES, UNCOMPARED, Finding, Found, ranges
from bot.audit.own import Heard, Own
from bot.render.audit import SENTENCES, audit_lines
from tests.unit.bot_values import NOON, after, image, plan, report
from tests.unit.golden import assert_text
from tests.unit.restores_told import restore_plan, restore_report
from workers.audit_lines import (
    EventsLine,
    Head,
    HostCopy,
    OrderLine,
    RefusalLine,
    RestoreLine,
    RestoreStepLine,
    StandingLine,
    StepLine,
    report_line,
    restore_report_line,
)
from workers.contract import Outcome
from workers.reasons import Code, reason
from workers.signing import digest

MADE = plan()
DIGEST, OTHER = digest(MADE), digest(plan(steps=3))
REPORT = report_line(report("o1", MADE, DIGEST, at=after(70)))
LOCAL = report_line(report("o2", MADE, OTHER, at=after(80))).model_copy(
    update={"requester": "cli:ops", "approvers": ("cli:ops",)}
)
USED = reason(Code.ORDER_USED, order="o1")
ORDER = OrderLine(
    id="o1",
    consumed_at=after(65),
    request_id="r1",
    requester="T1/U1",
    approvers=("T1/U2",),
    plan_digest=DIGEST,
    engine_id="engine-1",
)
AT_HOST = ORDER.model_copy(
    update={"id": "o2", "request_id": "h1", "requester": "cli:ops", "approvers": ("cli:ops",)}
)
REFUSAL = RefusalLine(number=1, at=after(90), order_id="o1", requester="T1/U1", reasons=(USED,))
FREEZE = StandingLine(
    request_id="f1",
    type="freeze",
    about="host",
    decided_by="T1/U1",
    decided_at=after(5),
    taken_at=after(6),
)
STEP = StepLine(order_id="o1", index=0, asked_at=after(66), object=image(0), outcome=Outcome.REMOVED)
COPY = HostCopy(
    head=Head(host="web-1", ledger="l1", exported_at=after(1000)),
    orders=(ORDER, AT_HOST),
    steps=(STEP,),
    reports=(REPORT, LOCAL),
    refusals=(REFUSAL,),
    events=EventsLine(last=4, waiting=()),
    standing=(FREEZE,),
)
DECIDED = (
    Act(1, NOON, "T1/U1", What.ASKED, "r1"),
    Act(2, after(60), "T1/U2", What.CONFIRMED, "r1"),
    Act(3, after(61), "bot", What.ORDERED, "r1", "web-1", "o1", DIGEST),
    Act(
        *(4, after(91), "host:web-1", What.REFUSED, "r1", "web-1", "o1"),
        detail={"reasons": ["order_used"], "told_at": after(90).isoformat()},
    ),
)
TAKEN = Act(
    *(5, after(7), "host:web-1", What.TAKEN, "f1", "web-1"),
    detail={"type": "freeze", "decided_by": "T1/U1", "told_at": after(6).isoformat()},
)
ACTS = (*DECIDED, TAKEN)
HEARD = (
    Heard("web-1", "l1", 1, after(50)),
    Heard("web-1", "l1", 2, after(70), REPORT),
    Heard("web-1", "l1", 3, after(80), LOCAL),
    Heard("web-1", "l1", 4, after(90)),
)
OWN = Own(("web-1",), ACTS, HEARD)


def differences(own: Own = OWN, copy: HostCopy = COPY, *more: HostCopy) -> list[Finding]:
    return [one for one in compare(own, [copy, *more]) if one.is_difference]


def codes(own: Own = OWN, copy: HostCopy = COPY) -> list[Found]:
    return [one.code for one in differences(own, copy)]


def without(number: int) -> Own:
    """The bot's copy less one act, the numbers closed up so that only its content is missed."""
    left = [act for act in ACTS if act.number != number]
    return replace(OWN, acts=tuple(replace(act, number=n) for n, act in enumerate(left, 1)))


def acted(number: int, **changes: object) -> Own:
    changed = (replace(a, **changes) if a.number == number else a for a in ACTS)  # type: ignore[arg-type]
    return replace(OWN, acts=tuple(changed))


def reported(**changes: object) -> HostCopy:
    return replace(COPY, reports=(REPORT.model_copy(update=changes), LOCAL))


def ordered(**changes: object) -> HostCopy:
    return replace(COPY, orders=(ORDER.model_copy(update=changes), AT_HOST))


def test_copies_that_agree_differ_in_nothing_and_a_run_at_the_host_is_said_as_such() -> None:
    found = compare(OWN, [COPY])

    assert [(one.code, one.values) for one in found] == [
        (Found.AT_THE_HOST, {"order": "o2", "who": "cli:ops", "end": "done, 2 of 2 removed"})
    ]


failed = REPORT.outcomes[0].model_copy(update={"outcome": "failed"})


@pytest.mark.parametrize(
    ("own", "copy", "expected"),
    [
        (without(3), COPY, [Found.NEVER_ORDERED]),
        (OWN, ordered(plan_digest=OTHER), [Found.OTHER_PLAN]),
        (acted(3, plan_digest=OTHER), COPY, [Found.OTHER_PLAN]),
        (OWN, ordered(excluded=(1,)), [Found.OTHER_STEPS]),
        (acted(2, detail={"excluded": {"web-1": "0 2"}}), COPY, [Found.OTHER_STEPS]),
        (acted(2, detail={"excluded": {"web-1": "0 2"}}), ordered(excluded=(0, 2)), []),
        (OWN, ordered(approvers=("T1/U9",)), [Found.OTHER_APPROVER]),
        (acted(2, who="T1/U9"), COPY, [Found.OTHER_APPROVER]),
        (without(2), COPY, [Found.OTHER_APPROVER]),
        (OWN, ordered(requester="T1/U9"), [Found.OTHER_REQUESTER]),
        (OWN, reported(freed=1), [Found.OTHER_REPORT]),
        (OWN, reported(status="failed"), [Found.OTHER_REPORT]),
        (OWN, reported(approvers=("T1/U9",)), [Found.OTHER_REPORT]),
        (OWN, reported(outcomes=(failed, REPORT.outcomes[1])), [Found.OTHER_OUTCOME, Found.OTHER_JOURNAL]),
        (OWN, reported(outcomes=REPORT.outcomes[:1]), [Found.OTHER_OUTCOME]),
        (OWN, replace(COPY, reports=(LOCAL,)), [Found.REPORT_NOT_THERE]),
        (OWN, replace(COPY, orders=(AT_HOST,), refusals=(), reports=(LOCAL,)), None),
        (replace(OWN, heard=(HEARD[0], *HEARD[2:])), COPY, [Found.EVENTS_MISSING, Found.REPORT_NOT_HERE]),
        (without(4), COPY, [Found.REFUSAL_NOT_HERE]),
        (OWN, replace(COPY, refusals=()), [Found.REFUSAL_NOT_THERE]),
        (OWN, replace(COPY, events=EventsLine(last=3, waiting=())), [Found.EVENTS_NOT_THERE]),
        (OWN, replace(COPY, events=EventsLine(last=9, waiting=(8, 9))), [Found.EVENTS_MISSING]),
        (without(5), COPY, [Found.STANDING_NOT_HERE]),
        (OWN, replace(COPY, standing=()), [Found.STANDING_NOT_THERE]),
        (acted(5, detail={**TAKEN.detail, "decided_by": "T1/U9"}), COPY, [Found.OTHER_STANDING]),
        (replace(OWN, acts=(*ACTS[:1], *ACTS[2:])), COPY, [Found.ACTS_MISSING, Found.OTHER_APPROVER]),
        (replace(OWN, hosts=(), heard=()), COPY, [Found.UNKNOWN_HOST]),
    ],
)
def test_each_thing_that_only_one_side_says_is_named(
    own: Own, copy: HostCopy, expected: list[Found] | None
) -> None:
    if expected is None:
        expected = [Found.NEVER_SEEN, Found.REPORT_NOT_THERE, Found.REFUSAL_NOT_THERE]
    assert codes(own, copy) == expected


BACK = restore_plan(request="r2")
BACK_DIGEST = digest(BACK)
BROUGHT = restore_report_line(restore_report("b1", BACK, BACK_DIGEST, at=after(200)))
BROUGHT_LOCALLY = BROUGHT.model_copy(
    update={"order_id": "b2", "requester": "cli:ops", "approvers": ("cli:ops",)}
)
RESTORE = RestoreLine(
    id="b1",
    consumed_at=after(195),
    request_id="r2",
    requester="T1/U1",
    approvers=("T1/U2",),
    plan_digest=BACK_DIGEST,
    engine_id="engine-1",
)
RESTORE_AT_HOST = RESTORE.model_copy(
    update={"id": "b2", "request_id": "h2", "requester": "cli:ops", "approvers": ("cli:ops",)}
)
BROUGHT_STEP = RestoreStepLine(order_id="b1", index=0, asked_at=after(196), outcome="restored")
RESTORE_COPY = replace(
    COPY,
    restores=(RESTORE, RESTORE_AT_HOST),
    restore_steps=(BROUGHT_STEP,),
    restore_reports=(BROUGHT, BROUGHT_LOCALLY),
    events=EventsLine(last=6, waiting=()),
)
RESTORE_ACTS = (
    Act(6, after(150), "T1/U1", What.ASKED, "r2"),
    Act(7, after(160), "T1/U2", What.CONFIRMED, "r2"),
    Act(8, after(161), "bot", What.RESTORE_ORDERED, "r2", "web-1", "b1", BACK_DIGEST),
)
RESTORE_OWN = replace(
    OWN,
    acts=(*ACTS, *RESTORE_ACTS),
    heard=(
        *HEARD,
        Heard("web-1", "l1", 5, after(200), BROUGHT),
        Heard("web-1", "l1", 6, after(200), BROUGHT_LOCALLY),
    ),
)


def decided(number: int, **changes: object) -> Own:
    """The bot's copy with one act of the restore changed."""
    acts = (replace(a, **changes) if a.number == number else a for a in RESTORE_OWN.acts)  # type: ignore[arg-type]
    return replace(RESTORE_OWN, acts=tuple(acts))


def restored(**changes: object) -> HostCopy:
    return replace(RESTORE_COPY, restores=(RESTORE.model_copy(update=changes), RESTORE_AT_HOST))


def brought(**changes: object) -> HostCopy:
    return replace(RESTORE_COPY, restore_reports=(BROUGHT.model_copy(update=changes), BROUGHT_LOCALLY))


def test_restores_that_agree_differ_in_nothing_and_one_at_the_host_is_said_as_such() -> None:
    found = compare(RESTORE_OWN, [RESTORE_COPY])

    assert [(one.code, one.values["order"], one.values["end"]) for one in found] == [
        (Found.AT_THE_HOST, "o2", "done, 2 of 2 removed"),
        (Found.AT_THE_HOST, "b2", "restore done, 2 of 2 there again"),
    ]


@pytest.mark.parametrize(
    ("own", "copy", "expected"),
    [
        (replace(RESTORE_OWN, acts=RESTORE_OWN.acts[:-1]), RESTORE_COPY, [Found.NEVER_ORDERED]),
        # The order of a run permits no restore, nor the other way round.
        (decided(8, what=What.ORDERED), RESTORE_COPY, [Found.NEVER_SEEN, Found.NEVER_ORDERED]),
        (decided(3, what=What.RESTORE_ORDERED), RESTORE_COPY, [Found.NEVER_ORDERED]),
        (RESTORE_OWN, restored(plan_digest=OTHER), [Found.OTHER_PLAN]),
        (RESTORE_OWN, restored(approvers=("T1/U9",)), [Found.OTHER_APPROVER]),
        (RESTORE_OWN, restored(approvers=("T1/U1", "T1/U2")), [Found.OTHER_APPROVER]),
        (decided(7, what=What.CANCELLED), RESTORE_COPY, [Found.OTHER_APPROVER]),
        (RESTORE_OWN, restored(requester="T1/U9"), [Found.OTHER_REQUESTER]),
        (RESTORE_OWN, brought(status="partial"), [Found.OTHER_REPORT]),
        (RESTORE_OWN, brought(run="o9"), [Found.OTHER_REPORT]),
        (RESTORE_OWN, brought(outcomes=BROUGHT.outcomes[:1]), [Found.OTHER_OUTCOME]),
        (RESTORE_OWN, replace(RESTORE_COPY, restore_reports=(BROUGHT_LOCALLY,)), [Found.REPORT_NOT_THERE]),
        (
            replace(RESTORE_OWN, heard=(*RESTORE_OWN.heard[:4], RESTORE_OWN.heard[5])),
            RESTORE_COPY,
            [Found.EVENTS_MISSING, Found.REPORT_NOT_HERE],
        ),
        (
            RESTORE_OWN,
            replace(RESTORE_COPY, restores=(RESTORE_AT_HOST,), restore_reports=(BROUGHT_LOCALLY,)),
            [Found.NEVER_SEEN, Found.REPORT_NOT_THERE],
        ),
        (
            RESTORE_OWN,
            replace(RESTORE_COPY, restore_steps=(BROUGHT_STEP.model_copy(update={"outcome": "failed"}),)),
            [Found.OTHER_JOURNAL],
        ),
    ],
)
def test_each_thing_that_only_one_side_says_of_a_restore_is_named(
    own: Own, copy: HostCopy, expected: list[Found]
) -> None:
    assert codes(own, copy) == expected


def test_a_restore_whose_order_may_not_have_arrived_was_permitted_all_the_same() -> None:
    doubt = decided(8, what=What.NOT_SENT, detail={"certain": 0, "type": "restore"})
    of_a_run = decided(8, what=What.NOT_SENT, detail={"certain": 0, "type": "execute"})

    assert codes(doubt, RESTORE_COPY) == []
    assert codes(of_a_run, RESTORE_COPY) == [Found.NEVER_ORDERED]


def test_a_restore_that_is_not_reported_yet_is_no_difference() -> None:
    begun = replace(RESTORE_COPY, restore_reports=(BROUGHT_LOCALLY,), events=EventsLine(last=5, waiting=()))
    own = replace(RESTORE_OWN, heard=(*HEARD, replace(RESTORE_OWN.heard[5], seq=5)))

    found = compare(own, [begun])

    assert [one.code for one in found] == [Found.AT_THE_HOST, Found.NOT_OVER, Found.AT_THE_HOST]


def test_a_copy_of_an_older_worker_is_not_held_to_what_it_cannot_say_of_restores() -> None:
    older = replace(COPY, head=COPY.head.model_copy(update={"v": 1}), events=RESTORE_COPY.events)

    assert [one.code for one in compare(RESTORE_OWN, [older])] == [Found.AT_THE_HOST, Found.RESTORES_NOT_TOLD]
    assert differences(RESTORE_OWN, older) == []
    assert [one.code for one in compare(OWN, [replace(older, events=COPY.events)])] == [Found.AT_THE_HOST]


def test_a_host_that_was_sent_only_a_restore_is_not_forgotten() -> None:
    own = Own((), tuple(replace(act, number=n) for n, act in enumerate(RESTORE_ACTS, 1)), ())

    assert [(one.code, one.host) for one in compare(own, [])] == [(Found.NO_FILE, "web-1")]


def test_a_copy_of_another_ledger_is_named_with_the_one_that_is_known() -> None:
    other = replace(COPY, head=COPY.head.model_copy(update={"ledger": "l2"}))

    assert codes(OWN, other)[:2] == [Found.OTHER_LEDGER, Found.EVENTS_MISSING]
    assert Found.LEDGER_NOT_GIVEN in codes(OWN, other)


def test_two_ledgers_of_one_host_are_compared_together() -> None:
    new = HostCopy(
        head=Head(host="web-1", ledger="l2", exported_at=after(1000)),
        orders=(),
        steps=(),
        reports=(),
        refusals=(),
        events=EventsLine(last=0, waiting=()),
    )

    assert differences(OWN, COPY, new) == []


def test_a_host_without_a_file_is_never_called_the_same() -> None:
    own = replace(OWN, hosts=("web-1", "web-2"))

    found = compare(own, [COPY])

    assert [(one.code, one.host) for one in found if one.code is Found.NO_FILE] == [(Found.NO_FILE, "web-2")]
    assert [(one.code, one.host) for one in compare(OWN, [])] == [(Found.NO_FILE, "web-1")]


def test_a_host_that_was_sent_away_is_not_forgotten() -> None:
    """Or whoever may remove a host could keep what was done there from being compared."""
    for sent_away in (replace(OWN, hosts=()), replace(OWN, hosts=(), heard=())):
        assert [(one.code, one.host) for one in compare(sent_away, [])] == [(Found.NO_FILE, "web-1")]


def test_what_came_after_the_copy_was_written_is_not_held_against_it() -> None:
    late = Act(6, after(2000), "bot", What.ORDERED, "r1", "web-1", "o3", DIGEST)
    again = REPORT.model_copy(update={"order_id": "o3", "finished_at": after(2000)})
    own = Own(
        ("web-1",),
        (*ACTS, late),
        (*HEARD, Heard("web-1", "l1", 5, after(2000), again)),
    )

    found = compare(own, [COPY])

    assert [one.code for one in found] == [Found.AT_THE_HOST, Found.SENT_AFTER]


def test_an_order_whose_sending_was_in_doubt_may_have_arrived() -> None:
    doubt = acted(3, what=What.NOT_SENT, detail={"certain": 0, "type": "execute"})
    certain = acted(3, what=What.NOT_SENT, detail={"certain": 1, "type": "execute"})

    assert codes(doubt) == []
    assert codes(certain) == [Found.NEVER_ORDERED]


def test_an_order_that_the_host_refused_did_arrive() -> None:
    refused = replace(COPY, orders=(AT_HOST,), reports=(LOCAL,))

    assert codes(replace(OWN, heard=(HEARD[0], HEARD[2], HEARD[3], Heard("web-1", "l1", 2))), refused) == []


def test_refusals_that_a_host_no_longer_keeps_are_no_difference() -> None:
    kept = REFUSAL.model_copy(update={"number": 40, "order_id": "", "requester": ""})

    found = compare(OWN, [replace(COPY, refusals=(kept,))])

    assert [one.code for one in found] == [Found.AT_THE_HOST, Found.REFUSALS_DROPPED, Found.OF_NOBODY]


def test_events_on_their_way_are_said_and_are_no_difference() -> None:
    found = compare(OWN, [replace(COPY, events=EventsLine(last=6, waiting=(4, 5, 6)))])

    assert [(one.code, one.values.get("count")) for one in found][:1] == [(Found.WAITING, 2)]
    assert not any(one.is_difference for one in found)


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([3], "3"), ([5, 3, 4, 9], "3-5, 9"), ([1, 3], "1, 3")]
)
def test_numbers_are_written_as_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def every_finding() -> list[Finding]:
    names = (
        "request what order at who ours theirs field step journal report codes numbers last ledger known end"
    )
    values: dict[str, str | int] = {name: name.upper() for name in names.split()}
    values |= {
        "file": "web-1.jsonl",
        "detail": "it is cut off",
        "count": 3,
        "events": 7,
        "approvers": "T1/U9",
    }
    return [Finding(code, "web-1", values) for code in Found]


def test_every_finding_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Found)
    lines = list(audit_lines(every_finding(), ["web-1", "web-2"]))

    assert len(lines) == len(Found) + 2
    assert sum(line.startswith("DIFFERENCE") for line in lines) == len(set(Found) - NOTES - UNCOMPARED)
    assert_text("audit-verify.txt", "\n".join(lines) + "\n")


def test_nothing_to_compare_is_said() -> None:
    assert list(audit_lines([], [])) == ["Nothing was compared: no host is admitted and no file was given."]


def test_s12_what_a_host_wrote_stays_in_its_line_and_is_not_obeyed() -> None:
    values = {"order": "o1\x1b]0;owned\x07", "ours": "a", "theirs": "b\nsame        web-1", "field": "c"}
    [line, _] = audit_lines([Finding(Found.OTHER_REPORT, "web-1", values)], ["web-1"])

    assert line.isprintable()
    assert line.startswith("DIFFERENCE  web-1: the reports of order o1 ]0;owned  differ in c: a here, b same")
