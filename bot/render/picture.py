"""A host's disk as a picture: before and after a run by kind, and its use over the last 30 days (pure).

What is drawn is told in fractions of its axes and in words, so that whoever draws it decides nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from textwrap import wrap

from bot.measured import Measured, Moment
from bot.render.blocks import printable
from bot.render.headlines import ending
from bot.render.report import began
from bot.render.scales import Mark, Scale
from workers.contract import DiskUsage, Filesystem, Report
from workers.wording import amount, short, size

SHOWN_FOR = timedelta(days=30)
MARK_EVERY = timedelta(days=10)
MOST_POINTS = 1_000
TITLE_WIDTH, TITLE_LINES = 44, 3
PATH = 16
# Slack takes 1,000 letters (alt_txt_too_large).
MOST_ALT = 1_000
# In the order of the report's table; drawn from the top of a bar to its foot.
KINDS: tuple[tuple[str, Callable[[DiskUsage], int | None]], ...] = (
    ("Containers", lambda usage: usage.containers),
    ("Images", lambda usage: usage.images),
    ("Build cache", lambda usage: usage.build_cache),
    ("Volumes", lambda usage: usage.volumes),
)


@dataclass(frozen=True)
class Row:
    """A kind's line in the key: its name and its size before and after."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Bar:
    """A stack: how high each part of it is, in the order of the key, and what all of it comes to."""

    name: str
    total: str
    parts: tuple[float, ...]


@dataclass(frozen=True)
class Bars:
    """The two stacks side by side."""

    title: str
    marks: tuple[Mark, ...]
    bars: tuple[Bar, ...]
    key: tuple[Row, ...]


@dataclass(frozen=True)
class Course:
    """What was in use over time: points, the times of runs, and the line that it cannot cross."""

    title: str
    marks: tuple[Mark, ...]
    days: tuple[Mark, ...]
    points: tuple[tuple[float, float], ...]
    runs: tuple[float, ...]
    limit: Mark | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """Everything that is drawn."""

    title: tuple[str, ...]
    subtitle: str
    bars: Bars
    course: Course


@dataclass(frozen=True)
class Picture:
    """A picture still to be drawn: the name of its file, its title, and what it shows in words."""

    name: str
    title: str
    alt: str
    figure: Figure


@dataclass(frozen=True)
class Use:
    """What is in use of something, and how much there is of it where that is known."""

    at: datetime
    used: int
    limit: int | None


def is_pictured(report: Report) -> bool:
    """Whether there is a before and an after to draw, and something was done between them."""
    return began(report) and report.usage_before is not None and report.usage_after is not None


def days_shown(report: Report) -> tuple[datetime, datetime]:
    """The first and the last moment of the picture, by the host's own clock."""
    end = report.usage_after.taken_at if report.usage_after else report.finished_at
    try:
        return end - SHOWN_FOR, end
    except OverflowError:
        return end, end


def picture(report: Report, history: Iterable[Measured]) -> Picture:
    """Describe the picture of a run; the history may hold the run itself, and what is older than is shown."""
    before, after = report.usage_before, report.usage_after
    if before is None or after is None:
        raise ValueError("of a run without a before and an after there is no picture")
    seen = _seen(report, history)
    title = ending(report)
    return Picture(
        name=f"{report.host}-disk-{short(report.plan_digest)}.png",
        title=f"Disk of {report.host}",
        alt=_alt(title, before, after, seen),
        figure=Figure(
            title=_lines(title),
            subtitle=f"{_spelled(after.taken_at)} UTC",
            bars=_bars(before, after),
            course=_course(report, before, after, seen),
        ),
    )


def _seen(report: Report, history: Iterable[Measured]) -> list[Measured]:
    """What was measured in the days shown, this run's own measurements last; each once."""
    first, last = days_shown(report)
    own = [
        Measured(usage, moment, report.order_id)
        for moment, usage in ((Moment.BEFORE, report.usage_before), (Moment.AFTER, report.usage_after))
        if usage is not None and first <= usage.taken_at <= last
    ]
    others = [m for m in history if first <= m.usage.taken_at <= last and m.order_id != report.order_id]
    return sorted([*others, *own], key=lambda m: m.usage.taken_at)


def _bars(before: DiskUsage, after: DiskUsage) -> Bars:
    scale = Scale.over((_known(before), _known(after)))
    return Bars(
        title="What Docker holds",
        marks=scale.marks,
        bars=(_bar("Before", before, scale), _bar("After", after, scale)),
        key=tuple(Row(name, _size(of(before)), _size(of(after))) for name, of in KINDS),
    )


def _bar(name: str, usage: DiskUsage, scale: Scale) -> Bar:
    known = size(_known(usage))
    total = f"at least {known}" if _total(usage) is None else known
    return Bar(name, total, tuple(scale.at(of(usage) or 0) for _, of in KINDS))


def _known(usage: DiskUsage) -> int:
    return sum(max(of(usage) or 0, 0) for _, of in KINDS)


def _total(usage: DiskUsage) -> int | None:
    """All that Docker holds; None where a part of it is not known."""
    return None if any(of(usage) is None for _, of in KINDS) else _known(usage)


def _size(count: int | None) -> str:
    return "unknown" if count is None else size(count)


def _course(report: Report, before: DiskUsage, after: DiskUsage, seen: Sequence[Measured]) -> Course:
    place = after.filesystems[0].path if after.filesystems else None
    uses = [use for m in seen for use in [_use(m.usage, place)] if use is not None]
    limit = next((use.limit for use in reversed(uses) if use.limit is not None), None)
    scale = Scale.over([use.used for use in uses] + ([limit] if limit is not None else []))
    first, last = days_shown(report)
    span = max((last - first) / timedelta(seconds=1), 1.0)

    def when(moment: datetime) -> float:
        return min(max((moment - first) / timedelta(seconds=1) / span, 0.0), 1.0)

    return Course(
        title=_course_title(after, place),
        marks=scale.marks,
        days=_days(first, last, when),
        points=tuple((when(use.at), scale.at(use.used)) for use in _thinned(uses)),
        runs=tuple(when(at) for at in _runs(seen)),
        limit=None if limit is None else Mark(scale.at(limit), f"Full at {size(limit)}"),
        notes=_notes(before, after, place),
    )


