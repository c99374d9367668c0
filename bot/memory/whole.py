"""All that the bot remembers, opened together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.memory.audit import Audit
from bot.memory.ballots import Ballots
from bot.memory.choices import Choices
from bot.memory.database import Database
from bot.memory.decisions import Decisions
from bot.memory.disks import Disks
from bot.memory.dossiers import Dossiers
from bot.memory.history import History
from bot.memory.inquiries import Inquiries
from bot.memory.lookups import Lookups
from bot.memory.posts import Posts
from bot.memory.runs import Runs
from bot.memory.store import Store
from bot.memory.waiting import Waiting


@dataclass(frozen=True)
class Memory:
    """The parts of the memory; what one of them writes inside another's transaction belongs to that."""

    database: Database
    store: Store
    history: History
    dossiers: Dossiers
    choices: Choices
    decisions: Decisions
    disks: Disks
    inquiries: Inquiries
    posts: Posts
    runs: Runs
    lookups: Lookups
    waiting: Waiting
    audit: Audit

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, and make it where there is none."""
        database = Database(path)
        store, history = Store(database), History(database)
        choices, decisions = Choices(database), Decisions(database)
        runs = Runs(database)
        runs.catch_up()
        return cls(
            database=database,
            store=store,
            history=history,
            dossiers=Dossiers(store, history, Ballots(database), choices, decisions),
            choices=choices,
            decisions=decisions,
            disks=Disks(database),
            inquiries=Inquiries(database),
            posts=Posts(database),
            runs=runs,
            lookups=Lookups(database),
            waiting=Waiting(database),
            audit=Audit(database),
        )
