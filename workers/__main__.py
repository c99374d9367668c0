"""The worker of one host, and its command line: the one place that reads the settings.

Without a command it serves the bot: `python -m workers`. See `python -m workers --help` for the rest.
"""

import logging
import re
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import redis

from workers import jobs
from workers.cli.command_line import Exit, parser, run
from workers.contract import ExecutionOrder, PlanRequest
from workers.engine import Engine, connected
from workers.errors import EngineError, PolicyError, SettingsError, WorkerError
from workers.halt import Halt
from workers.host import Place, opened, read_policy
from workers.memory.follower import Follower
from workers.memory.ledger import Ledger
from workers.memory.reserve import Reserve, room
from workers.reasons import Code, reason
from workers.settings import WorkerSettings
from workers.transport.beat import Standing
from workers.transport.connection import Patience, connect
from workers.transport.queue import serve
from workers.transport.stillness import Stillness, Troubles

logger = logging.getLogger("workers")


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; returns the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        settings = WorkerSettings.load()
        logging.getLogger().setLevel(settings.prune_log_level)
        place, engine_id = _place(settings)
        if options.command in (None, "worker"):
            return _serve(settings, place, engine_id)
        return run(options, place, print, **_outside(settings, options.command))
    except SettingsError as error:
        print(f"workers: {error}", file=sys.stderr)
        return Exit.USAGE
    except WorkerError as error:
        print(f"workers: {error}", file=sys.stderr)
        return Exit.FAILED


def _place(settings: WorkerSettings) -> tuple[Place, str]:
    """Bring the paths together; the host's name is the engine's unless it is set."""
    name, engine_id = settings.prune_host, ""
    try:
        with closing(Engine(settings.docker_host)) as engine:
            name, engine_id = name or _slug(engine.name()), engine.identity().id
    except EngineError as error:
        if not name:
            raise SettingsError(
                f"PRUNE_HOST is not set, and the engine does not tell its name: {error}"
            ) from None
    place = Place(
        host=name,
        address=settings.docker_host,
        policy_file=settings.prune_policy,
        state_dir=settings.prune_state_dir,
        redis_host=urlsplit(settings.redis_url.get_secret_value()).hostname or "",
    )
    return place, engine_id


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "host"


def _serve(settings: WorkerSettings, place: Place, engine_id: str) -> int:
    logger.info("host %s serves the bot; engine %s, policy %s", place.host, place.address, place.policy_file)
    Reserve(place.state_dir).keep()
    serve(
        host=place.host,
        redis_url=settings.redis_for_worker(),
        keys=settings.bot_keys(),
        ledger_file=place.ledger_file,
        functions={"plan": partial(_plan, place), "execute": partial(_execute, place)},
        recover=partial(_recover, place),
        standing=partial(_standing, place, engine_id),
        follow=partial(_follow, place),
        version=_version(),
    )
    return Exit.DONE


def _plan(place: Place, request: PlanRequest, _: Halt) -> None:
    jobs.plan(request, place)


def _execute(place: Place, order: ExecutionOrder, halt: Halt) -> None:
    jobs.execute(order, place, lambda: halt.requested)


def _recover(place: Place) -> None:
    """Tell of runs that a dead worker left open; what fails here is tried again by whoever called."""
    with (
        room(place.state_dir, for_a_run=False),
        closing(Ledger(place.ledger_file)) as ledger,
        opened(place, ledger) as host,
    ):
        host.recover()


def _follow(place: Place, stopping: threading.Event, stillness: Stillness, troubles: Troubles) -> None:
    Follower(connected(place.address), place.ledger_file, stillness, troubles).run(stopping)


def _outside(settings: WorkerSettings, command: str) -> dict[str, str]:
    """What only a doctor asks for: the bot's keys and Redis, which no other command needs."""
    return {"keys": _keys(settings), "redis": _redis(settings)} if command == "doctor" else {}


def _keys(settings: WorkerSettings) -> str:
    try:
        return ", ".join(sorted(settings.bot_keys()))
    except SettingsError as error:
        return f"not usable: {error}"


def _redis(settings: WorkerSettings) -> str:
    try:
        with closing(connect(settings.redis_for_worker(), Patience(0))) as client:
            client.ping()
    except (SettingsError, redis.RedisError) as error:
        return f"not reachable: {error}"
    return "answers"


def _standing(place: Place, engine_id: str) -> Standing:
    try:
        read_policy(place.policy_file)
    except PolicyError as error:
        problem = reason(Code.POLICY_INVALID, file=error.path, detail=error.detail)
        return Standing(engine_id=engine_id, problems=(problem,))
    return Standing(engine_id=engine_id)


def _version() -> str:
    try:
        return version("safe-prune")
    except PackageNotFoundError:
        return "from source"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
