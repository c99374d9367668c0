"""Runs and restores: what was decided and sent here, against what was consumed and done there (pure)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from bot.acts import Act, What
from bot.audit.findings import Finding, Found, end, finding
from bot.audit.own import Own
from workers.audit_lines import (
    Consumed,
    HostCopy,
    Journaled,
    OutcomeLine,
    Reported,
    ReportLine,
    RestoreReportLine,
)

# `outcomes` are compared one by one.
NOT_FIELDS = ("record", "order_id", "outcomes")
NOBODY = "nobody"


@dataclass(frozen=True)
class Kind:
    """Which orders are compared with each other: one that permits a restore permits no run."""

    ordered: What
    job: str
    report: type[Reported]


RUNS = Kind(What.ORDERED, "execute", ReportLine)
RESTORES = Kind(What.RESTORE_ORDERED, "restore", RestoreReportLine)


@dataclass(frozen=True)
class Here:
    """What the bot's copy says of one host's orders of a kind."""

    sent: Mapping[str, Act]
    perhaps_sent: Mapping[str, Act]
    asked: Mapping[str, str]
    confirmed: Mapping[str, frozenset[str]]
    left_out: Mapping[str, str]
    reports: Mapping[str, Reported]


@dataclass(frozen=True)
class There:
    """What the host's copies say of its orders of a kind; `written`: when the newest was."""

    kind: Kind
    orders: Mapping[str, Consumed]
    reports: Mapping[str, Reported]
    steps: tuple[Journaled, ...]
    refused: frozenset[str]
    written: datetime


def runs(copies: Sequence[HostCopy]) -> There:
    """What a host's copies say of its runs."""
    return _there(
        *(RUNS, copies),
        orders=chain.from_iterable(copy.orders for copy in copies),
        reports=chain.from_iterable(copy.reports for copy in copies),
        steps=chain.from_iterable(copy.steps for copy in copies),
    )


def restores(copies: Sequence[HostCopy]) -> There:
    """What a host's copies say of its restores."""
    return _there(
        *(RESTORES, copies),
        orders=chain.from_iterable(copy.restores for copy in copies),
        reports=chain.from_iterable(copy.restore_reports for copy in copies),
        steps=chain.from_iterable(copy.restore_steps for copy in copies),
    )


def has_restores(own: Own, host: str) -> bool:
    """Whether the bot's copy says of any restore there."""
    here = _here(own, host, RESTORES)
    return bool(here.sent or here.reports)


def _there(
    kind: Kind,
    copies: Sequence[HostCopy],
    *,
    orders: Iterable[Consumed],
    reports: Iterable[Reported],
    steps: Iterable[Journaled],
) -> There:
    return There(
        kind=kind,
        orders={order.id: order for order in orders},
        reports={report.order_id: report for report in reports},
        steps=tuple(steps),
        refused=frozenset(line.order_id for copy in copies for line in copy.refusals),
        written=max(copy.head.exported_at for copy in copies),
    )


def differences(own: Own, host: str, there: There) -> Iterator[Finding]:
    """Compare every order of a kind, and what came of it."""
    here = _here(own, host, there.kind)
    for order in there.orders.values():
        yield from _order(here, host, order, there.reports.get(order.id))
    for order_id, act in here.sent.items():
        if order_id not in there.orders and order_id not in there.refused:
            yield _unseen(host, act, there.written)
    for order_id in sorted({*here.reports, *there.reports}):
        yield from _reports(here, there, host, order_id)
    yield from _journals(host, there)


def _here(own: Own, host: str, kind: Kind) -> Here:
    acts = [act for act in own.acts if act.host == host]
    confirmed: dict[str, frozenset[str]] = {}
    for act in own.acts:
        if act.what in (What.APPROVED, What.CONFIRMED):
            confirmed[act.request_id] = confirmed.get(act.request_id, frozenset()) | {act.who}
    settled = (act for act in own.acts if act.what == What.CONFIRMED)
    reports = (heard.report for heard in own.heard if heard.host == host)
    return Here(
        sent={act.order_id: act for act in acts if act.what == kind.ordered},
        perhaps_sent={act.order_id: act for act in acts if _is_in_doubt(act, kind)},
        asked={act.request_id: act.who for act in own.acts if act.what == What.ASKED},
        confirmed=confirmed,
        left_out={act.request_id: _left_out(act, host) for act in settled},
        reports={report.order_id: report for report in reports if isinstance(report, kind.report)},
    )


def _is_in_doubt(act: Act, kind: Kind) -> bool:
    about = act.detail
    return act.what == What.NOT_SENT and about.get("certain") == 0 and about.get("type") == kind.job


def _left_out(act: Act, host: str) -> str:
    """The steps that a confirmation leaves out of a host's plan, as the act spells them."""
    excluded = act.detail.get("excluded")
    return str(excluded.get(host, "")) if isinstance(excluded, Mapping) else ""


def _order(here: Here, host: str, order: Consumed, report: Reported | None) -> Iterator[Finding]:
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


def _terms(here: Here, host: str, order: Consumed, sent: Act) -> Iterator[Finding]:
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


def _values(host: str, order_id: str, ours: Reported, theirs: Reported) -> Iterator[Finding]:
    mine, other = (one.model_dump(mode="json") for one in (ours, theirs))
    for name in mine:
        if name not in NOT_FIELDS and mine[name] != other[name]:
            said = {"ours": str(mine[name]), "theirs": str(other[name])}
            yield finding(Found.OTHER_REPORT, host, order=order_id, field=name, **said)


def _outcomes(host: str, order_id: str, ours: Reported, theirs: Reported) -> Iterator[Finding]:
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
