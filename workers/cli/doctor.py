"""Examines a host: engine, policy, ledger, arrival, keys, Redis; each finding with its next step."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workers.archive.archivist import Archive
from workers.cli.adoption import how_to
from workers.contract import EngineIdentity, Store
from workers.engine import Engine
from workers.errors import (
    EngineError,
    EngineUnreachable,
    LedgerError,
    PolicyError,
    RefusedError,
    WorkerError,
)
from workers.execution.ownership import Ownership
from workers.execution.recovery import cut_off
from workers.execution.watch import Watch
from workers.host import Place, opened, read_policy
from workers.memory.ledger import Ledger
from workers.memory.reserve import WHOLE, Reserve
from workers.memory.standing import StandingOrders
from workers.transport.reach import CLOSED
from workers.wording import amount, fragment, listing, sentence, size, utc


@dataclass(frozen=True)
class Finding:
    """One thing that was examined."""

    what: str
    found: str
    next_step: str = ""
    good: bool = True


def examine(place: Place, *, keys: str = "", redis: str = "") -> list[Finding]:
    """Examine a host; `keys` and `redis` are what the caller found out about them, if it asked."""
    found = [
        *_engine(place),
        _policy(place),
        *_services(place),
        _ledger(place),
        _standing(place),
        *_reserve(place),
        *_archive(place),
        *_told("bot's keys", keys, "Set PRUNE_BOT_KEYS to what `python -m bot hosts add` printed."),
        *_told("Redis", redis, _redis_step(redis, place.host)),
    ]
    return list(_once(found))


def _once(found: list[Finding]) -> Iterator[Finding]:
    """One trouble with the ledger is one finding, however many questions it leaves open."""
    [ledger] = (one for one in found if one.what == "ledger")
    return (one for one in found if one is ledger or one.found != ledger.found)


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
    yield arrival(place, identity)
    yield _belonging(place, identity)


def arrival(place: Place, identity: EngineIdentity) -> Finding:
    """Tell whether the age of images on this host can be read, or has to be waited for."""
    what = "arrival of images"
    if identity.store is Store.CONTAINERD:
        return Finding(what, "the engine records it")
    records = Path(identity.data_root, "image", identity.storage_driver, "imagedb", "content", "sha256")
    if place.local and _may_enter(records):
        return Finding(what, f"read from {records}")
    return Finding(
        what,
        "cannot be read, so images count from when this worker first saw them",
        f"Let the worker read {identity.data_root} to know it at once.",
    )


def _may_enter(folder: Path) -> bool:
    try:
        return os.access(folder, os.X_OK)
    except ValueError:
        # What an engine tells (a zero byte, half a letter) can be no path.
        return False


def _belonging(place: Place, identity: EngineIdentity) -> Finding:
    """Whose ledger has this engine's executions; no other one may execute."""
    what = "engine belongs to"
    try:
        with closing(Ledger(place.ledger_file)) as ledger:
            return _owned(what, Ownership(place.engines, identity.id, ledger, place.ledger_file))
    except RefusedError as refusal:
        return Finding(what, sentence(refusal.reasons[0]), good=False)
    except LedgerError as error:
        return _bad(what, error, _ledger_step(place))


def _owned(what: str, ours: Ownership) -> Finding:
    owner = ours.owner()
    if owner is None:
        return Finding(what, f"no ledger yet; {ours.folder} will name the one of the first execution")
    found, why = f"ledger {owner}, since {utc(owner.since)} by {owner.by}", ours.refusal(owner)
    if why is None:
        return Finding(what, found)
    return Finding(what, f"{found}; {fragment(why)}", how_to(why, owner), good=False)


def _policy(place: Place) -> Finding:
    try:
        policy = read_policy(place.policy_file)
    except PolicyError as error:
        return _bad("policy", error, "Correct the file; until then nothing is removed here.")
    guarded = len(policy.critical_containers) + len(policy.probes)
    return Finding("policy", f"{place.policy_file}, {guarded} critical entries and probes")


def _services(place: Place) -> Iterator[Finding]:
    """What a run would be refused for now; an engine or a policy that cannot be used speaks for itself."""
    what = "critical services"
    try:
        policy = read_policy(place.policy_file)
        if not policy.critical_containers and not policy.probes:
            return
        with closing(Engine(place.address)) as engine:
            unwell = Watch(engine, policy, time.sleep).unwell()
    except (PolicyError, EngineUnreachable):
        return
    except EngineError as error:
        yield _bad(what, error, "Look at the engine's log; until they can be looked at nothing is removed.")
        return
    yield from (Finding(what, sentence(why), good=False) for why in unwell)
    if not unwell:
        yield Finding(what, "all that the policy names are well")


