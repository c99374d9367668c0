"""Examines a host: engine, policy, ledger, arrival, keys, Redis; each finding with its next step."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from workers.contract import EngineIdentity, Store
from workers.engine import Engine
from workers.errors import EngineError, LedgerError, PolicyError, WorkerError
from workers.host import Place, read_policy
from workers.memory.ledger import Ledger
from workers.memory.reserve import WHOLE, Reserve
from workers.wording import sentence, size


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    what: str
    found: str
    next_step: str = ""
    good: bool = True


def examine(place: Place, *, keys: str = "", redis: str = "") -> list[Finding]:
    """Examine a host; `keys` and `redis` are what the caller found out about them, if it asked."""
    return [
        *_engine(place),
        _policy(place),
        _ledger(place),
        _reserve(place),
        *_told("bot's keys", keys, "Set PRUNE_BOT_KEYS to what `python -m bot hosts add` printed."),
        *_told("Redis", redis, "Check REDIS_URL, and that Redis answers from this host."),
    ]


def _engine(place: Place) -> Iterator[Finding]:
    try:
        with closing(Engine(place.address)) as engine:
            identity = engine.identity()
    except EngineError as error:
        yield _bad("engine", error, f"Start Docker, or correct DOCKER_HOST ({place.address}).")
        return
    words = (
        f"{identity.version}, API {identity.api_version}, {identity.storage_driver}, {identity.store.value}"
    )
    yield Finding("engine", f"{words}, id {identity.id}")
    if identity.read_only is not None:
        yield Finding("removing", sentence(identity.read_only), good=False)
    yield _arrival(place, identity)


def _arrival(place: Place, identity: EngineIdentity) -> Finding:
    """Whether the age of images on this host can be read, or has to be waited for."""
    what = "arrival of images"
    if identity.store is Store.CONTAINERD:
        return Finding(what, "the engine records it")
    records = Path(identity.data_root, "image", identity.storage_driver, "imagedb", "content", "sha256")
    if place.local and records.is_dir():
        return Finding(what, f"read from {records}")
    return Finding(
        what,
        "cannot be read, so images count from when this worker first saw them",
        f"Let the worker read {identity.data_root} to know it at once.",
    )


def _policy(place: Place) -> Finding:
    try:
        policy = read_policy(place.policy_file)
    except PolicyError as error:
        return _bad("policy", error, "Correct the file; until then nothing is removed here.")
    guarded = len(policy.critical_containers) + len(policy.probes)
    return Finding("policy", f"{place.policy_file}, {guarded} critical entries and probes")


def _ledger(place: Place) -> Finding:
    return _tried("ledger", lambda: _open_runs(place), "Check the disk and the owner of PRUNE_STATE_DIR.")


def _open_runs(place: Place) -> str:
    with closing(Ledger(place.ledger_file)) as ledger:
        return f"{place.ledger_file}, {len(ledger.open_runs())} runs without a report"


def _reserve(place: Place) -> Finding:
    """Make it where it is missing, and say what is there."""
    what, reserve = "room for a full disk", Reserve(place.state_dir)
    reserve.keep()
    if reserve.held >= WHOLE:
        return Finding(what, f"{size(reserve.held)} in {reserve.path}")
    return Finding(
        what,
        f"{size(reserve.held)} of {size(WHOLE)} in {reserve.path}; its disk has {size(reserve.free)} left",
        "Free some of it: with no byte left nothing can be written down, so nothing is removed.",
        good=False,
    )


def _tried(what: str, look: Callable[[], str], next_step: str) -> Finding:
    try:
        return Finding(what, look())
    except LedgerError as error:
        return _bad(what, error, next_step)


def _told(what: str, found: str, next_step: str) -> Iterator[Finding]:
    if found:
        good = not found.startswith("not ")
        yield Finding(what, found, "" if good else next_step, good=good)


def _bad(what: str, error: WorkerError, next_step: str) -> Finding:
    return Finding(what, str(error), next_step, good=False)
