"""What of a request is shown in Slack, and when: one root message, and each host's parts in its thread."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot import render
from bot.consent import Consent
from bot.easel import Undrawn
from bot.errors import AccessLost, MessageGone, SlackAway, SlackError
from bot.marks import mark
from bot.memory.audit import Audit
from bot.memory.posts import AGAIN, CALL, NOTE, ROOT, Note, Post, Posts
from bot.memory.rows import Filed
from bot.pace import Pace
from bot.render.blocks import Message
from bot.requests import HostPart, Phase, Request, Stage
from bot.slack.hindrances import Hindrances
from bot.slack.pictures import Pictures
from bot.slack.threads import Attachment, Place, Threads, fingerprint
from workers.contract import Report

logger = logging.getLogger(__name__)

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
class Thread:
    """Where a request's messages go, and the parts that stand there."""

    root: Post
    done: frozenset[str]


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
        leave_thread: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._threads, self._posts, self._audit = threads, posts, audit
        self._pictures, self._consent, self._clock = pictures, consent, clock
        self._leave_thread = leave_thread
        self._pace, self._hindrances = Pace(), Hindrances(posts, clock)
        self._shown: dict[str, Shown] = {}

    @property
    def lost(self) -> AccessLost | None:
        """Slack's last word where it does not take the bot's token."""
        return self._hindrances.lost

    def show_root(self, filed: Filed, request: Request) -> None:
        """Post or edit the root message, unless it shows the request as it is or has to wait for its turn."""
        now, last = self._clock(), self._shown.get(request.asked.id)
        if last is None and self._waits_for_its_turn(filed, request):
            return
        consent = self._consent(request)
        if last and (last.request, last.consent) == (request, consent) and now - last.at < REDRAW_AFTER:
            return
        is_urgent = last is None or _pressed(last.request, last.consent) != _pressed(request, consent)
        if not self._pace.allows(request.asked.id, now, is_urgent=is_urgent):
            return
        if self._draw_root(filed, request, consent, now):
            if request.phase is Phase.READY:
                self._audit.note_shown(request.asked.id, request.set_digest, request.plans, now)
            self._shown[request.asked.id] = Shown(request, consent, now)

    def _waits_for_its_turn(self, filed: Filed, request: Request) -> bool:
        """What waits is not drawn; where Slack has said so, whoever asked is told."""
        post, rest = self._posts.find(request.asked.id, ROOT), self._threads.rest(request.asked.channel)
        if rest is None or (post and post.ts):
            return False
        place = Place(request.asked.id, ROOT, request.asked.channel)
        if rest.code:
            self._hindrances.met(place, rest, filed.response_url)
        return True

    def is_shown(self, request: Request) -> bool:
        """Whether the root message shows the request as it is."""
        last = self._shown.get(request.asked.id)
        return last is not None and last.request == request

    def _draw_root(self, filed: Filed, request: Request, consent: Consent, now: datetime) -> bool:
        place = Place(request.asked.id, ROOT, request.asked.channel, request.asked.thread or None)
        drawn, post = render.root(request, now, consent), self._posts.find(request.asked.id, ROOT)
        if post and post.ts and post.shown == fingerprint(drawn):
            return True
        if self._try(place, partial(self._put_root, place, drawn), filed.response_url):
            self._pace.edited(request.asked.id, now)
            return True
        return False

    def _put_root(self, place: Place, drawn: Message) -> None:
        post = self._posts.find(place.request_id, place.part)
        try:
            self._threads.show(place, drawn)
        except MessageGone:
            if place.thread_ts and not (post and post.ts):
                # Not the message is gone, for there was none, but the thread that it was to stand in.
                self._leave_thread(place.request_id)
            raise

    def show_ends(self, request: Request) -> None:
        """Post what came of its runs: in a channel that comes before the details of any plan."""
        if any(is_ended(part) for part in request.parts) and (thread := self._thread(request)):
            self._show_groups(request, thread, _ends(request, thread.done, self._clock()))

    def show_parts(self, request: Request) -> bool:
        """Post what belongs into the thread; returns whether all of it is there."""
        thread = self._thread(request)
        if thread is None:
            return False
        groups = exhibits(request, thread.done, self._clock())
        return self._show_groups(request, thread, groups) and self._show_pictures(request, thread)

    def _thread(self, request: Request) -> Thread | None:
        """The thread of a request; None where it has no root, or does not say yet that it goes on here."""
        posts = self._posts.of(request.asked.id)
        root = posts.get(ROOT)
        if root is None or not root.ts:
            return None
        done = frozenset(part for part, post in posts.items() if post.ts)
        if AGAIN in posts and AGAIN not in done and not self._show(goes_on(request), request, root):
            return None
        return Thread(root, done)

    def _show_groups(self, request: Request, thread: Thread, groups: Iterator[Iterator[Exhibit]]) -> bool:
        """What a channel does not take yet is not even drawn: of many hosts that would hold up the rest."""
        shown = [
            self._threads.takes(thread.root.channel)
            and all(one.part in thread.done or self._show(one, request, thread.root) for one in group)
            for group in groups
        ]
        return all(shown)

    def _show_pictures(self, request: Request, thread: Thread) -> bool:
        """They come last: a channel takes few messages, and all others say what somebody waits for."""
        left = [one for one in pictures(request, self._pictures.of) if one.part not in thread.done]
        if left and any(note.is_public and note.channel == thread.root.channel for note in self.owed()):
            return False
        shown = [self._show(one, request, thread.root) for one in left]
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
        self._hindrances.forget(request_id)
        self._pictures.forget(request_id)

    def owed(self) -> tuple[Note, ...]:
        """The answers that are owed to people."""
        return self._posts.owed()

    def answer(self, note: Note) -> None:
        """Give an answer if it can be given now."""
        if self._is_answered(note):
            self._posts.settle(note.id)

    def _show(self, exhibit: Exhibit, request: Request, root: Post) -> bool:
        thread = request.asked.thread or root.ts
        place = Place(request.asked.id, exhibit.part, root.channel, thread, exhibit.in_channel)
        if not self._hindrances.allows(place):
            return False
        drawn = exhibit.draw()
        if isinstance(drawn, Undrawn):
            if drawn is Undrawn.AT_ALL:
                self._threads.leave_out(place)
            return drawn is Undrawn.AT_ALL
        return self._try(place, partial(self._put, place, drawn))

    def _put(self, place: Place, drawn: Message | Attachment) -> None:
        try:
            match drawn:
                case Attachment():
                    self._threads.attach(place, drawn)
                case Message():
                    self._threads.show(place, drawn)
        except MessageGone:
            # The thread has lost its root; a new one is begun.
            self._posts.begin_again(place.request_id, place.channel, self._clock())
            self._shown.pop(place.request_id, None)
            raise

    def _try(
        self, place: Place, work: Callable[[], object], response_url: str = "", *, by_token: bool = True
    ) -> bool:
        """Do it if it is time to; whatever Slack says to it, it is tried again."""
        if not self._hindrances.allows(place, by_token=by_token):
            if by_token:
                self._hindrances.waits(place, response_url)
            return False
        try:
            work()
        except SlackError as error:
            self._hindrances.met(place, error, response_url)
            return False
        self._hindrances.over(place, by_token=by_token)
        return True

    def _is_answered(self, note: Note) -> bool:
        """Answer, or find that it is too late to."""
        place = Place(note.id, NOTE, note.channel, note.thread or None)
        if self._clock() - note.made_at > RESPONSE_URL_LIVES:
            sign = mark(note.id)
            logger.warning("[%s] an answer in channel %s came too late and is left out", sign, note.channel)
            self._hindrances.forget(note.id)
            return True
        if note.is_public:
            return self._try(place, partial(self._tell, note, place), note.response_url)
        return self._try(place, partial(self._answer_or_drop, note), by_token=False)

    def _tell(self, note: Note, place: Place) -> None:
        try:
            self._threads.show(place, note.message)
        except MessageGone:
            # Its thread is gone; it is told beside it when the channel takes the next message.
            self._posts.leave_thread(note.id)
            raise

    def _answer_or_drop(self, note: Note) -> None:
        try:
            self._threads.answer(note)
        except SlackAway:
            raise
        except SlackError as error:
            sign = mark(note.id)
            logger.warning("[%s] an answer in channel %s cannot be given: %s", sign, note.channel, error)


