"""What a host held when a run began, so that what came since is seen (pure; S7, S9)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workers.planning.facts import Case
from workers.planning.inventory import Container
from workers.planning.versions import repositories
from workers.reasons import Code, Reason, reason
from workers.references import repository_of

ID = re.compile(r"(?:sha256:)?[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Start:
    """The containers there were; the repositories of each image; and the images that ran."""

    containers: frozenset[str] = frozenset()
    repositories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ran: frozenset[str] = frozenset()

    def way_back(self, image_id: str, containers: Iterable[Container]) -> Reason | None:
        """Whether a container came that uses a repository of the image: it may be its way back now.

        One more container of an image that ran already changes nothing of that.
        """
        mine = self.repositories.get(image_id, frozenset())
        if not mine:
            return None
        for new in (c for c in containers if c.id not in self.containers and c.image_id not in self.ran):
            theirs = self._repositories_of(new)
            # What it was made of is unknown, so it may be anything (S4).
            if not theirs or theirs & mine:
                shown = min(theirs & mine, default=new.image)
                return reason(Code.REPOSITORY_USED, repository=shown, container=new.name)
        return None

    def _repositories_of(self, container: Container) -> frozenset[str]:
        """By its image where that was here, and by the name it was made of, unless that is an id."""
        by_image = self.repositories.get(container.image_id, frozenset())
        if ID.fullmatch(container.image):
            return by_image
        return by_image | {repository_of(name) for name in container.references}


def start_of(case: Case) -> Start:
    """Note what there was."""
    found = case.inventory
    return Start(
        containers=frozenset(c.id for c in found.containers),
        repositories={i.id: repositories(i, case.memory) for i in found.images},
        ran=frozenset(c.image_id for c in found.containers if not c.stopped),
    )
