"""The complete lists as text files: each object of a plan or a run with every value in full."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.render.disk import disk_rows
from bot.render.summary import (
    CHANGES,
    OUTCOMES,
    by_kind,
    freed,
    is_unrestorable,
    kept_by_kind,
    steps_by_kind,
)
from bot.render.titles import NOUNS
from bot.requests import HostPart
from workers import whereabouts
from workers.contract import (
    DiskAttribution,
    HealthLine,
    Kind,
    Outcome,
    Plan,
    Reference,
    Report,
    Step,
    StepOutcome,
)
from workers.reasons import Reason
from workers.signing import digest
from workers.wording import (
    Voice,
    amount,
    bytes_range,
    fragment,
    listing,
    names_apart,
    objects,
    sentence,
    short,
    size,
    utc,
)

NAME_COLUMN = 60


def one_line(text: str) -> str:
    """A name in a file: whole, on one line."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


FILE = Voice(quote=one_line)


def details_file(part: HostPart) -> tuple[str, str]:
    """The name and the text of the file that holds the whole plan, each value in full."""
    plan = part.plan
    if plan is None:
        return f"{part.host}-no-plan.txt", f"{part.host} has made no plan.\n"
    name = f"{plan.host}-plan-{short(part.plan_digest or digest(plan))}.txt"
    return name, "\n".join(_file_lines(plan, part.plan_digest or digest(plan)))


def _file_lines(plan: Plan, plan_digest: str) -> Iterable[str]:
    voice = replace(FILE, now=plan.made_at)
    yield f"Plan of {plan.host}, {plan_digest}"
    yield f"Engine {plan.engine.version}, {plan.engine.storage_driver}, {plan.engine.id}"
    yield f"Policy {plan.policy_digest}"
    yield f"Made {voice.when(plan.made_at.isoformat())}, expires {voice.when(plan.expires_at.isoformat())}"
    yield f"Removes {listing(by_kind(plan)) or 'nothing'}, frees {bytes_range(plan.expected())}"
    yield f"Volumes hold {size(plan.usage.volumes)} and always stay"
    yield from (f"Note: {sentence(notice, voice)}" for notice in plan.notices)
    if plan.disk is not None:
        yield from _where_the_disk_went(plan.disk, voice, plan.made_at)
    names = names_apart([*(s.object for s in plan.steps), *(v.object for v in plan.verdicts)])
    for kind, steps in steps_by_kind(plan):
        yield from ("", f"REMOVE {objects(kind, len(steps)).upper()}", "")
        yield from columns(_step_row(s, names, voice) for s in steps)
    for kind, verdicts in kept_by_kind(plan):
        yield from ("", f"KEEP {amount(len(verdicts), NOUNS[kind]).upper()}", "")
        yield from columns(
            ("-" if v.size is None else size(v.size), one_line(names[v.object]), _reasons(v.reasons, voice))
            for v in verdicts
        )
    yield ""


def _where_the_disk_went(disk: DiskAttribution, voice: Voice, now: datetime) -> Iterable[str]:
    for title, rows in whereabouts.tables(disk, voice, now):
        yield from ("", title.upper(), "")
        yield from columns((row.figure, row.name, row.note) for row in rows)


def _step_row(step: Step, names: Mapping[Reference, str], voice: Voice) -> tuple[str, str, str]:
    return bytes_range(step.expected), one_line(names[step.object]), _all(step, voice)


def _all(step: Step, voice: Voice) -> str:
    return "; ".join(
        [
            _reasons(step.reasons, voice),
            *(f"untags {one_line(name)}" for name in step.untags if name != step.object.name),
            *(f"leaves {one_line(name)}" for name in step.leaves),
            *(["no known way back"] if is_unrestorable(step) else []),
            f"id {one_line(step.object.id)}",
        ]
    )


def _reasons(reasons: Iterable[Reason], voice: Voice) -> str:
    return "; ".join(fragment(reason, voice) for reason in reasons)


def columns(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Lay out a number on the right, a name and the rest, as wide as they need to be up to a limit."""
    found = list(rows)
    first = max((len(row[0]) for row in found), default=0)
    second = min(NAME_COLUMN, max((len(row[1]) for row in found), default=0))
    return [f"{number:>{first}}  {name:<{second}}  {rest}".rstrip() for number, name, rest in found]


def report_file(part: HostPart) -> tuple[str, str]:
    """The name and the text of the file that holds a whole run."""
    report = part.report
    if report is None:
        return f"{part.host}-no-report.txt", f"{part.host} has sent no report.\n"
    return report_name(report), "\n".join(_run_lines(report))


def report_name(report: Report) -> str:
    """The name of that file."""
    return f"{report.host}-report-{short(report.plan_digest)}.txt"


def _run_lines(report: Report) -> Iterable[str]:
    yield f"Run on {report.host}, {report.status}, plan {report.plan_digest}, order {report.order_id}"
    yield f"From {utc(report.started_at.isoformat())} to {utc(report.finished_at.isoformat())}"
    yield f"Freed: {freed(report)}"
    yield from (sentence(reason, FILE) for reason in (*report.stopped_by, *report.findings))
    if rows := disk_rows(report.usage_before, report.usage_after):
        yield from ("", "DISK", "")
        yield from columns(
            (change, name, f"{before} before, {after} after") for name, change, before, after in rows
        )
    for how in Outcome:
        for kind in Kind:
            yield from _ended(
                how, kind, [s for s in report.outcomes if (s.outcome, s.object.kind) == (how, kind)]
            )
    if report.health:
        yield from ("", f"CONTAINERS THAT RAN BEFORE {len(report.health)}", "")
        yield from columns(_health_row(line) for line in report.health)
    yield ""


def _ended(how: Outcome, kind: Kind, steps: Sequence[StepOutcome]) -> Iterable[str]:
    if steps:
        yield from ("", f"{OUTCOMES[how]}: {objects(kind, len(steps))}".upper(), "")
        yield from columns(_outcome_row(step) for step in steps)


def _outcome_row(step: StepOutcome) -> tuple[str, str, str]:
    why = f"{fragment(step.reason, FILE)}; " if step.reason else ""
    return bytes_range(step.expected), one_line(step.object.name), f"{why}id {one_line(step.object.id)}"


def _health_row(line: HealthLine) -> tuple[str, str, str]:
    change = f"{CHANGES[line.change]}: before {one_line(line.before)}, after {one_line(line.after)}"
    return "critical" if line.critical else "", one_line(line.name), change
