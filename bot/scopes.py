"""What the bot has to be allowed in Slack, each with what for (pure).

The one list: deploy/slack-manifest.yaml asks for exactly these, the start and both doctors look for them.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "commands": "to be asked with /prune",
        "chat:write": "to post and edit its messages",
        "files:write": "to attach complete lists and pictures",
        "channels:history": "to find a message again whose posting was in doubt",
        "groups:history": "to find it again in private channels",
        "users:read": "to tell members from guests",
        "channels:read": "to tell whether other organisations are in a channel",
        "groups:read": "to tell the same of private channels",
        "usergroups:read": "to know who is in a user group that the rules name",
    }
)
# Without it people named one by one are let in all the same.
FOR_USER_GROUPS = "usergroups:read"
NEXT_STEP = "add it to the Slack app, as deploy/slack-manifest.yaml has it, and install the app again"


def missing(granted: Collection[str], *, user_groups: bool) -> tuple[str, ...]:
    """The scopes that are needed and not granted; `user_groups`: the rules name some."""
    return tuple(s for s in SCOPES if s not in granted and (user_groups or s != FOR_USER_GROUPS))


def lacking(scope: str) -> str:
    """A missing scope, with what it is for."""
    return f"{scope} ({SCOPES[scope]})" if scope in SCOPES else scope


def refused(needed: str, provided: str) -> tuple[str, ...]:
    """Which scopes a refusal is about: Slack names all that would do, also those of places we do not use."""
    named, granted = _names(needed), _names(provided)
    ours = tuple(name for name in named if name in SCOPES and name not in granted)
    return ours or named


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in text.split(","))))