def _pressed(request: Request, consent: Consent) -> tuple[object, ...]:
    """What people did shows at once, however lately the message was edited."""
    return request.phase, consent.given, [part.halt for part in request.parts]


def exhibits(request: Request, done: frozenset[str], now: datetime) -> Iterator[Iterator[Exhibit]]:
    """What belongs into the thread of a request by now; each group in its order, finished ones left out."""
    if request.asked.is_restore:
        return (_back(part) for part in request.parts if part.back is not None)
    return _removals(request, done, now)


def _removals(request: Request, done: frozenset[str], now: datetime) -> Iterator[Iterator[Exhibit]]:
    yield from _ends(request, done, now)
    for part in request.parts:
        if part.plan is not None and plan_file(part) not in done:
            yield _plan(part)


def _ends(request: Request, done: frozenset[str], now: datetime) -> Iterator[Iterator[Exhibit]]:
    """Reports come before details of plans: they are waited for, and fifty plans take minutes to post."""
    ended = [part for part in request.parts if is_ended(part)]
    # Trouble first, and in groups of its own: nothing else keeps it waiting, and it keeps nothing else.
    for part in ended:
        if part.report and render.is_troubled(part.report):
            yield _trouble(part.report)
    for part in ended:
        if end_of_run(part) not in done:
            yield _run(part, now)


