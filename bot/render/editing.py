"""What people choose with: the hosts under a plan, and the form in which one host's plan is edited."""

from collections.abc import Iterator, Sequence

from bot.edits import FOR_GOOD, KEEP, KEEP_FOR, KINDS, NAMED, OBJECTS, protection
from bot.render.answers import changed
from bot.render.blocks import Block, code, context, listed, plain, printable, section, weight
from bot.render.forms import closed_form, form, menu, option, tickable
from bot.render.summary import by_kind, left_out, steps_by_kind
from bot.render.titles import KIND_TITLES, NOUNS
from bot.requests import HostPart, Request
from workers.contract import Kind, Plan, Step
from workers.wording import amount, bytes_range, listing, names_apart, objects

HOSTS, EDIT = "prune_hosts", "prune_edit"
BOXES = 10
FEWER = "To edit one host's plan, ask for fewer hosts at once."
LABEL = 75
BY_NAME = "These hosts are too many to choose among here; a preview of fewer of them lets you choose."
# Slack takes 250,000 bytes of a view, and an object stands in two of its menus.
OBJECTS_LISTED = 300
# The most that Slack takes.
TYPED = 3_000
# The objects in a menu by the titles of their groups.
Listed = Sequence[tuple[str, Sequence[tuple[Step, Block]]]]
# What is left out with another step, and that step.
Following = Sequence[tuple[Step, Step]]
FOLLOWING = 5
SPANS = {FOR_GOOD: "until somebody lifts it", "7d": "for 7 days", "30d": "for 30 days", "90d": "for 90 days"}


def chooser(request: Request, *, room: int) -> list[Block]:
    """Boxes to tick the hosts that go ahead, a menu where they are many, or how to have fewer of them.

    None where there is no choice.
    """
    parts = sorted(request.offered, key=lambda part: -part.plan.expected().high if part.plan else 0)
    if len(parts) < 2:
        return []
    options = {part.host: option(_host(part), part.host) for part in parts}
    chosen = [options[part.host] for part in parts if part.chosen]
    given = {"initial_options": chosen} if chosen else {}
    if len(options) <= BOXES:
        boxes = {"type": "checkboxes", "action_id": HOSTS, "options": list(options.values()), **given}
        return [{"type": "actions", "elements": [boxes]}]
    picked = {
        "type": "multi_static_select",
        "action_id": HOSTS,
        "placeholder": plain("Hosts to prune"),
        **menu([("Hosts", list(options.values()))]),
        **given,
    }
    drawn = [{**section("*Hosts to prune*"), "accessory": picked}]
    return drawn if weight(drawn) <= room else [context(BY_NAME)]


def edit_button(part: HostPart) -> Block:
    """Opens the form of one host; whoever hears the message read is told which."""
    return {
        "type": "button",
        "action_id": EDIT,
        "text": plain("Edit"),
        "value": part.host,
        "accessibility_label": printable(f"Edit {part.host}", LABEL),
    }


def edit_beside(part: HostPart) -> Block:
    """The same beside what is said of the host."""
    return {"accessory": edit_button(part)}


def edit_menu(parts: Sequence[HostPart], *, room: int) -> list[Block]:
    """The same where there are too many hosts for a button each; where a menu has no room, how to get one."""
    if not parts:
        return []
    options = [option(part.host, part.host) for part in parts]
    select = {
        "type": "static_select",
        "action_id": EDIT,
        "placeholder": plain("Host"),
        **menu([("Hosts", options)]),
    }
    drawn = [{**section("*Edit one host's plan*"), "accessory": select}]
    return drawn if weight(drawn) <= room else [context(FEWER)]


def _host(part: HostPart) -> str:
    return f"{part.host} · {bytes_range(part.expected)}"


def editing(part: HostPart, tried: HostPart, about: str, following: Following = ()) -> Block:
    """The form for one host's plan; `tried`: the same host with what the form says by now left out.

    `following`: what of that nobody picked.

    Slack keeps what was filled in when a form is drawn again, so it begins with what is left out already.
    """
    plan = part.plan
    if plan is None:
        return closed_form(changed())
    shown, hidden = _listed(plan)
    blocks = [
        {"block_id": "total", **section("\n".join(_total(part, tried, following)))},
        _kinds(part, plan),
        _objects(part, shown),
        *([_by_name(hidden)] if hidden else []),
        *_keep(shown),
    ]
    return form(EDIT, "Edit the plan", blocks, about=about, submit="Use This")


