"""`execute`: makes a plan, asks, and removes exactly that plan; or one that was shown before."""

import argparse
import json
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

from workers.cli import refusal, terminal
from workers.cli.commands.preview import request_id, show_plan
from workers.cli.output import Out, aside
from workers.cli.refusal import Exit, NotDone
from workers.contract import Doing, ExecutionOrder, Kind, Outcome, Plan, Report, Status
from workers.errors import LedgerError, RefusedError, UsageError
from workers.execution.progress import Progress
from workers.halt import Halt
from workers.host import Host, Place, at_hand
from workers.memory.ledger import Ledger
from workers.memory.reserve import room
from workers.reasons import Code
from workers.signing import digest
from workers.whoami import whoami
from workers.wording import short

ORDER_LIFE = timedelta(minutes=5)
SHORTEST_DIGEST = 12
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXITS = {
    Status.DONE: Exit.DONE,
    Status.PARTIAL: Exit.PARTIAL,
    Status.STOPPED: Exit.PARTIAL,
    Status.REFUSED: Exit.REFUSED,
    Status.FAILED: Exit.FAILED,
    Status.INTERRUPTED: Exit.FAILED,
}


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Execute the plan that is confirmed, whichever way, and show the report."""
    if options.confirm and options.only:
        raise UsageError(
            "a plan that is confirmed is executed as it was shown; leave --only out, or show one of those"
            " kinds with: python -m workers preview --only KIND,…"
        )
    people = aside if options.json else out
    with at_hand(place) as host:
        plan = (
            _shown_before(host.ledger, options.confirm) if options.confirm else _fresh(host, options, people)
        )
        if why := refusal.of_plan(plan, unusual_too=options.unusual):
            raise NotDone(why)
        if not options.confirm:
            _ask(plan, people)
        with stoppable() as told_to_stop, room(place.state_dir, for_a_run=True):
            report = _executed(host, _order(plan, place), told_to_stop, _Teller(people))
        _show_report(report, out, as_json=options.json)
    return EXITS[report.status]


@dataclass
class _Teller:
    """Tells what a run does. Whoever does not listen any more, as `head` after ten lines, ends no run."""

    people: Out
    is_removing: bool = False

    def __call__(self, now: Progress) -> None:
        self.is_removing |= now.doing is Doing.REMOVING
        self.say(terminal.progress_line(now))

    def say(self, line: str) -> None:
        with suppress(OSError):
            self.people(line)


def _executed(host: Host, order: ExecutionOrder, told_to_stop: Callable[[], bool], teller: _Teller) -> Report:
    """What is refused at the host itself is on record there as well."""
    teller.say("Ctrl-C ends the run after the object in hand.")
    try:
        return host.execute(order, told_to_stop=told_to_stop, hear=teller)
    except RefusedError as why:
        now = datetime.now(UTC)
        host.ledger.refuse(why.reasons, order_id=order.id, event=None, now=now, claims=order)
        raise
    except (LedgerError, KeyboardInterrupt) as error:
        if not teller.is_removing:
            raise
        raise NotDone(refusal.broken_off(str(error) or "Cut off")) from None


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends a run after the object in hand, as a stop does for the worker; a second one cuts it off.

    A terminal that goes away says the same, unless `nohup` says otherwise; its pipes break without a signal.
    """
    halt = Halt()

    def stop(number: int, _frame: FrameType | None) -> None:
        if halt.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        halt.request(Code.TERMINATED)

    heeded = [n for n in STOPS if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    before[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield lambda: halt.requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown_before(ledger: Ledger, confirmed: str) -> Plan:
    name = confirmed.removeprefix("sha256:")
    plans = ledger.plans_named(f"sha256:{name}") if len(name) >= SHORTEST_DIGEST else []
    if len(plans) != 1:
        raise UsageError(
            f"no plan {confirmed} was made on this host; show one with: python -m workers preview"
        )
    return plans[0]


def _fresh(host: Host, options: argparse.Namespace, people: Out) -> Plan:
    """Make a plan and show it to whoever is to be asked."""
    if not sys.stdin.isatty():
        raise NotDone(refusal.no_terminal())
    plan = host.plan(kinds=options.only or tuple(Kind), request_id=request_id())
    show_plan(plan, people, as_json=False)
    return plan


def _ask(plan: Plan, people: Out) -> None:
    """Ask for the host's name: typing it is harder than pressing a key."""
    people(f"Type {plan.host} to execute {terminal.digest_line(plan)}:")
    try:
        answer = input()
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip() != plan.host:
        raise NotDone(refusal.not_confirmed())


def _order(plan: Plan, place: Place) -> ExecutionOrder:
    now = datetime.now(UTC)
    person = whoami()
    return ExecutionOrder(
        key_id="",
        id=uuid.uuid4().hex,
        host=place.host,
        issued_at=now,
        expires_at=now + ORDER_LIFE,
        request_id=plan.request_id,
        reply_to="",
        requester=person,
        approver=person,
        engine_id=plan.engine.id,
        plan_digest=digest(plan),
    )


def _show_report(report: Report, out: Out, *, as_json: bool) -> None:
    if as_json:
        out(json.dumps(report.model_dump(mode="json"), indent=2))
        return
    for line in terminal.report_lines(report, now=datetime.now(UTC)):
        out(line)
    if any(one.outcome is Outcome.REMOVED for one in report.outcomes):
        out(f"To see what of it can come back: python -m workers restore {short(report.order_id)}")
