"""What can be seen at an engine, and of a change there, without what no two engines have in common."""

import hashlib
import http.client
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from tests.docker.changes import Change
from tests.docker.worker_host import WorkerHost
from tests.stage.images import LONG_AGO
from tests.stage.wire import overheard
from workers.engine import Engine
from workers.errors import EngineError
from workers.planning.mentions import ARRIVING

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
READS: dict[str, Callable[[Engine], Any]] = {
    "identity": Engine.identity,
    "name": Engine.name,
    "containers": Engine.containers,
    "images": Engine.images,
    "networks": Engine.networks,
    "services": Engine.services,
    "usage": Engine.usage,
    "volumes": Engine.volumes,
    "events": lambda engine: engine.events({"image": ARRIVING}, since=BEGAN, until=datetime.now(UTC)),
    "container": lambda engine: [engine.inspect_container(raw["Id"]) for raw in engine.containers()],
    "image": lambda engine: [engine.inspect_image(raw["Id"]) for raw in engine.images()],
    "history": lambda engine: [engine.history(raw["Id"]) for raw in engine.images()],
    "network": lambda engine: [engine.inspect_network(raw["Id"]) for raw in engine.networks()],
}
# What is new with every object and at every moment; a digest is not, it tells the content.
NEW = {
    re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.]*(?:Z|[+-]\d\d:\d\d| [+-]\d{4} UTC)?"): "<time>",
    re.compile(r"(?<=\": )1[5-9]\d{8}(?:\d{9})?\b"): "0",
    re.compile(r"(?<!sha256:)\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b"): "<id>",
    # A built layer holds times, so there may be a byte more of it where it is compressed.
    re.compile(r"(?<=eclaimed\\\":)[1-9]\d*|(?<=\"reclaimed\": \")[1-9]\d*"): "<some>",
}
# So may there be of a record of the build cache; and who uses it, an engine writes down when it has time.
VAGUE = ("Size", "Shared", "LastUsedAt", "UsageCount")
# How far a pull is, it tells as often as there is time for it.
PROGRESS = b'"progressDetail":'


@dataclass(frozen=True)
class Observed:
    """A change that was made, and asked for once more, when the engine may say no.

    What the method told, what the wire had of the answers, the engine's events, and all that it tells of its
    objects before and after.
    """

    told: Any
    answers: Any
    happened: Any
    before: Any
    after: Any


def observed(host: WorkerHost, address: str, change: Change) -> Observed:
    """Make a change at the address, and look at the engine itself."""
    with closing(Engine(host.engine.url)) as bare:
        before, began = _state(bare), datetime.now(UTC)
        with overheard() as exchanges, closing(Engine(address)) as asked:
            told = [change(asked), _told(change, asked)]
        happened = bare.events({}, since=began, until=datetime.now(UTC))
        after = _state(bare)
    names = {str(host.engine.folder): "<engine>", **dict(_names(before)), **dict(_names(after))}
    answers = [_answer(one.answered) for one in exchanges]
    seen = [_likened(one, names) for one in (told, answers, happened)]
    return Observed(*seen, *(settled(_likened(one, names)) for one in (before, after)))


def settled(answer: Any) -> Any:
    """An answer without what passes with time and without the order of what has none."""
    match answer:
        case dict():
            return {key: settled(value) for key, value in answer.items() if key != "Status"}
        case list():
            return sorted(json.dumps(settled(value), sort_keys=True) for value in answer)
    return answer


def _told(change: Change, engine: Engine) -> object:
    """What the method returns, or the error that it raises."""
    try:
        return change(engine)
    except EngineError as error:
        return {type(error).__name__: str(error)}


def _state(engine: Engine) -> dict[str, Any]:
    """What the engine tells of its objects, but for sizes that are a byte more or less each time."""
    state = {name: read(engine) for name, read in READS.items() if name != "events"}
    for record in state["usage"]["BuildCache"] or ():
        for vague in VAGUE:
            record.pop(vague)
    built = _built(state)
    for raw in (*state["images"], *state["image"], *(state["usage"]["Images"] or ())):
        if raw["Id"] in built:
            raw.pop("Size")
    if built:
        state["usage"].pop("LayersSize")
    return state


def _built(state: Mapping[str, Any]) -> dict[str, str]:
    """The ids of images that were built here, not loaded, with their tags.

    Their time is part of what they are, and its last noughts take no room.
    """
    new = (raw for raw in state["images"] if raw["Created"] > LONG_AGO.timestamp())
    return {raw["Id"]: (raw["RepoTags"] or ["untagged"])[0] for raw in new}


def _names(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The ids that are new with each engine, and what is called so."""
    yield state["identity"].id, "<engine>"
    yield from ((raw["Id"], f"<{raw['Names'][0]}>") for raw in state["containers"])
    yield from ((raw["Id"], f"<{raw['Name']}>") for raw in state["networks"])
    yield from ((raw["ID"], f"<{raw['Description']}>") for raw in state["usage"]["BuildCache"] or ())
    yield from ((id_, f"<{tag}>") for id_, tag in _built(state).items())


def _answer(raw: bytearray) -> dict[str, Any]:
    """The status, the headers and the body of what was read."""
    answer = http.client.HTTPResponse(_Bytes(raw))  # type: ignore[arg-type]
    answer.begin()
    headers = {name: value for name, value in answer.getheaders() if name != "Date"}
    return {"status": [answer.version, answer.status, answer.reason], **headers, "body": _body(answer)}


class _Bytes:
    """What was read from a socket, to be read again."""

    def __init__(self, raw: bytearray) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def _body(answer: http.client.HTTPResponse) -> object:
    try:
        body = answer.read()
    except http.client.IncompleteRead as error:
        return repr(error)
    if b"\0" in body:
        return body
    return [line.decode() for line in body.splitlines() if PROGRESS not in line]


def _likened(seen: object, names: Mapping[str, str]) -> Any:
    text = json.dumps(seen, default=_plain)
    for id_, name in names.items():
        text = text.replace(id_, json.dumps(name)[1:-1])
    for new, instead in NEW.items():
        text = new.sub(instead, text)
    return json.loads(text)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, frozenset):
        # Equal in any order, also after its ids were named.
        return dict.fromkeys(value)
    assert isinstance(value, bytes)
    return list(_members(value))


def _members(tar: bytes) -> Iterator[str]:
    """What a tar holds, without times: newer engines give some of an image the present one."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        for member in members:
            content = members.extractfile(member)
            held = hashlib.sha256(content.read() if content else b"").hexdigest()
            yield f"{member.name} {member.mode:o} {member.linkname} {member.size} sha256:{held}"
