"""What of a request is shown in Slack, and when: one root message, and each host's parts in its thread."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot import render
from bot.consent import Consent
from bot.easel import Undrawn
from bot.errors import ChannelClosed, MessageGone, SlackAway, SlackError
from bot.memory.audit import Audit
from bot.memory.posts import ROOT, Note, Post, Posts
from bot.memory.rows import Filed
from bot.pace import Pace
from bot.patience import Patience
from bot.render.blocks import Message
from bot.requests import HostPart, Phase, Request, Stage
from bot.slack.pictures import Pictures
from bot.slack.threads import Attachment, Place, Threads, fingerprint
from workers.contract import Report

logger = logging.getLogger(__name__)

SLACK = "Slack"
REDRAW_AFTER = timedelta(seconds=10)
RESPONSE_URL_LIVES = timedelta(minutes=30)
# A channel that never let the bot in has been told so; its requests are not kept for ever.
UNSEEN_KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Exhibit:
    """One message in a request's thread, drawn when its turn comes; `in_channel`: shown beside it as well."""

    part: str
    draw: Callable[[], Message | Attachment | Undrawn]
    in_channel: bool = False


@dataclass(frozen=True)
class Shown:
    """A request as its root message shows it, and since when."""

    request: Request
    consent: Consent
    at: datetime


class Exhibits:
    """Keeps Slack's view of the requests up to date."""

    def __init__(
        self,
        threads: Threads,
        posts: Posts,
        audit: Audit,
        *,
        pictures: Pictures,
        consent: Callable[[Request], Consent],
        clock: Callable[[], datetime],
    ) -> None:
        self._threads, self._posts, self._audit = threads, posts, audit
        self._pictures, self._consent, self._clock = pictures, consent, clock
        self._failures, self._pace = Patience(), Pace()
        self._shown: dict[str, Shown] = {}

    def show_root(self, filed: Filed, request: Request) -> bool:
        """Post or edit the root message; returns whether it shows the request as it is."""
        now, last = self._clock(), self._shown.get(request.asked.id)
        consent = self._consent(request)
        if last and (last.request, last.consent) == (request, consent) and now - last.at < REDRAW_AFTER:
            return True
        is_urgent = last is None or _controls(last.request) != _controls(request)
        if not self._pace.allows(request.asked.id, now, is_urgent=is_urgent):
            return False
        if not self._draw_root(filed, request, consent, now):
            return False
        if request.phase is Phase.READY:
            self._audit.note_shown(request.asked.id, request.set_digest, request.plans, now)
        self._shown[request.asked.id] = Shown(request, consent, now)
        return True

    def _draw_root(self, filed: Filed, request: Request, consent: Consent, now: datetime) -> bool:
        place = Place(request.asked.id, ROOT, request.asked.channel)
        drawn, post = render.root(request, now, consent), self._posts.find(request.asked.id, ROOT)
        if post and post.ts and post.shown == fingerprint(drawn):
            return True
        if self._try(place, partial(self._threads.show, place, drawn), filed.response_url):
            self._pace.edited(request.asked.id, now)
            return True
        return False

    def show_parts(self, request: Request) -> bool:
        """Post what belongs into the thread; returns whether all of it is there."""
        posts = self._posts.of(request.asked.id)
        root = posts.get(ROOT)
        if root is None or not root.ts:
            return False
        done = frozenset(part for part, post in posts.items() if post.ts)
        shown = [
            all(exhibit.part in done or self._show(exhibit, request, root) for exhibit in group)
            for group in exhibits(request, done, self._clock())
        ]
        return all(shown) and self._show_pictures(request, root, done)

    def _show_pictures(self, request: Request, root: Post, done: frozenset[str]) -> bool:
        """They come last: a channel takes few messages, and all others say what somebody waits for."""
        left = [one for one in pictures(request, self._pictures.of) if one.part not in done]
        if left and any(note.is_public and note.channel == root.channel for note in self.owed()):
            return False
        shown = [self._show(one, request, root) for one in left]
        return all(shown)

    def is_given_up(self, request: Request) -> bool:
        """Whether a request has waited long enough for a channel that does not let us in."""
        root = self._posts.find(request.asked.id, ROOT)
        is_seen = root is not None and bool(root.ts)
        return not is_seen and self._clock() - request.asked.made_at > UNSEEN_KEPT

    def forget(self, request_id: str) -> None:
        """Nothing more is shown of a request for now."""
        self._shown.pop(request_id, None)
        self._pace.forget(request_id)
        self._pictures.forget(request_id)

    def owed(self) -> tuple[Note, ...]:
        """The answers that are owed to people."""
        return self._posts.owed()

    def answer(self, note: Note) -> None:
        """Give an answer if it can be given now."""
        if self._is_answered(note):
            self._posts.settle(note.id)

    def _show(self, exhibit: Exhibit, request: Request, root: Post) -> bool:
        place = Place(request.asked.id, exhibit.part, root.channel, root.ts, exhibit.in_channel)
        if not self._is_time(place):
            return False
        drawn = exhibit.draw()
        return drawn is not Undrawn.YET and self._try(place, partial(self._put, place, drawn))

    def _put(self, place: Place, drawn: Message | Attachment | Undrawn) -> None:
        try:
            match drawn:
                case Undrawn():
                    self._threads.leave_out(place)
                case Attachment():
                    self._threads.attach(place, drawn)
                case Message():
                    self._threads.show(place, drawn)
        except MessageGone:
            # The thread has lost its root; a new one is begun.
            self._posts.forget(place.request_id, ROOT)
            self._shown.pop(place.request_id, None)
            raise

    def _try(self, place: Place, work: Callable[[], object], response_url: str = "") -> bool:
        """Do it if it is time to; whatever Slack says to it, it is tried again."""
        now, key = self._clock(), (place.request_id, place.part)
        if not self._is_time(place):
            return False
        try:
            work()
        except SlackAway as error:
            self._put_off(place, error, now)
            return False
        except SlackError as error:
            logger.warning("request %s, %s: %s; tried again", place.request_id, place.part, error)
            self._failures.failed(key, now)
            if isinstance(error, ChannelClosed) and response_url:
                self._owe_invitation(place, response_url)
            return False
        self._failures.succeeded(SLACK)
        self._failures.succeeded(key)
        return True

    def _is_time(self, place: Place) -> bool:
        now = self._clock()
        return self._failures.allows(SLACK, now) and self._failures.allows(
            (place.request_id, place.part), now
        )

    def _put_off(self, place: Place, error: SlackAway, now: datetime) -> None:
        if error.certain:
            self._failures.wait((place.request_id, place.part), now + timedelta(seconds=error.seconds))
            return
        logger.warning("request %s, %s: %s; tried again", place.request_id, place.part, error)
        self._failures.failed(SLACK, now, seconds=error.seconds)

    def _owe_invitation(self, place: Place, response_url: str) -> None:
        owed = f"{place.request_id} invitation"
        self._posts.owe(Note(owed, self._clock(), place.channel, response_url, render.invite_me()))

    def _is_answered(self, note: Note) -> bool:
        """Answer, or find that it is too late to."""
        place = Place(note.id, "note", note.channel)
        if self._clock() - note.made_at > RESPONSE_URL_LIVES:
            logger.warning("an answer in channel %s came too late and is left out", note.channel)
            return True
        if note.is_public:
            return self._try(place, partial(self._threads.show, place, note.message), note.response_url)
        return self._try(place, partial(self._answer_or_drop, note))

    def _answer_or_drop(self, note: Note) -> None:
        try:
            self._threads.answer(note)
        except SlackAway:
            raise
        except SlackError as error:
            logger.warning("an answer in channel %s cannot be given: %s", note.channel, error)


