"""Where in Slack a request is found, by its address."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.memory.posts import Posts


@dataclass(frozen=True)
class Permalinks:
    """Makes the links that Slack makes of a message; `workspace` is the address of the place."""

    posts: Posts
    workspace: str

    def of(self, request_ids: Iterable[str]) -> dict[str, str]:
        """The link to the thread of each request whose root message is known."""
        if not self.workspace:
            return {}
        place = f"{self.workspace.rstrip('/')}/archives"
        roots = self.posts.roots(request_ids)
        return {id_: f"{place}/{channel}/p{ts.replace('.', '')}" for id_, (channel, ts) in roots.items()}
