"""What one person sees of the workspace, as the page draws it."""

from typing import Any

from tests.workspace.errors import WorkspaceError
from tests.workspace.people import Channel, User
from tests.workspace.records import Message, View
from tests.workspace.state import State

Json = dict[str, Any]


def page_state(state: State, user_name: str, channel_name: str) -> Json:
    with state.changed:
        user = state.directory.user(user_name)
        rooms = [one for one in state.directory.channels.values() if _shown(state, one, user)]
        channel = _current(rooms, channel_name)
        return {
            "version": state.version,
            "me": user.id,
            "people": {one.id: _person(one) for one in state.directory.users.values()},
            "names": dict(state.directory.names().known),
            "channels": [_room(state, room) for room in rooms],
            "channel": channel.id,
            "messages": [_message(one, user.id, state) for one in _visible(state, channel.id, user.id)],
            "view": _view(state.top_view(user.id), state),
            "home": _view(state.homes.get(user.id), state),
            "commands": list(state.options.commands),
            "connected": state.connections > 0,
        }


def _shown(state: State, room: Channel, user: User) -> bool:
    """Their channels, and what the bot told them alone."""
    return user.id in room.members and (not room.is_im or bool(state.in_channel(room.id)))


def _current(rooms: list[Channel], name: str) -> Channel:
    found = [room for room in rooms if name in (room.id, room.name)] or rooms
    if not found:
        raise WorkspaceError("this person is in no channel")
    return found[0]


def _person(user: User) -> Json:
    return {"name": user.name, "real_name": user.real_name, "bot": user.is_bot, "guest": user.is_guest}


def _room(state: State, room: Channel) -> Json:
    name = "Safe Prune" if room.is_im else room.name
    latest = max((one.ts for one in state.roots(room.id)), default="")
    return {"id": room.id, "name": name, "private": room.is_private, "direct": room.is_im, "latest": latest}


def _visible(state: State, channel: str, user: str) -> list[Message]:
    return [one for one in state.in_channel(channel) if one.ephemeral_to in (None, user)]


def _message(message: Message, user: str, state: State) -> Json:
    return {
        "ts": message.ts,
        "thread_ts": message.thread_ts,
        "broadcast": message.broadcast,
        "channel": message.channel,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "edited": bool(message.edited),
        "ephemeral": message.ephemeral_to is not None,
        "files": list(message.files),
        "revision": message.revision,
        "filled": state.filled.get((user, message.ts), {}),
    }


def _view(view: View | None, state: State) -> Json | None:
    if view is None:
        return None
    return {
        "id": view.id,
        "hash": view.hash,
        "body": view.body,
        "errors": dict(view.errors),
        "trouble": view.trouble,
        "filled": state.filled.get((view.user, view.id), {}),
    }


def find_target(state: State, act: Json) -> Message | View:
    """The message or view a control of the page belongs to."""
    user = state.directory.user(act["user"])
    if "view" in act:
        views = [*state.stacks.get(user.id, ()), *(one for one in (state.homes.get(user.id),) if one)]
        found: Message | View | None = next((one for one in views if one.id == act["view"]), None)
    else:
        found = state.messages.get((str(act["channel"]), str(act["ts"])))
    if found is None:
        raise WorkspaceError("this message or view is no longer there")
    return found
