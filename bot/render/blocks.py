"""Messages out of plain blocks, within Slack's limits, in which no name can turn into mark-up."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, takewhile
from typing import Any

from workers.contract import Person
from workers.wording import Voice, listing, utc

Block = dict[str, Any]

# Slack turned messages away at 13,200 characters (bolt-js#2509), once already at 11,341 (bolt-js#2867).
TEXT_BUDGET = 9_500
# It counts nesting too, and does not say how; in menus there is much of that.
NESTING = 12
OPTION = 24
TABLE_BUDGET = 4_000
TABLE_ROWS = 60
SECTION = 2_800
NAME = 120
DETAIL = 300
MENTIONS = 10
PROSE = 1_400
# Where a block holds what people read.
READ = ("text", "title", "fallback", "user_id")
DATE = "{date_short_pretty} {time}"
USER, USER_GROUP = re.compile(r"[UW][A-Z0-9]{1,20}"), re.compile(r"S[A-Z0-9]{1,20}")
PERSON = re.compile(rf"\b{USER.pattern}\b")
MARK = re.compile("[*_~]")
# What Slack would show bold, in italics or struck out.
STYLED = re.compile("|".join(rf"(?<![\w{m}])[{m}]\S(?:[^{m}\n]*\S)?[{m}](?![\w{m}])" for m in "*_~"))


@dataclass(frozen=True)
class Message:
    """What is posted: the fallback is the first line, the metadata finds the message again."""

    text: str
    blocks: tuple[Block, ...]
    metadata: dict[str, Any] | None = None


def message(
    title: str, blocks: Iterable[Block], *, version: str = "", metadata: Block | None = None
) -> Message:
    """Put a title above blocks; every version of a message has block ids of its own."""
    title = title[:SECTION]
    drawn = [section(title if "*" in title else f"*{title}*"), *blocks]
    content = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()[:10]
    name = "-".join(filter(None, ("prune", version, content)))
    numbered = tuple({**block, "block_id": f"{name}-{n}"} for n, block in enumerate(drawn))
    return Message(title, numbered, metadata)


def mrkdwn(text: str) -> Block:
    """A text object whose channel names and addresses Slack leaves as they are."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str) -> Block:
    """A text object without mark-up."""
    return {"type": "plain_text", "text": text, "emoji": False}


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> Block:
    """A line in small grey letters."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def preformatted(lines: Sequence[str]) -> Block:
    """Lines as they are, in letters of one width: in such text Slack looks for no mark-up and no mention."""
    text = {"type": "text", "text": "\n".join(lines)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [text]}]}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Block]:
    """A table whose first column is text and whose others are numbers; none where there are no rows."""
    kept: list[Sequence[str]] = []
    room = TABLE_BUDGET - sum(map(len, head))
    for row in rows:
        room -= sum(map(len, row))
        if room < 0 or len(kept) == TABLE_ROWS:
            break
        kept.append(row)
    if not kept:
        return []
    columns = [{"is_wrapped": True}, *({"align": "right"} for _ in head[1:])]
    return [{"type": "table", "rows": [_cells(row) for row in (head, *kept)], "column_settings": columns}]


def _cells(row: Sequence[str]) -> list[Block]:
    return [{"type": "raw_text", "text": cell or "-"} for cell in row]


def paragraphs(lines: Sequence[str], *, room: int, more: Callable[[int], str]) -> list[Block]:
    """Sections of as many lines as there is room for; the rest is counted in a last line."""
    return [section(text) for text in packed(fit(lines, room, more))]


def fit(lines: Sequence[str], room: int, more: Callable[[int], str]) -> list[str]:
    """As many lines from the top as there is room for, and a last one that counts the rest."""
    left = len(lines) - _fitting(lines, room)
    if not left:
        return list(lines)
    left = len(lines) - _fitting(lines, room - len(more(len(lines))))
    return [*lines[: len(lines) - left], more(left)]


def _fitting(lines: Iterable[str], room: int) -> int:
    ends = accumulate(len(line) + 1 for line in lines)
    return sum(1 for _ in takewhile(lambda end: end <= room, ends))


def packed(lines: Iterable[str], most: int = SECTION) -> list[str]:
    """Join lines into as few texts as a limit allows; a line longer than the limit is cut."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= most:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line[:most])
    return texts


