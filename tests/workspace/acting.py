"""What people do: each act becomes an errand to the app, with what follows from its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.workspace import payloads
from tests.workspace.controls import Control, find_control, is_empty, state_values, typed_value
from tests.workspace.delivery import Errand
from tests.workspace.errors import ApiError, WorkspaceError
from tests.workspace.modals import Submission
from tests.workspace.people import Channel, User
from tests.workspace.records import Delivery, Message, View
from tests.workspace.responses import say
from tests.workspace.server import Server
from tests.workspace.state import State
from tests.workspace.tickets import ResponseUrl
from tests.workspace.view_methods import view_json

Json = dict[str, Any]
NOT_IN_TIME = "the app did not respond in time (operation_timeout)"
NOT_REACHED = "the app could not be reached (dispatch_failed)"


@dataclass
class Acting:
    """Turns acts into errands; raises `WorkspaceError` for what Slack's client would not let anybody do."""

    server: Server

    @property
    def state(self) -> State:
        return self.server.state

    def command(self, user_name: str, channel_name: str, text: str) -> Errand:
        user, channel = self._place(user_name, channel_name)
        word = text.split(maxsplit=1)[0] if text.strip() else ""
        if word not in self.state.options.commands or "commands" not in self.state.scopes:
            self.state.tell(channel.id, user.id, f"{word} is not a valid command.")
            raise WorkspaceError(f"{word} is not a valid command")
        url = ResponseUrl(user.id, channel.id, self.state.clock.now())
        payload = payloads.command_payload(
            user, channel, text.strip(), self._trigger(user), self._response(url)
        )
        return Errand("command", user.id, payload, lambda done: self._after_command(done, url, word))

    def _after_command(self, done: Delivery, url: ResponseUrl, word: str) -> None:
        if done.outcome != "acked":
            self._trouble(done, url.channel, url.user, f"{word} failed because ")
        elif done.answer and (done.answer.get("text") or done.answer.get("blocks")):
            self._say(url, done.answer, word)

    def _say(self, url: ResponseUrl, body: Json, word: str) -> None:
        try:
            say(self.state, url, body, "acknowledgement")
        except ApiError as refusal:
            self.state.tell(url.channel, url.user, f"{word} failed with the error {refusal.name}")

    def _trouble(self, done: Delivery, channel: str, user: str, lead: str, thread: str | None = None) -> None:
        why = NOT_IN_TIME if done.outcome == "timeout" else NOT_REACHED
        self.state.tell(channel, user, f"{lead}{why}.", thread)

    def click(
        self, user_name: str, message: Message | View, name: str | Control, option: str | None
    ) -> Errand:
        control = self._control(message, name)
        if control.kind == "overflow" and option is None:
            raise WorkspaceError(f"{control.action_id} is a menu: which option?")
        return self._press(user_name, message, control, option, None)

    def choose(self, user_name: str, message: Message | View, name: str | Control, values: Any) -> Errand:
        """Ticks or picks; a message remembers it for this person, so that later clicks carry it."""
        control = self._control(message, name)
        state = typed_value(control, values)
        user = self.state.directory.user(user_name)
        with self.state.change():
            filled = self.state.filled.setdefault((user.id, _key(message)), {})
            filled[control.place] = state
        return self._press(user_name, message, control, None, state)

    def _press(
        self,
        user_name: str,
        on: Message | View,
        control: Control,
        option: str | None,
        state: Json | None,
    ) -> Errand:
        user = self.state.directory.user(user_name)
        action = payloads.action_json(control, self.state.clock.next_ts(), option, state)
        values = state_values(on.controls, self.state.filled.get((user.id, _key(on)), {}))
        if isinstance(on, View):
            payload = payloads.view_click(user, on, action, values, self._trigger(user))
            return Errand("click", user.id, payload, lambda done: None)
        return self._press_in_message(user, on, control, action, values)

    def _press_in_message(
        self, user: User, message: Message, control: Control, action: Json, values: Json
    ) -> Errand:
        _, channel = self._place(user.name, message.channel)
        if message.ephemeral_to not in (None, user.id):
            raise WorkspaceError(f"{user.name} does not see this message")
        thread = message.thread_ts
        url = ResponseUrl(user.id, channel.id, self.state.clock.now(), message.ts, thread)
        payload = payloads.message_click(
            user, channel, message, action, values, self._trigger(user), self._response(url)
        )
        stale = not self._still_there(message, control)
        return Errand("click", user.id, payload, lambda done: self._after_click(done, url), stale)

    def _still_there(self, message: Message, control: Control) -> bool:
        now = self.state.messages.get((message.channel, message.ts))
        return now is not None and control in now.controls

    def _after_click(self, done: Delivery, url: ResponseUrl) -> None:
        if done.outcome != "acked":
            self._trouble(done, url.channel, url.user, "Nothing came of that click: ", url.thread_ts)
        elif done.answer:
            self.state.violate("ack", "the body of a click's acknowledgement is ignored by Slack")

    def submit(self, user_name: str, view: View, values: Mapping[str, Any]) -> Errand:
        user = self.state.directory.user(user_name)
        self._must_be_open(user, view)
        filled = self._filled(view, values)
        state = state_values(view.controls, filled)
        _refuse_gaps(view, state)
        payload = payloads.view_submission(user, view, state, self._trigger(user))
        return Errand("submission", user.id, payload, Submission(self.state, view).finish)

    def _filled(self, view: View, values: Mapping[str, Any]) -> dict[str, Json]:
        filled = dict(self.state.filled.get((view.user, view.id), {}))
        for name, value in values.items():
            control = self._control(view, name)
            filled[control.place] = typed_value(control, value)
        return filled

    def close(self, user_name: str) -> Errand | None:
        """Closes the topmost modal; the app hears of it only if it asked to."""
        user = self.state.directory.user(user_name)
        view = self.state.top_view(user.id)
        if view is None:
            raise WorkspaceError(f"{user.name} has no modal open")
        with self.state.change():
            self.state.stacks[user.id] = self.state.stacks[user.id][:-1]
        if not view.body.get("notify_on_close"):
            return None
        values = state_values(view.controls, self.state.filled.get((user.id, view.id), {}))
        return Errand("closed", user.id, payloads.view_closed(user, view, values), lambda done: None)

    def open_home(self, user_name: str) -> Errand:
        user = self.state.directory.user(user_name)
        home = self.state.homes.get(user.id)
        event = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": self.state.directory.direct(user.id).id,
            "tab": "home",
            "event_ts": self.state.clock.next_ts(),
        }
        shown = {"view": view_json(home)} if home else {}
        return self.event(event | shown)

    def event(self, event: Mapping[str, Any]) -> Errand:
        payload = payloads.event_payload(event, self.state.clock.now())
        return Errand("event", str(event.get("user", "")), payload, lambda done: None)

    def again(self, delivery: Delivery) -> Errand:
        return Errand(delivery.kind, delivery.user, delivery.payload, lambda done: None, delivery.stale)

    def say(self, user_name: str, channel_name: str, text: str, thread_ts: str | None) -> Message:
        user, channel = self._place(user_name, channel_name)
        if text.startswith("/") and thread_ts:
            word = text.split()[0]
            self.state.tell(channel.id, user.id, f"{word} is not supported in threads. Sorry!", thread_ts)
            raise WorkspaceError(f"{word} is not supported in threads")
        return self.state.post(channel.id, text, user=user.id, thread_ts=thread_ts)

    def _place(self, user_name: str, channel_name: str) -> tuple[User, Channel]:
        user = self.state.directory.user(user_name)
        channel = self.state.directory.channel(channel_name)
        if user.id not in channel.members:
            raise WorkspaceError(f"{user.name} is not a member of {channel.name}")
        if channel.is_archived:
            raise WorkspaceError(f"{channel.name} is archived: there is only to read")
        return user, channel

    def _control(self, on: Message | View, name: str | Control) -> Control:
        found = find_control(on.controls, name)
        if found is None:
            offered = ", ".join(f"{one.action_id} ({one.label})" for one in on.controls) or "nothing"
            wanted = name.place if isinstance(name, Control) else name
            raise WorkspaceError(f"no control {wanted!r} here; to press there is: {offered}")
        return found

    def _must_be_open(self, user: User, view: View) -> None:
        top = self.state.top_view(user.id)
        if top is None or top.id != view.id:
            raise WorkspaceError(f"{user.name} does not have {view.title!r} open")

    def _trigger(self, user: User) -> str:
        return self.server.tickets.new_trigger(user.id, self.state.clock.now())

    def _response(self, url: ResponseUrl) -> str:
        return f"{self.server.url}/hooks/{self.server.tickets.new_response(url)}"


def _key(on: Message | View) -> str:
    return on.id if isinstance(on, View) else on.ts


def _refuse_gaps(view: View, state: Json) -> None:
    """Slack's client does not send a modal whose required inputs are empty."""
    for control in view.controls:
        value = state.get(control.block_id, {}).get(control.action_id)
        if control.required and value is not None and is_empty(value):
            raise WorkspaceError(f"{control.label or control.block_id}: please fill in this field")
