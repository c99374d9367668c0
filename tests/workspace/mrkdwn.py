"""mrkdwn and rich_text as plain text: references by name, links with their target, dates in UTC."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
TOKEN = re.compile(r"<([^<>]+)>")
STYLE_MARKS = (
    (re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w_])_(\S(?:[^_\n]*\S)?)_(?![\w_])"), r"\1"),
    (re.compile(r"(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])"), r"\1"),
    (re.compile(r"```\n?(.*?)\n?```", re.DOTALL), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
)


@dataclass(frozen=True)
class Names:
    """Names of users, channels and user groups by id."""

    known: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: str) -> str:
        return self.known.get(key, key)


def plain_text(text: str) -> str:
    """Escapes undone, nothing else: for plain_text objects."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain_mrkdwn(text: str, names: Names) -> str:
    """mrkdwn as a person would read it aloud."""
    replaced = TOKEN.sub(lambda found: _token(found[1], names), text)
    for pattern, plain in STYLE_MARKS:
        replaced = pattern.sub(plain, replaced)
    return plain_text(replaced)


def _token(inside: str, names: Names) -> str:
    body, _, label = inside.partition("|")
    if body.startswith("!date^"):
        return _date_token(body, label)
    if body.startswith("!subteam^"):
        return label or f"@{names.of(body.removeprefix('!subteam^'))}"
    if body[0] in "@#":
        return body[0] + (label or names.of(body[1:]))
    if body[0] == "!":
        return f"@{label or body[1:]}"
    return f"{label} ({body})" if label and label != body else body


def _date_token(body: str, fallback: str) -> str:
    parts = body.split("^")
    try:
        return format_date(int(parts[1]), parts[2])
    except (ValueError, IndexError):
        return fallback


def format_date(timestamp: int, form: str) -> str:
    """Slack's date tokens, in UTC."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    for token, written in _date_tokens(moment):
        form = form.replace("{" + token + "}", written)
    return f"{form} UTC" if re.search(r"\d:\d\d", form) else form


def _date_tokens(moment: datetime) -> tuple[tuple[str, str], ...]:
    long = f"{moment:%B} {moment.day}, {moment.year}"
    short = f"{moment:%b} {moment.day}, {moment.year}"
    clock, seconds = f"{moment:%H:%M}", f"{moment:%H:%M:%S}"
    return (
        ("date_num", f"{moment:%Y-%m-%d}"),
        ("date_short_pretty", short),
        ("date_short", short),
        ("date_long_pretty", f"{moment:%A}, {long}"),
        ("date_long", f"{moment:%A}, {long}"),
        ("date_pretty", long),
        ("date", long),
        ("time_secs", seconds),
        ("time", clock),
        ("day_divider_pretty", f"{moment:%A}, {long}"),
        ("ago", f"on {short} {clock}"),
    )


def plain_rich_text(block: Json, names: Names) -> list[str]:
    """The lines of a rich_text block."""
    return [line for part in block.get("elements", ()) for line in _part_lines(part, names)]


def _part_lines(part: Json, names: Names) -> list[str]:
    if part["type"] == "rich_text_list":
        ordered = part.get("style") == "ordered"
        indent = "  " * int(part.get("indent", 0))
        entries = ["".join(_leaf(leaf, names) for leaf in one["elements"]) for one in part["elements"]]
        marks = [f"{number}." if ordered else "•" for number in range(1, len(entries) + 1)]
        return [f"{indent}{mark} {entry}" for mark, entry in zip(marks, entries, strict=True)]
    lines = "".join(_leaf(leaf, names) for leaf in part.get("elements", ())).rstrip("\n").split("\n")
    return [f"> {line}" for line in lines] if part["type"] == "rich_text_quote" else lines


def _leaf(leaf: Json, names: Names) -> str:
    kind = leaf["type"]
    if kind == "date":
        written = format_date(leaf["timestamp"], leaf["format"])
        return f"{written} ({leaf['url']})" if leaf.get("url") else written
    if kind == "link":
        return f"{leaf['text']} ({leaf['url']})" if leaf.get("text") else str(leaf["url"])
    if kind in ("user", "usergroup", "channel"):
        mark = "#" if kind == "channel" else "@"
        return mark + names.of(str(leaf[f"{kind}_id"]))
    if kind == "emoji":
        return f":{leaf['name']}:"
    return str(leaf.get("text", leaf.get("range", leaf.get("value", ""))))
