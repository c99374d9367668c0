"""The one file that speaks with a Docker engine: lists, inspects, and removals of single objects."""

import http.client
import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, StreamParseError

from workers.allowed_calls import ForbiddenCall, require_allowed
from workers.contract import EngineIdentity, Store
from workers.engine_calls import Calls
from workers.engine_lines import BadStatus, Lines
from workers.engine_reads import Reads
from workers.engine_versions import speech
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound
from workers.planning.activity import ASKED, ClockReading
from workers.planning.fields import moment
from workers.replies import a_list, a_text, an_object

READ_TIMEOUT = 300
PULL_SILENCE = 60
PULL = re.compile(r"^/v[0-9.]+/images/create\?")
DF_TRIES = 30
DF_PAUSE = 2.0
# What a stream that breaks off raises is neither docker-py's nor requests' own.
STREAM_ERRORS = (urllib3.exceptions.HTTPError, http.client.HTTPException, StreamParseError)
# 403 is what a network says that has endpoints.
STATUSES: Mapping[int, type[EngineError]] = {403: Conflict, 404: NotFound, 409: Conflict}
Raw = dict[str, Any]


class _Client(docker.APIClient):
    """docker-py's low-level client, for what needs a login; it cannot send what is not on the closed list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.read_only = False
        # Neither proxies nor .netrc are meant for an engine; looking for them took a fifth of every call.
        self.trust_env = False
        self.calls = 0

    def send(self, request: Any, **options: Any) -> Any:
        require_allowed(request.method, request.path_url)
        # No call on the list has a body; an engine would read flags from one before those of the URL.
        if request.body:
            raise ForbiddenCall(f"{request.method} {request.path_url} has a body")
        if PULL.search(request.path_url):
            # docker-py would wait for ever; a registry that says nothing must not hold a run.
            options["timeout"] = PULL_SILENCE
        if self.read_only and request.method != "GET":
            raise ForbiddenCall(f"{request.method} {request.path_url}: this engine is only read")
        self.calls += 1
        return super().send(request, **options)


class Engine:
    """One engine, reached at an explicit address.

    Raises:
        EngineUnreachable, NotFound, Conflict, AnswerLost, EngineError: from every method.
    """

    def __init__(self, address: str, *, timeout: int = READ_TIMEOUT) -> None:
        self._address, self._timeout = address, timeout
        self._lines = Lines(address, timeout=timeout)
        self._reads = Reads(self._lines)
        self._taken: dict[str, list[float]] = {}
        self._told_last: tuple[Raw, datetime, datetime] | None = None
        with _translated(address):
            self._speech = speech(an_object("version", self._reads.get("/version")))
        self._calls = Calls(self._lines, read_only=self._speech.read_only is not None)

    @cached_property
    def _client(self) -> Any:
        # Never from_env: since docker-py 7.2 it may follow a CLI context to another host.
        # The stubs of docker-py are partly untyped; our own types begin at this file's methods.
        client = _Client(base_url=self._address, version=self._speech.api_version, timeout=self._timeout)
        client.read_only = self._speech.read_only is not None
        return client

    def close(self) -> None:
        """Let the connections go; whoever still waits for an answer gets none."""
        self._lines.close()
        if "_client" in self.__dict__:
            self._client.close()

    @property
    def calls(self) -> int:
        """How often the engine was asked or told something."""
        return self._lines.calls + (self._client.calls if "_client" in self.__dict__ else 0)

    def _get(self, path: str, **query: str | int) -> Any:
        return self._reads.get(self._path(path), **query)

    def _path(self, path: str) -> str:
        return f"/v{self._speech.api_version}{path}"

    @property
    def api_version(self) -> str:
        """The version of the API that is spoken."""
        return self._speech.api_version

    def latencies(self) -> Mapping[str, Sequence[float]]:
        """How many seconds each look took until now, by what was looked at, oldest first."""
        return {what: tuple(seconds) for what, seconds in self._taken.items()}

    def forget_latencies(self) -> None:
        """Begin anew."""
        self._taken.clear()

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        """Note how long a look took, whatever came of it."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._taken.setdefault(what, []).append(time.monotonic() - begun)

    def identity(self) -> EngineIdentity:
        """Ask which engine this is."""
        told = self._info()
        store = ["driver-type", "io.containerd.snapshotter.v1"] in (told.get("DriverStatus") or [])
        return EngineIdentity(
            id=a_text("info", told, "ID"),
            version=a_text("info", told, "ServerVersion"),
            api_version=self._speech.api_version,
            storage_driver=a_text("info", told, "Driver"),
            store=Store.CONTAINERD if store else Store.GRAPH_DRIVER,
            data_root=a_text("info", told, "DockerRootDir"),
            read_only=self._speech.read_only,
        )

    def _info(self) -> Raw:
        return self._info_between()[0]

    def _info_between(self) -> tuple[Raw, datetime, datetime]:
        """What the engine tells of itself, and between which moments; kept, for its clock is in it."""
        asked = datetime.now(UTC)
        with _translated("info"), self._timed("info"):
            told = an_object("info", self._get("/info"))
        self._told_last = told, asked, datetime.now(UTC)
        return self._told_last

    def id(self) -> str:
        """Ask for the engine's id alone; no model is made, so a thread may ask at any moment."""
        return a_text("info", self._info(), "ID")

    def name(self) -> str:
        """Ask for the host's name as the engine knows it."""
        return a_text("info", self._info(), "Name")

    def clock(self, *, anew: bool = True) -> ClockReading:
        """Ask for the time as the engine has it; unless `anew`, read what it has told of itself already."""
        told, asked, answered = (None if anew else self._told_last) or self._info_between()
        text = a_text("info", told, "SystemTime")
        if found := moment(text):
            return ClockReading(told=found, after=asked, before=answered)
        raise EngineError(f"info: {text!r} is no time")

    def is_swarm_manager(self) -> bool:
        """Ask whether services can be listed here."""
        swarm = self._info().get("Swarm") or {}
        return bool(an_object("info: Swarm", swarm).get("ControlAvailable"))

    # Lists, one call each

    def containers(self) -> list[Raw]:
        """List all containers in any state."""
        with _translated("list containers"), self._timed("list"):
            return a_list("list containers", self._get("/containers/json", all=1))

    def images(self) -> list[Raw]:
        """List all images, intermediates too."""
        with _translated("list images"):
            return a_list("list images", self._get("/images/json", all=1))

    def networks(self) -> list[Raw]:
        """List all networks."""
        with _translated("list networks"):
            return a_list("list networks", self._get("/networks"))

    def services(self) -> list[Raw]:
        """List swarm services; an engine that manages none has none."""
        if not self.is_swarm_manager():
            return []
        with _translated("list services"):
            return a_list("list services", self._get("/services"))

    def usage(self) -> Raw:
        """Ask for the engine's own accounting: images, containers, volumes, build cache."""
        return self._disk({})

    def cache_records(self) -> list[Raw]:
        """List the build cache; engines that know how leave out the costly rest of their accounting."""
        return self._disk({"type": "build-cache"}).get("BuildCache") or []

    def volumes(self) -> list[Raw]:
        """List the volumes in the engine's own folder, and leave out the rest likewise."""
        return self._disk({"type": "volume"}).get("Volumes") or []

    def _disk(self, asked: Mapping[str, str]) -> Raw:
        for attempt in range(DF_TRIES):
            try:
                with _translated("disk usage"):
                    return an_object("disk usage", self._get("/system/df", **asked))
            except EngineError as error:
                # 20.10 answers 500 to a second df at the same time instead of waiting; a containerd store 404
                # where a snapshot goes while it counts.
                passes = isinstance(error, NotFound) or "already running" in str(error)
                if not passes or attempt == DF_TRIES - 1:
                    raise
                time.sleep(min(0.01 * 2**attempt, DF_PAUSE))
        raise EngineError("disk usage: still running")

    def activity_events(self, *, since: datetime, until: datetime) -> list[Raw]:
        """Return what tells that somebody works here, or that a container changed; with an `until` to come it
        watches until then.
        """
        return self.events(ASKED, since=since, until=until)

    def events(self, wanted: Mapping[str, Collection[str]], *, since: datetime, until: datetime) -> list[Raw]:
        """Return what happened between two times; the wanted actions are by the type of object, all if none.

        With an `until` that is still to come it waits for that, and returns sooner if the engine stops.
        """
        asked = {"since": _timestamp(since), "until": _timestamp(until)}
        if wanted:
            actions = sorted({action for of_type in wanted.values() for action in of_type})
            asked["filters"] = json.dumps({"type": sorted(wanted), "event": actions})
        with _translated("events"):
            lines = self._reads.get_lines(self._path("/events"), **asked)
            return [an_object("events", line) for line in lines]

    # One object

    def inspect_container(self, id_: str) -> Raw:
        """Ask for a container's whole description. It holds secrets: never store it whole."""
        with _translated(f"inspect container {id_[:12]}"), self._timed("inspect"):
            return an_object(f"inspect container {id_[:12]}", self._get(f"/containers/{_quoted(id_)}/json"))

    def inspect_image(self, name: str) -> Raw:
        """Ask for an image's description, by id or name."""
        with _translated(f"inspect image {name}"), self._timed("inspect"):
            return an_object(f"inspect image {name}", self._get(f"/images/{_quoted(name)}/json"))

    def history(self, image_id: str) -> list[Raw]:
        """Ask for the steps an image was built of, newest first."""
        with _translated(f"history of {image_id[:19]}"):
            return a_list(f"history of {image_id[:19]}", self._get(f"/images/{_quoted(image_id)}/history"))

    def distribution(self, digest: str) -> Raw:
        """Ask a registry, with the engine's own reach and this user's login, what it has under a digest."""
        with _translated(f"ask for {digest}"):
            # docker-py's, since it sends the login of whoever runs this.
            return an_object(f"ask for {digest}", self._client.inspect_distribution(digest))

    def inspect_network(self, id_: str) -> Raw:
        """Ask for a network's description."""
        with _translated(f"inspect network {id_[:12]}"), self._timed("inspect"):
            return an_object(f"inspect network {id_[:12]}", self._get(f"/networks/{_quoted(id_)}"))

    def log_tail(self, id_: str, *, lines: int, most: int, within: timedelta) -> tuple[bytes, bool]:
        """Ask for the last lines of a container's log, each with its time, as the engine frames its streams.

        Returns at most so many bytes from their beginning, and whether that is all. They hold anything: never
        log them.
        """
        path, asked = self._path(f"/containers/{_quoted(id_)}/logs"), within.total_seconds()
        with _translated(f"log of {id_[:12]}"):
            return self._reads.get_part(
                path, most=most, within=asked, stdout=1, stderr=1, timestamps=1, tail=lines
            )

    def saved(self, image_id: str, *, within: timedelta) -> Iterator[bytes]:
        """Ask for an image with all its layers, as a tar without names, piece by piece.

        An error that comes late stands among the pieces, so whoever takes them looks whether they are whole.
        """
        with _translated(f"save {image_id[:19]}"):
            path = self._path(f"/images/{_quoted(image_id)}/get")
            yield from self._reads.get_pieces(path, within=within.total_seconds())

    # Removals, one object each, by full id, never forced (S1, S2)

    def remove_container(self, id_: str) -> None:
        """Remove a stopped container; its volumes stay."""
        with _translated(f"remove container {id_[:12]}"):
            self._calls.delete(self._path(f"/containers/{_quoted(id_)}"), v=False, link=False, force=False)

    def remove_image(self, name: str) -> Sequence[Mapping[str, str]]:
        """Remove one image by id, or one name of it; returns what the engine says it untagged and deleted."""
        with _translated(f"remove image {name}"), _done_by_then(f"remove image {name}"):
            path = self._path(f"/images/{_quoted(name)}")
            told = a_list("reply", json.loads(self._calls.delete(path, force=False, noprune=True)))
            return [an_object("reply", line) for line in told]

    def remove_network(self, id_: str) -> None:
        """Remove a network without endpoints."""
        with _translated(f"remove network {id_[:12]}"):
            self._calls.delete(self._path(f"/networks/{_quoted(id_)}"))

    def remove_cache_records(self, ids: Sequence[str], *, unused: timedelta | datetime) -> frozenset[str]:
        """Remove build cache records by their full ids; returns the ids of those that went.

        The engine itself looks once more, in the same step, whether they are unused for so long, or since
        then, and takes none that another record needs: that goes after those, be it in the same call.
        """
        # The filter is one expression, searched for in every id: without anchors and full ids it means more.
        # `until` means creation for other objects, but last use for build cache; 20.10 reads durations only.
        filters = json.dumps({"id": [f"^(?:{'|'.join(ids)})$"], **_unused(unused)})
        what = f"remove {len(ids)} build cache records"
        with _translated(what), _done_by_then(what):
            reply = self._calls.post(self._path("/build/prune"), filters=filters, all=True)
            told = an_object("reply", json.loads(reply))
            return frozenset(map(str, a_list("reply", told.get("CachesDeleted") or [])))

    # The way back

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image a name again."""
        with _translated(f"tag {repository}:{tag}"):
            path = self._path(f"/images/{_quoted(image_id)}/tag")
            self._calls.post(path, repo=repository, tag=tag, force=False)

    def create_network(self, described: Raw) -> str:
        """Make a network as it is described; returns its new id.

        Raises:
            Conflict: there is one of this name, or its addresses are not to be had.
        """
        what = f"create network {described.get('Name')}"
        with _translated(what), _done_by_then(what):
            body = json.dumps(described, sort_keys=True).encode()
            reply = self._calls.post_json(self._path("/networks/create"), body)
            return a_text("reply", an_object("reply", json.loads(reply)), "Id")

    def load(self, pieces: Iterator[bytes], *, within: timedelta) -> None:
        """Bring an image back from its tar; whether it came is told by an inspection."""
        with _translated("load"):
            path, asked = self._path("/images/load"), within.total_seconds()
            reply = self._calls.post_pieces(path, pieces, within=asked, quiet=1)
            for line in reply.splitlines():
                told = _json_of(line)
                if "error" in told:
                    # The answer had begun well, so no status tells.
                    raise EngineError(f"load: {told['error']}")

    def pull(self, repository: str, digest: str, *, within: timedelta) -> None:
        """Bring an image back from its registry by its digest; whether it came is told by an inspection."""
        deadline, what = time.monotonic() + within.total_seconds(), f"pull {repository}@{digest}"
        with _translated(what):
            for told in self._client.pull(repository, tag=digest, stream=True, decode=True):
                if "error" in told:
                    # The answer had begun well, so no status tells.
                    raise EngineError(f"{what}: {told['error']}")
                if time.monotonic() > deadline:
                    raise AnswerLost(f"{what}: not done in {within}")


def connected(address: str) -> Callable[[], Engine]:
    """Return a way to open an engine later, in the process that will use it."""
    return lambda: Engine(address)


def _json_of(line: bytes) -> Raw:
    """One line of an answer; what is no object says nothing."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _timestamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _unused(so_long: timedelta | datetime) -> Mapping[str, list[str]]:
    """Since when a record must lie unused. Of no time at all nothing is said: newer engines cut "0s" to whole
    seconds, and would keep what was used in the current one.
    """
    if isinstance(so_long, datetime):
        return {"until": [so_long.isoformat()]}
    return {"until": [f"{int(so_long.total_seconds())}s"]} if so_long else {}


