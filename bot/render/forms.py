"""The parts of Slack's forms, within its limits."""

from collections.abc import Iterable, Sequence

from bot.render.blocks import Block, Message, plain, printable

OPTION = 75
MENU = 100


def form(name: str, title: str, blocks: Sequence[Block], *, about: str, submit: str) -> Block:
    """A form to fill in; `about` comes back with it."""
    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": about,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("Cancel"),
        "blocks": list(blocks),
    }


def closed_form(message: Message) -> Block:
    """An answer where a form was."""
    return {
        "type": "modal",
        "title": plain("Safe Prune"),
        "close": plain("Close"),
        "blocks": list(message.blocks),
    }


def tickable(
    name: str, label: str, options: Sequence[Block], on: Sequence[Block], *, dispatch: bool = False
) -> Block:
    """Boxes, some of them ticked; `dispatch`: each tick is told at once."""
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "optional": True,
        "dispatch_action": dispatch,
        "element": {
            "type": "checkboxes",
            "action_id": name,
            "options": list(options),
            **({"initial_options": list(on)} if on else {}),
        },
    }


def option(text: str, value: str) -> Block:
    """One thing to pick."""
    return {"text": plain(printable(text, OPTION)), "value": value}


def menu(groups: Iterable[tuple[str, Sequence[Block]]]) -> Block:
    """Options in groups of as many as Slack takes in one."""
    parts = [
        {"label": plain(title if not first else f"{title}, from {first + 1}"), "options": list(found)}
        for title, options in groups
        for first in range(0, len(options), MENU)
        for found in [options[first : first + MENU]]
    ]
    return {"options": parts[0]["options"]} if len(parts) == 1 else {"option_groups": parts}
