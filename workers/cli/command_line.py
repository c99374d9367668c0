"""What a person can do at the host itself, without Slack and Redis: the same plan, guards and ledger."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from workers.cli import refusal
from workers.cli.commands import (
    adopt,
    audit,
    doctor,
    execute,
    explain,
    freeze,
    init,
    preview,
    recover,
    restore,
)
from workers.cli.output import Out, aside
from workers.cli.refusal import Exit as Exit
from workers.cli.refusal import NotDone, Refusal
from workers.contract import Kind
from workers.errors import WorkerError
from workers.host import Place

COMMANDS: Mapping[str, Callable[[argparse.Namespace, Place, Out], Exit]] = {
    "preview": preview.run,
    "execute": execute.run,
    "explain": explain.run,
    "restore": restore.run,
    "recover": recover.run,
    "audit": audit.run,
    "freeze": freeze.freeze,
    "unfreeze": freeze.unfreeze,
    "standing": freeze.show,
    "init": init.run,
    "adopt": adopt.run,
}


EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 usage, 3 refused, nothing done, 4 partial or stopped, 130 interrupted."
)
# What most of it depends on; the README has them all.
ENVIRONMENT = """\
environment:
  DOCKER_HOST        the engine: unix:///… or tcp://…; default unix:///var/run/docker.sock
  PRUNE_HOST         this host's name; default: the engine's
  PRUNE_POLICY       the policy file; default /etc/safe-prune/policy.toml
  PRUNE_STATE_DIR    what this host remembers; default /var/lib/safe-prune
  PRUNE_ENGINES_DIR  locks of the engines; default /var/lib/safe-prune/engines
  PRUNE_LOG_LEVEL    DEBUG, INFO, WARNING or ERROR; default INFO
The worker needs REDIS_URL and PRUNE_BOT_KEYS as well."""


class _Parser(argparse.ArgumentParser):
    """Answers what is too much behind a command with that command's usage."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        options, more = self.parse_known_args(args, namespace)
        if more:
            options.parser.error(f"unrecognized arguments: {' '.join(more)}")
        return options


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = _Parser(
        prog="python -m workers",
        description="Safe Prune on this host. Without a command: the worker that serves the bot.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"{ENVIRONMENT}\n\n{EXIT_CODES}",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=argparse.ArgumentParser)
    commands.add_parser("worker", help="serve the bot's requests (the default)")
    made = commands.add_parser("init", help="write a commented policy.toml from what runs here")
    made.add_argument("--print", action="store_true", help="print it instead of writing the file")
    preview = commands.add_parser("preview", help="plan, show every object with its reasons, remove nothing")
    execute = commands.add_parser("execute", help="plan, ask, and remove exactly that plan")
    execute.add_argument("--confirm", metavar="DIGEST", help="execute the plan of this digest, shown before")
    execute.add_argument("--unusual", action="store_true", help="accept a plan over max_share")
    explain = commands.add_parser("explain", help="say why an object stays or goes, and what is known of it")
    explain.add_argument("object", metavar="OBJECT", help="an id or its beginning, a name or a tag")
    back = commands.add_parser("restore", help="bring back what a run removed; without RUN: list the runs")
    run_help = "the beginning of an order's id or plan's digest, or last"
    back.add_argument("run", metavar="RUN", nargs="?", help=run_help)
    back.add_argument("objects", metavar="OBJECT", nargs="*", help="only these: names, ids or beginnings")
    back.add_argument("--confirm", metavar="DIGEST", help="execute the plan of this digest, shown before")
    adopt = commands.add_parser("adopt", help="take the engine over from a ledger that is lost")
    adopt.add_argument("--confirm", metavar="LEDGER", help="the lost ledger's id, from doctor")
    cut = commands.add_parser("recover", help="report the runs that were cut off; goes on with none")
    copy = commands.add_parser("audit", help="all that was asked, refused and done here, from the ledger")
    for name, help_ in (("freeze", "have nothing removed here until it is unfrozen"), ("unfreeze", "end it")):
        commands.add_parser(name, help=help_).add_argument("why", metavar="WHY", nargs="*")
    kept = commands.add_parser("standing", help="who froze this host, and what is protected from Slack")
    doctor = commands.add_parser("doctor", help="check engine, policy, services, ledger, keys and Redis")
    for command in (preview, execute):
        command.add_argument("--only", metavar="KIND,…", type=_kinds, help=f"only these: {', '.join(Kind)}")
    for command in (preview, execute, explain, back, cut, copy, kept, doctor):
        command.add_argument("--json", action="store_true", help="print JSON for programs")
    for each in (top, *commands.choices.values()):
        each.set_defaults(parser=each)
    return top


def _kinds(text: str) -> tuple[Kind, ...]:
    try:
        return tuple(Kind(word.strip().lower()) for word in text.split(","))
    except ValueError:
        known = ", ".join(Kind)
        raise argparse.ArgumentTypeError(f"{text!r}: expected some of {known}; volumes never go") from None


def run(options: argparse.Namespace, place: Place, out: Out, **settings: str) -> Exit:
    """Do one command; what went wrong is said on the way out."""
    try:
        if options.command == "doctor":
            return doctor.run(options, place, out, **settings)
        return COMMANDS[options.command](options, place, out)
    except NotDone as instead:
        return _give_up(instead.why, options, out, out)
    except WorkerError as error:
        return give_up(error, options, out, address=place.address)


def give_up(error: WorkerError, options: argparse.Namespace, out: Out, *, address: str = "") -> Exit:
    """Say what was wrong: beside the output for people, in it for programs."""
    return _give_up(refusal.of_error(error, address=address), options, out, aside)


def _give_up(why: Refusal, options: argparse.Namespace, out: Out, people: Out) -> Exit:
    if getattr(options, "json", False):
        out(why.as_json())
    else:
        for line in why.said:
            people(line)
    return why.ending
