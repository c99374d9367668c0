"""Where in Slack a request is found, by its address."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.memory.posts import Posts, Spot


@dataclass(frozen=True)
class Permalinks:
    """Makes the links that Slack makes of a message; `workspace` is the address of the place."""

    posts: Posts
    workspace: str

    def of(self, request_ids: Iterable[str]) -> dict[str, str]:
        """The link to the thread of each request whose root message is known."""
        if not self.workspace:
            return {}
        return {id_: self._link(spot) for id_, spot in self.posts.roots(request_ids).items()}

    def _link(self, spot: Spot) -> str:
        link = f"{self.workspace.rstrip('/')}/archives/{spot.channel}/p{spot.ts.replace('.', '')}"
        return f"{link}?thread_ts={spot.thread}&cid={spot.channel}" if spot.thread else link
