"""Follows an engine's events beside the worker's loop, so that the ledger knows what no list tells later.

Who ran of which image and went again, which image a name meant before it moved, what was pulled although it
was there: of that an engine keeps the last few hundred events only, and none across its own restart.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workers.engine import Engine
from workers.errors import EngineError, NotFound, unforeseen_is_an_engine_error
from workers.memory.ledger import Ledger
from workers.memory.sightings import GAP, REMEMBERED, Heard, Sightings
from workers.planning import answers, hearsay
from workers.planning.activity import LONG_AGO, forgotten_before
from workers.planning.fields import NEVER, Fields
from workers.planning.hearsay import ImageNews, Use
from workers.planning.mentions import OVERLAP
from workers.transport.stillness import Stillness, Troubles

# A stream of events ends silently when its engine stops (docker-py), so each look is a short one that is
# meant to end, and the next begins where it left off.
LOOK = timedelta(seconds=2)
PAUSE, LONG_PAUSE = 0.2, 5.0
# Where nothing happens it is written down less often that nothing did: each time takes a sync of the disk.
WRITTEN_EVERY = GAP / 3
FORGETS_EVERY = timedelta(hours=1)
# What runs for weeks tells nothing of it, and its end may be in no event: a host that is switched off.
LISTED_EVERY = timedelta(hours=1)
TROUBLE = "the engine's events cannot be followed"

Raw = Mapping[str, Any]
# A full name, the id of the image that it meant, and when.
Name = tuple[str, str, datetime]


class Follower:
    """One engine's events into the host's ledger, opened anew for each look: nothing stays open in a fork.

    `forget` is called now and then with the ledger, to take out what need not be kept any more.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        ledger_file: Path,
        stillness: Stillness,
        troubles: Troubles,
        *,
        written_every: timedelta = WRITTEN_EVERY,
        forget: Callable[[Ledger, datetime], None] = lambda _ledger, _now: None,
    ) -> None:
        self._connect, self._ledger_file = engine, ledger_file
        self._stillness, self._troubles = stillness, troubles
        self._written_every, self._written = written_every, NEVER
        self._forget, self._forgot = forget, NEVER
        self._listed = NEVER

    def run(self, stopping: threading.Event) -> None:
        """Follow until told to stop; what goes wrong is said once, and tried again."""
        while not stopping.is_set():
            try:
                with closing(self._connect()) as engine:
                    self._follow(engine, stopping)
            except Exception as error:  # noqa: BLE001 - the edge of a thread, which must not end
                self._troubles.met(TROUBLE, error)
                stopping.wait(LONG_PAUSE)

    def _follow(self, engine: Engine, stopping: threading.Event) -> None:
        engine_id, known = engine.id(), Known(engine, self._stillness)
        upto = self._begin(engine_id, known)
        try:
            # By a clock that has gone back, what happens now is before what was taken in: begun anew.
            while not stopping.is_set() and (now := datetime.now(UTC)) >= upto:
                until = now + LOOK
                heard = known.heard(engine.events(hearsay.TOLD, since=upto - OVERLAP, until=until))
                now = min(until, datetime.now(UTC))
                self._remember(engine_id, self._with_what_runs(heard, known, now), now)
                upto = now
                self._troubles.over(TROUBLE, took_redis=False)
                stopping.wait(PAUSE)
        finally:
            # An engine that goes takes along what removes itself, and tells nobody of its end.
            self._hear(engine_id, Heard(uses=known.in_use(min(upto, datetime.now(UTC)))))

    def _begin(self, engine_id: str, known: "Known") -> datetime:
        """Take up where the last look ended, and see who runs now, and how all is called."""
        now = datetime.now(UTC)
        running, told_since = known.running(now), known.told_since(now)
        here, self._listed = Heard(uses=running, names=known.names(now)), now
        with self._stillness.held(), closing(Ledger(self._ledger_file)) as ledger:
            sightings = Sightings(ledger, engine_id)
            sightings.hear(here)
            sightings.forget_before(now - REMEMBERED)
            upto = sightings.heard_upto(now, "events") or now - LONG_AGO
            if sightings.taken_in("followed first") is None:
                sightings.take_in("followed first", now)
            if sightings.followed_since(now) is None or told_since > upto:
                sightings.take_in("followed since", now)
            return upto

    def _with_what_runs(self, heard: Heard, known: "Known", now: datetime) -> Heard:
        if abs(now - self._listed) < LISTED_EVERY:
            return heard
        self._listed = now
        return replace(heard, uses={**heard.uses, **known.running(now)})

    def _hear(self, engine_id: str, heard: Heard) -> None:
        with self._stillness.held(), closing(Ledger(self._ledger_file)) as ledger:
            Sightings(ledger, engine_id).hear(heard)

    def _remember(self, engine_id: str, heard: Heard, upto: datetime) -> None:
        if heard == Heard() and abs(upto - self._written) < self._written_every:
            return
        self._written = upto
        # SQLite's state must not be copied half-way into a fork.
        with self._stillness.held(), closing(Ledger(self._ledger_file)) as ledger:
            sightings = Sightings(ledger, engine_id)
            with sightings.together():
                sightings.hear(heard)
                sightings.take_in("events", upto)
            self._forget_now_and_then(ledger, upto)

    def _forget_now_and_then(self, ledger: Ledger, now: datetime) -> None:
        if abs(now - self._forgot) >= FORGETS_EVERY:
            self._forget(ledger, now)
            self._forgot = now


