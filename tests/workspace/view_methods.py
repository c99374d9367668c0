"""Web API: views.*, modals and the Home tab."""

import secrets
from dataclasses import replace
from typing import Any

from tests.workspace import limits
from tests.workspace.arguments import Arguments
from tests.workspace.errors import ApiError
from tests.workspace.people import APP_ID, BOT_ID, TEAM_ID
from tests.workspace.posting import refuse_faults
from tests.workspace.records import View
from tests.workspace.state import State, with_block_ids
from tests.workspace.validate import validate_view

Json = dict[str, Any]


def open_view(call: Arguments) -> Json:
    body = _body(call, "modal", "views.open")
    user = _exchange(call)
    view = new_view(call.state, user, body)
    _set_stack(call.state, user, [view])
    return {"view": view_json(view)}


def push_view(call: Arguments) -> Json:
    body = _body(call, "modal", "views.push")
    user = _exchange(call)
    stack = call.state.stacks.get(user) or []
    if not stack:
        raise ApiError("not_found")
    return {"view": view_json(push(call.state, user, body))}


def push(state: State, user: str, body: Json) -> View:
    stack = state.stacks[user]
    if len(stack) >= limits.most("view.depth"):
        raise ApiError("push_limit_reached")
    view = replace(new_view(state, user, body), root_id=stack[0].root_id, previous_id=stack[-1].id)
    _set_stack(state, user, [*stack, view])
    return view


def update_view(call: Arguments) -> Json:
    view = _existing(call)
    body = _body(call, view.kind, "views.update")
    if call.text("hash") not in ("", view.hash):
        raise ApiError("hash_conflict")
    return {"view": view_json(change(call.state, view, body))}


def change(state: State, view: View, body: Json) -> View:
    """Another body for a view that is open."""
    changed = replace(view, body=_named(body), hash=_hash(state), errors={}, trouble="")
    stack = [changed if one.id == view.id else one for one in state.stacks.get(view.user, [])]
    if view.kind == "home":
        with state.change():
            state.homes[view.user] = changed
    else:
        _set_stack(state, view.user, stack)
    return changed


def publish_view(call: Arguments) -> Json:
    user = call.user("user_id")
    body = _body(call, "home", "views.publish")
    before = call.state.homes.get(user.id)
    if before and call.text("hash") not in ("", before.hash):
        raise ApiError("hash_conflict")
    view = change(call.state, before, body) if before else new_view(call.state, user.id, body)
    with call.state.change():
        call.state.homes[user.id] = view
    return {"view": view_json(view)}


def _body(call: Arguments, kind: str, where: str) -> Json:
    body = call.decoded("view")
    check_body(call.state, body, kind, where)
    return dict(body)


def check_body(state: State, body: object, kind: str, where: str) -> None:
    refuse_faults(state, validate_view(body), where)
    if not isinstance(body, dict) or body["type"] != kind:
        raise ApiError("invalid_arguments", response_metadata={"messages": [f"view must be of type {kind}"]})


def _exchange(call: Arguments) -> str:
    try:
        return call.tickets.exchange_trigger(call.needed("trigger_id"), call.state.clock.now())
    except ApiError as refusal:
        call.state.violate("trigger", refusal.name)
        raise


def new_view(state: State, user: str, body: Json) -> View:
    key = f"V{secrets.token_hex(5).upper()}"
    return View(key, body["type"], user, _named(body), _hash(state), key, names=state.directory.names())


def _named(body: Json) -> Json:
    return {**body, "blocks": list(with_block_ids(tuple(body["blocks"])))}


def _hash(state: State) -> str:
    return f"{int(state.clock.now())}.{secrets.token_hex(4)}"


def _set_stack(state: State, user: str, stack: list[View]) -> None:
    with state.change():
        state.stacks[user] = stack


def _existing(call: Arguments) -> View:
    wanted, external = call.text("view_id"), call.text("external_id")
    stacks = [view for stack in call.state.stacks.values() for view in stack]
    for view in [*stacks, *call.state.homes.values()]:
        if view.id == wanted or (external and view.body.get("external_id") == external):
            return view
    raise ApiError("not_found")


def view_json(view: View, state_values: Json | None = None) -> Json:
    """A view as the Web API and payloads show it."""
    blank: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "submit": None,
        "close": None,
    }
    own = {
        "id": view.id,
        "team_id": TEAM_ID,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": APP_ID,
        "bot_id": BOT_ID,
        "state": {"values": state_values or {}},
    }
    return {**blank, **view.body, **own}
