"""The one file that speaks with a Docker engine: lists, inspects, and removals of single objects."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, StreamParseError

from workers.allowed_calls import is_allowed
from workers.contract import EngineIdentity, Store
from workers.engine_versions import Speech, speech
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound

READ_TIMEOUT = 300
DF_TRIES = 30
DF_PAUSE = 2.0
# What a stream that breaks off raises is neither docker-py's nor requests' own.
STREAM_ERRORS = (urllib3.exceptions.HTTPError, StreamParseError)
Raw = dict[str, Any]


class ForbiddenCall(EngineError):
    """A call that is not on the closed list was about to be sent; it was not."""


class _Client(docker.APIClient):
    """docker-py's low-level client, unable to send what the closed list does not hold."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.read_only = False
        # Neither proxies nor .netrc are meant for an engine; looking for them took a fifth of every call.
        self.trust_env = False

    def send(self, request: Any, **options: Any) -> Any:
        # No call on the list has a body; an engine would read flags from one before those of the URL.
        if not is_allowed(request.method, request.path_url) or request.body:
            raise ForbiddenCall(f"{request.method} {request.path_url} is not on the list of allowed calls")
        if self.read_only and request.method != "GET":
            raise ForbiddenCall(f"{request.method} {request.path_url}: this engine is only read")
        return super().send(request, **options)


