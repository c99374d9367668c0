"""The form of a bare `/prune`: which hosts, which kinds, to look or to execute."""

from collections.abc import Sequence

from bot.render.blocks import Block, plain
from bot.render.forms import form, menu, option, tickable
from bot.render.titles import KIND_TITLES
from bot.starts import EXECUTE, PREVIEW, START_HOSTS, START_KINDS, START_VERB

START = "prune_start"
VERBS = {
    PREVIEW: "Preview: see what would go, and why",
    EXECUTE: "Execute: ask for the confirmation",
}


def starting(hosts: Sequence[str], about: str) -> Block:
    """The form; without a host picked a preview is of all of them."""
    verbs = [option(words, verb) for verb, words in VERBS.items()]
    what = {
        "type": "radio_buttons",
        "action_id": START_VERB,
        "options": verbs,
        "initial_option": verbs[0],
    }
    where = {
        "type": "multi_static_select",
        "action_id": START_HOSTS,
        "placeholder": plain("All hosts"),
        **menu([("Hosts", [option(host, host) for host in hosts])]),
    }
    kinds = [option(title, kind) for kind, title in KIND_TITLES.items()]
    blocks: list[Block] = [
        {"type": "input", "block_id": START_VERB, "label": plain("What"), "element": what},
        {
            "type": "input",
            "block_id": START_HOSTS,
            "label": plain("Hosts"),
            "hint": plain("To execute, name them. Nothing is removed before an approver presses the button."),
            "optional": True,
            "element": where,
        },
        tickable(START_KINDS, "Kinds", kinds, kinds),
    ]
    return form(START, "Safe Prune", blocks, about=about, submit="Ask")
