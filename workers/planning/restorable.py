"""Whether a registry gives an image back, by what registries answered (pure).

`RepoDigests` alone prove nothing: they go on naming what a registry has deleted, and the containerd store
makes them up for images that were never in one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workers.contract import Restorable, Store
from workers.planning.inventory import Image
from workers.reasons import Code, Reason, reason
from workers.references import ImageName


@dataclass(frozen=True)
class Answer:
    """What a registry said about a digest; `silence` tells why it said nothing."""

    given: bool
    silence: str = ""


Answers = Mapping[ImageName, Answer]


def restorable(image: Image, store: Store, answers: Answers) -> Restorable:
    """Whether a registry is known to give it back; one that does not answer is known for nothing (S4)."""
    told = [answers[digest] for digest in image.digests if digest in answers]
    if any(answer.given for answer in told):
        return Restorable.YES
    # On the containerd store an image without a digest may have one under another name.
    if told or (store is Store.GRAPH_DRIVER and not image.digests):
        return Restorable.NO
    return Restorable.NOT_PROBED


def silent_registries(answers: Answers) -> Iterator[Reason]:
    """Say which registries left a question open, and why."""
    silent: dict[str, list[str]] = {}
    for digest, answer in answers.items():
        if answer.silence:
            silent.setdefault(digest.registry, []).append(answer.silence)
    for registry, details in silent.items():
        yield reason(Code.REGISTRY_SILENT, registry=registry, count=len(details), detail=details[0])