def _controls(request: Request) -> tuple[object, ...]:
    """What was used goes away at once, however lately the message was edited."""
    return request.phase, [part.halt for part in request.parts]


def exhibits(request: Request, done: frozenset[str], now: datetime) -> Iterator[Iterator[Exhibit]]:
    """What belongs into the thread of a request by now; each group in its order, finished ones left out."""
    # Trouble first, and in groups of its own: nothing else keeps it waiting, and it keeps nothing else.
    for part in request.parts:
        if part.ordered and part.report and render.is_troubled(part.report):
            yield _trouble(part.report)
    for part in request.parts:
        if part.plan is not None and plan_file(part) not in done:
            yield _plan(part)
    for part in request.parts:
        if part.ordered and part.stage in (Stage.FINISHED, Stage.REFUSED):
            yield _run(part, now)


def pictures(request: Request, picture: Callable[[str, Report], Attachment | Undrawn]) -> Iterator[Exhibit]:
    """The pictures that belong into the thread of a request beside all that."""
    for part in request.parts:
        if part.ordered and part.report and render.is_pictured(part.report):
            yield Exhibit(f"picture {part.host}", partial(picture, request.asked.id, part.report))


def plan_file(part: HostPart) -> str:
    """The last of what is shown of a plan."""
    return f"plan file {part.host}"


def _plan(part: HostPart) -> Iterator[Exhibit]:
    for number, reply in enumerate(render.details(part), 1):
        yield Exhibit(f"details {part.host} {number}", partial(_as_it_is, reply))
    yield Exhibit(plan_file(part), lambda: _file(f"Plan of {part.host}", render.details_file(part)))


def _trouble(report: Report) -> Iterator[Exhibit]:
    """A message of its own, for an edit calls nobody, and in the channel as well.

    A mention in a thread reaches who is mentioned; whoever else looks after the services reads the channel,
    where the root message has only changed its first line, without a sign.
    """
    yield Exhibit(f"trouble {report.host}", partial(render.trouble, report), in_channel=True)


def _run(part: HostPart, now: datetime) -> Iterator[Exhibit]:
    yield Exhibit(f"report {part.host}", lambda: render.report(part, now))
    if part.report:
        yield Exhibit(f"run file {part.host}", lambda: _file(f"Run on {part.host}", render.report_file(part)))


def _as_it_is(message: Message) -> Message:
    return message


def _file(title: str, named: tuple[str, str]) -> Attachment:
    name, content = named
    return Attachment(name, title, content)