def _use(usage: DiskUsage, place: str | None) -> Use | None:
    """What was in use of the filesystem; of all that Docker holds where none could be measured."""
    if place is None:
        total = _total(usage)
        return None if total is None else Use(usage.taken_at, total, None)
    found = _filesystem(usage, place)
    return Use(usage.taken_at, max(found.used, 0), max(found.capacity, 0)) if found else None


def _filesystem(usage: DiskUsage, place: str | None) -> Filesystem | None:
    return next((one for one in usage.filesystems if one.path == place), None)


def _course_title(after: DiskUsage, place: str | None) -> str:
    if place is None:
        return "Docker holds, 30 days (UTC)"
    several = len(after.filesystems) > 1
    return f"{printable(place, PATH)}, 30 days (UTC)" if several else "Disk in use, 30 days (UTC)"


def _days(first: datetime, last: datetime, when: Callable[[datetime], float]) -> tuple[Mark, ...]:
    count = (last - first) // MARK_EVERY
    moments = [last - n * MARK_EVERY for n in reversed(range(count + 1))]
    return tuple(Mark(when(moment), _day(moment)) for moment in moments)


def _runs(seen: Iterable[Measured]) -> list[datetime]:
    """When runs ended, each once."""
    return [m.usage.taken_at for m in seen if m.moment is Moment.AFTER]


def _thinned(uses: Sequence[Use]) -> Sequence[Use]:
    """No more points than can be told apart; the last ones are always among them."""
    every = -(-len(uses) // MOST_POINTS) or 1
    return [*uses[:-2][::every], *uses[-2:]]


def _notes(before: DiskUsage, after: DiskUsage, place: str | None) -> tuple[str, ...]:
    """Short lines, for they stand in half a picture."""
    inodes = _inodes(_filesystem(before, place), _filesystem(after, place))
    return (*_change(_use(before, place), _use(after, place)), *([f"Inodes: {inodes}"] if inodes else []))


def _change(then: Use | None, now: Use | None) -> Iterable[str]:
    if now is None:
        return
    was = "unknown" if then is None else size(then.used)
    yield f"In use: {was}, now {size(now.used)}"
    if now.limit:
        full = f"{_share(then.used, then.limit)}, now " if then and then.limit else ""
        yield f"of {size(now.limit)}: {full}{_share(now.used, now.limit)}"


def _inodes(then: Filesystem | None, now: Filesystem | None) -> str:
    """The share of inodes in use; nothing where there is no fixed number of them."""
    if then is None or now is None or then.inodes <= 0 or now.inodes <= 0:
        return ""
    return f"{_inode_share(then)}, now {_inode_share(now)}"


def _share(used: int, of: int) -> str:
    return f"{100 * used // of} %"


def _inode_share(one: Filesystem) -> str:
    return _share(min(max(one.inodes - one.inodes_free, 0), one.inodes), one.inodes)


def _alt(title: str, before: DiskUsage, after: DiskUsage, seen: Sequence[Measured]) -> str:
    """The whole picture in words, for those who hear it read."""
    place = after.filesystems[0].path if after.filesystems else None
    told = " ".join(
        filter(None, (title, _kinds(before, after), _told(before, after, place), _history(seen, place)))
    )
    told = f"{told} Times are UTC, up to {_spelled(after.taken_at)}."
    return told if len(told) <= MOST_ALT else f"{told[: MOST_ALT - 1]}…"


def _kinds(before: DiskUsage, after: DiskUsage) -> str:
    each = [f"{_told_size(of(before), name)}, now {_size(of(after))}" for name, of in KINDS]
    return f"Before the run Docker held {'; '.join(each)}."


def _told_size(count: int | None, name: str) -> str:
    return f"an unknown size of {name.lower()}" if count is None else f"{size(count)} of {name.lower()}"


def _told(before: DiskUsage, after: DiskUsage, place: str | None) -> str:
    if place is None:
        return ""
    then, now = _filesystem(before, place), _filesystem(after, place)
    inodes = _inodes(then, now)
    told = [f"{moment} {_fill(one)}" for moment, one in (("before", then), ("now", now)) if one]
    return f"The filesystem: {', '.join(told)}{f'; inodes in use {inodes}' if inodes else ''}."


def _fill(one: Filesystem) -> str:
    used, capacity = max(one.used, 0), max(one.capacity, 0)
    return f"{size(used)} of {size(capacity)}{f' ({_share(used, capacity)})' if capacity else ''}"


def _history(seen: Sequence[Measured], place: str | None) -> str:
    used = [use.used for m in seen for use in [_use(m.usage, place)] if use is not None]
    if not used:
        return ""
    often = f"{amount(len(used), 'measurement')} and {amount(len(_runs(seen)), 'run')}"
    return f"In the 30 days shown, {often}: between {size(min(used))} and {size(max(used))} in use."


def _lines(title: str) -> tuple[str, ...]:
    return tuple(wrap(title, TITLE_WIDTH, max_lines=TITLE_LINES, placeholder=" …"))


def _spelled(moment: datetime) -> str:
    return f"{_day(moment)} {moment.astimezone(UTC):%Y %H:%M}"


def _day(moment: datetime) -> str:
    there = moment.astimezone(UTC)
    return f"{there.day} {there:%b}"
