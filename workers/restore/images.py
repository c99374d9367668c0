"""Images as they were kept: what they were called, and where they may be had again (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.contract import FromArchive, FromRegistry, Source
from workers.planning.fields import Fields
from workers.planning.restorable import Answer, Answers
from workers.reasons import Code, Reason, reason
from workers.references import BadName, ImageName, listed_names, repository_of

NO_ANSWER = Answer(given=False)


@dataclass(frozen=True)
class KeptImage:
    """An image that was removed; `variables` are the names that it sets in an environment."""

    tags: tuple[ImageName, ...] = ()
    digests: tuple[ImageName, ...] = ()
    size: int = 0
    variables: frozenset[str] = frozenset()
    unread: str = ""


def read(text: str) -> KeptImage:
    """Read what was kept of an image."""
    try:
        kept: Any = json.loads(text)
        fields = Fields(kept)
        image = KeptImage(
            # One store lists names by digest among the tags; a pull by digest brings those.
            tags=tuple(name for name in listed_names(fields.texts("RepoTags")) if not name.digest),
            digests=listed_names(fields.texts("RepoDigests")),
            size=fields.number("Size") or 0,
            variables=frozenset(fields.texts("EnvironmentNames")),
        )
    except (BadName, ValueError) as error:
        return KeptImage(unread=str(error))
    return KeptImage(unread=fields.what) if fields.unread else image


def sources(
    image: KeptImage, answers: Answers | None, archived: FromArchive | None = None
) -> tuple[Source, ...]:
    """Where it may be had again: all that gave it once, or those that still do where they were asked.

    What is certain comes first: registries that were asked bring its digests as well, then the archive.
    """
    given, copy = _given(image, answers), () if archived is None else (archived,)
    return (*copy, *given) if answers is None else (*given, *copy)


def _given(image: KeptImage, answers: Answers | None) -> tuple[FromRegistry, ...]:
    return tuple(
        FromRegistry(repository=repository_of(name), digest=name.digest or "", asked=answers is not None)
        for name in image.digests
        if answers is None or answers.get(name, NO_ANSWER).given
    )


def why_not(image: KeptImage, answers: Answers | None) -> Reason:
    """Why no registry gives it back; one that does not answer gives nothing back (S4)."""
    told: Mapping[ImageName, Answer] = answers or {}
    for name in image.digests:
        if silence := told.get(name, NO_ANSWER).silence:
            return reason(Code.REGISTRY_SILENT, registry=name.registry, count=1, detail=silence)
    if image.digests:
        return reason(Code.NOT_GIVEN_BACK, reference=image.digests[0].familiar())
    return reason(Code.NO_SOURCE)
