"""What proves that a message which one person alone sees is the bot's: Slack shows it to nobody else.

A message in a channel is known by its ts. One that only its reader sees cannot be looked up, so its buttons
carry what only this process can make. After a restart they are void; the one under the plan is not.
"""

import hmac
import secrets
from dataclasses import dataclass, field

from workers.contract import Person


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
