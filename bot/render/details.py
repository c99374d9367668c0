"""Every object of a host's plan with its verdict and reasons, as replies in the thread."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.render.blocks import Message, code, listed, message, packed, section, slack_voice
from bot.render.files import details_file
from bot.render.summary import is_unrestorable, kept_by_kind, sentences, steps_by_kind
from bot.render.titles import NOUNS
from bot.requests import HostPart
from workers import whereabouts
from workers.contract import DiskAttribution, Plan, Step
from workers.reasons import Reason
from workers.whereabouts import Row
from workers.wording import Voice, amount, bytes_range, fragment, names_apart, objects, short, size

REPLIES = 3
REPLY_BUDGET = 8_000
REASONS = 3
LEAVES = 3
BIGGEST = 3


def details(part: HostPart) -> list[Message]:
    """The thread's replies about a host's plan: what goes first, by bytes, then what stays."""
    if part.plan is None:
        return []
    plan = part.plan
    replies = packed(_lines(plan), REPLY_BUDGET)
    shown = replies[:REPLIES]
    if len(replies) > REPLIES:
        left = sum(text.count("\n") + 1 for text in replies[REPLIES:])
        shown[-1] += f"\n+{amount(left, 'more line')}, all of them in `{details_file(part)[0]}`."
    return [
        message(_title(plan, n, len(shown)), [section(text) for text in packed(reply.split("\n"))])
        for n, reply in enumerate(shown, 1)
    ]


def _title(plan: Plan, number: int, of: int) -> str:
    kept = sum(verdict.keep for verdict in plan.verdicts)
    counts = f"{plan.host}: {amount(len(plan.steps), 'object')} to remove, {kept} kept"
    return f"{counts} ({number} of {of})" if of > 1 else counts


def _lines(plan: Plan) -> Iterable[str]:
    voice = replace(slack_voice(plan.made_at), quote=code)
    yield f"Policy {short(plan.policy_digest)} · volumes hold {size(plan.usage.volumes)} and always stay."
    yield from (f"Note: {note}" for note in sentences(plan.notices, plan.made_at))
    if plan.disk is not None:
        yield from _where_the_disk_went(plan.disk, voice, plan.made_at)
    names = names_apart([*(s.object for s in plan.steps), *(v.object for v in plan.verdicts)])
    for kind, steps in steps_by_kind(plan):
        yield f"*Remove {objects(kind, len(steps))}, {bytes_range(plan.expected(kind))}*"
        yield from (f"• {_step(step, names[step.object], voice)}" for step in steps)
    for kind, verdicts in kept_by_kind(plan):
        yield f"*Keep {amount(len(verdicts), NOUNS[kind])}*"
        yield from (f"• {code(names[v.object])}: {_because(v.reasons, voice)}" for v in verdicts)


def _where_the_disk_went(disk: DiskAttribution, voice: Voice, now: datetime) -> Iterable[str]:
    """In a few lines; the file has every row."""
    yield "*Where the disk went*"
    yield f"• {' · '.join(f'{row.name} {row.figure}' for row in whereabouts.part_rows(disk))}"
    for use in disk.filesystems:
        full, rest = whereabouts.filesystem_row(use, voice), whereabouts.rest_row(use, disk, voice)
        yield f"• {full.name}: {full.note}"
        yield f"• {_row(rest)}"
    logs, volumes = whereabouts.log_rows(disk, voice), whereabouts.volume_rows(disk, voice, now)
    yield from (f"• log of {_row(row)}" for row in list(logs)[:BIGGEST])
    yield from (f"• volume {_row(row)}" for row in list(volumes)[:BIGGEST])


def _row(row: Row) -> str:
    return f"{row.name}: {row.figure}{f' ({row.note})' if row.note else ''}"


def _step(step: Step, name: str, voice: Voice) -> str:
    leaves = listed([voice.quote(name) for name in step.leaves], LEAVES)
    notes = [
        *(["no known way back"] if is_unrestorable(step) else []),
        *([f"leaves {leaves}"] if leaves else []),
    ]
    return "; ".join([f"{bytes_range(step.expected)}  {code(name)}: {_because(step.reasons, voice)}", *notes])


def _because(reasons: Sequence[Reason], voice: Voice) -> str:
    told = [fragment(reason, voice) for reason in reasons[:REASONS]]
    left = len(reasons) - REASONS
    return "; ".join([*told, *([amount(left, "more reason")] if left > 0 else [])])