def _by_name(hidden: int) -> Block:
    """For the objects that a menu has no room for."""
    return {
        "type": "input",
        "block_id": NAMED,
        "label": plain("Leave out by name"),
        "hint": plain(
            f"For {amount(hidden, 'smaller object')} that the menu has no room for, or many at once."
        ),
        "optional": True,
        "dispatch_action": True,
        "element": {
            "type": "plain_text_input",
            "action_id": NAMED,
            "placeholder": plain("shop/app:1.3.* old-network 3f9c1a2b3c4d"),
            "max_length": TYPED,
            "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
        },
    }


def _total(part: HostPart, tried: HostPart, following: Following) -> Iterator[str]:
    if not tried.chosen or tried.plan is None:
        yield f"*{part.host}* would be left out: nothing is removed there."
        yield from _follow(following)
        return
    removes = listing(by_kind(tried.plan, tried.excluded))
    yield f"*{part.host}* would free *{bytes_range(tried.expected)}*: {removes}."
    yield from left_out(tried)
    yield from _follow(following)
    if part.is_left_out:
        yield "It is left out now; with this it is taken in again."


def _follow(following: Following) -> Iterator[str]:
    """What is left out with something else, and with what."""
    if following:
        told = [f"{_named(step)} ({_named(needed)})" for step, needed in following]
        yield f"Cannot go without what else is left out: {listed(told, FOLLOWING)}."


def _named(step: Step) -> str:
    return f"{NOUNS[step.object.kind]} {code(step.object.name, LABEL)}"


def _kinds(part: HostPart, plan: Plan) -> Block:
    rows = [
        (steps, option(f"{objects(kind, len(steps))} · {bytes_range(plan.expected(kind))}", kind))
        for kind, steps in steps_by_kind(plan)
    ]
    on = [drawn for steps, drawn in rows if any(step.index not in part.excluded for step in steps)]
    return tickable(KINDS, "Remove", [drawn for _, drawn in rows], on, dispatch=True)


def _objects(part: HostPart, shown: Listed) -> Block:
    whole = _without_any(part)
    chosen = [
        drawn
        for _, rows in shown
        for step, drawn in rows
        if step.index in part.excluded and step.object.kind not in whole
    ]
    return _object_menu(
        OBJECTS, "Leave out", shown, chosen, "Whatever cannot go without one of these stays as well."
    )


def _without_any(part: HostPart) -> set[Kind]:
    """The kinds of which nothing is chosen: their box is not ticked, which says enough."""
    steps = part.plan.steps if part.plan else ()
    return {step.object.kind for step in steps} - {step.object.kind for step in part.chosen_steps}


def _keep(shown: Listed) -> list[Block]:
    lasting = [(title, [row for row in rows if protection(row[0])]) for title, rows in shown]
    named = [(title, rows) for title, rows in lasting if rows]
    if not named:
        return []
    spans = [option(words, span) for span, words in SPANS.items()]
    return [
        _object_menu(
            *(KEEP, "Always keep", named, []),
            "Left out now, and protected on this host from now on: /prune protections lists that.",
        ),
        {
            "type": "input",
            "block_id": KEEP_FOR,
            "label": plain("Keep them"),
            "optional": True,
            "element": {
                "type": "static_select",
                "action_id": KEEP_FOR,
                "options": spans,
                "initial_option": spans[0],
            },
        },
    ]


def _object_menu(
    name: str,
    label: str,
    shown: Listed,
    chosen: Sequence[Block],
    hint: str,
) -> Block:
    element = {
        "type": "multi_static_select",
        "action_id": name,
        "placeholder": plain("Type a name"),
        **menu([(title, [drawn for _, drawn in rows]) for title, rows in shown]),
        **({"initial_options": list(chosen)} if chosen else {}),
    }
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "hint": plain(hint),
        "optional": True,
        "dispatch_action": True,
        "element": element,
    }


def _listed(plan: Plan) -> tuple[Listed, int]:
    """The objects that a form has room for, the biggest, by kind; and how many more there are."""
    names = names_apart(step.object for step in plan.steps)
    biggest = sorted(plan.steps, key=lambda step: -step.expected.high)[:OBJECTS_LISTED]
    kept = {step.index for step in biggest}
    found = [
        (
            KIND_TITLES[kind],
            [
                (step, option(f"{bytes_range(step.expected)}  {names[step.object]}", str(step.index)))
                for step in steps
                if step.index in kept
            ],
        )
        for kind, steps in steps_by_kind(plan)
    ]
    return [(title, rows) for title, rows in found if rows], len(plan.steps) - len(biggest)
