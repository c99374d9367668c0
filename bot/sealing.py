"""The last look before an order is sealed: whoever agreed must still be somebody whose agreement counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.access import Rules
from bot.consent import Consent, asking, consent
from bot.facts import Facts, Lookup
from bot.requests import Ballot, Request
from bot.slack.directory import Directory, Pause
from workers.wording import listing

AGAIN_AFTER = timedelta(seconds=5)


@dataclass(frozen=True)
class Objection:
    """Why no order is sealed; `until`: it is not known yet, and asked again from then on."""

    why: str
    until: datetime | None = None


@dataclass(frozen=True)
class Sealing:
    """Reads the same rules as the buttons and the presses did."""

    rules: Rules
    directory: Directory

    def drawn(self, request: Request) -> Consent:
        """How the agreement stands, to show it; nothing is looked up for that."""
        return self._consent(request, request.ballots, self.directory.known)

    def objection(self, request: Request) -> Objection | None:
        """Why no order may be sealed for what was confirmed; None where it may."""
        found = self._consent(request, _counted(request), self.directory.facts)
        if not found.is_given and found.needs:
            if troubles := self.directory.look_up(found.needs):
                return self._not_told(troubles)
            found = self._consent(request, _counted(request), self.directory.facts)
        return None if found.is_given else Objection(_too_few(found))

    def _not_told(self, troubles: Mapping[Lookup, str | Pause]) -> Objection:
        """Nobody is let through for that Slack does not answer (S4); it is asked again, in its own time."""
        pauses = [trouble for trouble in troubles.values() if isinstance(trouble, Pause)]
        until = max([*(pause.until for pause in pauses), self.directory.now() + AGAIN_AFTER])
        why = next(trouble.why if isinstance(trouble, Pause) else trouble for trouble in troubles.values())
        return Objection(f"Slack did not say whether those who approved still may: {why}", until)

    def _consent(self, request: Request, ballots: tuple[Ballot, ...], facts: Callable[[], Facts]) -> Consent:
        return consent(asking(request), ballots, rules=self.rules, facts=facts())


def _too_few(found: Consent) -> str:
    lost = f", no longer that of {listing([p.user for p in found.void])}" if found.void else ""
    asker = "" if found.is_asker_entitled else f"; {found.requester.user}, who asked, may not execute"
    return f"{len(found.given)} of {found.needed} approvals count{lost}{asker}"


def _counted(request: Request) -> tuple[Ballot, ...]:
    return tuple(ballot for ballot in request.ballots if ballot.is_counted)
