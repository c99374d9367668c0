"""Messages as the plain text a person would read: the transcript of a channel or of one thread."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.workspace.mrkdwn import Names, plain_mrkdwn, plain_rich_text, plain_text
from tests.workspace.text_tables import table_lines

__all__ = ["Names", "plain_blocks", "plain_message"]

Json = dict[str, Any]
Lines = list[str]
TASK_MARKS = {"pending": "[ ]", "in_progress": "[…]", "complete": "[✓]", "error": "[!]"}
ALERT_WORDS = {"warning": "Warning: ", "error": "Error: ", "success": "Success: ", "info": "Note: "}


def plain_message(text: str, blocks: Sequence[Json], files: Sequence[Json], names: Names) -> str:
    """Blocks where there are any, else the text; then the files' names."""
    lines = plain_blocks(blocks, names) if blocks else plain_mrkdwn(text, names).split("\n")
    attached = [line for file in files for line in _file(file)]
    return "\n".join([line for line in lines if blocks or line] + attached).strip("\n")


def _file(file: Json) -> Lines:
    """Its title and name, and what is said in place of a picture."""
    kind = "picture" if str(file.get("mimetype")).startswith("image/") else "file"
    named = f"[{kind}] {file.get('title') or file.get('name')} ({file.get('name')})"
    return [named, *([f"  {file['alt_txt']}"] if file.get("alt_txt") else [])]


def plain_blocks(blocks: Sequence[Json], names: Names) -> Lines:
    return [line for block in blocks for line in _block(block, names)]


def plain_object(value: Json | None, names: Names) -> str:
    """A text object."""
    if not value:
        return ""
    text = str(value.get("text", ""))
    return plain_mrkdwn(text, names) if value.get("type") == "mrkdwn" else plain_text(text)


def _block(block: Json, names: Names) -> Lines:
    draw = DRAWN.get(str(block.get("type")))
    return draw(block, names) if draw else [f"({block.get('type')})"]


def _section(block: Json, names: Names) -> Lines:
    lines = plain_object(block.get("text"), names).split("\n") if "text" in block else []
    lines += [plain_object(field, names).replace("\n", ": ", 1) for field in block.get("fields", ())]
    accessory = block.get("accessory")
    return lines + ([_element(accessory, names)] if accessory else [])


def _header(block: Json, names: Names) -> Lines:
    title = plain_object(block["text"], names)
    return [title, "=" * len(title)]


def _context(block: Json, names: Names) -> Lines:
    parts = [
        plain_object(one, names) if one["type"] != "image" else f"({one['alt_text']})"
        for one in block["elements"]
    ]
    return [f"  {line}" for line in "  ".join(parts).split("\n")]


def _actions(block: Json, names: Names) -> Lines:
    return ["  ".join(_element(element, names) for element in block["elements"])]


def _element(element: Json, names: Names) -> str:
    kind = element["type"]
    if kind in ("button", "icon_button", "workflow_button"):
        return f"[ {plain_object(element['text'], names)} ]"
    if kind == "image":
        return f"({element['alt_text']})"
    if kind in ("checkboxes", "radio_buttons"):
        return "  ".join(_tick(option, element, names) for option in element["options"])
    if kind == "overflow":
        return f"[ … {' | '.join(plain_object(option['text'], names) for option in element['options'])} ]"
    shown = element.get("initial_option") or {}
    label = plain_object(shown.get("text") or element.get("placeholder"), names)
    return (
        f"[ {label or element.get('initial_value') or kind} ▾ ]"
        if "select" in kind
        else f"[ {label} ______ ]"
    )


def _tick(option: Json, element: Json, names: Names) -> str:
    chosen = [*(element.get("initial_options") or ()), element.get("initial_option")]
    return f"{'[x]' if option in chosen else '[ ]'} {plain_object(option['text'], names)}"


def _input(block: Json, names: Names) -> Lines:
    return [f"{plain_object(block['label'], names)}: {_element(block['element'], names)}"]


def _table(block: Json, names: Names) -> Lines:
    return table_lines(block, lambda cell: _cell(cell, names))


def _cell(cell: Json, names: Names) -> str:
    if cell["type"] == "rich_text":
        return " ".join(plain_rich_text(cell, names))
    return plain_text(str(cell.get("text", cell.get("value", ""))))


def _plan(block: Json, names: Names) -> Lines:
    tasks = [line for task in block.get("tasks", ()) for line in _task(task, names)]
    return [str(block["title"]), *(f"  {line}" for line in tasks)]


def _task(block: Json, names: Names) -> Lines:
    lines = [f"{TASK_MARKS.get(block.get('status', 'pending'), '[ ]')} {block['title']}"]
    for key in ("details", "output"):
        lines += [f"    {line}" for line in plain_rich_text(block.get(key) or {}, names)]
    return lines


def _container(block: Json, names: Names) -> Lines:
    title = plain_object(block.get("title"), names)
    title = title or " ".join(plain_rich_text(block.get("rich_text_title") or {}, names))
    subtitle = plain_object(block.get("subtitle"), names)
    inside = plain_blocks(block["child_blocks"], names)
    return [f"▸ {title}{' · ' + subtitle if subtitle else ''}", *(f"  {line}" for line in inside)]


def _card(block: Json, names: Names) -> Lines:
    texts = [plain_object(block.get(key), names) for key in ("title", "subtitle", "body")]
    return [text for text in texts if text] + [_element(one, names) for one in block.get("actions", ())]


def _alert(block: Json, names: Names) -> Lines:
    return [ALERT_WORDS.get(block.get("level", "default"), "") + plain_object(block["text"], names)]


def _markdown(block: Json, _: Names) -> Lines:
    return str(block["text"]).split("\n")


DRAWN: dict[str, Callable[[Json, Names], Lines]] = {
    "section": _section,
    "header": _header,
    "divider": lambda _block, _names: ["---"],
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "image": lambda block, _names: [f"({block['alt_text']})"],
    "table": _table,
    "data_table": _table,
    "rich_text": plain_rich_text,
    "plan": _plan,
    "task_card": _task,
    "container": _container,
    "card": _card,
    "carousel": lambda block, names: [line for card in block["elements"] for line in _card(card, names)],
    "alert": _alert,
    "markdown": _markdown,
}
