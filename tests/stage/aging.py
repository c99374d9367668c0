"""Makes what lies on an engine look old: rewrites the engine's own metadata while the engine is stopped."""

import json
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.stage.bolt import BoltFile
from tests.stage.engine import DisposableEngine
from tests.stage.errors import UnknownFormat

GRAPH_DRIVER = Path("image/overlay2/imagedb")
CONTAINERD = Path("containerd/daemon/io.containerd.metadata.v1.bolt/meta.db")
TARGET = (b"target", b"digest")
TIMES = ((b"createdat",), (b"updatedat",))
YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
NEVER = "0001-01-01T00:00:00Z"
CREATED = re.compile(rb'(?<="created":")[^"]+Z(?=")')
NANOSECONDS = re.compile(rb"\d{19}")


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """How long ago a container was created and, if it ran and ended, how long ago that was."""

    created: timedelta
    stopped: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class AgePlan:
    """How old each object, by its full id (a volume by its name), shall be; what is not named stays young."""

    images: Mapping[str, timedelta] = field(default_factory=dict)
    containers: Mapping[str, Lifetime] = field(default_factory=dict)
    networks: Mapping[str, timedelta] = field(default_factory=dict)
    cache: Mapping[str, timedelta] = field(default_factory=dict)
    volumes: Mapping[str, timedelta] = field(default_factory=dict)


def age(engine: DisposableEngine, plan: AgePlan) -> None:
    """Make the objects as old as planned; the engine stops for it, then starts again what ran before."""
    running = [found["Id"] for found in engine.client.containers()]
    for container in plan.containers:
        # Whoever waits for an end is told of it before it is written down; an inspect waits for that too.
        engine.client.inspect_container(container)
    engine.stop()
    rewrite(engine.data_root, plan, now=datetime.now(UTC))
    engine.start()
    for container in running:
        engine.client.start(container)


def rewrite(data_root: Path, plan: AgePlan, *, now: datetime) -> None:
    """Rewrite the times under the data root of a stopped engine."""
    if (data_root / GRAPH_DRIVER).exists():
        for image, since in plan.images.items():
            _age_image(data_root / GRAPH_DRIVER, image, now - since)
    elif plan.images:
        _age_names(data_root / CONTAINERD, plan.images, now)
    for container, lifetime in plan.containers.items():
        _age_container(data_root / f"containers/{container}/config.v2.json", lifetime, now)
    for volume, since in plan.volumes.items():
        _touch(data_root / f"volumes/{volume}/_data", now - since)
    if plan.networks:
        _age_networks(data_root / "network/files/local-kv.db", plan.networks, now)
    if plan.cache:
        [records] = data_root.glob("buildkit/**/metadata_v2.db")
        _age_cache(records, plan.cache, now)


def _age_image(database: Path, image: str, moment: datetime) -> None:
    kind, _, digest = image.partition(":")
    last_tagged = database / f"metadata/{kind}/{digest}/lastUpdated"
    if last_tagged.exists():
        last_tagged.write_text(_rfc3339(moment))
    _touch(database / f"content/{kind}/{digest}", moment)


def _age_names(path: Path, ages: Mapping[str, timedelta], now: datetime) -> None:
    """On a containerd store an image has as many records as it has names, and each record its times."""
    database = BoltFile(path)
    stored = {entry.path[3:]: entry for entry in database.entries() if entry.path[2:3] == (b"images",)}
    targets = {path[0]: entry.value.decode() for path, entry in stored.items() if path[1:] == TARGET}
    for (name, *key), entry in stored.items():
        since = ages.get(targets[name])
        if since is not None and tuple(key) in TIMES:
            database.replace(entry, _as_go_marshals(now - since))
    database.save()


def _as_go_marshals(moment: datetime) -> bytes:
    """A version, seconds since the year 1, nanoseconds, and -1 for a time that is UTC."""
    return struct.pack(">BqiH", 1, int((moment - YEAR_ONE).total_seconds()), 0, 0xFFFF)


def _age_container(config: Path, lifetime: Lifetime, now: datetime) -> None:
    found: dict[str, Any] = json.loads(config.read_text())
    found["Created"] = _rfc3339(now - lifetime.created)
    state = found["State"]
    if lifetime.stopped is not None and state["FinishedAt"] != NEVER:
        state["StartedAt"] = found["Created"]
        state["FinishedAt"] = _rfc3339(now - lifetime.stopped)
    config.write_text(json.dumps(found))


def _age_networks(path: Path, ages: Mapping[str, timedelta], now: datetime) -> None:
    database = BoltFile(path)
    stored = {entry.path[-1]: entry for entry in database.entries()}
    for network, since in ages.items():
        entry = stored[f"docker/network/v1.0/network/{network}/".encode()]
        database.replace(entry, _put(_rfc3339(now - since).encode(), CREATED, entry.value))
    database.save()


def _age_cache(path: Path, ages: Mapping[str, timedelta], now: datetime) -> None:
    database = BoltFile(path)
    stored = {entry.path[1:]: entry for entry in database.entries() if entry.path[0] == b"_main"}
    for record, since in ages.items():
        for key in (b"cache.createdAt", b"cache.lastUsedAt"):
            entry = stored[record.encode(), key]
            nanoseconds = int((now - since).timestamp()) * 10**9
            database.replace(entry, _put(b"%d" % nanoseconds, NANOSECONDS, entry.value))
    database.save()


def _put(new: bytes, pattern: re.Pattern[bytes], text: bytes) -> bytes:
    """The text with the match replaced; Go drops trailing zeros, so a time may have to be shorter."""
    found = pattern.search(text)
    if found is None:
        raise UnknownFormat(f"no {pattern.pattern!r} in {text!r}")
    width = len(found.group())
    fitted = new if len(new) == width else new[: width - 1].rstrip(b"Z") + b"Z"
    return text[: found.start()] + fitted + text[found.end() :]


def _rfc3339(moment: datetime) -> str:
    """As Go writes it, with the nine decimals it almost always has."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z"


def _touch(path: Path, moment: datetime) -> None:
    os.utime(path, (moment.timestamp(), moment.timestamp()))
