"""The worker of one host, and its command line: the one place that reads the settings.

Without a command it serves the bot: `python -m workers`. See `python -m workers --help` for the rest.
"""

import argparse
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from workers import jobs
from workers.cli import refusal
from workers.cli.command_line import Exit, give_up, parser, run
from workers.cli.output import OutputLost, aside, let_go, say
from workers.contract import (
    ExecutionOrder,
    PlanRequest,
    Question,
    RestoreOrder,
    RestoreRequest,
    StandingOrder,
)
from workers.engine import Engine, connected
from workers.errors import EngineError, PolicyError, SettingsError, WorkerError
from workers.halt import Halt
from workers.host import Place, at_hand, forget_ways_back, read_policy
from workers.memory.follower import Follower
from workers.memory.ledger import Ledger
from workers.memory.reserve import Reserve
from workers.problems import problems
from workers.settings import WorkerSettings
from workers.transport.beat import Condition
from workers.transport.queue import serve
from workers.transport.reach import reach
from workers.transport.stillness import Stillness, Troubles

logger = logging.getLogger("workers")


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        return _done(options)
    except OutputLost as lost:
        if isinstance(lost.__cause__, BrokenPipeError):
            _end_as_others_do()
        with suppress(OutputLost):
            aside(refusal.unsaid(str(lost), options.command))
        let_go()
        return Exit.FAILED
    except KeyboardInterrupt:
        with suppress(OutputLost):
            aside(refusal.interrupted(options.command))
        return Exit.INTERRUPTED


def _end_as_others_do() -> None:
    """Whoever reads a plan through `head` has seen enough; that is no error, and nothing to be told."""
    let_go()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.raise_signal(signal.SIGPIPE)


def _done(options: argparse.Namespace) -> int:
    # An engine that goes away in the middle is told; only of an output's own pipe nothing is.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    serves = options.command in (None, "worker")
    if not serves and options.command != "doctor":
        _need_no_password()
    try:
        settings = WorkerSettings.load()
        logging.getLogger().setLevel(settings.prune_log_level)
        place, engine_id = _place(settings, serves=serves)
        if serves:
            return _serve(settings, place, engine_id)
        return run(options, place, say, **_outside(settings, options.command, place.host))
    except SettingsError as error:
        return give_up(error, options, say)
    except WorkerError as error:
        aside(f"workers: {error}")
        return Exit.FAILED


def _need_no_password() -> None:
    """No Redis is asked at the host itself: a password that cannot be read must not bar a freeze."""
    for name in ("PRUNE_REDIS_PASSWORD", "PRUNE_REDIS_PASSWORD_FILE"):
        os.environ.pop(name, None)


def _place(settings: WorkerSettings, *, serves: bool) -> tuple[Place, str]:
    """Bring the paths together; the host's name is the engine's unless it is set.

    An engine that hangs is not waited for where nobody needs to know what it is.
    """
    name, engine_id = settings.prune_host, ""
    if serves or not name:
        name, engine_id = _of_engine(settings.docker_host, name)
    place = Place(
        host=name,
        address=settings.docker_host,
        policy_file=settings.prune_policy,
        state_dir=settings.prune_state_dir,
        engines_dir=settings.prune_engines_dir,
        redis_host=urlsplit(settings.redis_url.get_secret_value()).hostname or "",
    )
    return place, engine_id


def _of_engine(address: str, name: str) -> tuple[str, str]:
    """The name that was set or else the engine's, and the engine's id; empty where it does not tell."""
    try:
        with closing(Engine(address)) as engine:
            return name or _slug(engine.name()), engine.identity().id
    except EngineError as error:
        if not name:
            raise SettingsError(
                f"PRUNE_HOST is not set, and the engine does not tell its name: {error}."
                f" Start Docker, correct DOCKER_HOST ({address}), or set PRUNE_HOST."
            ) from None
    return name, ""


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "host"


def _serve(settings: WorkerSettings, place: Place, engine_id: str) -> int:
    redis_url, keys = settings.redis_for_worker(), settings.bot_keys()
    logger.info("host %s serves the bot; engine %s, policy %s", place.host, place.address, place.policy_file)
    Reserve(place.state_dir).keep()
    serve(
        host=place.host,
        redis_url=redis_url,
        keys=keys,
        ledger_file=place.ledger_file,
        functions={
            "plan": partial(_plan, place),
            "answer": partial(_answer, place),
            "execute": partial(_execute, place),
            "restore_plan": partial(_restore_plan, place),
            "restore": partial(_restore, place),
            "keep": partial(_keep, place),
        },
        recover=partial(_recover, place),
        condition=partial(_condition, place, engine_id),
        follow=partial(_follow, place),
        version=_version(),
    )
    return Exit.DONE


def _plan(place: Place, request: PlanRequest, _: Halt) -> None:
    jobs.plan(request, place)


def _answer(place: Place, question: Question, _: Halt) -> None:
    jobs.answer(question, place)


def _execute(place: Place, order: ExecutionOrder, halt: Halt) -> None:
    jobs.execute(order, place, lambda: halt.requested)


def _restore_plan(place: Place, request: RestoreRequest, _: Halt) -> None:
    jobs.restore_plan(request, place)


def _restore(place: Place, order: RestoreOrder, halt: Halt) -> None:
    jobs.restore(order, place, lambda: halt.requested)


def _keep(place: Place, order: StandingOrder, _: Halt) -> None:
    jobs.keep(order, place)


def _recover(place: Place) -> None:
    """Tell of runs that a dead worker left open; what fails here is tried again by whoever called."""
    with at_hand(place) as host:
        host.recover()


def _follow(place: Place, stopping: threading.Event, stillness: Stillness, troubles: Troubles) -> None:
    forget = partial(_forget, place)
    Follower(connected(place.address), place.ledger_file, stillness, troubles, forget=forget).run(stopping)


def _forget(place: Place, ledger: Ledger, now: datetime) -> None:
    """Under a policy that cannot be read nothing is forgotten; that it cannot is told with each beat."""
    with suppress(PolicyError):
        forget_ways_back(read_policy(place.policy_file), ledger, now)


def _outside(settings: WorkerSettings, command: str, host: str) -> dict[str, str]:
    """What only a doctor asks for: the bot's keys and Redis, which no other command needs."""
    return {"keys": _keys(settings), "redis": _redis(settings, host)} if command == "doctor" else {}


def _keys(settings: WorkerSettings) -> str:
    try:
        return ", ".join(sorted(settings.bot_keys()))
    except SettingsError as error:
        return f"not usable: {error}"


def _redis(settings: WorkerSettings, host: str) -> str:
    try:
        return reach(settings.redis_for_worker(), host)
    except SettingsError as error:
        return f"not usable: {error}"


def _condition(place: Place, engine_id: str) -> Condition:
    return Condition(engine_id=engine_id, problems=tuple(problems(place)))


def _version() -> str:
    try:
        return version("safe-prune")
    except PackageNotFoundError:
        return "from source"


if __name__ == "__main__":
    # As long as nothing but the help is said.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    raise SystemExit(main(sys.argv[1:]))
