"""The one file that speaks with a Docker engine: lists, inspects, and removals of single objects."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, StreamParseError

from workers.allowed_calls import is_allowed
from workers.contract import EngineIdentity, Store
from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound
from workers.replies import a_list, a_text, an_object, many_objects

NEWEST_API = (1, 51)
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
        # Neither proxies nor .netrc are meant for an engine; looking for them took a fifth of every call.
        self.trust_env = False

    def send(self, request: Any, **options: Any) -> Any:
        # No call on the list has a body; an engine would read flags from one before those of the URL.
        if not is_allowed(request.method, request.path_url) or request.body:
            raise ForbiddenCall(f"{request.method} {request.path_url} is not on the list of allowed calls")
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
            newest = _numbers(an_object("version", probe.version(api_version=False)))
            probe.close()
            self.api_version = ".".join(map(str, min(newest, NEWEST_API)))
            # The stubs of docker-py are partly untyped; our own types begin at this file's methods.
            self._client: Any = _Client(base_url=address, version=self.api_version, timeout=timeout)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def identity(self) -> EngineIdentity:
        """Ask which engine this is."""
        told = self._info()
        store = ["driver-type", "io.containerd.snapshotter.v1"] in (told.get("DriverStatus") or [])
        return EngineIdentity(
            id=a_text("info", told, "ID"),
            version=a_text("info", told, "ServerVersion"),
            api_version=self.api_version,
            storage_driver=a_text("info", told, "Driver"),
            store=Store.CONTAINERD if store else Store.GRAPH_DRIVER,
            data_root=a_text("info", told, "DockerRootDir"),
        )

    def _info(self) -> Raw:
        with _translated("info"):
            return an_object("info", self._client.info())

    def name(self) -> str:
        """Ask for the host's name as the engine knows it."""
        return a_text("info", self._info(), "Name")

    def is_swarm_manager(self) -> bool:
        """Ask whether services can be listed here."""
        swarm = self._info().get("Swarm") or {}
        return bool(an_object("info: Swarm", swarm).get("ControlAvailable"))

    # Lists, one call each

    def containers(self) -> list[Raw]:
        """List all containers in any state."""
        with _translated("list containers"):
            return a_list("list containers", self._client.containers(all=True))

    def images(self) -> list[Raw]:
        """List all images, intermediates too."""
        with _translated("list images"):
            return a_list("list images", self._client.images(all=True))

    def networks(self) -> list[Raw]:
        """List all networks."""
        with _translated("list networks"):
            return a_list("list networks", self._client.networks())

    def services(self) -> list[Raw]:
        """List swarm services; an engine that manages none has none."""
        if not self.is_swarm_manager():
            return []
        with _translated("list services"):
            return a_list("list services", self._client.services())

    def usage(self) -> Raw:
        """Ask for the engine's own accounting: images, containers, volumes, build cache."""
        for attempt in range(DF_TRIES):
            try:
                with _translated("disk usage"):
                    return an_object("disk usage", self._client.df())
            except EngineError as error:
                # 20.10 answers 500 to a second df at the same time instead of waiting.
                if "already running" not in str(error) or attempt == DF_TRIES - 1:
                    raise
                time.sleep(min(0.01 * 2**attempt, DF_PAUSE))
        raise EngineError("disk usage: still running")

    def image_events(self, actions: Collection[str], *, since: datetime, until: datetime) -> list[Raw]:
        """Return what happened to images between two times, as far as the engine still remembers."""
        params = {
            # docker-py cuts times to whole seconds, and with that what happened just now.
            "since": _timestamp(since),
            "until": _timestamp(until),
            "filters": json.dumps({"type": ["image"], "event": sorted(actions)}),
        }
        with _translated("events"):
            # docker-py's own stream has no time-out, and ends without a word at an error or a cut.
            answer = self._client._get(self._client._url("/events"), params=params)
            return many_objects("events", self._client._result(answer))

    # One object

    def inspect_container(self, id_: str) -> Raw:
        """Ask for a container's whole description. It holds secrets: never store it whole."""
        with _translated(f"inspect container {id_[:12]}"):
            return an_object(f"inspect container {id_[:12]}", self._client.inspect_container(id_))

    def inspect_image(self, name: str) -> Raw:
        """Ask for an image's description, by id or name."""
        with _translated(f"inspect image {name}"):
            return an_object(f"inspect image {name}", self._client.inspect_image(name))

    def history(self, image_id: str) -> list[Raw]:
        """Ask for the steps an image was built of, newest first."""
        with _translated(f"history of {image_id[:19]}"):
            return a_list(f"history of {image_id[:19]}", self._client.history(image_id))

    def inspect_network(self, id_: str) -> Raw:
        """Ask for a network's description."""
        with _translated(f"inspect network {id_[:12]}"):
            return an_object(f"inspect network {id_[:12]}", self._client.inspect_network(id_))

    # Removals, one object each, by full id, never forced (S1, S2)

    def remove_container(self, id_: str) -> None:
        """Remove a stopped container; its volumes stay."""
        with _translated(f"remove container {id_[:12]}"):
            self._client.remove_container(id_, v=False, link=False, force=False)

    def remove_image(self, name: str) -> Sequence[Mapping[str, str]]:
        """Remove one image by id, or one name of it; returns what the engine says it untagged and deleted."""
        with _translated(f"remove image {name}"), _done_by_then(f"remove image {name}"):
            told = a_list("reply", self._client.remove_image(name, noprune=True))
            return [an_object("reply", line) for line in told]

    def remove_network(self, id_: str) -> None:
        """Remove a network without endpoints."""
        with _translated(f"remove network {id_[:12]}"):
            self._client.remove_network(id_)

    def remove_cache_record(self, id_: str, *, unused_for: timedelta) -> bool:
        """Remove one build cache record by its full id; False when the engine keeps it for now.

        The engine itself looks at the time of the last use once more, in the same step.
        """
        # `until` means creation for other objects, but last use for build cache; 20.10 reads durations only.
        filters = {"id": [id_], "until": [f"{int(unused_for.total_seconds())}s"]}
        what = f"remove build cache record {id_}"
        with _translated(what), _done_by_then(what):
            told = an_object("reply", self._client.prune_builds(filters=filters, all=True))
            return id_ in a_list("reply", told.get("CachesDeleted") or [])

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