def _ledger(place: Place) -> Finding:
    try:
        with closing(Ledger(place.ledger_file)) as ledger:
            return _open_runs(place, len(ledger.open_runs()), len(cut_off(ledger, place.engines)))
    except LedgerError as error:
        return _bad("ledger", error, _ledger_step(place))


def _ledger_step(place: Place) -> str:
    folder = place.state_dir
    if not os.path.isdir(folder):
        return f"Make the folder {folder} for the worker's user, or correct PRUNE_STATE_DIR."
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"Ask as a user who may write to {folder}, as the worker does, or correct PRUNE_STATE_DIR."
    return "Check the disk and the owner of PRUNE_STATE_DIR."


def _open_runs(place: Place, began: int, cut: int) -> Finding:
    """Runs without a report: one may go on; of one that was cut off nobody knows yet what went."""
    if not cut:
        return Finding("ledger", f"{place.ledger_file}, {amount(began, 'run')} under way")
    found = f"{place.ledger_file}, {amount(cut, 'run')} cut off and not reported: objects of it may be gone"
    step = "python -m workers recover looks at each and reports it; so does a worker that starts."
    return Finding("ledger", found, step, good=False)


def _standing(place: Place) -> Finding:
    """What the host was told to keep to; where that cannot be read, no run begins."""
    step = "Bring the worker up to date, or put a copy of the ledger back; until then nothing goes here."
    return _tried("told to keep to", lambda: _in_force(place), step)


def _in_force(place: Place) -> str:
    with closing(Ledger(place.ledger_file)) as ledger:
        standing = StandingOrders(ledger)
        protected = len(standing.protections(datetime.now(UTC)))
        frozen = "frozen" if standing.frozen() else ""
        kept = f"{amount(protected, 'protection')} from Slack" if protected else ""
        return "; ".join(filter(None, (frozen, kept))) or "nothing"


def _reserve(place: Place) -> Iterator[Finding]:
    """Make it where it is missing, and say what is there; a folder not to be written to speaks for itself."""
    what, reserve = "room for a full disk", Reserve(place.state_dir)
    reserve.keep()
    if reserve.held >= WHOLE:
        yield Finding(what, f"{size(reserve.held)} in {reserve.path}")
    elif os.access(place.state_dir, os.W_OK | os.X_OK):
        yield _reserve_lacks(what, reserve)


def _reserve_lacks(what: str, reserve: Reserve) -> Finding:
    return Finding(
        what,
        f"{size(reserve.held)} of {size(WHOLE)} in {reserve.path}; its disk has {size(reserve.free)} left",
        "Free some of it: with no byte left nothing can be written down, so nothing is removed.",
        good=False,
    )


def _archive(place: Place) -> Iterator[Finding]:
    """What lies in it; where engine, policy or ledger cannot be used, those say so."""
    with suppress(WorkerError), closing(Ledger(place.ledger_file)) as ledger, opened(place, ledger) as host:
        if host.archive.is_on:
            yield _of_archive(host.archive)


def _of_archive(archive: Archive) -> Finding:
    if why := archive.trouble():
        step = "Name a folder of this worker's on another disk than the engine's under archive_dir."
        return Finding("archive", sentence(why), step, good=False)
    shelf, damaged = archive.shelf, archive.shelf.damaged
    found = (
        f"{amount(len(archive.held()), 'image')} in {archive.folder}, {size(shelf.used)} of"
        f" {size(archive.most)}; its disk has {size(shelf.free)} left"
    )
    if damaged:
        step = "Look at its disk. Delete the files named .damaged when nobody wants to look into them."
        return Finding("archive", f"{found}; damaged: {listing(damaged)}", step, good=False)
    return Finding("archive", found)


def _tried(what: str, look: Callable[[], str], next_step: str) -> Finding:
    try:
        return Finding(what, look())
    except LedgerError as error:
        return _bad(what, error, next_step)


def _told(what: str, found: str, next_step: str) -> Iterator[Finding]:
    if found:
        good = not found.startswith("not ")
        yield Finding(what, found, "" if good else next_step, good=good)


def _redis_step(found: str, host: str) -> str:
    if not found.startswith(CLOSED):
        return "Check REDIS_URL, and that Redis answers from this host."
    user = "that REDIS_URL names this host's own user, and PRUNE_REDIS_PASSWORD_FILE its password"
    return f"Check {user}; `python -m bot acl {host}` prints the line that Redis needs."


def _bad(what: str, error: WorkerError, next_step: str) -> Finding:
    return Finding(what, str(error), next_step, good=False)
