"""The Home tab of one reader: what waits for them first, then hosts, runs and totals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.access import Denied
from bot.consent import Consent
from bot.past import Run, Totals
from bot.render.answers import denial
from bot.render.blocks import Block, context, date, detail, mention, packed, plain, section
from bot.render.headlines import headline
from bot.render.history import UNKNOWN, freed, outcome, people, totals
from bot.render.hosts import HOW_TO_ADMIT, PROBLEMS, HostRow, is_silent, standing
from bot.render.summary import sentences
from bot.requests import Line, Request
from workers.contract import DiskUsage, Filesystem
from workers.wording import amount, size

REFRESH = "prune_refresh"
# Slack takes 100 blocks, of which these and what stands around them leave a quarter.
APPROVALS, HOSTS, HOST_LETTERS = 15, 40, 12_000
FULL = 85
NOT_FOUND = "channel_not_found"
NOTHING_BEGUN = " Nothing was begun."
NOTHING_WAITS = "Nothing waits for a decision."
NO_RUN = "No run yet. `/prune preview` shows what could be removed."


@dataclass(frozen=True)
class Approval:
    """A request that waits for a decision; `is_theirs`: this reader's press would count for it."""

    request: Request
    consent: Consent
    link: str
    is_theirs: bool
    has_agreed: bool = False


@dataclass(frozen=True)
class HostCard:
    """A host, how its disk was measured last, and its last run."""

    row: HostRow
    disk: DiskUsage | None = None
    last: Run | None = None


@dataclass(frozen=True)
class Overview:
    """All that one reader sees; `links` lead to the threads of runs by request.

    `untold`: why Slack did not tell of channels, whose part is left out.
    """

    approvals: Sequence[Approval]
    hosts: Sequence[HostCard]
    runs: Sequence[Run]
    links: Mapping[str, str]
    month: Totals
    ever: Totals
    line: Line
    untold: Sequence[str] = ()


def home(seen: Overview, now: datetime) -> Block:
    """The tab for somebody who may look at something."""
    return _view(
        [
            *_freshness(seen, now),
            *_approvals(seen.approvals, now),
            {"type": "divider"},
            *_hosts(seen.hosts, now),
            {"type": "divider"},
            *_runs(seen.runs, seen.links),
            {"type": "divider"},
            *_totals(seen.month, seen.ever),
        ]
    )


def shut_home(denied: Denied, now: datetime) -> Block:
    """The tab for somebody who may look at nothing: why, and what to do."""
    what, then = denial(denied)
    what = what.removesuffix(NOTHING_BEGUN)
    return _view([section("*There is nothing here for you to see.*"), section(f"{what} {then}"), _asof(now)])


def unsaid_home(now: datetime) -> Block:
    """The tab where Slack did not say who its reader is."""
    return _view(
        [section("*Slack did not say in time whether you may look.* Refresh in a minute."), _asof(now)]
    )


def undrawn_home(why: str, now: datetime) -> Block:
    """The tab in words where Slack does not take it as it is drawn."""
    then = "`/prune status`, `/prune hosts` and `/prune history` tell the same."
    return _view([section(f"*Slack did not take this tab: {detail(why)}.* {then}"), _asof(now)])


def _view(blocks: Iterable[Block]) -> Block:
    return {"type": "home", "blocks": list(blocks)}


def _asof(now: datetime) -> Block:
    button = {"type": "button", "action_id": REFRESH, "text": plain("Refresh")}
    return {**section(f"As of {date(now)}"), "accessory": button}


def _freshness(seen: Overview, now: datetime) -> list[Block]:
    told = [_asof(now)]
    if not seen.line.up:
        gone = f"*The queue (Redis) does not answer since {date(seen.line.since)}.*"
        told.append(section(f"{gone} What is said of hosts is from before that."))
    if seen.untold:
        left = f"*What belongs to {amount(len(seen.untold), 'channel')} is left out.*"
        then = "Invite the bot there." if seen.untold[0].endswith(NOT_FOUND) else "Refresh in a minute."
        told.append(section(f"{left} Slack did not tell of it: {detail(seen.untold[0])}. {then}"))
    return told


def _header(words: str) -> Block:
    return {"type": "header", "text": plain(words)}


# What waits


def _approvals(waiting: Sequence[Approval], now: datetime) -> list[Block]:
    if not waiting:
        return [_header("Approvals"), section(NOTHING_WAITS)]
    theirs = sum(one.is_theirs for one in waiting)
    first = sorted(waiting, key=lambda one: not one.is_theirs)
    left = len(waiting) - APPROVALS
    more = [context(f"+{left} more; `/prune status` names them in their channels.")] if left > 0 else []
    verb = "waits" if len(waiting) == 1 else "wait"
    whose = "your decision" if theirs == len(waiting) else "a decision"
    some = f", {theirs} for yours" if 0 < theirs < len(waiting) else ""
    title = f"{amount(len(waiting), 'plan').capitalize()} {verb} for {whose}{some}"
    return [_header(title), *(section(_approval(one, now)) for one in first[:APPROVALS]), *more]