def catch_up(engine: Engine, sightings: Sightings, now: datetime) -> None:
    """Take in what an engine still tells, where nobody follows its events.

    That is no following: what it has forgotten by now, or when this is done next, nobody has heard.

    Raises:
        EngineError: it cannot be asked, or its answers make no sense.
    """
    if sightings.followed_since(now):
        return
    upto = sightings.heard_upto(now, "events", "caught up") or now - LONG_AGO
    known = Known(engine, Stillness())
    with unforeseen_is_an_engine_error():
        known.running(now)
        heard = known.heard(engine.events(hearsay.TOLD, since=upto - OVERLAP, until=now))
    with sightings.together():
        sightings.hear(heard)
        sightings.take_in("caught up", now)


class Known:
    """Resolves what events name to ids: of which image a container is, what an image is called."""

    def __init__(self, engine: Engine, stillness: Stillness) -> None:
        self._engine, self._stillness = engine, stillness
        self._image_of: dict[str, str] = {}
        self._using: dict[str, frozenset[str]] = {}
        self._lines: Sequence[Raw] = ()

    def running(self, now: datetime) -> dict[str, datetime]:
        """Return the images and networks in use now, and keep in mind who uses them."""
        self._lines = [raw for raw in self._engine.containers() if isinstance(raw, Mapping)]
        listed = [Fields(raw) for raw in self._lines]
        told = [(line.text("Id"), line.text("ImageID"), line) for line in listed]
        # Of one that went since the last look the end is still to be heard.
        self._image_of |= {id_: image for id_, image, _ in told if id_ and image}
        self._using = {
            id_: frozenset({image, *_networks(line)})
            for id_, image, line in told
            if id_ and image and line.text("State") == "running"
        }
        return self.in_use(now)

    def in_use(self, now: datetime) -> dict[str, datetime]:
        """Return the images and networks of all that has not ended, as far as was listed and heard."""
        return {used: now for of_one in self._using.values() for used in of_one}

    def names(self, now: datetime) -> tuple[Name, ...]:
        """Return what images are called now, and what they were when those containers were made."""
        images = self._engine.images()
        # The list has an id instead of a name that has moved; then only the container knows it.
        moved = [self._inspected(line) for line in self._lines if answers.is_nameless(line)]
        with self._stillness.held():
            # First what holds now: a name may have been another image's since a container was made of it.
            found = hearsay.listed_names(images, now)
            found += [name for line in self._lines for name in hearsay.listed_made_of(line)]
            return (*found, *(name for container in moved for name in hearsay.made_of(container)))

    def _inspected(self, line: Raw) -> Raw:
        try:
            return self._engine.inspect_container(answers.id_of(line))
        except EngineError:
            # Gone, or stuck in its removal (docuum#237): the others are to be followed all the same.
            return {}

    def told_since(self, now: datetime) -> datetime:
        """Return since when the engine still tells all that happened, of what counts as no gap."""
        # Of all types: a filter would hide how much it has forgotten.
        return forgotten_before(self._engine.events({}, since=now - GAP, until=now)) or NEVER

    def heard(self, events: Iterable[Raw]) -> Heard:
        """Make of events what the ledger can remember; what cannot be resolved any more is left out."""
        told = list(events)
        uses, made_of = hearsay.network_uses(told), list[Name]()
        news = hearsay.image_news(told)
        for use in hearsay.uses(told):
            image, names = self._image(use, news)
            made_of += names
            if image:
                uses[image] = max(use.at, uses.get(image, use.at))
                self._using.setdefault(use.container, frozenset({image}))
            if use.ended:
                self._using.pop(use.container, None)
        for container in hearsay.gone(told):
            self._image_of.pop(container, None)
        named = [name for one in news for name in self._names(one)]
        with self._stillness.held():
            return Heard(uses=uses, names=(*named, *made_of), arrivals=hearsay.arrivals(told))

    def _image(self, use: Use, news: Sequence[ImageNews]) -> tuple[str, Sequence[Name]]:
        """Return of which image a container is, and what it told of a name where it had to be asked."""
        if use.container in self._image_of:
            return self._image_of[use.container], ()
        self._image_of[use.container], names = self._asked(use, news)
        return self._image_of[use.container], names

    def _asked(self, use: Use, news: Sequence[ImageNews]) -> tuple[str, Sequence[Name]]:
        """The container knows best; one that is gone already is asked by the name it was made of."""
        try:
            container = self._engine.inspect_container(use.container)
        except NotFound:
            with self._stillness.held():
                # The name may have moved since.
                meant = hearsay.meant(use, news)
            return meant or self._id_of(use.image), ()
        # Engine 26.1 with a containerd store has no event of a build: what runs of it tells its name.
        with self._stillness.held():
            return str(container["Image"]), hearsay.made_of(container)

    def _id_of(self, name: str) -> str:
        try:
            return str(self._engine.inspect_image(name)["Id"]) if name else ""
        except NotFound:
            return ""

    def _names(self, news: ImageNews) -> Sequence[Name]:
        try:
            inspected = self._engine.inspect_image(news.subject)
        except NotFound:
            inspected = {}
        # A name's spellings are made under a lock that all names share (Python 3.11).
        with self._stillness.held():
            return hearsay.names(news, inspected)


def _networks(line: Fields) -> Iterable[str]:
    attached = line.inside("NetworkSettings").named("Networks").values()
    return [id_ for one in attached if (id_ := one.text("NetworkID"))]
