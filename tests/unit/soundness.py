"""What holds for every message and form of the bot's, whatever hosts and people are called."""

import re
from collections.abc import Iterator
from typing import Any

from bot.render import Message
from bot.render.blocks import Block
from tests.workspace.mrkdwn import STYLE_MARKS
from tests.workspace.validate import validate_message, validate_view

CODE = re.compile(r"`[^`\n]+`")
DATE = r"<!date\^-?\d+\^\{date_short_pretty\} \{time\}\|[^<>|]*>"
LINK = r"<https://[^<>|\s]+\|thread>"
TOKENS = re.compile(rf"{DATE}|{LINK}|<@[A-Za-z0-9]+>|<#[A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>")
ENTITY = re.compile(r"&(?:amp|lt|gt);")
# However a time is written that nobody can have shown in their own zone.
BARE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d\d:\d\d(:\d\d)? ?UTC")
FALLBACK = 4_000
# What the strategies' names try to be.
STYLES = ("*bold*", "_it_", "~no~", "@here", "evil")


def texts(value: Any) -> Iterator[str]:
    """Every mrkdwn text in a value."""
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            assert value["verbatim"]
            yield value["text"]
        for entry in value.values():
            yield from texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from texts(entry)


def words(value: Any) -> Iterator[str]:
    """Every text of ours in a value that somebody reads, of whatever kind; a log has times of its own."""
    if isinstance(value, dict) and value.get("type") == "rich_text_preformatted":
        return
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from [entry] if key == "text" and isinstance(entry, str) else words(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from words(entry)


def outside_code(text: str) -> str:
    """What is left of a mrkdwn text without names, which stand in code."""
    return CODE.sub("", text)


def assert_safe(message: Message) -> None:
    """No name has become a mention, a link, a special word or a style."""
    for text in (message.text, *texts(message.blocks)):
        outside = TOKENS.sub("", outside_code(text))
        inside = "".join(CODE.findall(text))
        assert not set(ENTITY.sub("", outside + inside)) & set("<>&"), text
        assert "`" not in outside, text


def assert_sound(*messages: Message) -> None:
    for message in messages:
        assert validate_message(list(message.blocks)) == ()
        assert message.text.strip()
        assert len(message.text) <= FALLBACK
        assert message.blocks[0]["text"]["text"] in (message.text, f"*{message.text}*")
        assert_safe(message)
        assert_timed({"text": message.text}, message.blocks)


def assert_sound_view(view: Block) -> None:
    assert validate_view(view) == ()
    assert_timed(view)


def assert_timed(*shown: Any) -> None:
    """Every time of ours is told in its reader's zone; a name may look like a time and stays as it is."""
    for text in words(shown):
        assert not BARE_TIME.search(TOKENS.sub("", outside_code(text))), text


def assert_unstyled(*messages: Message) -> None:
    """The names that try to be bold, italic or struck out are none of it, nor anything but names."""
    for text in texts([message.blocks for message in messages]):
        assert not any(style in outside_code(text) for style in STYLES), text


def assert_prose_unstyled(*messages: Message) -> None:
    """What somebody else has said may stand outside code, but is not styled there either."""
    for text in texts([message.blocks for message in messages]):
        found = [match[1] for mark, _ in STYLE_MARKS for match in mark.finditer(outside_code(text))]
        assert not {"bold", "it", "no"} & set(found), text


def actions(message: Message) -> list[Block]:
    return [block for block in message.blocks if block["type"] == "actions"]


def has_buttons(message: Message) -> bool:
    return bool(actions(message))