def _approval(one: Approval, now: datetime) -> str:
    asked, expires = one.request.asked, one.request.expires_at
    facts = [
        _yours(one),
        *([f"expires {date(expires)}"] if expires else []),
        *([f"<{one.link}|Open the thread>"] if one.link else []),
    ]
    who = f"Asked for by {mention(asked.requester)} in <#{asked.channel}> {date(asked.made_at)}"
    return f"*{headline(one.request, now)}*\n{' · '.join(facts)}\n{who}"


def _yours(one: Approval) -> str:
    consent = one.consent
    count = f", {len(consent.given)} of {consent.needed} approvals so far" if consent.needed > 1 else ""
    if one.is_theirs:
        return f"*You may approve*{count}"
    if one.has_agreed:
        return f"You have approved{count}"
    if not consent.is_possible:
        return "Nobody may approve"
    return f"Somebody else has to approve{count}"


# Hosts


def _hosts(cards: Sequence[HostCard], now: datetime) -> list[Block]:
    if not cards:
        return [_header("Hosts"), section(f"No host that you may look at is admitted yet. {HOW_TO_ADMIT}")]
    silent = sum(is_silent(card.row, now) for card in cards)
    told = f"{silent} not answering" if silent else "all answering"
    shown: list[Block] = []
    room = HOST_LETTERS
    for card in sorted(cards, key=lambda card: _trouble(card, now)):
        text = _host(card, now)
        room -= len(text)
        if room < 0 or len(shown) == HOSTS:
            break
        shown.append(section(text))
    left = len(cards) - len(shown)
    more = [context(f"+{amount(left, 'more host')}; `/prune hosts` lists them.")] if left else []
    return [_header(f"{amount(len(cards), 'host').capitalize()}, {told}"), *shown, *more]


def _trouble(card: HostCard, now: datetime) -> tuple[bool, bool, bool, str]:
    """What sorts the most troubled first."""
    full = _fullest(card.disk)
    is_full = full is not None and _share(full) >= FULL
    return not is_silent(card.row, now), not card.row.problems, not is_full, card.row.host


def _host(card: HostCard, now: datetime) -> str:
    lines = [
        " · ".join([f"*{card.row.host}* {standing(card.row, now)}", *_heard(card.row, now)]),
        f"{_disk(card.disk)} · {_last(card.last)}",
        *(f"• {problem}" for problem in sentences(card.row.problems[:PROBLEMS], now)),
    ]
    return packed(lines)[0]


def _disk(usage: DiskUsage | None) -> str:
    full = _fullest(usage)
    if usage is None or full is None:
        return "Disk not measured"
    share = f"{_share(full)} % full"
    marked = f"*{share}*" if _share(full) >= FULL else share
    return f"Disk {marked}, {size(full.free)} free, measured {date(usage.taken_at)}"


def _fullest(usage: DiskUsage | None) -> Filesystem | None:
    measured = [one for one in usage.filesystems if one.capacity > 0] if usage else []
    return max(measured, key=_share, default=None)


def _share(one: Filesystem) -> int:
    """Percent in use, rounded up as df does."""
    return -(-100 * one.used // one.capacity)


def _last(run: Run | None) -> str:
    return f"last run {date(run.finished_at)}, {_freed(run)}" if run else "no run yet"


def _freed(run: Run) -> str:
    known = freed(run)
    return "freed bytes unknown" if known == UNKNOWN else f"{known} freed"


def _heard(row: HostRow, now: datetime) -> list[str]:
    """When there was the last contact, where that is not said already."""
    return [f"last heard of {date(row.last_seen)}"] if row.last_seen and not is_silent(row, now) else []


# Runs and totals


def _runs(runs: Sequence[Run], links: Mapping[str, str]) -> list[Block]:
    if not runs:
        return [_header("Recent runs"), section(NO_RUN)]
    lines = [_run(run, links.get(run.request_id, "")) for run in runs]
    return [_header("Recent runs"), *map(section, lines), context("`/prune history` has all of them.")]


def _run(run: Run, link: str) -> str:
    done = " · ".join([f"*{run.host}* {outcome(run)}", *([_freed(run)] if run.removed else [])])
    about = [date(run.finished_at), people(run), *([f"<{link}|Open the thread>"] if link else [])]
    return f"{done}\n{' · '.join(about)}"


def _totals(month: Totals, ever: Totals) -> list[Block]:
    text = f"*Last 30 days*  {totals(month)}\n*Ever*  {totals(ever)}"
    return [_header("Totals"), section(text)]
