"""Runs: what was decided and sent here, against what was consumed and done there (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.acts import Act, What
from bot.audit.findings import Finding, Found, end, finding
from bot.audit.own import Own
from workers.audit_lines import HostCopy, OrderLine, OutcomeLine, ReportLine, StepLine

# `outcomes` are compared one by one.
FIELDS = tuple(name for name in ReportLine.model_fields if name not in ("record", "order_id", "outcomes"))
NOBODY = "nobody"


@dataclass(frozen=True)
class Here:
    """What the bot's copy says of one host's runs."""

    sent: Mapping[str, Act]
    perhaps_sent: Mapping[str, Act]
    asked: Mapping[str, str]
    confirmed: Mapping[str, frozenset[str]]
    left_out: Mapping[str, str]
    reports: Mapping[str, ReportLine]


@dataclass(frozen=True)
class There:
    """What the host's copies say of its runs; `written`: when the newest was."""

    orders: Mapping[str, OrderLine]
    reports: Mapping[str, ReportLine]
    steps: tuple[StepLine, ...]
    refused: frozenset[str]
    written: datetime


def differences(own: Own, host: str, copies: Sequence[HostCopy]) -> Iterator[Finding]:
    """Compare every run and every order of a host."""
    here, there = _here(own, host), _there(copies)
    for order in there.orders.values():
        yield from _order(here, host, order, there.reports.get(order.id))
    for order_id, act in here.sent.items():
        if order_id not in there.orders and order_id not in there.refused:
            yield _unseen(host, act, there.written)
    for order_id in sorted({*here.reports, *there.reports}):
        yield from _reports(here, there, host, order_id)
    yield from _journals(host, there)


def _here(own: Own, host: str) -> Here:
    acts = [act for act in own.acts if act.host == host]
    lost = (a for a in acts if a.what == What.NOT_SENT and a.detail.get("certain") == 0)
    confirmed: dict[str, frozenset[str]] = {}
    for act in own.acts:
        if act.what in (What.APPROVED, What.CONFIRMED):
            confirmed[act.request_id] = confirmed.get(act.request_id, frozenset()) | {act.who}
    settled = (act for act in own.acts if act.what == What.CONFIRMED)
    return Here(
        sent={act.order_id: act for act in acts if act.what == What.ORDERED},
        perhaps_sent={act.order_id: act for act in lost},
        asked={act.request_id: act.who for act in own.acts if act.what == What.ASKED},
        confirmed=confirmed,
        left_out={act.request_id: _left_out(act, host) for act in settled},
        reports={e.report.order_id: e.report for e in own.heard if e.host == host and e.report},
    )


def _left_out(act: Act, host: str) -> str:
    """The steps that a confirmation leaves out of a host's plan, as the act spells them."""
    excluded = act.detail.get("excluded")
    return str(excluded.get(host, "")) if isinstance(excluded, Mapping) else ""


def _there(copies: Sequence[HostCopy]) -> There:
    return There(
        orders={order.id: order for copy in copies for order in copy.orders},
        reports={report.order_id: report for copy in copies for report in copy.reports},
        steps=tuple(step for copy in copies for step in copy.steps),
        refused=frozenset(line.order_id for copy in copies for line in copy.refusals),
        written=max(copy.head.exported_at for copy in copies),
    )


def _order(here: Here, host: str, order: OrderLine, report: ReportLine | None) -> Iterator[Finding]:
    if report is None:
        yield finding(Found.NOT_OVER, host, order=order.id)
    if order.is_local:
        who = ", ".join(order.approvers)
        yield finding(Found.AT_THE_HOST, host, order=order.id, who=who, end=end(report))
        return
    sent = here.sent.get(order.id) or here.perhaps_sent.get(order.id)
    if sent is None:
        by = ", ".join(order.approvers)
        yield finding(Found.NEVER_ORDERED, host, order=order.id, approvers=by, end=end(report))
        return
    yield from _terms(here, host, order, sent)


def _terms(here: Here, host: str, order: OrderLine, sent: Act) -> Iterator[Finding]:
    """The plan, who asked and who confirmed, by the acts and by the order that the host consumed."""
    if sent.plan_digest != order.plan_digest:
        ours = sent.plan_digest or "none"
        yield finding(Found.OTHER_PLAN, host, order=order.id, ours=ours, theirs=order.plan_digest)
    ours, theirs = here.left_out.get(order.request_id, ""), " ".join(map(str, order.excluded))
    if ours != theirs:
        yield finding(Found.OTHER_STEPS, host, order=order.id, ours=ours or "none", theirs=theirs or "none")
    asked = here.asked.get(order.request_id, NOBODY)
    if asked != order.requester:
        yield finding(Found.OTHER_REQUESTER, host, order=order.id, ours=asked, theirs=order.requester)
    confirmed = here.confirmed.get(order.request_id, frozenset())
    if not confirmed or not confirmed >= set(order.approvers):
        ours, theirs = ", ".join(sorted(confirmed)) or NOBODY, ", ".join(order.approvers)
        yield finding(Found.OTHER_APPROVER, host, order=order.id, ours=ours, theirs=theirs)


def _unseen(host: str, act: Act, written: datetime) -> Finding:
    if act.at > written:
        return finding(Found.SENT_AFTER, host, order=act.order_id)
    return finding(Found.NEVER_SEEN, host, order=act.order_id, at=act.at.isoformat(timespec="seconds"))


def _reports(here: Here, there: There, host: str, order_id: str) -> Iterator[Finding]:
    ours, theirs = here.reports.get(order_id), there.reports.get(order_id)
    if ours is None:
        yield finding(Found.REPORT_NOT_HERE, host, order=order_id, end=end(theirs))
    elif theirs is not None:
        yield from _values(host, order_id, ours, theirs)
        yield from _outcomes(host, order_id, ours, theirs)
    elif ours.finished_at <= there.written:
        yield finding(Found.REPORT_NOT_THERE, host, order=order_id, end=end(ours))


def _values(host: str, order_id: str, ours: ReportLine, theirs: ReportLine) -> Iterator[Finding]:
    mine, other = (one.model_dump(mode="json") for one in (ours, theirs))
    for name in FIELDS:
        if mine[name] != other[name]:
            said = {"ours": str(mine[name]), "theirs": str(other[name])}
            yield finding(Found.OTHER_REPORT, host, order=order_id, field=name, **said)


def _outcomes(host: str, order_id: str, ours: ReportLine, theirs: ReportLine) -> Iterator[Finding]:
    mine, other = ({one.index: one for one in report.outcomes} for report in (ours, theirs))
    for index in sorted({*mine, *other}):
        if mine.get(index) != other.get(index):
            said = {name: _said(of.get(index)) for name, of in (("ours", mine), ("theirs", other))}
            yield finding(Found.OTHER_OUTCOME, host, order=order_id, step=index, **said)


def _journals(host: str, there: There) -> Iterator[Finding]:
    """A host's journal and its report were written at different moments; they must agree as well."""
    told = {(r.order_id, one.index): one for r in there.reports.values() for one in r.outcomes}
    for step in there.steps:
        ended = told.get((step.order_id, step.index))
        if ended and step.outcome and step.outcome != ended.outcome:
            yield finding(
                *(Found.OTHER_JOURNAL, host),
                order=step.order_id,
                step=step.index,
                journal=step.outcome,
                report=ended.outcome,
            )


def _said(outcome: OutcomeLine | None) -> str:
    if outcome is None:
        return "nothing"
    return " ".join(filter(None, (outcome.outcome, outcome.reason, outcome.id)))