def _quoted(name: str) -> str:
    return quote(name, safe="/:")


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn all that goes wrong on the way into our own errors; the status tells, texts differ by version."""
    try:
        yield
    except BadStatus as error:
        raise STATUSES.get(error.status, EngineError)(f"{what}: {error}") from error
    except APIError as error:
        kind = STATUSES.get(error.status_code or 0, EngineError)
        raise kind(f"{what}: {error.explanation or error}") from error
    except requests.exceptions.JSONDecodeError as error:
        raise EngineError(f"{what}: the engine's answer is not JSON ({error})") from error
    except (LookupError, TypeError, AttributeError) as error:
        # docker-py reads the text of an error from an answer that may hold none.
        raise EngineError(f"{what}: the engine's answer cannot be read ({error!r})") from error
    except (TimeoutError, requests.exceptions.ReadTimeout) as error:
        raise AnswerLost(f"{what}: no answer in time") from error
    except (requests.exceptions.RequestException, DockerException, *STREAM_ERRORS, OSError) as error:
        raise EngineUnreachable(f"{what}: {_innermost(error)}") from error


@contextmanager
def _done_by_then(what: str) -> Iterator[None]:
    """A removal whose reply cannot be read may well be done: its answer is lost, not its work."""
    try:
        yield
    except ForbiddenCall:
        raise
    except (EngineError, ValueError, RecursionError) as error:
        raise AnswerLost(f"{what}: the reply cannot be read ({error})") from error


def _innermost(error: BaseException) -> BaseException:
    """Dig out what happened: requests wraps "no such file" three times over."""
    inner = next((part for part in error.args if isinstance(part, BaseException)), None)
    return _innermost(inner) if inner is not None else error
