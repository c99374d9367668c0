"""Who may preview and who may execute, decided from plain values; what is not named is not allowed (S12)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workers.contract import Person

APPROVER = re.compile(r"(?:[TE][A-Z0-9]+/)?[UW][A-Z0-9]+")
CHANNEL = re.compile(r"[CGD][A-Z0-9]+")


@dataclass(frozen=True)
class Rules:
    """The workspace the bot is at home in, the channels it listens in, and who may execute.

    An approver is ``U…``, a member of this workspace, or ``T…/U…``, somebody of another one.
    """

    team: str
    channels: frozenset[str] = frozenset()
    approvers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, team: str, channels: Iterable[str], approvers: Iterable[str]) -> "Rules":
        """Make rules of settings.

        Raises:
            ValueError: for an entry that is not an id, since it would silently name nobody.
        """
        named = frozenset(channels), frozenset(approvers)
        _refuse_nonsense(named[0], CHANNEL, "a channel id like C0123ABCD")
        _refuse_nonsense(named[1], APPROVER, "a user id like U0123ABCD or T0123/U0123")
        return cls(team, *named)


def _refuse_nonsense(entries: Iterable[str], pattern: re.Pattern[str], what: str) -> None:
    for entry in sorted(entries):
        if not pattern.fullmatch(entry):
            raise ValueError(f"{entry!r} is not {what}")


class Why(StrEnum):
    """Why somebody was turned away."""

    NO_CHANNELS = "no_channels"
    OTHER_CHANNEL = "other_channel"
    OTHER_TEAM = "other_team"
    NO_APPROVERS = "no_approvers"
    NOT_APPROVER = "not_approver"
    NOT_ALONE = "not_alone"


@dataclass(frozen=True)
class Allowed:
    """Go on."""


@dataclass(frozen=True)
class Denied:
    """Turned away, with who may and where one may instead."""

    why: Why
    approvers: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


ALLOWED = Allowed()


def may_preview(person: Person, channel: str, rules: Rules) -> Allowed | Denied:
    """Whether this person may look, here."""
    if not rules.channels:
        return Denied(Why.NO_CHANNELS)
    if channel not in rules.channels:
        return Denied(Why.OTHER_CHANNEL, channels=tuple(sorted(rules.channels)))
    if not (_is_at_home(person, rules) or _is_approver(person, rules)):
        return Denied(Why.OTHER_TEAM)
    return ALLOWED


def may_execute(person: Person, channel: str, rules: Rules) -> Allowed | Denied:
    """Whether this person may have anything removed, from here."""
    seen = may_preview(person, channel, rules)
    if isinstance(seen, Denied):
        return seen
    if not rules.approvers:
        return Denied(Why.NO_APPROVERS)
    if not _is_approver(person, rules):
        return Denied(Why.NOT_APPROVER, approvers=tuple(sorted(rules.approvers)))
    return ALLOWED


def may_confirm(
    person: Person, channel: str, rules: Rules, *, requester: Person, takes_two: bool
) -> Allowed | Denied:
    """Whether this person may confirm what the requester asked for."""
    allowed = may_execute(person, channel, rules)
    if takes_two and person == requester and isinstance(allowed, Allowed):
        return Denied(Why.NOT_ALONE, approvers=tuple(sorted(rules.approvers)))
    return allowed


def _is_at_home(person: Person, rules: Rules) -> bool:
    return bool(rules.team) and person.team == rules.team


def _is_approver(person: Person, rules: Rules) -> bool:
    """A bare user id names a member of the home workspace only: ids mean nothing without their team."""
    if f"{person.team}/{person.user}" in rules.approvers:
        return bool(person.team)
    return person.user in rules.approvers and _is_at_home(person, rules)
