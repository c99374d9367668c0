"""The plan and the report of a restore as text files: each object with every value in full."""

from collections.abc import Iterable, Iterator

from bot.render.files import FILE, columns, one_line
from bot.render.restoring import OUTCOMES
from bot.render.titles import NOUNS
from bot.requests import HostPart
from workers.contract import (
    FromArchive,
    FromDescription,
    Kind,
    Reference,
    RestoreOutcome,
    RestorePlan,
    RestoreReport,
    RestoreStep,
    StaysAway,
)
from workers.signing import digest
from workers.wording import bytes_range, fragment, sentence, short, size, utc


def restore_plan_file(part: HostPart) -> tuple[str, str]:
    """The name and the text of the file that holds the whole plan."""
    plan = part.back
    if plan is None:
        return f"{part.host}-no-restore.txt", f"{part.host} has made no plan of a restore.\n"
    named = part.plan_digest or digest(plan)
    return f"{part.host}-restore-{short(named)}.txt", "\n".join(_plan_lines(plan, named))


def _plan_lines(plan: RestorePlan, named: str) -> Iterator[str]:
    yield f"Plan of a restore on {plan.host}, {named}"
    yield f"Engine {plan.engine.version}, {plan.engine.storage_driver}, {plan.engine.id}"
    yield f"Of run {plan.run} of {utc(plan.run_at.isoformat())}, plan {plan.run_plan_digest}"
    yield f"Made {utc(plan.made_at.isoformat())}, expires {utc(plan.expires_at.isoformat())}"
    free = "unknown" if plan.free is None else size(plan.free)
    yield f"Takes {bytes_range(plan.needs)}, free {free}"
    yield from (f"Note: {sentence(notice, FILE)}" for notice in plan.notices)
    yield from ("", f"BRING BACK {len(plan.steps)}", "")
    yield from columns(map(_step_row, plan.steps))
    yield from ("", f"NOT BROUGHT BACK {len(plan.away)}", "")
    yield from columns(map(_away_row, plan.away))
    if commands := [one.command for one in plan.away if one.command]:
        yield from ("", "WHAT WOULD CREATE SUCH CONTAINERS, TO FINISH BY HAND", "")
        yield from map(one_line, commands)
    yield ""


def _step_row(step: RestoreStep) -> tuple[str, str, str]:
    told = [
        *([*_source(step)] or ["is here and lacks tags"]),
        *(f"gets the tag {one_line(name)}" for name in step.tags),
        *(f"{one_line(tag.name)} names {one_line(tag.image)} and is left there" for tag in step.taken),
        _id(step.object),
    ]
    name = f"{NOUNS[step.object.kind]} {one_line(step.object.name)}"
    return bytes_range(step.needs) if step.needs.high else "", name, "; ".join(told)


def _id(object_: Reference) -> str:
    """An image comes back under its id; a network that is made again has another one."""
    return f"{'id before' if object_.kind is Kind.NETWORK else 'id'} {one_line(object_.id)}"


def _source(step: RestoreStep) -> Iterable[str]:
    for source in step.sources:
        if isinstance(source, FromArchive):
            yield f"from the archive: {one_line(source.file)}, sha256 {source.sha256}"
        elif isinstance(source, FromDescription):
            yield f"as it was described: {one_line(source.network.model_dump_json(exclude_defaults=True))}"
        else:
            asked = "gives it back" if source.asked else "not asked"
            yield f"from {one_line(source.repository)}@{source.digest} ({asked})"


def _away_row(one: StaysAway) -> tuple[str, str, str]:
    taken = [f"{one_line(tag.name)} names {one_line(tag.image)}" for tag in one.taken]
    told = "; ".join([fragment(one.reason, FILE), *taken, _id(one.object)])
    return "", f"{NOUNS[one.object.kind]} {one_line(one.object.name)}", told


def restore_report_file(part: HostPart) -> tuple[str, str]:
    """The name and the text of the file that holds the whole report."""
    report = part.restored
    if report is None:
        return f"{part.host}-not-restored.txt", f"{part.host} has sent no report of a restore.\n"
    return f"{part.host}-restored-{short(report.plan_digest)}.txt", "\n".join(_report_lines(report))


def _report_lines(report: RestoreReport) -> Iterator[str]:
    yield f"Restore on {report.host}, {report.status}, plan {report.plan_digest}, order {report.order_id}"
    yield f"Of run {report.run}"
    yield f"From {utc(report.started_at.isoformat())} to {utc(report.finished_at.isoformat())}"
    yield f"Asked for by {report.requester.spelled}, confirmed by {_people(report)}"
    yield from (sentence(why, FILE) for why in (*report.stopped_by, *report.findings))
    yield ""
    yield from columns(map(_outcome_row, report.outcomes))
    yield ""


def _people(report: RestoreReport) -> str:
    return ", ".join(dict.fromkeys(who.spelled for who in (*report.approvers, report.approver)))


def _outcome_row(one: RestoreOutcome) -> tuple[str, str, str]:
    told = [
        *([fragment(one.reason, FILE)] if one.reason else []),
        *(f"tagged {one_line(name)}" for name in one.tags),
        _id(one.object),
    ]
    return OUTCOMES[one.outcome], f"{NOUNS[one.object.kind]} {one_line(one.object.name)}", "; ".join(told)
