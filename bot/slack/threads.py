"""Messages in Slack: each is posted once, edited in place, and found again where its posting was in doubt.

The SDK's own retries are off: it would repeat a message that Slack had taken, or sleep in the middle of
everything else. Whoever is told to wait comes again.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot.errors import AccessLost, MessageGone, MessageRefused, SlackAway, SlackError
from bot.marks import mark
from bot.memory.posts import ROOT, Note, Post, Posts
from bot.render import EVENT_TYPE
from bot.render.blocks import Message
from bot.render.receipts import not_attached, without_details
from bot.slack.answers import CONTENT_REFUSED, code_in, of_answer
from bot.slack.turns import Turns

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# Slack takes about one message a second in a channel.
POST_EVERY = timedelta(seconds=1)
# Where a message stands that there will never be.
NOWHERE = "-"
CLOCKS_DIFFER = timedelta(minutes=5)
PAGE = 200
PAGES = 5


@dataclass(frozen=True)
class Place:
    """A message's name, and where it belongs; without a thread it is a root.

    `in_channel`: a reply that the channel shows as well. It calls people, so it is looked for before it is
    posted, whatever is remembered of it: nobody is called twice by a memory that was put back from a copy.
    """

    request_id: str
    part: str
    channel: str
    thread_ts: str | None = None
    in_channel: bool = False


@dataclass(frozen=True)
class Attachment:
    """A file in a thread; `alt` says in words what a picture shows.

    Slack takes `alt` of pictures only: a file of another kind that has one is in no channel, without an error
    (python-slack-sdk#1818).
    """

    name: str
    title: str
    content: str | bytes
    alt: str = ""


def web_client(token: str, base_url: str) -> WebClient:
    """A client that tries once."""
    return WebClient(token=token, base_url=base_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def fingerprint(message: Message) -> str:
    """Tell two drawings apart."""
    drawn = json.dumps([message.text, message.blocks], sort_keys=True)
    return hashlib.sha256(drawn.encode()).hexdigest()


class Threads:
    """The bot's messages, whatever has become of them."""

    def __init__(
        self, client: WebClient, posts: Posts, *, bot_user: str, clock: Callable[[], datetime]
    ) -> None:
        self._client, self._posts, self._bot_user, self._clock = client, posts, bot_user, clock
        self._turns = Turns(clock)

    def takes(self, channel: str) -> bool:
        """Whether it is time for another message of this channel."""
        return self.rest(channel) is None

    def rest(self, channel: str) -> SlackAway | None:
        """Why this channel takes no message yet, and for how long; None where it does."""
        return self._turns.rest_of("chat.postMessage", channel)

    def show(self, place: Place, message: Message) -> str:
        """Make the message at this place show this; returns its ts.

        Raises:
            SlackError: it does not show it yet.
        """
        post = self._posts.find(place.request_id, place.part)
        shown = fingerprint(message)
        if post is None or not post.ts:
            ts = self._found_and_edited(place, post, message) or self._post(place, message)
        elif post.shown != shown:
            ts = self._edit(place, post, message)
        else:
            return post.ts
        self._posts.show(place.request_id, place.part, ts=ts, shown=shown)
        return ts

    def attach(self, place: Place, file: Attachment) -> None:
        """Put a file into the thread, once."""
        post = self._posts.find(place.request_id, place.part)
        if post is not None and post.ts:
            return
        if post is None or not self._has_file(place, file):
            self._upload(place, file)
        self._posts.show(place.request_id, place.part, ts=file.name, shown=file.name)

    def leave_out(self, place: Place) -> None:
        """Remember that nothing will ever stand here."""
        self._posts.begin(place.request_id, place.part, place.channel, self._clock())
        self._posts.show(place.request_id, place.part, ts=NOWHERE, shown="")

    def answer(self, note: Note) -> None:
        """Answer one person, where only they see it."""
        if not note.response_url:
            raise MessageRefused("response_url: there is none")
        try:
            self._respond(note, note.message)
        except MessageRefused as error:
            if error.code not in CONTENT_REFUSED or not note.message.blocks:
                raise
            self._respond(note, _in_words(note.message, error, note.id))

    def _respond(self, note: Note, message: Message) -> None:
        self._turns.wait_for("response_url")
        client = WebhookClient(note.response_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])
        with self._turns.obeying("response_url"):
            answer = client.send(
                text=message.text,
                blocks=list(message.blocks),
                response_type="ephemeral",
                replace_original=note.replaces,
            )
            if answer.status_code == 404:
                raise MessageGone(f"response_url: {answer.body}")
            if answer.status_code != 200:
                raise of_answer(
                    "response_url",
                    status=answer.status_code,
                    code=code_in(answer.body),
                    retry_after=answer.headers.get("Retry-After", ""),
                )

    def _post(self, place: Place, message: Message) -> str:
        self._turns.wait_for("chat.postMessage", place.channel)
        self._posts.begin(place.request_id, place.part, place.channel, self._clock())
        self._turns.rest(f"chat.postMessage {place.channel}", POST_EVERY)
        try:
            return self._send(place, message)
        except MessageRefused as error:
            # Not every channel lets a reply be shown beside its thread.
            return self._send(replace(place, in_channel=False), _in_words(message, error, place.request_id))

    def _send(self, place: Place, message: Message) -> str:
        try:
            answer = self._call(
                "chat.postMessage",
                channel=place.channel,
                thread_ts=place.thread_ts,
                reply_broadcast=place.in_channel or None,
                text=message.text,
                blocks=list(message.blocks) or None,
                metadata=_metadata(place),
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackError as error:
            if not message.blocks or not isinstance(error, MessageRefused):
                self._doubt(place, error)
            raise
        return str(answer["ts"])

    def _doubt(self, place: Place, error: SlackError) -> None:
        """Forget a message that is certainly not there; one in doubt is looked for next time."""
        if not isinstance(error, SlackAway) or error.certain:
            self._posts.forget(place.request_id, place.part)

    def _edit(self, place: Place, post: Post, message: Message) -> str:
        self._turns.wait_for("chat.update")
        try:
            self._update(post, message)
        except MessageRefused as error:
            self._update(post, _in_words(message, error, place.request_id))
        except MessageGone:
            # Somebody removed it; what it has to say is said in a new one.
            if place.part == ROOT:
                self._posts.begin_again(place.request_id, place.channel, self._clock())
            else:
                self._posts.forget(place.request_id, place.part)
            raise
        return post.ts

    def _update(self, post: Post, message: Message) -> None:
        blocks = list(message.blocks)
        self._call("chat.update", channel=post.channel, ts=post.ts, text=message.text, blocks=blocks)

    def _found_and_edited(self, place: Place, post: Post | None, message: Message) -> str | None:
        """Find it; a request may have gone on since it was drawn, and nothing else ever changes."""
        ts = self._found(place, post)
        if ts and post and place.part == ROOT:
            self._edit(place, replace(post, ts=ts), message)
        return ts

    def _found(self, place: Place, post: Post | None) -> str | None:
        """Look for a message whose posting was in doubt, or that must not be there twice."""
        if post is None and not place.in_channel:
            return None
        since = post.begun_at if post else self._clock()
        own = (m for m in self._messages(place, since) if m.get("user") == self._bot_user)
        return next((str(m["ts"]) for m in own if _is_named(m, place)), None)

    def _has_file(self, place: Place, file: Attachment) -> bool:
        messages = self._messages(place, self._clock())
        return any(f.get("name") == file.name for m in messages for f in m.get("files") or ())

    def _messages(self, place: Place, since: datetime) -> Iterator[Mapping[str, Any]]:
        """What the channel, or the thread, has had to say since about then."""
        method = "conversations.replies" if place.thread_ts else "conversations.history"
        where: dict[str, Any] = {"channel": place.channel, "include_all_metadata": True, "limit": PAGE}
        if place.thread_ts:
            where["ts"] = place.thread_ts
        else:
            where["oldest"] = f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
        for _ in range(PAGES):
            self._turns.wait_for(method)
            answer = self._call(method, **where)
            yield from answer["messages"]
            where["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not where["cursor"]:
                return

    def _upload(self, place: Place, file: Attachment) -> None:
        self._turns.wait_for("chat.postMessage", place.channel)
        self._posts.begin(place.request_id, place.part, place.channel, self._clock())
        self._turns.rest(f"chat.postMessage {place.channel}", POST_EVERY)
        try:
            self._turns.wait_for("files.upload")
            with self._turns.obeying("files.upload"):
                self._client.files_upload_v2(
                    channel=place.channel,
                    thread_ts=place.thread_ts,
                    filename=file.name,
                    title=file.title,
                    content=file.content,
                    alt_txt=file.alt or None,
                )
        except SlackError as error:
            if _is_never_taken(error):
                self._send(place, _instead_of(file, error, place.request_id))
                return
            self._doubt(place, error)
            raise

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        with self._turns.obeying(method):
            answer = getattr(self._client, method.replace(".", "_"))(**given)
        data: Any = answer.data
        return data if isinstance(data, Mapping) else {}


def _in_words(message: Message, error: MessageRefused, of: str) -> Message:
    """The same without what Slack does not take: a plain message is better than none."""
    sign = mark(of)
    logger.error("[%s] a message is shown without its details: Slack does not take it (%s)", sign, error)
    return without_details(message, error, sign)


def _is_never_taken(error: SlackError) -> bool:
    """Whether a file will not be taken however often it is sent; its thread is not held up for it."""
    return isinstance(error, MessageRefused) or (isinstance(error, AccessLost) and bool(error.scopes))


def _instead_of(file: Attachment, error: SlackError, of: str) -> Message:
    logger.error("[%s] the file %s is left out: %s", mark(of), file.name, error.told)
    return not_attached(file.name, error, mark(of))


def _metadata(place: Place) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"request": place.request_id, "part": place.part}}


def _is_named(message: Mapping[str, Any], place: Place) -> bool:
    metadata = message.get("metadata") or {}
    return bool(metadata.get("event_payload") == _metadata(place)["event_payload"])
