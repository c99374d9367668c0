"""What a person can do at the host itself, without Slack and Redis: the same plan, guards and ledger."""

import argparse
import getpass
import json
import signal
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from types import FrameType

from workers.cli import initial, terminal
from workers.cli.doctor import Finding, examine
from workers.contract import ExecutionOrder, Kind, Person, Plan, Report, Status
from workers.engine import Engine
from workers.errors import EngineError, LedgerError, PolicyError, RefusedError, UsageError
from workers.execution.guards import HOST_TEAM
from workers.halt import Halt
from workers.host import Host, Place, opened
from workers.memory.ledger import Ledger
from workers.memory.reserve import Reserve, room
from workers.planning import answers
from workers.reasons import Code
from workers.signing import digest
from workers.wording import sentence

ORDER_LIFE = timedelta(minutes=5)
SHORTEST_DIGEST = 12
Out = Callable[[str], None]


class Exit(IntEnum):
    """How a command ends for whoever called it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    PARTIAL = 4


EXITS = {
    Status.DONE: Exit.DONE,
    Status.PARTIAL: Exit.PARTIAL,
    Status.STOPPED: Exit.PARTIAL,
    Status.REFUSED: Exit.REFUSED,
    Status.FAILED: Exit.FAILED,
    Status.INTERRUPTED: Exit.FAILED,
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="python -m workers",
        description="Safe Prune on this host. Without a command: the worker that serves the bot.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 refused, nothing removed, 4 partial or stopped.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("worker", help="serve the bot's requests (the default)")
    made = commands.add_parser("init", help="write a commented policy.toml from what runs here")
    made.add_argument("--print", action="store_true", help="print it instead of writing the file")
    preview = commands.add_parser("preview", help="plan, show every object with its reasons, remove nothing")
    execute = commands.add_parser("execute", help="plan, ask, and remove exactly that plan")
    execute.add_argument("--confirm", metavar="DIGEST", help="execute the plan of this digest, shown before")
    execute.add_argument("--unusual", action="store_true", help="accept a plan over max_share")
    explain = commands.add_parser("explain", help="say why an object stays or goes, and what is known of it")
    explain.add_argument("object", metavar="OBJECT", help="an id or its beginning, a name or a tag")
    doctor = commands.add_parser("doctor", help="check engine, policy, ledger, keys and Redis")
    for command in (preview, execute):
        command.add_argument("--only", metavar="KIND,…", type=_kinds, default=tuple(Kind))
    for command in (preview, execute, explain, doctor):
        command.add_argument("--json", action="store_true", help="print JSON for programs")
    return top


def _kinds(text: str) -> tuple[Kind, ...]:
    try:
        return tuple(Kind(word.strip().lower()) for word in text.split(","))
    except ValueError:
        known = ", ".join(Kind)
        raise argparse.ArgumentTypeError(f"{text!r}: expected some of {known}; volumes never go") from None


def run(options: argparse.Namespace, place: Place, out: Out, **settings: str) -> Exit:
    """Do one command; what went wrong is said on the way out."""
    # Whoever reads a plan through `head` has seen enough; that is no error.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return _COMMANDS[options.command](options, place, out, settings)
    except RefusedError as refusal:
        _complain(sentence(r) for r in refusal.reasons)
        return Exit.REFUSED
    except (PolicyError, LedgerError) as error:
        _complain([f"{error}. Nothing was removed."])
        return Exit.REFUSED
    except EngineError as error:
        _complain([f"{error}. Check DOCKER_HOST ({place.address}) and the engine."])
        return Exit.FAILED
    except UsageError as error:
        _complain([str(error)])
        return Exit.USAGE


def _complain(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")


@contextmanager
def _at_hand(place: Place) -> Iterator[Host]:
    """The host, with room for a plan; nothing is given up for a run before somebody has confirmed it."""
    with (
        room(place.state_dir, for_a_run=False),
        closing(Ledger(place.ledger_file)) as ledger,
        opened(place, ledger) as host,
    ):
        yield host


def _preview(options: argparse.Namespace, place: Place, out: Out, _: dict[str, str]) -> Exit:
    with _at_hand(place) as host:
        plan = host.plan(kinds=options.only, request_id=_request_id())
        _show_plan(plan, out, as_json=options.json)
    return Exit.DONE


def _show_plan(plan: Plan, out: Out, *, as_json: bool) -> None:
    if as_json:
        out(json.dumps({"digest": digest(plan), "plan": plan.model_dump(mode="json")}, indent=2))
        return
    for line in terminal.plan_lines(plan, now=datetime.now(UTC)):
        out(line)


def _explain(options: argparse.Namespace, place: Place, out: Out, _: dict[str, str]) -> Exit:
    with _at_hand(place) as host:
        found = host.explain(options.object)
    if options.json:
        out(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    else:
        for line in terminal.explanation_lines(found, now=datetime.now(UTC)):
            out(line)
    return Exit.DONE


def _execute(options: argparse.Namespace, place: Place, out: Out, _: dict[str, str]) -> Exit:
    with _at_hand(place) as host:
        plan = _shown_before(host.ledger, options.confirm) if options.confirm else _asked(host, options, out)
        if plan is None:
            return Exit.REFUSED
        if why := refusal(plan, unusual_too=options.unusual):
            out(f"{why} Nothing was removed.")
            return Exit.REFUSED
        if not plan.applicable:
            out("The plan holds nothing to remove.")
            return Exit.DONE
        with _stoppable() as told_to_stop, room(place.state_dir, for_a_run=True):
            report = host.execute(_order(plan, place), told_to_stop=told_to_stop)
        _show_report(report, out, as_json=options.json)
    return EXITS[report.status]


def refusal(plan: Plan, *, unusual_too: bool) -> str:
    """Say why a plan is not executed, whoever confirms it; nothing where it may be."""
    if plan.engine.read_only is not None:
        return sentence(plan.engine.read_only)
    if not plan.complete:
        return "Not everything on the host could be read, so its plan cannot be executed."
    if plan.unusual and not unusual_too:
        return (
            "This plan removes an unusual share of the host's images."
            " Look at it again; to execute it all the same, add --unusual."
        )
    return ""


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends a run after the object in hand, as a stop does for the worker; a second one cuts it off."""
    halt = Halt()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if halt.requested:
            raise KeyboardInterrupt
        halt.request(Code.TERMINATED)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
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