class Engine:
    """One engine, reached at an explicit address.

    Raises:
        EngineUnreachable, NotFound, Conflict, AnswerLost, EngineError: from every method.
    """

    def __init__(self, address: str, *, timeout: int = READ_TIMEOUT) -> None:
        with _translated(address):
            # Never from_env: since docker-py 7.2 it may follow a CLI context to another host.
            probe = _Client(base_url=address, version="1.24", timeout=timeout)
            self._speech = _understood(probe.version(api_version=False))
            probe.close()
            # The stubs of docker-py are partly untyped; our own types begin at this file's methods.
            self._client: Any = _Client(base_url=address, version=self._speech.api_version, timeout=timeout)
            self._client.read_only = self._speech.read_only is not None

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def identity(self) -> EngineIdentity:
        """Ask which engine this is."""
        with _translated("info"):
            told = self._client.info()
        store = ["driver-type", "io.containerd.snapshotter.v1"] in (told.get("DriverStatus") or [])
        return EngineIdentity(
            id=told["ID"],
            version=told["ServerVersion"],
            api_version=self._speech.api_version,
            storage_driver=told["Driver"],
            store=Store.CONTAINERD if store else Store.GRAPH_DRIVER,
            data_root=told["DockerRootDir"],
            read_only=self._speech.read_only,
        )

    def name(self) -> str:
        """Ask for the host's name as the engine knows it."""
        with _translated("info"):
            return str(self._client.info()["Name"])

    def clock(self) -> datetime:
        """Ask for the time as the engine has it."""
        with _translated("info"):
            return datetime.fromisoformat(self._client.info()["SystemTime"])

    def is_swarm_manager(self) -> bool:
        """Ask whether services can be listed here."""
        with _translated("info"):
            return bool((self._client.info().get("Swarm") or {}).get("ControlAvailable"))

    # Lists, one call each

    def containers(self) -> list[Raw]:
        """List all containers in any state."""
        with _translated("list containers"):
            return cast("list[Raw]", self._client.containers(all=True))

    def images(self) -> list[Raw]:
        """List all images, intermediates too."""
        with _translated("list images"):
            return cast("list[Raw]", self._client.images(all=True))

    def networks(self) -> list[Raw]:
        """List all networks."""
        with _translated("list networks"):
            return cast("list[Raw]", self._client.networks())

    def services(self) -> list[Raw]:
        """List swarm services; an engine that manages none has none."""
        if not self.is_swarm_manager():
            return []
        with _translated("list services"):
            return cast("list[Raw]", self._client.services())

    def usage(self) -> Raw:
        """Ask for the engine's own accounting: images, containers, volumes, build cache."""
        for attempt in range(DF_TRIES):
            try:
                with _translated("disk usage"):
                    return cast("Raw", self._client.df())
            except EngineError as error:
                # 20.10 answers 500 to a second df at the same time instead of waiting; a containerd store 404
                # where a snapshot goes while it counts.
                passes = isinstance(error, NotFound) or "already running" in str(error)
                if not passes or attempt == DF_TRIES - 1:
                    raise
                time.sleep(min(0.01 * 2**attempt, DF_PAUSE))
        raise EngineError("disk usage: still running")

    def image_events(self, actions: Collection[str], *, since: datetime, until: datetime) -> list[Raw]:
        """Return what happened to images between two times, as far as the engine still remembers."""
        filters = {"type": ["image"], "event": sorted(actions)}
        with _translated("events"):
            # docker-py cuts times to whole seconds, and with that what happened just now.
            stream = self._client.events(
                since=_timestamp(since), until=_timestamp(until), filters=filters, decode=True
            )
            return list(cast("Iterator[Raw]", stream))

    # One object

    def inspect_container(self, id_: str) -> Raw:
        """Ask for a container's whole description. It holds secrets: never store it whole."""
        with _translated(f"inspect container {id_[:12]}"):
            return cast("Raw", self._client.inspect_container(id_))

    def inspect_image(self, name: str) -> Raw:
        """Ask for an image's description, by id or name."""
        with _translated(f"inspect image {name}"):
            return cast("Raw", self._client.inspect_image(name))

    def history(self, image_id: str) -> list[Raw]:
        """Ask for the steps an image was built of, newest first."""
        with _translated(f"history of {image_id[:19]}"):
            return cast("list[Raw]", self._client.history(image_id))

    def inspect_network(self, id_: str) -> Raw:
        """Ask for a network's description."""
        with _translated(f"inspect network {id_[:12]}"):
            return cast("Raw", self._client.inspect_network(id_))

    # Removals, one object each, by full id, never forced (S1, S2)

    def remove_container(self, id_: str) -> None:
        """Remove a stopped container; its volumes stay."""
        with _translated(f"remove container {id_[:12]}"):
            self._client.remove_container(id_, v=False, link=False, force=False)

    def remove_image(self, name: str) -> Sequence[Mapping[str, str]]:
        """Remove one image by id, or one name of it; returns what the engine says it untagged and deleted."""
        with _translated(f"remove image {name}"):
            return cast("Sequence[Mapping[str, str]]", self._client.remove_image(name, noprune=True))

    def remove_network(self, id_: str) -> None:
        """Remove a network without endpoints."""
        with _translated(f"remove network {id_[:12]}"):
            self._client.remove_network(id_)

    def remove_cache_record(self, id_: str, *, unused: timedelta | datetime) -> bool:
        """Remove one build cache record by its full id; False when the engine keeps it for now.

        The engine itself looks once more, in the same step, whether it is unused for so long, or since then.
        """
        # `until` means creation for other objects, but last use for build cache; 20.10 reads durations only.
        until = unused.isoformat() if isinstance(unused, datetime) else f"{int(unused.total_seconds())}s"
        filters = {"id": [id_], "until": [until]}
        with _translated(f"remove build cache record {id_}"):
            told = self._client.prune_builds(filters=filters, all=True)
        return id_ in (told.get("CachesDeleted") or [])

    # The way back

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image a name again."""
        with _translated(f"tag {repository}:{tag}"):
            self._client.tag(image_id, repository, tag)

    def pull(self, repository: str, digest: str) -> None:
        """Bring an image back from its registry by its digest."""
        with _translated(f"pull {repository}@{digest}"):
            self._client.pull(repository, tag=digest)


def connected(address: str) -> Callable[[], Engine]:
    """Return a way to open an engine later, in the process that will use it."""
    return lambda: Engine(address)


def _timestamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}"


def _understood(told: Raw) -> Speech:
    try:
        return speech(told)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise EngineError(f"version: {type(error).__name__}: {error}") from error


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn docker-py's and requests' errors into our own; the status tells, texts differ by version."""
    try:
        yield
    except APIError as error:
        # 403 is what a network says that has endpoints.
        kinds: dict[int | None, type[EngineError]] = {403: Conflict, 404: NotFound, 409: Conflict}
        raise kinds.get(error.status_code, EngineError)(f"{what}: {error.explanation or error}") from error
    except requests.exceptions.ReadTimeout as error:
        raise AnswerLost(f"{what}: no answer in time") from error
    except (requests.exceptions.RequestException, DockerException, *STREAM_ERRORS, OSError) as error:
        raise EngineUnreachable(f"{what}: {_innermost(error)}") from error


def _innermost(error: BaseException) -> BaseException:
    """Dig out what happened: requests wraps "no such file" three times over."""
    inner = next((part for part in error.args if isinstance(part, BaseException)), None)
    return _innermost(inner) if inner is not None else error
