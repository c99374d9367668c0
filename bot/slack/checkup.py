"""The doctor's findings for somebody in Slack; it goes over the network, so it is asked after the answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import redis
from slack_sdk import WebClient

from bot import doctor
from bot.checks import Finding
from bot.keys import SigningKey
from bot.memory.store import Store
from bot.rulebook import Rulebook
from bot.slack.identity import slack_findings


@dataclass(frozen=True)
class Checkup:
    """Looks at what the running bot needs of Slack, of Redis, of its rules and of the hosts."""

    client: WebClient
    redis: "redis.Redis"
    store: Store
    book: Rulebook
    key: Callable[[], SigningKey]
    clock: Callable[[], datetime]

    def findings(self) -> Iterator[Finding]:
        """Everything that `python -m bot doctor` looks at and that can be told from inside."""
        hosts = self.store.hosts()
        yield from slack_findings(self.client, self.book.channels, user_groups=self.book.user_groups)
        redis_answers, *others = doctor.redis_findings(self.redis)
        yield from (redis_answers, *others)
        yield from doctor.rules_findings(self.book, hosts)
        # Each host would be waited for anew, and whoever types a command next would wait as well.
        if redis_answers.is_good:
            yield from doctor.host_findings(self.redis, hosts, self.clock(), keys=(self.key().id,))
