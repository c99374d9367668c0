"""The workspace's directory: who is a guest, which channels are shared, who is in them and in user groups."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from bot.errors import AccessLost, SlackAway, SlackError
from bot.facts import About, Fact, Facts, Lookup
from bot.memory.lookups import Lookups
from bot.slack.answers import named_errors

logger = logging.getLogger(__name__)

# The workspace has no user groups, or does not let us read them: static lists rule there.
NO_USER_GROUPS = frozenset(
    {"missing_scope", "plan_upgrade_required", "paid_teams_only", "no_such_subteam", "subteam_not_found"}
)
Body = Mapping[str, Any]
# Whoever stands behind these members of a private channel is not found, and gets nothing by it.
MEMBERS, PAGES = 1000, 10


@dataclass(frozen=True)
class Pause:
    """Slack has asked us to wait, or is broken: this is looked up again from then on."""

    until: datetime
    why: str


class Directory:
    """Looks up what is asked for and remembers it; a look-up that fails is a reason to refuse (S4)."""

    def __init__(self, client: WebClient, lookups: Lookups, *, clock: Callable[[], datetime]) -> None:
        self._client, self._lookups, self._clock = client, lookups, clock

    def now(self) -> datetime:
        """The time by which things are old."""
        return self._clock()

    def facts(self) -> Facts:
        """What is known and young enough to act on."""
        return self._lookups.facts().fresh(self._clock())

    def known(self) -> Facts:
        """What is known, however old: to show by, not to act on."""
        return self._lookups.facts()

    def look_up(self, wanted: Iterable[Lookup]) -> Mapping[Lookup, str | Pause]:
        """Look these up; returns those that could not be, with the reason or how long to wait."""
        found = {what: self._one(what) for what in sorted(wanted)}
        return {what: trouble for what, trouble in found.items() if trouble is not None}

    def _one(self, what: Lookup) -> str | Pause | None:
        try:
            fact = LOOK_UPS[what.about](self._client, what.id, self._clock())
        except SlackAway as error:
            logger.warning("%s %s: %s", what.about, what.id, error.told)
            until = self._clock() + timedelta(seconds=error.seconds)
            return error.told if isinstance(error, AccessLost) else Pause(until, error.told)
        except SlackError as error:
            logger.warning("%s %s: %s", what.about, what.id, error.told)
            return error.told
        self._lookups.record(what, fact)
        return None


def _person(client: WebClient, user: str, now: datetime) -> Fact:
    with named_errors("users.info"):
        told: Body = client.users_info(user=user)["user"]
    return Fact(
        at=now,
        team=str(told.get("team_id", "")),
        is_guest=any(told.get(flag) for flag in ("is_restricted", "is_ultra_restricted", "is_stranger")),
        is_active=not told.get("deleted"),
        names=_names(told),
        utc_offset=int(told.get("tz_offset") or 0),
    )


def _names(told: Body) -> tuple[str, ...]:
    profile: Body = told.get("profile") or {}
    names = (told.get("name"), profile.get("display_name"), profile.get("real_name"))
    return tuple(dict.fromkeys(str(name) for name in names if name))


def _channel(client: WebClient, channel: str, now: datetime) -> Fact:
    with named_errors("conversations.info"):
        told: Body = client.conversations_info(channel=channel)["channel"]
    shared = ("is_ext_shared", "is_pending_ext_shared")
    is_private = bool(told.get("is_private", True))
    return Fact(at=now, is_shared=any(told.get(flag) for flag in shared), is_private=is_private)


def _members(client: WebClient, channel: str, now: datetime) -> Fact:
    found, cursor = set[str](), ""
    for _ in range(PAGES):
        with named_errors("conversations.members"):
            answer = client.conversations_members(channel=channel, limit=MEMBERS, cursor=cursor)
        found.update(map(str, answer.get("members") or ()))
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return Fact(at=now, members=frozenset(found))


def _user_group(client: WebClient, group: str, now: datetime) -> Fact:
    try:
        with named_errors("usergroups.users.list"):
            told = client.usergroups_users_list(usergroup=group)
    except SlackError as error:
        if error.code not in NO_USER_GROUPS:
            raise
        return Fact(at=now, error=error.told)
    return Fact(at=now, members=frozenset(map(str, told.get("users") or ())))


LOOK_UPS: Mapping[About, Callable[[WebClient, str, datetime], Fact]] = {
    About.PERSON: _person,
    About.CHANNEL: _channel,
    About.MEMBERS: _members,
    About.USER_GROUP: _user_group,
}
