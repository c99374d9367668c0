"""What proves that a message which one person alone sees is the bot's: Slack shows it to nobody else.

A message in a channel is known by its ts. One that only its reader sees cannot be looked up, so its buttons
carry what only this process can make, and so do forms: what one was opened for, and where its answer goes, is
nobody else's to say. After a restart they are void; the button under the plan is not.
"""

import hmac
import secrets
from dataclasses import dataclass, field

from workers.contract import Person

MARK = 64


@dataclass(frozen=True)
class Tickets:
    """Makes tickets, each for one person and one set of plans, and knows them again."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def issue(self, request_id: str, set_digest: str, person: Person) -> str:
        """Make the ticket for a person's own copy of a confirmation."""
        said = f"{request_id} {set_digest} {person.spelled}"
        return hmac.new(self.secret, said.encode(), "sha256").hexdigest()

    def is_valid(self, ticket: str, request_id: str, set_digest: str, person: Person) -> bool:
        """Whether this process has made it, for exactly this."""
        # As bytes: letters that no ticket has would be an error otherwise.
        return hmac.compare_digest(
            ticket.encode(errors="replace"), self.issue(request_id, set_digest, person).encode()
        )

    def stamp(self, about: str, person: Person) -> str:
        """What a form carries for one person, so that it is known to be ours when it comes back."""
        return f"{self._mark(about, person)}{about}"

    def opened(self, stamped: str, person: Person) -> str | None:
        """What a form was stamped with for this person; None for a form that this process has not made."""
        mark, about = stamped[:MARK], stamped[MARK:]
        is_ours = hmac.compare_digest(mark.encode(errors="replace"), self._mark(about, person).encode())
        return about if is_ours else None

    def _mark(self, about: str, person: Person) -> str:
        said = f"form {person.spelled} {about}"
        return hmac.new(self.secret, said.encode(errors="replace"), "sha256").hexdigest()
