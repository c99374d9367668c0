"""What can be told of a request, a host or a key: who did what, to which (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

BOT = "bot"


class What(StrEnum):
    """What somebody did; the comment names the details."""

    # By people, in Slack or at the bot's command line.
    ASKED = "asked"  # verb, channel, hosts, kinds; run and objects of a restore
    QUESTIONED = "questioned"  # topic, object, channel
    TURNED_AWAY = "turned_away"  # why, wanted, channel
    APPROVED = "approved"  # set
    CHOSEN = "chosen"  # excluded: steps by host, left_out: hosts
    CONFIRMED = "confirmed"  # set, plans, excluded, left_out
    CANCELLED = "cancelled"  # set, plans
    STOPPED = "stopped"
    FROZEN = "frozen"
    THAWED = "thawed"
    PROTECTED = "protected"
    UNPROTECTED = "unprotected"
    ADMITTED = "admitted"
    DISMISSED = "dismissed"
    KEY_MADE = "key_made"  # key
    KEY_USED = "key_used"  # key
    KEY_RETIRED = "key_retired"  # key
    # By the bot.
    SHOWN = "shown"  # set, plans
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    PLAN_ASKED = "plan_asked"
    ORDERED = "ordered"
    RESTORE_ORDERED = "restore_ordered"
    NOT_SENT = "not_sent"  # type, error, certain, final
    NOT_ANSWERED = "not_answered"
    # By hosts, as they tell it; `told_at` is their own clock.
    PLANNED = "planned"  # steps, low, high
    PLAN_FAILED = "plan_failed"  # reasons
    ANSWERED = "answered"  # topic
    UNANSWERED = "unanswered"  # reasons
    REFUSED = "refused"  # reasons
    STARTED = "started"  # steps
    FINISHED = "finished"  # status, freed, approver, report: its digest
    RESTORE_PLANNED = "restore_planned"  # steps, low, high, run
    RESTORED = "restored"  # status, run, approver, report: its digest
    TAKEN = "taken"  # type, decided_by, in_force: a freeze or a protection is kept to
    UNREADABLE = "unreadable"  # kind, ledger, seq


@dataclass(frozen=True)
class Act:
    """One act as it stands; `number` counts all acts without a gap, `at` is the bot's clock.

    `who`: ``TEAM/USER``, ``cli:USER``, ``host:NAME`` or ``bot``.
    """

    number: int
    at: datetime
    who: str
    what: str
    request_id: str = ""
    host: str = ""
    order_id: str = ""
    plan_digest: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


def of_host(name: str) -> str:
    """A host as the one who acted."""
    return f"host:{name}"
