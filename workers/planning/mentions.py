"""What events and services say of images, by name or id (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workers.errors import EngineError
from workers.name_grammar import IMAGE_ID
from workers.planning.fields import Fields, epoch
from workers.references import BadName, ImageName

Raw = Mapping[str, Any]

# What brings an image or a name of one, and what it has done then.
ARRIVALS = {"pull": "pulled", "load": "loaded", "tag": "tagged", "import": "imported"}
ARRIVING = frozenset(ARRIVALS)
# An arrival at a time that cannot be read counts as still to come: its image has no known age (S10).
SOME_TIME = datetime(9999, 1, 1, tzinfo=UTC)
# Looks at events overlap, for one has its time some moments before it can be asked for. More costs more: a
# run's own removals are a hundred events a second.
OVERLAP = timedelta(milliseconds=50)


def arrivals(events: Iterable[Raw]) -> dict[str, datetime]:
    """Read when images came, or came again: a pull of what is there already leaves no other trace.

    Raises:
        EngineError: something came, and what cannot be read.
    """
    found: dict[str, datetime] = {}
    for told in events:
        event = Fields(told)
        if event.text("Type") == "image" and event.text("Action") in ARRIVING:
            at = event_time(told) or SOME_TIME
            found.update(dict.fromkeys(_spoken_of(event.inside("Actor")), at))
        if event.unread:
            raise EngineError(f"events: {event.what}")
    return found


def event_time(told: Raw) -> datetime | None:
    """When something happened; in whole seconds two images that came one after the other came at once."""
    nanoseconds = told.get("timeNano")
    if not isinstance(nanoseconds, int):
        return epoch(told.get("time"))
    second = epoch(nanoseconds // 10**9)
    return second and second + timedelta(microseconds=nanoseconds % 10**9 // 1000)


def _spoken_of(actor: Fields) -> Iterable[str]:
    texts = {actor.text("ID"), actor.inside("Attributes").text("name")} - {""}
    if not texts:
        actor.note("ID", None, "what arrived")
    return [full(text) for text in texts]


def full_name(text: str) -> str:
    """The full spelling of a name; nothing for what is none, an id most often."""
    try:
        return "" if IMAGE_ID.fullmatch(text) else ImageName.parse(text).full()
    except BadName:
        return ""


def begins(image_id: str, text: str) -> bool:
    """Whether a text is the beginning of an id, which reads like a name."""
    return image_id.removeprefix("sha256:").startswith(text)


def full(text: str) -> str:
    """The full spelling of a name; what is none, an id most often, stays as it is."""
    return full_name(text) or text


def service_images(services: Iterable[Raw]) -> frozenset[ImageName]:
    """Read the images that services name, with and without the digest that swarm pins beside the tag.

    Raises:
        EngineError: a service runs something, and what cannot be read.
    """
    lines = [Fields(service) for service in services]
    # A service can be rolled back to its previous specification, and only there is that written.
    found = [line.inside(key) for line in lines for key in ("Spec", "PreviousSpec")]
    specs = [spec.inside("TaskTemplate").inside("ContainerSpec") for spec in found]
    named = [name for spec in specs for name in _named(spec)]
    if unread := next((line.what for line in lines if line.unread), ""):
        raise EngineError(f"list services: {unread}")
    return frozenset(spelled for name in named for spelled in _tag_and_digest(name))


def _named(spec: Fields) -> Iterable[ImageName]:
    """The image that a specification names; one without any runs none."""
    text = spec.text("Image")
    if name := full_name(text):
        yield ImageName.parse(name)
    elif text and not IMAGE_ID.fullmatch(text):
        spec.note("Image", text, "an image's name")


def _tag_and_digest(name: ImageName) -> Iterable[ImageName]:
    if name.tag and name.digest:
        return replace(name, digest=None), replace(name, tag=None)
    return (name,)
