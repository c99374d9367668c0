"""The parts of one bot, put together; nothing runs yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot import dispatch
from bot.access import Rules
from bot.answering import Answering
from bot.choosing import Choosing
from bot.chronicle import Chronicle
from bot.council import Council
from bot.desk import Desk
from bot.dispatch import Dispatch
from bot.doorkeeper import Doorkeeper
from bot.easel import Easel
from bot.feed import SOCKET_TIMEOUT_SECONDS, Feed
from bot.home import Home
from bot.inquirer import Inquirer
from bot.keys import SigningKey
from bot.loop import Loop
from bot.memory.whole import Memory
from bot.permalinks import Permalinks
from bot.presses import Presses
from bot.reception import Reception
from bot.requests import Line
from bot.returns import Returns
from bot.rulebook import Rulebook
from bot.sealing import Sealing
from bot.sending import Sending
from bot.slack.checkup import Checkup
from bot.slack.directory import Directory
from bot.slack.exhibits import Exhibits
from bot.slack.forms import Forms
from bot.slack.homes import Homes
from bot.slack.identity import Identity
from bot.slack.pictures import Pictures
from bot.slack.threads import Threads, web_client
from bot.standing import Standing
from bot.stopping import Stopping
from bot.tickets import Tickets
from bot.typed import Typed
from bot.underway import Underway
from bot.withholding import Withholding


@dataclass(frozen=True)
class Wiring:
    """Everything the running bot is told from outside."""

    database: Path
    key: Callable[[], SigningKey]
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    api_url: str
    redis_url: str = field(repr=False)
    book: Rulebook
    bind: str
    port: int | None


def now() -> datetime:
    """The bot's clock."""
    return datetime.now(UTC)


class Parts:
    """What carries requests on, each part in a loop of its own."""

    def __init__(self, wiring: Wiring, who: Identity, *, clock: Callable[[], datetime] = now) -> None:
        self._wiring, self._clock = wiring, clock
        self._memory = Memory.open(wiring.database)
        self.database = self._memory.database
        client = web_client(wiring.bot_token, wiring.api_url)
        rules = Rules(who.team, wiring.book)
        directory = Directory(client, self._memory.lookups, clock=clock)
        self.feed = self._fed()
        self.easel = Easel()
        threads = Threads(client, self._memory.posts, bot_user=who.user, clock=clock)
        self.desk = self._manned(threads, Sealing(rules, directory))
        self.standing = self._carried()
        self.inquirer = self._inquired()
        self.reception = self._received(rules, directory, who.workspace)
        checkup = Checkup(
            *(client, dispatch.connect(wiring.redis_url), self._memory.store),
            book=wiring.book,
            key=wiring.key,
            clock=clock,
        )
        self.forms = Forms(client, self.reception, directory, checkup)
        self.homes = Homes(
            *(client, self._homely(rules, directory, who.workspace), directory),
            clock=clock,
            wake=lambda: self.loops["homes"].wake(),
        )
        self.doorkeeper = Doorkeeper(
            waiting=self._memory.waiting, directory=directory, reception=self.reception, clock=clock
        )
        self.loops = {
            "feed": Loop("feed", self.feed.step),
            "desk": Loop("desk", self.desk.step),
            "standing": Loop("standing", self.standing.step),
            "inquirer": Loop("inquirer", self.inquirer.step),
            "doorkeeper": Loop("doorkeeper", self.doorkeeper.step),
            "homes": Loop("homes", self.homes.step),
        }

    def _fed(self) -> Feed:
        return Feed(
            dispatch.connect(self._wiring.redis_url, seconds=SOCKET_TIMEOUT_SECONDS),
            store=self._memory.store,
            history=self._memory.history,
            clock=self._clock,
            key_id=lambda: self._wiring.key().id,
            told=self._wake,
        )

    def _manned(self, threads: Threads, sealing: Sealing) -> Desk:
        memory = self._memory
        return Desk(
            store=memory.store,
            dossiers=memory.dossiers,
            exhibits=Exhibits(
                *(threads, memory.posts, memory.audit),
                pictures=Pictures(memory.disks, self.easel),
                consent=sealing.drawn,
                leave_thread=memory.store.leave_thread,
                clock=self._clock,
            ),
            sending=Sending(
                memory.store,
                self._dispatch(),
                sealing,
                Withholding(memory.store, memory.waiting, memory.decisions),
                self._clock,
            ),
            line=self._line,
            clock=self._clock,
        )

    def _carried(self) -> Standing:
        return Standing(
            decisions=self._memory.decisions,
            store=self._memory.store,
            dossiers=self._memory.dossiers,
            history=self._memory.history,
            posts=self._memory.posts,
            dispatch=self._dispatch(),
            clock=self._clock,
            wake=lambda: self.loops["desk"].wake(),
        )

    def _inquired(self) -> Inquirer:
        return Inquirer(
            inquiries=self._memory.inquiries,
            store=self._memory.store,
            history=self._memory.history,
            posts=self._memory.posts,
            dispatch=self._dispatch(),
            line=self._line,
            clock=self._clock,
            wake=lambda: self.loops["desk"].wake(),
        )

    def _received(self, rules: Rules, directory: Directory, workspace: str) -> Reception:
        memory, clock = self._memory, self._clock
        answering = Answering(memory.posts, memory.audit, clock=clock, wake=self._wake)
        presses = Presses(
            *(memory.store, memory.dossiers, answering, rules, Tickets()), line=self._line, clock=clock
        )
        council = Council(memory.decisions, memory.store, memory.dossiers, clock, self._wake)
        typed = self._typed(
            answering, presses, council, Permalinks(memory.posts, workspace), rules, directory
        )
        return Reception(
            typed=typed,
            waiting=memory.waiting,
            answering=answering,
            presses=presses,
            choosing=Choosing(memory.dossiers, memory.choices, presses, answering, council, clock),
            stopping=Stopping(memory.dossiers, presses, answering, council),
            facts=directory.facts,
            clock=clock,
            look_up=self._look_up,
        )

    def _typed(
        self,
        answering: Answering,
        presses: Presses,
        council: Council,
        permalinks: Permalinks,
        rules: Rules,
        directory: Directory,
    ) -> Typed:
        memory, clock = self._memory, self._clock
        return Typed(
            store=memory.store,
            dossiers=memory.dossiers,
            waiting=memory.waiting,
            answering=answering,
            presses=presses,
            council=council,
            inquiries=memory.inquiries,
            returns=Returns(memory.store, memory.runs, clock),
            underway=Underway(memory.store, memory.dossiers, presses, permalinks, clock),
            chronicle=Chronicle(
                *(memory.store, memory.runs, permalinks, presses.tickets, rules),
                known=directory.known,
                clock=clock,
            ),
            rules=rules,
            known=directory.known,
            line=self._line,
            clock=clock,
        )

    def _homely(self, rules: Rules, directory: Directory, workspace: str) -> Home:
        memory = self._memory
        return Home(
            *(memory.store, memory.dossiers, memory.runs, memory.disks),
            presses=self.reception.presses,
            permalinks=Permalinks(memory.posts, workspace),
            rules=rules,
            facts=directory.facts,
            line=self._line,
            clock=self._clock,
        )

    def _dispatch(self) -> Dispatch:
        """Each loop has a client of its own: one that waits holds up nobody else."""
        return Dispatch(dispatch.connect(self._wiring.redis_url), self._wiring.key)

    def _wake(self) -> None:
        for name in ("desk", "standing", "inquirer"):
            self.loops[name].wake()

    def _look_up(self) -> None:
        self.loops["doorkeeper"].wake()

    def _line(self) -> Line:
        return self.feed.line
