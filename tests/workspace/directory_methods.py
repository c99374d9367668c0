"""Web API: conversations.*, users.*, usergroups.*, auth.test: who is there and what was said."""

from typing import Any

from tests.workspace.arguments import Arguments
from tests.workspace.chat_methods import message_json
from tests.workspace.errors import ApiError
from tests.workspace.people import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID
from tests.workspace.records import Message

Json = dict[str, Any]
NO_MORE = {"next_cursor": ""}


def auth_test(call: Arguments) -> Json:
    return {
        "url": f"{call.base_url}/",
        "team": "Safe Prune",
        "user": "safe-prune",
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "app_id": APP_ID,
        "is_enterprise_install": False,
    }


def api_test(call: Arguments) -> Json:
    if call.text("error"):
        raise ApiError(call.text("error"))
    return {"args": dict(call.values)}


def info(call: Arguments) -> Json:
    return {"channel": call.readable_channel("read").as_json()}


def list_channels(call: Arguments) -> Json:
    kinds = set(call.text("types", "public_channel").split(","))
    if "private_channel" in kinds:
        call.require_scope("groups:read")
    known = [one for one in call.state.directory.channels.values() if not one.is_im]
    shown = [
        one.as_json()
        for one in known
        if (
            "private_channel" in kinds and BOT_USER_ID in one.members
            if one.is_private
            else "public_channel" in kinds
        )
    ]
    return {"channels": shown, "response_metadata": NO_MORE}


def members(call: Arguments) -> Json:
    found = call.readable_channel("read")
    everybody = sorted(found.members)
    start, limit = call.number("cursor", 0), call.number("limit", 100)
    end = start + limit
    more = {"next_cursor": str(end) if end < len(everybody) else ""}
    return {"members": everybody[start:end], "response_metadata": more}


def join(call: Arguments) -> Json:
    found = call.channel()
    if found.is_private:
        raise ApiError("method_not_supported_for_channel_type")
    with call.state.change():
        call.state.directory.channels[found.id] = found.with_member(BOT_USER_ID)
    return {"channel": call.state.directory.channels[found.id].as_json()}


def history(call: Arguments) -> Json:
    found = call.readable_channel("history")
    _must_be_in(found.members)
    within = [one for one in call.state.roots(found.id) if _within(call, one)]
    newest = sorted(within, key=lambda one: one.ts, reverse=True)
    return _page(call, newest)


def replies(call: Arguments) -> Json:
    found = call.readable_channel("history")
    _must_be_in(found.members)
    thread = call.state.thread(found.id, call.needed("ts", "thread_not_found"))
    if not thread:
        raise ApiError("thread_not_found")
    return _page(call, [thread[0], *(one for one in thread[1:] if _within(call, one))])


def _must_be_in(members: frozenset[str]) -> None:
    if BOT_USER_ID not in members:
        raise ApiError("not_in_channel")


def _within(call: Arguments, message: Message) -> bool:
    oldest, latest = call.text("oldest", "0"), call.text("latest", "9999999999")
    ts, inclusive = float(message.ts), call.flag("inclusive")
    return float(oldest) < ts < float(latest) or (inclusive and message.ts in (oldest, latest))


def _page(call: Arguments, messages: list[Message]) -> Json:
    limit = call.number("limit", 100)
    start = call.number("cursor", 0)
    shown = messages[start : start + limit]
    more = start + limit < len(messages)
    metadata = call.flag("include_all_metadata")
    return {
        "messages": [message_json(one, metadata=metadata) for one in shown],
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }


def user_info(call: Arguments) -> Json:
    return {"user": call.user().as_json()}


def list_users(call: Arguments) -> Json:
    everybody = [user.as_json() for user in call.state.directory.users.values()]
    return {"members": everybody, "response_metadata": NO_MORE}


def list_groups(call: Arguments) -> Json:
    _paid_plan(call)
    return {"usergroups": [group.as_json() for group in call.state.directory.groups.values()]}


def group_users(call: Arguments) -> Json:
    _paid_plan(call)
    group = call.state.directory.groups.get(call.needed("usergroup", "no_such_subteam"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


def _paid_plan(call: Arguments) -> None:
    if call.state.groups_need_plan:
        raise ApiError("plan_upgrade_required")
