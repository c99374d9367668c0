"""What an engine's events tell: who used which image or network, what is called how, what came (pure)."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workers.errors import EngineError
from workers.planning.answers import tags
from workers.planning.fields import Fields, epoch
from workers.planning.mentions import ARRIVING, SOME_TIME, begins, event_time, full_name
from workers.planning.mentions import arrivals as arrivals_of

Raw = Mapping[str, Any]

# A container that was made and never started has not used its image, and one that goes did so before.
ENDING = frozenset({"die"})
USING = frozenset({"start"}) | ENDING
LEAVING = frozenset({"destroy"})
ATTACHING = frozenset({"connect", "disconnect"})
TOLD: Mapping[str, frozenset[str]] = {
    "image": ARRIVING,
    "container": USING | LEAVING,
    "network": ATTACHING,
}


@dataclass(frozen=True)
class Use:
    """A container started, or ended; `image` is as the event names it: a name or an id."""

    container: str
    image: str
    at: datetime
    name: str = ""
    ended: bool = False


@dataclass(frozen=True)
class ImageNews:
    """An image came or got a name: `subject` is its id or, for a pull, the name; `name` is "" if not told."""

    subject: str
    name: str
    at: datetime


def uses(events: Iterable[Raw]) -> list[Use]:
    """Read when containers used their images."""
    return [
        Use(_id(e), _attribute(e, "image"), at, _attribute(e, "name"), ended=e["Action"] in ENDING)
        for e, at in _of_type(events, "container", USING)
    ]


def network_uses(events: Iterable[Raw]) -> dict[str, datetime]:
    """Read when something was attached to networks, by their ids."""
    return {_id(event): at for event, at in _of_type(events, "network", ATTACHING)}


def joined(events: Iterable[Raw]) -> dict[str, str]:
    """Read which container came to a network last, or left it: ids by the id of the network."""
    return {_id(e): _attribute(e, "container") for e, _ in _of_type(events, "network", ATTACHING)}


def gone(events: Iterable[Raw]) -> list[str]:
    """Read which containers are there no more."""
    return [_id(event) for event, _ in _of_type(events, "container", LEAVING)]


def image_news(events: Iterable[Raw]) -> list[ImageNews]:
    """Read which images came or got names."""
    # A pull's name is the repository alone, a load's and an import's the id: only a tag's is the name.
    return [
        ImageNews(_id(e), _attribute(e, "name") if e["Action"] == "tag" else "", at)
        for e, at in _of_type(events, "image", ARRIVING)
    ]


def meant(use: Use, told: Iterable[ImageNews]) -> str:
    """Return the id of the image that had the name of a use then; "" where no event before it tells."""
    name = full_name(use.image)
    given = [one for one in told if one.name and one.at <= use.at and full_name(one.name) == name]
    return max(given, key=lambda one: one.at).subject if name and given else ""


def names(news: ImageNews, inspected: Raw) -> list[tuple[str, str, datetime]]:
    """Return (full name, image id, when) of what the event says and of what the image is called by now."""
    id_ = inspected.get("Id") or (news.subject if news.subject.startswith("sha256:") else "")
    told = [text for text in (news.name, *(inspected.get("RepoTags") or [])) if text]
    named = {full for text in told if id_ and (full := full_name(text))}
    return [(full, id_, news.at) for full in sorted(named)]


def listed_names(images: Iterable[Raw], now: datetime) -> list[tuple[str, str, datetime]]:
    """Return (full name, image id, now) of what images are called in their list."""
    named = [(tag, Fields(listed).text("Id")) for listed in images for tag in tags(listed)]
    return [(full, id_, now) for tag, id_ in named if id_ and (full := full_name(tag))]


def made_of(container: Raw) -> list[tuple[str, str, datetime]]:
    """Return (full name, image id, when) of the name a container was made of: it meant this image then."""
    read = Fields(container)
    return _meant_then(read.inside("Config").text("Image"), read.text("Image"), read.moment("Created"))


def listed_made_of(line: Raw) -> list[tuple[str, str, datetime]]:
    """The same by its line in the list, which tells no name that has moved since."""
    read = Fields(line)
    return _meant_then(read.text("Image"), read.text("ImageID"), epoch(line.get("Created")))


def _meant_then(name: str, id_: str, at: datetime | None) -> list[tuple[str, str, datetime]]:
    return [(full, id_, at)] if id_ and at and not begins(id_, name) and (full := full_name(name)) else []


def arrivals(events: Iterable[Raw]) -> dict[str, datetime]:
    """Read when images came, by name and id; an event that cannot be read is for the inventory to refuse."""
    found: dict[str, datetime] = {}
    for event in events:
        with suppress(EngineError):
            found |= {key: at for key, at in arrivals_of([event]).items() if at != SOME_TIME}
    return found


def _of_type(events: Iterable[Raw], type_: str, actions: frozenset[str]) -> Iterable[tuple[Raw, datetime]]:
    """Those of them whose time is known, with it."""
    for event in events:
        read, at = Fields(event), event_time(event)
        if at and read.text("Type") == type_ and read.text("Action") in actions:
            yield event, at


def _id(event: Raw) -> str:
    return Fields(event).inside("Actor").text("ID")


def _attribute(event: Raw, name: str) -> str:
    return Fields(event).inside("Actor").inside("Attributes").text(name)