def _asked(host: Host, options: argparse.Namespace, out: Out) -> Plan | None:
    """Show a fresh plan and ask for the host's name: typing it is harder than pressing a key."""
    if not sys.stdin.isatty():
        out("There is no terminal to ask at, so nothing was removed.")
        out("Show a plan with: python -m workers preview, then: python -m workers execute --confirm DIGEST")
        return None
    plan = host.plan(kinds=options.only, request_id=_request_id())
    _show_plan(plan, out, as_json=False)
    if not plan.applicable:
        return plan
    answer = input(f"Type {plan.host} to execute {terminal.digest_line(plan)}: ")
    if answer.strip() == plan.host:
        return plan
    out("Not confirmed. Nothing was removed.")
    return None


def _order(plan: Plan, place: Place) -> ExecutionOrder:
    now = datetime.now(UTC)
    person = Person(team=HOST_TEAM, user=getpass.getuser())
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


def _request_id() -> str:
    return f"host-{uuid.uuid4().hex}"


def _init(options: argparse.Namespace, place: Place, out: Out, _: dict[str, str]) -> Exit:
    with closing(Engine(place.address)) as engine:
        listed = [answers.container(raw, None, writable=None) for raw in engine.containers()]
    text = initial.policy_text(listed)
    if options.print:
        out(text)
        return Exit.DONE
    _write_new(place.policy_file, text)
    Reserve(place.state_dir).keep()
    out(f"Wrote {place.policy_file}. Read it, then show a plan with: python -m workers preview")
    return Exit.DONE


def _write_new(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} exists and was left as it is; --print shows what would be written"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from None


def _doctor(options: argparse.Namespace, place: Place, out: Out, settings: dict[str, str]) -> Exit:
    findings = examine(place, **settings)
    if options.json:
        out(json.dumps([finding.__dict__ for finding in findings], indent=2))
    else:
        for finding in findings:
            out(_finding_line(finding))
    return Exit.DONE if all(finding.good for finding in findings) else Exit.FAILED


def _finding_line(finding: Finding) -> str:
    step = f"\n       next: {finding.next_step}" if finding.next_step else ""
    return f"{'ok' if finding.good else 'NOT OK':<6} {finding.what}: {finding.found}{step}"


_COMMANDS: dict[str, Callable[[argparse.Namespace, Place, Out, dict[str, str]], Exit]] = {
    "preview": _preview,
    "execute": _execute,
    "explain": _explain,
    "init": _init,
    "doctor": _doctor,
}