def weight(blocks: Iterable[Block]) -> int:
    """What blocks take of Slack's limit on a message: what a reader sees, and something for each option."""
    return sum(map(_weight, blocks))


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        own = OPTION if value.keys() == {"text", "value"} else 0
        return own + sum(len(v) if k in READ and isinstance(v, str) else _weight(v) for k, v in value.items())
    return sum(map(_weight, value)) if isinstance(value, list | tuple) else 0


def bulk(value: Any) -> int:
    """The same where blocks lie in blocks: nesting counts for Slack too, by about so much an object."""
    return weight(value) + NESTING * _objects(value)


def _objects(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_objects, value.values()))
    return sum(map(_objects, value)) if isinstance(value, list | tuple) else 0


def escaped(text: str) -> str:
    """Text in which Slack finds no mention, link or special word."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def prose(text: str) -> str:
    """Words of ours around words of somebody else's, on one line; what would be styled stands as it is."""
    line = _plainly(text, PROSE)
    if not STYLED.search(line):
        return line
    first, *_, last = (found.start() for found in MARK.finditer(line))
    return f"{line[:first]}`{line[first : last + 1]}`{line[last + 1 :]}"


def with_people(text: str) -> str:
    """Words of ours in which people stand by their ids."""
    return PERSON.sub(lambda found: mention(found[0]), prose(text))


def printable(text: str, most: int = NAME) -> str:
    """One line of visible letters, shortened in the middle: names differ at both ends."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= most else f"{line[: most // 2]}…{line[len(line) - most // 2 + 1 :]}"


def code(text: str, most: int = NAME) -> str:
    """A name that stays a name, whatever it holds."""
    shown = _plainly(text, most)
    return f"`{shown}`" if shown else "(no name)"


def _plainly(text: str, most: int) -> str:
    """A line without marks of code, escaped; what grows too long by that is shortened once more."""
    safe = text.replace("`", "'")
    shown = escaped(printable(safe, most).strip())
    return shown if len(shown) <= most else escaped(printable(safe, most // len("&amp;")).strip())


def detail(text: str) -> str:
    """Words of an engine or a file, kept as they are, but longer than a name."""
    return code(text, DETAIL)


def mention(person: Person | str) -> str:
    """A person by the name their reader knows; what is no user id is shown as it is."""
    user = person.user if isinstance(person, Person) else person.rpartition("/")[2]
    return f"<@{user}>" if USER.fullmatch(user) else code(user)


def called(one: str) -> str:
    """A person or a user group by the name their reader knows; what is no such id is shown as it is."""
    return f"<!subteam^{one}>" if USER_GROUP.fullmatch(one) else mention(one)


def is_called(one: str) -> bool:
    """Whether a mention of it reaches anybody; what a host tells may come from somebody else."""
    return bool(USER.fullmatch(one) or USER_GROUP.fullmatch(one))


def may(who: Sequence[str]) -> str:
    """People and user groups, the first of them."""
    return listed([called(one) for one in who])


def listed(names: Sequence[str], most: int = MENTIONS) -> str:
    """The first of many names, and how many more there are."""
    more = [f"{len(names) - most:,} more"] if len(names) > most else []
    return listing([*names[:most], *more])


def date(moment: datetime) -> str:
    """A time in the zone of whoever reads it."""
    shown = _in_utc(moment).replace(microsecond=0)
    return f"<!date^{int(shown.timestamp())}^{DATE}|{utc(shown.isoformat())}>"


def _in_utc(moment: datetime) -> datetime:
    """Hosts tell times: one that has no place in the years of UTC is as good as the first or the last."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def when(moment: str) -> str:
    """A time that came as ISO 8601."""
    try:
        return date(datetime.fromisoformat(moment))
    except ValueError:
        return code(moment)


def slack_voice(now: datetime) -> Voice:
    """How reasons are told in Slack."""
    return Voice(when=when, quote=detail, now=now, person=mention)
