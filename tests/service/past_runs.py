"""Runs that hosts told of in the past, in the memory of a bot that is not started yet or runs already."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from bot.memory.database import Database
from bot.memory.history import Entry, History
from bot.memory.posts import ROOT, Posts
from tests.service.bot_stage import Stage, now
from tests.unit.bot_values import finished, plan, report
from workers.contract import HOST_TEAM, Person, Report
from workers.signing import digest

ROOT_USER = Person(team=HOST_TEAM, user="root")
PEOPLE = ("ana", "bo", "dee")


@contextmanager
def memory_of(stage: Stage) -> Iterator[Database]:
    """The bot's memory, beside the bot."""
    database = Database(stage.folder / "bot.sqlite3")
    yield database
    database.close()


class Past:
    """Tells of runs, each of 200 MB unless told otherwise."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._seq = stage, 0
        people = {name: stage.slack.user_id(name) for name in PEOPLE}
        self._people = {name: Person(team=stage.slack.team_id, user=id_) for name, id_ in people.items()}

    def ran(
        self,
        host: str = "web-1",
        *,
        days: float,
        by: str = "ana",
        confirmed: str = "",
        thread: str = "",
        **more: object,
    ) -> Report:
        """One run; its request was asked for in the thread of that ts."""
        self._seq += 1
        request, at = f"r{self._seq}", now() - timedelta(days=days)
        made = plan(host, request=request)
        people = {"requester": self._person(by), "approver": self._person(confirmed or by)}
        run = report(f"o{self._seq}", made, digest(made), at=at).model_copy(update={**people, **more})
        with memory_of(self._stage) as database:
            event = finished(run, at=at).model_dump_json()
            History(database).record(host, [Entry("l0", self._seq, event, first=self._seq)], now())
            if thread:
                posts = Posts(database)
                posts.begin(request, ROOT, self._stage.channel, at)
                posts.show(request, ROOT, ts=thread, shown="x")
        return run

    def _person(self, name: str) -> Person:
        return self._people.get(name, ROOT_USER)
