"""A message as lines of text, the way its reader goes over it."""

from collections.abc import Iterator

from bot.render import Block, Message


def text_of(message: Message) -> str:
    return "\n".join(line for block in message.blocks for line in _lines(block)) + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from block["text"]["text"].split("\n")
            yield from (_element(block[key]) for key in ("accessory",) if key in block)
        case "header":
            yield f"# {block['text']['text']}"
        case "divider":
            yield "---"
        case "context":
            yield f"({block['elements'][0]['text']})"
        case "rich_text" | "plan":
            yield from _rich(block)
        case "table":
            yield from _table([[_cell(cell) for cell in row] for row in block["rows"]])
        case "actions":
            yield " ".join(map(_element, block["elements"]))
            yield from (_dialog(button["confirm"]) for button in block["elements"] if "confirm" in button)


def _rich(block: Block) -> Iterator[str]:
    match block["type"]:
        case "rich_text":
            texts = [leaf["text"] for part in block["elements"] for leaf in part["elements"]]
            yield from ("```", *"".join(texts).split("\n"), "```")
        case "plan":
            yield f"## {block['title']}"
            yield from (line for task in block["tasks"] for line in _task(task))


MARKS = {"pending": " ", "in_progress": "~", "complete": "x", "error": "!"}


def _task(task: Block) -> Iterator[str]:
    yield f"[{MARKS[task['status']]}] {task['title']}"
    sections = task["details"]["elements"] if "details" in task else []
    text = "".join(map(_leaf, (leaf for section in sections for leaf in section["elements"])))
    yield from (f"    {line}" for line in text.split("\n") if line)


def _leaf(leaf: Block) -> str:
    match leaf["type"]:
        case "text":
            return f"`{leaf['text']}`" if "style" in leaf else str(leaf["text"])
        case "date":
            return f"{{{leaf['fallback']}}}"
    return f"@{leaf.get('user_id') or leaf['usergroup_id']}"


def _element(element: Block) -> str:
    if element["type"] == "button":
        return f"[{element['text']['text']}]"
    groups = element.get("option_groups") or [element]
    options = [option for group in groups for option in group["options"]]
    on = element.get("initial_options", ())
    names = [f"{'x' if option in on else '_'} {option['text']['text']}" for option in options]
    if element["type"] == "checkboxes":
        return "  ".join(f"[{name}]" for name in names)
    return f"[{element['placeholder']['text']} v {len(options)}]"


def _cell(cell: Block) -> str:
    """Its lines, one after the other; of a link only that it is one."""
    if cell["type"] == "raw_text":
        return str(cell["text"])
    return " / ".join("".join(map(_leaf, line["elements"])) for line in cell["elements"])


def _leaf(leaf: Block) -> str:
    if leaf["type"] == "date":
        return f"<{leaf['fallback']}>" if leaf.get("url") else str(leaf["fallback"])
    return f"<@{leaf['user_id']}>" if leaf["type"] == "user" else str(leaf["text"])


def _table(rows: list[list[str]]) -> Iterator[str]:
    first, *others = ([len(cell) for cell in column] for column in zip(*rows, strict=True))
    widths = [max(lengths) for lengths in others]
    for name, *cells in rows:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        yield f"| {name:<{max(first)}} | {' | '.join(padded)} |"


def _dialog(dialog: Block) -> str:
    words = [dialog[key]["text"] for key in ("title", "text", "deny", "confirm")]
    return "  asks: {} {} [{}] [{}]".format(*words)
