"""Images mounted as volumes: engines tell by which name, and not which image had it then (pure).

Once its name has moved, Docker 28 removes by id what a running container has mounted (measured, both stores).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from workers.planning.facts import Memory
from workers.planning.inventory import Container, Image
from workers.references import BadName, ImageName, repository_of

LIBRARY = "library/"
ID = re.compile(r"[0-9a-f]{4,64}")
# A list tells in which second a container was made: what was written within it may have come before.
WITHIN = timedelta(seconds=1)


class ImageMounts:
    """Finds the containers that may have an image mounted, for many images at once."""

    def __init__(self, containers: Iterable[Container], images: Sequence[Image], memory: Memory) -> None:
        mounted = [(c, name) for c in containers for name in _names(c.image_mounts)]
        since = {name: _meant_since(name.full(), images, memory) for _, name in mounted}
        # A name that has meant one image since before the container was made is no riddle.
        self._mounted = [(c, name) for c, name in mounted if not _is_older(since[name], c)]

    def of(self, image: Image, repositories: frozenset[str]) -> list[Container]:
        """Those that mount a name of one of its repositories, as they are or were, or a part of its id.

        An image of no known repository may be of any.
        """
        found = (
            container
            for container, name in self._mounted
            if not repositories or repository_of(name) in repositories or _is_part_of_id(name, image)
        )
        return list({c.id: c for c in found if not _came_later(image, c)}.values())


def _names(mounts: Iterable[str]) -> Iterator[ImageName]:
    """What can have moved: a digest never does, and a path is no name."""
    for text in mounts:
        try:
            name = ImageName.parse(text)
        except BadName:
            continue
        if not name.digest:
            yield name


def _is_part_of_id(name: ImageName, image: Image) -> bool:
    text = name.repository.removeprefix(LIBRARY)
    return bool(ID.fullmatch(text)) and image.id.removeprefix("sha256:").startswith(text)


def _meant_since(full: str, images: Iterable[Image], memory: Memory) -> datetime | None:
    """Since when a name has meant the image that it means."""
    return next((memory.names.get(i.id, {}).get(full) for i in images if full in i.called), None)


def _is_older(since: datetime | None, container: Container) -> bool:
    return since is not None and container.created_at is not None and since < container.created_at


def _came_later(image: Image, container: Container) -> bool:
    """Whether it was written down after the container was made: no other evidence is so sure."""
    written, created = image.written_at, container.created_at
    return written is not None and created is not None and written - WITHIN >= created
