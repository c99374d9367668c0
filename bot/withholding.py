"""Why a host gets no order just now: its own trouble, or a freeze that is on its way or just typed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.arrivals import CALL
from bot.commands import UsageReply, parse, resolve
from bot.decisions import Decided, Freeze, State, Verb, targets
from bot.memory.decisions import Decisions
from bot.memory.store import Store
from bot.memory.waiting import COMMAND, Pending, Waiting
from bot.obstacles import obstacle
from bot.requests import Contact
from workers.wording import label

ON_ITS_WAY = "somebody froze it, and it has not said yet that it keeps to that"
TYPED = "somebody asked to freeze it, and Slack has not said yet whether they may"


@dataclass(frozen=True)
class Withheld:
    """Why an order is kept back; `for_good`: until somebody has mended something, so it is given up."""

    why: str
    for_good: bool = False


@dataclass(frozen=True)
class Withholding:
    """Reads what withholds orders, each time anew."""

    store: Store
    waiting: Waiting
    decisions: Decisions

    def now(self, *, removes: bool = True) -> Mapping[str, Withheld]:
        """The hosts that get no order, and why; a freeze holds up nothing that does not remove."""
        if not removes:
            return _troubled(self.store.contacts(), removes=False)
        # Before the decisions: a freeze that is decided in between is found there.
        typed = list(_freezes(self.waiting.open()))
        return withheld(contacts=self.store.contacts(), typed=typed, newest=self.decisions.newest("host"))


def _freezes(pending: Iterable[Pending]) -> Iterable[Freeze]:
    for act in pending:
        command = parse(CALL.validate_json(act.body).text) if act.verb == COMMAND else None
        if isinstance(command, Freeze):
            yield command


def withheld(
    *, contacts: Iterable[Contact], typed: Iterable[Freeze], newest: Iterable[Decided]
) -> Mapping[str, Withheld]:
    """The hosts that get no order; `newest`: the last decision about each, `typed`: not decided yet."""
    contacts = tuple(contacts)
    hosts = tuple(contact.host for contact in contacts)
    frozen = (d.host for d in newest if d.verb is Verb.FREEZE and d.state in (State.OPEN, State.REFUSED))
    return {
        **{host: Withheld(TYPED) for freeze in typed for host in _meant(freeze, hosts)},
        **{host: Withheld(ON_ITS_WAY) for host in frozen},
        **_troubled(contacts, removes=True),
    }


def _troubled(contacts: Iterable[Contact], *, removes: bool) -> Mapping[str, Withheld]:
    troubled = {c.host: found for c in contacts if (found := obstacle(c.problems, removes=removes))}
    return {host: Withheld(label(found.code), for_good=True) for host, found in troubled.items()}


def _meant(freeze: Freeze, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Whoever types an unfreeze holds up nothing."""
    found = resolve(targets(freeze.words, hosts)[0], hosts)
    return () if freeze.verb is not Verb.FREEZE or isinstance(found, UsageReply) else found