def _numbers(told: Raw) -> tuple[int, ...]:
    version = a_text("version", told, "ApiVersion")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})+", version):
        raise EngineError(f"version: ApiVersion is {version!r}, expected numbers such as 1.41")
    return tuple(int(part) for part in version.split("."))


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn docker-py's and requests' errors into our own; the status tells, texts differ by version."""
    try:
        yield
    except APIError as error:
        # 403 is what a network says that has endpoints.
        kinds: dict[int | None, type[EngineError]] = {403: Conflict, 404: NotFound, 409: Conflict}
        raise kinds.get(error.status_code, EngineError)(f"{what}: {error.explanation or error}") from error
    except requests.exceptions.JSONDecodeError as error:
        raise EngineError(f"{what}: the engine's answer is not JSON ({error})") from error
    except (LookupError, TypeError, AttributeError) as error:
        # docker-py reads the text of an error from an answer that may hold none.
        raise EngineError(f"{what}: the engine's answer cannot be read ({error!r})") from error
    except requests.exceptions.ReadTimeout as error:
        raise AnswerLost(f"{what}: no answer in time") from error
    except (requests.exceptions.RequestException, DockerException, *STREAM_ERRORS, OSError) as error:
        raise EngineUnreachable(f"{what}: {_innermost(error)}") from error


@contextmanager
def _done_by_then(what: str) -> Iterator[None]:
    """A removal whose reply cannot be read may well be done: its answer is lost, not its work."""
    try:
        yield
    except (EngineError, requests.exceptions.JSONDecodeError) as error:
        raise AnswerLost(f"{what}: the reply cannot be read ({error})") from error


def _innermost(error: BaseException) -> BaseException:
    """Dig out what happened: requests wraps "no such file" three times over."""
    inner = next((part for part in error.args if isinstance(part, BaseException)), None)
    return _innermost(inner) if inner is not None else error
