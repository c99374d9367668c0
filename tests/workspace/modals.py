"""What becomes of a modal once its submission was acknowledged, or not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.workspace.errors import ApiError
from tests.workspace.records import Delivery, View
from tests.workspace.state import State
from tests.workspace.view_methods import change, check_body, push

Json = dict[str, Any]
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True)
class Submission:
    """One submitted view, and the four things an app may answer."""

    state: State
    view: View

    def finish(self, done: Delivery) -> None:
        if done.outcome != "acked":
            self._keep(trouble=TROUBLE)
            return
        answer = done.answer or {}
        actions: dict[str, Callable[[Json], None]] = {
            "": self._close,
            "clear": self._clear,
            "update": self._update,
            "push": self._push,
            "errors": self._errors,
        }
        act = actions.get(str(answer.get("response_action", "")))
        try:
            act(answer) if act else self._refuse("invalid response_action")
        except ApiError as refusal:
            self._refuse(f"{refusal.name}")

    def _close(self, _: Json) -> None:
        self._set([one for one in self._stack() if one.id != self.view.id])

    def _clear(self, _: Json) -> None:
        self._set([])

    def _update(self, answer: Json) -> None:
        check_body(self.state, answer.get("view"), "modal", "view_submission update")
        change(self.state, self.view, dict(answer["view"]))

    def _push(self, answer: Json) -> None:
        check_body(self.state, answer.get("view"), "modal", "view_submission push")
        push(self.state, self.view.user, dict(answer["view"]))

    def _errors(self, answer: Json) -> None:
        errors = answer.get("errors") or {}
        inputs = {block["block_id"] for block in self.view.blocks if block["type"] == "input"}
        if not errors or not set(errors) <= inputs:
            self._refuse(f"errors must name input blocks: {sorted(errors)}")
        else:
            self._keep(errors=errors)

    def _refuse(self, why: str) -> None:
        self.state.violate("blocks", f"answer to a view_submission: {why}")
        self._keep(trouble=TROUBLE)

    def _keep(self, **fields: Any) -> None:
        self._set([replace(one, **fields) if one.id == self.view.id else one for one in self._stack()])

    def _stack(self) -> list[View]:
        return self.state.stacks.get(self.view.user, [])

    def _set(self, stack: list[View]) -> None:
        with self.state.change():
            self.state.stacks[self.view.user] = stack
