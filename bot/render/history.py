"""Past runs and restores as a table that is read on a phone as well, page by page, newest first."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.past import Page, Run, Sought, Totals, Turn
from bot.render.answers import said
from bot.render.blocks import (
    DATE,
    USER,
    Block,
    Message,
    code,
    context,
    date,
    listed,
    mention,
    message,
    plain,
    printable,
)
from workers.contract import Person, Status
from workers.wording import amount, listing, size, utc

OLDER, NEWER = "prune_older", "prune_newer"
BUTTONS = {Turn.NEWER: (NEWER, "Newer"), Turn.OLDER: (OLDER, "Older")}
ENDS = {
    Status.DONE: "done",
    Status.PARTIAL: "partly done",
    Status.STOPPED: "stopped",
    Status.REFUSED: "refused, nothing removed",
    Status.FAILED: "failed",
    Status.INTERRUPTED: "interrupted",
}
CAME_BACK = {
    Status.DONE: "restored",
    Status.PARTIAL: "partly restored",
    Status.STOPPED: "restore stopped",
    Status.REFUSED: "restore refused",
    Status.FAILED: "restore failed",
    Status.INTERRUPTED: "restore interrupted",
}
HEAD = ("Run", "Outcome", "Freed")
PEOPLE = 3
UNKNOWN, NOTHING = "unknown", "-"
NAME = 40


def history(page: Page, sought: Sought, links: Mapping[str, str], buttons: Mapping[Turn, str]) -> Message:
    """One page; `links` lead to threads by request, `buttons` hold what each way of turning it carries."""
    told = " · ".join(_sought(sought))
    about = [context(f"{told[:1].upper()}{told[1:]}")] if told else []
    if not page.runs:
        return message("No run matches" if told else "No run yet", about)
    rows = [_row(run, links.get(run.request_id, "")) for run in page.runs]
    columns = [{"is_wrapped": True}, {"is_wrapped": True}, {"align": "right"}]
    head: list[Block] = [{"type": "raw_text", "text": title} for title in HEAD]
    table = {"type": "table", "rows": [head, *rows], "column_settings": columns}
    turns: list[Block] = [{"type": "actions", "elements": _turns(buttons)}] if buttons else []
    return message(totals(page.totals), [*about, table, context(_place(page, links)), *turns])


def totals(found: Totals) -> str:
    """How many runs, and what they freed together; and how many restores."""
    unknown = f", {found.unmeasured} not measured" if found.unmeasured else ""
    restores = f", {amount(found.restores, 'restore')}" if found.restores else ""
    return f"{amount(found.runs, 'run').capitalize()}, {size(found.freed)} freed{unknown}{restores}"


def not_kept() -> Message:
    """An answer to a button of a page that this process has not made."""
    return said("This page is from before the bot was started anew.", "`/prune history` shows a new one.")


def _sought(sought: Sought) -> list[str]:
    whom = listing([mention(person) for person in sought.people or ()])
    return [
        *([f"on {listing([code(host) for host in sought.hosts])}"] if sought.hosts else []),
        *([f"asked for or confirmed by {whom}"] if whom else []),
        *([f"since {date(sought.since)}"] if sought.since else []),
        *([f"before {date(sought.until)}"] if sought.until else []),
    ]


def _place(page: Page, links: Mapping[str, str]) -> str:
    first, last = page.newer + 1, page.newer + len(page.runs)
    shown = "Newest first."
    if len(page.runs) < page.totals.lines:
        what = "Runs and restores" if page.totals.restores else "Run" if first == last else "Runs"
        place = f"{first:,}" if first == last else f"{first:,} to {last:,}"
        shown = f"{what} {place} of {page.totals.lines:,}, newest first."
    return f"{shown} A time leads to its thread." if links else shown


def _turns(buttons: Mapping[Turn, str]) -> list[Block]:
    return [
        {
            "type": "button",
            "action_id": action,
            "text": plain(label),
            "accessibility_label": f"{label} runs",
            "value": buttons[turn],
        }
        for turn, (action, label) in BUTTONS.items()
        if turn in buttons
    ]


def _row(run: Run, link: str) -> list[Block]:
    return [
        _cell([_text(run.host, bold=True)], [_date(run.finished_at, link)]),
        _cell([_text(outcome(run))], _people(run)),
        {"type": "raw_text", "text": freed(run)},
    ]


def outcome(run: Run) -> str:
    """How a run ended, and whether what ran before it still does; or what a restore brought back."""
    if run.back is not None:
        return _came_back(run, run.back)
    return ", ".join([ENDS[run.status], *([_services(run)] if run.ran else [])])


def _came_back(run: Run, back: int) -> str:
    there = amount(back, "object") if back == run.wanted else f"{back} of {amount(run.wanted, 'object')}"
    return f"{CAME_BACK[run.status]}, {there} there again"


def _services(run: Run) -> str:
    if run.running == run.ran:
        return "services ran on" if run.ran > 1 else "the service ran on"
    later = f", {run.unchecked} not re-checked" if run.unchecked else ""
    return f"{run.running} of {run.ran} services ran on{later}"


def freed(run: Run) -> str:
    """What a run freed; something else may have grown meanwhile, and then nobody knows."""
    if run.back is not None:
        return NOTHING
    if not run.removed:
        return size(0)
    return UNKNOWN if run.freed is None or run.freed < 0 else size(run.freed)


def people(run: Run) -> str:
    """Who asked for a run and who confirmed it."""
    if run.people == (run.requester,):
        return f"{mention(run.requester)} asked and confirmed"
    confirmed = listed([mention(person) for person in run.approvers], PEOPLE)
    return f"{mention(run.requester)} asked, {confirmed} confirmed"


def _people(run: Run) -> list[Block]:
    if run.people == (run.requester,):
        return [_person(run.requester), _text(" asked and confirmed")]
    return [_person(run.requester), _text(" asked, "), *_some(run.approvers), _text(" confirmed")]


def _some(who: Sequence[Person]) -> list[Block]:
    """The first of them, as a reader lists them."""
    names = [_person(person) for person in who[:PEOPLE]]
    if len(who) > PEOPLE:
        names.append(_text(f"{len(who) - PEOPLE} more"))
    marks = ["", *([", "] * (len(names) - 2)), *([" and "] if len(names) > 1 else [])]
    return [leaf for mark, name in zip(marks, names, strict=True) for leaf in (*_between(mark), name)]


def _between(mark: str) -> list[Block]:
    return [_text(mark)] if mark else []


def _cell(*lines: Sequence[Block]) -> Block:
    parts: list[Block] = [{"type": "rich_text_section", "elements": list(line)} for line in lines]
    return {"type": "rich_text", "elements": parts}


def _text(words: str, *, bold: bool = False) -> Block:
    return {"type": "text", "text": words, **({"style": {"bold": True}} if bold else {})}


def _person(person: Person) -> Block:
    """A person by the name their reader knows; what is no user's id is shown as it is."""
    if USER.fullmatch(person.user):
        return {"type": "user", "user_id": person.user}
    return {
        "type": "text",
        "text": printable(person.user, NAME).strip() or "(no name)",
        "style": {"code": True},
    }


def _date(moment: datetime, link: str) -> Block:
    at = {"type": "date", "timestamp": int(moment.timestamp()), "format": DATE}
    return {**at, "fallback": utc(moment.isoformat()), **({"url": link} if link else {})}
