"""The parts of a message an app sends, checked once for every way of sending it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.workspace import limits
from tests.workspace.errors import ApiError
from tests.workspace.faults import Fault
from tests.workspace.state import State
from tests.workspace.validate import answer_fields, validate_message

Json = dict[str, Any]


@dataclass(frozen=True)
class Content:
    """Text and blocks that passed; `warnings` go into the answer."""

    text: str
    blocks: tuple[Json, ...]
    warnings: tuple[str, ...] = ()


def checked_content(state: State, text: str, blocks: object, where: str) -> Content:
    """What Slack would store, or its refusal; advice against is recorded, not refused."""
    if blocks is not None:
        refuse_faults(state, validate_message(blocks), where)
    present = tuple(blocks) if isinstance(blocks, list) else ()
    if not present and not text.strip():
        raise ApiError("no_text")
    _advise(state, text, present, where)
    longest = limits.most("message.text")
    if len(text) > longest:
        state.violate("message.text", f"{where}: text of {len(text)} characters truncated")
        return Content(text[:longest], present, ("message_truncated",))
    return Content(text, present)


def _advise(state: State, text: str, blocks: tuple[Json, ...], where: str) -> None:
    if not text.strip():
        state.violate("fallback", f"{where}: blocks without a fallback text ({len(blocks)} blocks)")
    if len(text) > limits.most("message.text_recommended"):
        state.violate("message.text_recommended", f"{where}: text of {len(text)} characters")


def refuse_faults(state: State, faults: tuple[Fault, ...], where: str) -> None:
    """Records every fault as a violation and refuses with the first one's error."""
    if not faults:
        return
    for fault in faults:
        state.violate(fault.rule, f"{where}: {fault}")
    raise ApiError(faults[0].error, **answer_fields(faults))


def checked_metadata(metadata: object) -> Json | None:
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping) or not {"event_type", "event_payload"} <= set(metadata):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata)) > limits.most("message.metadata"):
        raise ApiError("metadata_too_large")
    return dict(metadata)
