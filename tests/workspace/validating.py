"""Web API: blocks.validate, which looks at blocks, a message or a view and keeps nothing.

https://docs.slack.dev/reference/methods/blocks.validate; that it takes no token and refuses the `text` of a
message was tried against Slack in slackapi/java-slack-sdk#1622 and slackapi/node-slack-sdk#2659.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.workspace.arguments import Arguments
from tests.workspace.errors import ApiError
from tests.workspace.faults import Fault
from tests.workspace.validate import validate_message, validate_view

Json = dict[str, Any]
ONE_OF_THEM = "must provide exactly one of `blocks`, `view`, or `message`"
OF_A_MESSAGE = {"blocks", "attachments"}


def blocks_validate(call: Arguments) -> Json:
    given = [name for name in CHECKS if call.text(name)]
    if len(given) != 1:
        raise ApiError("invalid_arguments", response_metadata={"messages": [ONE_OF_THEM]})
    [name] = given
    if found := [_told(fault) for fault in CHECKS[name](call.decoded(name))]:
        raise ApiError(f"invalid_{name}", errors=found)
    return {}


def _blocks(blocks: object) -> Iterator[Fault]:
    yield from _below("/blocks", validate_message(blocks))


def _message(message: object) -> Iterator[Fault]:
    if not isinstance(message, dict):
        yield Fault("must provide an object", "")
        return
    for key in sorted(set(message) - OF_A_MESSAGE):
        yield Fault(f"invalid additional property: {key}", "")
    yield from validate_message(message.get("blocks"))


def _view(view: object) -> Iterator[Fault]:
    yield from _below("/view", validate_view(view))


def _below(top: str, faults: tuple[Fault, ...]) -> Iterator[Fault]:
    """Pointers begin at what was given."""
    for fault in faults:
        yield Fault(fault.message, fault.pointer.removeprefix(top), fault.rule)


def _told(fault: Fault) -> Json:
    constraint = {"type": fault.rule}
    told = {"code": "failed_constraint", "message": fault.message, "constraint": constraint}
    return {**told, "pointer": fault.pointer}


CHECKS: dict[str, Callable[[object], Iterator[Fault]]] = {
    "blocks": _blocks,
    "message": _message,
    "view": _view,
}
