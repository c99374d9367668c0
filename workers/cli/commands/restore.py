"""`restore`: lists the runs, plans what comes back of one, asks, and brings back exactly that."""

import argparse
import json
import sys
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from workers.cli import refusal, restoring
from workers.cli.commands.execute import EXITS, SHORTEST_DIGEST, stoppable
from workers.cli.commands.preview import request_id
from workers.cli.output import Out, aside
from workers.cli.refusal import Exit, NotDone
from workers.contract import RestoreOrder, RestorePlan, RestoreReport, RestoreStep
from workers.errors import RefusedError, UsageError
from workers.host import Host, Place, at_hand, ledger_of
from workers.memory.ledger import Ledger
from workers.memory.reserve import room
from workers.restore.restorer import Restorer
from workers.restore.run import Heard
from workers.signing import digest
from workers.whoami import whoami

ORDER_LIFE = timedelta(minutes=5)


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """List, plan, or execute, by what was given."""
    if not place.ledger_file.exists():
        raise UsageError(f"there is no ledger at {place.ledger_file}; PRUNE_STATE_DIR says where to look")
    if options.run and options.confirm:
        raise UsageError("a plan that is confirmed names its run itself; leave RUN out")
    if options.run is None and not options.confirm:
        return _list(options, place, out)
    with at_hand(place) as host:
        if options.confirm:
            return _restore(host, _shown_before(host.ledger, options.confirm), options, out)
        return _plan(host, options, out)


def _list(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    with ledger_of(place) as ledger:
        runs = ledger.past_runs()
    if options.json:
        out(json.dumps([restoring.run_as_json(run) for run in runs], indent=2))
    else:
        _say(restoring.run_lines(runs, place.host), out)
    return Exit.DONE


def _plan(host: Host, options: argparse.Namespace, out: Out) -> Exit:
    """Show the plan; where somebody is there to be asked, ask, and execute it."""
    plan = Restorer(host).plan(options.run, options.objects, request_id=request_id())
    if options.json:
        out(json.dumps({"digest": digest(plan), "plan": plan.model_dump(mode="json")}, indent=2))
        return Exit.DONE
    _say(restoring.plan_lines(plan, now=datetime.now(UTC)), out)
    if not plan.applicable or not sys.stdin.isatty():
        return Exit.DONE
    _ask(plan, out)
    return _restore(host, plan, options, out)


def _shown_before(ledger: Ledger, confirmed: str) -> RestorePlan:
    name = confirmed.removeprefix("sha256:")
    plans = ledger.restore_plans_named(f"sha256:{name}") if len(name) >= SHORTEST_DIGEST else []
    if len(plans) != 1:
        raise UsageError(
            f"no plan of a restore {confirmed} was made on this host; show one with:"
            " python -m workers restore RUN"
        )
    return plans[0]


def _ask(plan: RestorePlan, people: Out) -> None:
    people(f"Type {plan.host} to bring this back:")
    try:
        answer = input()
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if answer.strip() != plan.host:
        raise NotDone(refusal.not_confirmed_restore())


def _restore(host: Host, plan: RestorePlan, options: argparse.Namespace, out: Out) -> Exit:
    if why := refusal.of_restore_plan(plan):
        raise NotDone(why)
    people = aside if options.json else out

    def hear(step: RestoreStep) -> None:
        # Whoever does not listen any more ends no restore.
        with suppress(OSError):
            people(restoring.step_line(step))

    with stoppable() as told_to_stop, room(host.place.state_dir, for_a_run=True):
        report = _restored(host, _order(plan, host.place), told_to_stop, hear)
    _show_report(report, out, as_json=options.json)
    return EXITS[report.status]


def _restored(
    host: Host, order: RestoreOrder, told_to_stop: Callable[[], bool], hear: Heard
) -> RestoreReport:
    """What is refused at the host itself is on record there as well."""
    try:
        return Restorer(host).restore(order, told_to_stop=told_to_stop, hear=hear)
    except RefusedError as why:
        now = datetime.now(UTC)
        host.ledger.refuse(why.reasons, order_id=order.id, event=None, now=now, claims=order)
        raise


def _order(plan: RestorePlan, place: Place) -> RestoreOrder:
    now, person = datetime.now(UTC), whoami()
    return RestoreOrder(
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


def _show_report(report: RestoreReport, out: Out, *, as_json: bool) -> None:
    if as_json:
        out(json.dumps(report.model_dump(mode="json"), indent=2))
    else:
        _say(restoring.report_lines(report, now=datetime.now(UTC)), out)


def _say(lines: Iterable[str], out: Out) -> None:
    for line in lines:
        out(line)