def is_ended(part: HostPart) -> bool:
    """Whether a host that was to remove something has told what came of it."""
    is_over = part.stage in (Stage.FINISHED, Stage.REFUSED)
    return part.ordered and is_over and not part.is_restore


def pictures(request: Request, picture: Callable[[str, Report], Attachment | Undrawn]) -> Iterator[Exhibit]:
    """The pictures that belong into the thread of a request beside all that."""
    for part in request.parts:
        if part.ordered and part.report and render.is_pictured(part.report):
            yield Exhibit(f"picture {part.host}", partial(picture, request.asked.id, part.report))


def goes_on(request: Request) -> Exhibit:
    """What says first of all that the thread before is gone."""
    return Exhibit(AGAIN, lambda: render.goes_on_here(mark(request.asked.id)))


def plan_file(part: HostPart) -> str:
    """The last of what is shown of a plan."""
    return f"plan file {part.host}"


def end_of_run(part: HostPart) -> str:
    """The last of what is shown of a run."""
    return f"run file {part.host}" if part.report else f"report {part.host}"


def _plan(part: HostPart) -> Iterator[Exhibit]:
    for number, reply in enumerate(render.details(part), 1):
        yield Exhibit(f"details {part.host} {number}", partial(_as_it_is, reply))
    yield Exhibit(plan_file(part), lambda: _file(f"Plan of {part.host}", render.details_file(part)))


def _back(part: HostPart) -> Iterator[Exhibit]:
    """The whole plan of a restore, and its whole report; the root message tells what people decide by."""
    title = f"Restore on {part.host}"
    yield Exhibit(plan_file(part), lambda: _file(f"Plan: {title}", render.restore_plan_file(part)))
    if part.restored:
        yield Exhibit(f"restored {part.host}", lambda: _file(title, render.restore_report_file(part)))


def _trouble(report: Report) -> Iterator[Exhibit]:
    """A message of its own, for an edit calls nobody, and in the channel as well.

    A mention in a thread reaches who is mentioned; whoever else looks after the services reads the channel,
    where the root message has only changed its first line, without a sign.
    """
    yield Exhibit(f"{CALL}{report.host}", partial(render.trouble, report), in_channel=True)


def _run(part: HostPart, now: datetime) -> Iterator[Exhibit]:
    yield Exhibit(f"report {part.host}", lambda: render.report(part, now))
    if part.report:
        yield Exhibit(end_of_run(part), lambda: _file(f"Run on {part.host}", render.report_file(part)))


def _as_it_is(message: Message) -> Message:
    return message


def _file(title: str, named: tuple[str, str]) -> Attachment:
    name, content = named
    return Attachment(name, title, content)
