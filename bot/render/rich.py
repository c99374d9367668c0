"""Lines in our mark-up as the rich text that blocks without mark-up want."""

import re
from collections.abc import Iterable, Iterator

from bot.render.blocks import Block

MARKS = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<!date\^(?P<epoch>\d+)\^(?P<format>[^|>]+)\|(?P<fallback>[^>]+)>"
    r"|<!subteam\^(?P<group>[A-Z0-9]+)>"
    r"|<@(?P<user>[A-Za-z0-9]+)>"
)


def rich_text(lines: Iterable[str]) -> Block:
    """The lines one below the other; there is at least one."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(_elements("\n".join(lines)))}],
    }


def _elements(text: str) -> Iterator[Block]:
    end = 0
    for found in MARKS.finditer(text):
        yield from _plain(text[end : found.start()])
        yield _marked(found)
        end = found.end()
    yield from _plain(text[end:])


def _plain(text: str) -> list[Block]:
    return [{"type": "text", "text": _unescaped(text)}] if text else []


def _marked(found: re.Match[str]) -> Block:
    match found.lastgroup:
        case "code":
            return {"type": "text", "text": _unescaped(found["code"]), "style": {"code": True}}
        case "group":
            return {"type": "usergroup", "usergroup_id": found["group"]}
        case "user":
            return {"type": "user", "user_id": found["user"]}
        case _:
            when = {"timestamp": int(found["epoch"]), "format": found["format"]}
            return {"type": "date", **when, "fallback": found["fallback"]}


def _unescaped(text: str) -> str:
    """Nothing is mark-up in rich text, so nothing is escaped in it either."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
