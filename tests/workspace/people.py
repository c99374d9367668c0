"""Who and where: users, channels, user groups of the workspace, and how ids are made from names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.workspace.errors import WorkspaceError
from tests.workspace.mrkdwn import Names

TEAM_ID = "T01SAFEPRUNE"
APP_ID = "A01SAFEPRUNE"
BOT_USER_ID = "U01PRUNEBOT"
BOT_ID = "B01PRUNEBOT"
SLACKBOT_ID = "USLACKBOT"


def id_for(prefix: str, name: str) -> str:
    letters = "".join(letter for letter in name.upper() if letter.isalnum())
    return f"{prefix}01{letters:0<8}"


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    utc_offset: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.is_deleted,
            "is_bot": self.is_bot,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": False,
            "is_stranger": False,
            "tz": "Etc/UTC",
            "tz_offset": self.utc_offset,
            "profile": {"display_name": self.name, "real_name": self.real_name, "team": TEAM_ID},
        }


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    members: frozenset[str]
    is_private: bool = False
    is_im: bool = False
    is_shared: bool = False
    is_archived: bool = False

    def with_member(self, user: str) -> "Channel":
        return replace(self, members=self.members | {user})

    def without_member(self, user: str) -> "Channel":
        return replace(self, members=self.members - {user})

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": not self.is_im,
            "is_private": self.is_private,
            "is_im": self.is_im,
            "is_member": BOT_USER_ID in self.members,
            "is_archived": self.is_archived,
            "is_shared": self.is_shared,
            "is_ext_shared": self.is_shared,
            "num_members": len(self.members),
        }


@dataclass(frozen=True)
class UserGroup:
    id: str
    handle: str
    users: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "name": self.handle,
            "handle": self.handle,
            "users": list(self.users),
            "user_count": len(self.users),
            "date_delete": 0,
        }


@dataclass
class Directory:
    """All of them, found by id or name."""

    users: dict[str, User]
    channels: dict[str, Channel]
    groups: dict[str, UserGroup]

    def user(self, name: str) -> User:
        for user in self.users.values():
            if name in (user.id, user.name):
                return user
        raise WorkspaceError(f"no such user: {name}")

    def channel(self, name: str) -> Channel:
        for channel in self.channels.values():
            if name.removeprefix("#") in (channel.id, channel.name):
                return channel
        raise WorkspaceError(f"no such channel: {name}")

    def direct(self, user: str) -> Channel:
        """The conversation between a person and the bot."""
        key = "D" + user[1:]
        return self.channels.setdefault(key, Channel(key, key, frozenset((user, BOT_USER_ID)), is_im=True))

    def names(self) -> Names:
        known = {user.id: user.name for user in self.users.values()}
        known |= {channel.id: channel.name for channel in self.channels.values()}
        known |= {group.id: group.handle for group in self.groups.values()}
        return Names(known)


def directory(
    channels: Iterable[str],
    private: Iterable[str],
    bot_in: Iterable[str] | None,
    user_groups: Mapping[str, tuple[str, ...]],
) -> Directory:
    """Ana, Bo and Dee everywhere, the guest Cy in the first channel, the bot where told."""
    names, hidden = tuple(channels), frozenset(private)
    invited = frozenset(names if bot_in is None else bot_in)
    users = {user.id: user for user in _users()}
    people = {user.name: user.id for user in users.values()}
    groups = [
        UserGroup(id_for("S", handle), handle, tuple(people[one] for one in members))
        for handle, members in user_groups.items()
    ]
    rooms = [_channel(name, names[0], name in hidden, name in invited, people) for name in names]
    return Directory(users, {room.id: room for room in rooms}, {group.id: group for group in groups})


def _users() -> tuple[User, ...]:
    return (
        User(id_for("U", "ana"), "ana", "Ana Ortega"),
        User(id_for("U", "bo"), "bo", "Bo Lindqvist"),
        User(id_for("U", "cy"), "cy", "Cy Park (guest)", is_guest=True),
        User(id_for("U", "dee"), "dee", "Dee Okafor"),
        User(BOT_USER_ID, "safe-prune", "Safe Prune", is_bot=True),
        User(SLACKBOT_ID, "slackbot", "Slackbot", is_bot=True),
    )


def _channel(name: str, first: str, private: bool, with_bot: bool, people: Mapping[str, str]) -> Channel:
    members = {people["ana"], people["bo"], people["dee"]}
    members |= {people["cy"]} if name == first else set()
    members |= {BOT_USER_ID} if with_bot else set()
    return Channel(id_for("C", name), name, frozenset(members), is_private=private)
