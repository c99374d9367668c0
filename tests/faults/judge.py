"""The verdict on a case: what the engine, the ledger, the bot's memory and the thread say must be one truth.

The judge asks each of them itself, and takes nobody's word for what another one holds.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from tests.faults.cells import Cell, Fault, Victim
from tests.faults.play import Play
from tests.faults.scene import HOST
from tests.stage.company import to_decide
from tests.stage.member import until
from tests.stage.objects import contents
from tests.workspace import Message
from workers.reasons import Code

UP_SECONDS = 60
TAKEN_AWAY = ("removed", "gone")
# What may be said of a run that removed something; of one that removed nothing it is NOTHING.
SAID = {
    "done": f"on {HOST}.",
    "partial": ", but not ",
    "stopped": f"Stopped on {HOST} after ",
    "failed": f"Failed on {HOST} after ",
    "interrupted": f"Interrupted on {HOST} after ",
}
NOTHING = f"Nothing was removed on {HOST}"
UNBEGUN = ("nothing was removed", "not known yet", "not executed")
KINDS = {"container": "containers", "image": "images", "network": "networks"}


class Judge:
    """Looks at a case once everybody is done with it; `end`: how the part of a thread begins that ends it."""

    end = f"report {HOST}"

    def __init__(self, cell: Cell, play: Play) -> None:
        self.cell, self.play, self.scene = cell, play, play.scene
        self.records = play.scene.records
        self.steps: dict[int, dict[str, Any]] = {step["index"]: step for step in play.plan["steps"]}

    def faults(self) -> Iterator[str]:
        """What is not as it must be; nothing if all is."""
        yield from self._rights()
        yield from self._protected()
        yield from self._removals()
        report = self._report()
        if report is not None:
            yield from self._engine_agrees(report)
            yield from self._journal_agrees(report)
        yield from self._runs(report)
        yield from self._thread(report)

    def _rights(self) -> Iterator[str]:
        """Redis may refuse nobody anything, whatever state it was set back to."""
        yield from (f"Redis refused somebody: {one}" for one in self.scene.redis.note_refusals())
        self.scene.redis.refusals.clear()

    # The engine

    def _protected(self) -> Iterator[str]:
        if self._is_of(Victim.ENGINE, Fault.EMPTY):
            return
        try:
            # After a power cut of the engine its services take a moment.
            until(lambda: not self.scene.web.filled.lost(), "what must stay", UP_SECONDS)
        except AssertionError:
            yield f"gone, and should have stayed: {', '.join(self.scene.web.filled.lost())}"

    def _removals(self) -> Iterator[str]:
        """Each object at most once, and none beside the plan."""
        done = Counter(call for call, status in self.play.removals if 200 <= status < 300)
        yield from (f"done {count} times: {call}" for call, count in done.items() if count > 1)
        allowed = {target for step in self.steps.values() for target in _targets(step)}
        for call in done:
            if not call.startswith("DELETE ") and "/tag?" not in call:
                yield f"asked of the engine: {call}"
            elif call.startswith("DELETE ") and _target(call) not in allowed:
                yield f"removed, and not in the plan: {call}"

    def _engine_agrees(self, report: dict[str, Any]) -> Iterator[str]:
        if self._is_of(Victim.ENGINE, Fault.EMPTY, Fault.OLDER):
            return
        there, tags = {found.id for found in contents(self.scene.web.engine.client)}, self.scene.web.tags()
        for outcome in report["outcomes"]:
            id_, name, how = outcome["object"]["id"], outcome["object"]["name"], outcome["outcome"]
            is_unknown = (outcome.get("reason") or {}).get("code") == Code.STATE_UNKNOWN
            if how in TAKEN_AWAY and id_ in there:
                yield f"{name} is said to be {how}, and is there"
            elif how not in TAKEN_AWAY and not is_unknown and id_ not in there:
                yield f"{name} is said to be {how}, and is gone"
            elif how not in TAKEN_AWAY and not is_unknown:
                names = self.steps[outcome["index"]]["untags"]
                yield from (
                    f"{name} is said to be {how}, and lost the name {n}" for n in names if n not in tags
                )

    # The ledger

    def _report(self) -> dict[str, Any] | None:
        found = self.records.ledger_reports(self.play.order_id) or self.records.history(self.play.request_id)
        return json.loads(found[0]) if found else None

    def _journal_agrees(self, report: dict[str, Any]) -> Iterator[str]:
        """What went was written down before it went."""
        written = self.records.journal(self.play.order_id)
        if not self.records.is_consumed(self.play.order_id):
            return  # The ledger was lost with the run; the bot's history has its report.
        for outcome in report["outcomes"]:
            if outcome["outcome"] == "removed" and outcome["index"] not in written:
                yield f"{outcome['object']['name']} was removed, and is not in the journal"
        for call, status in self.play.removals:
            if call.startswith("DELETE ") and status < 300 and not self._is_written(call, written):
                yield f"not in the journal: {call}"

    def _is_written(self, call: str, written: dict[int, str]) -> bool:
        return any(_target(call) in _targets(self.steps[index]) for index in written)

    # The history

    def _runs(self, report: dict[str, Any] | None) -> Iterator[str]:
        in_ledger = len(self.records.ledger_reports(self.play.order_id))
        in_history = self.records.history(self.play.request_id)
        if len(in_history) > 1:
            yield f"the history has the run {len(in_history)} times"
        ends = self.records.events(self.play.request_id).count("execution_finished")
        if ends > 1 and not self._is_of(Victim.WORKER, Fault.OLDER):
            yield f"the run has ended {ends} times"
        if in_ledger and not in_history:
            yield "the history has not got the run"
        if in_ledger and in_history and in_history != self.records.ledger_reports(self.play.order_id):
            yield "the history's report is another one than the ledger's"
        if self.records.open_runs():
            yield "a run is open in the ledger"
        if report is None and self.play.removals and not self._ledger_was_lost():
            yield "the engine was asked to remove something, and there is no report"

    def _ledger_was_lost(self) -> bool:
        return self._is_of(Victim.WORKER, Fault.EMPTY, Fault.OLDER)

    def _is_of(self, victim: Victim, *faults: Fault) -> bool:
        return self.cell.victim is victim and self.cell.fault in faults

    # The thread

    def _thread(self, report: dict[str, Any] | None) -> Iterator[str]:
        channel, roots = self.scene.channel, self._roots()
        if len(roots) != 1:
            yield f"{len(roots)} root messages"
            return
        root = roots[0]
        if to_decide(root):
            yield "there are still buttons"
        if not self._is_true(root.first_line, report):
            status = report["status"] if report else "no report"
            yield f"the thread says {root.first_line!r} of a run that is: {status}"
        replies = self.scene.slack.thread(channel, root.ts)[1:]
        told = Counter(_part(m) for m in replies if _part(m))
        told += Counter(f"file {file['name']}" for reply in replies for file in reply.files)
        if report is not None and not any(part.startswith(self.end) for part in told):
            yield "the report is not in the thread"
        # What was posted between the copy of its memory and the loss, it does not know to be there.
        if not self._is_of(Victim.BOT, Fault.OLDER):
            yield from (f"shown {count} times: {part}" for part, count in told.items() if count > 1)

    def _is_true(self, line: str, report: dict[str, Any] | None) -> bool:
        if report is None:
            return any(words in line for words in UNBEGUN)
        if any(outcome["outcome"] == "removed" for outcome in report["outcomes"]):
            return SAID.get(report["status"], "") in line and NOTHING not in line
        return line.startswith(NOTHING)

    def _roots(self) -> list[Message]:
        return [m for m in self.scene.roots() if _payload(m).get("request") == self.play.request_id]


def _payload(message: Message) -> dict[str, Any]:
    return dict((message.metadata or {}).get("event_payload") or {})


def _part(message: Message) -> str:
    return str(_payload(message).get("part", ""))


def _targets(step: dict[str, Any]) -> set[str]:
    kind = KINDS.get(step["object"]["kind"], "")
    return {f"{kind}/{name}" for name in (step["object"]["id"], *step["untags"])}


def _target(call: str) -> str:
    """Of ``DELETE /images/docker.io/NAME?force=False`` the part ``images/NAME``."""
    return unquote(call.removeprefix("DELETE /").partition("?")[0]).replace("/docker.io/", "/")
