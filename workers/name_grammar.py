"""The grammar of image names and of patterns of them, and where a text leaves it (pure).

It is that of distribution/reference, as engines read names that people write. Up to v0.5 a name's length was
limited with its registry, since then without: an engine may list the longer one, so the longer one is a name.

What looks like a host but cannot be one, as `my_host.lan/app`, is to Docker a name without a registry. No
other name is spelled like that, so its first part is kept here where others have their registry.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

HUB = "docker.io"
OFFICIAL = "library"
LONGEST_REPOSITORY = 255
LONGEST_TEXT = 1024

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
PART = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
SPELLED = re.compile(rf"(?P<path>[^@]*?)(?::(?P<tag>{TAG.pattern}))?(?:@(?P<digest>{DIGEST.pattern}))?")
IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
NO_NAME = frozenset({"<none>:<none>", "<none>@<none>"})

SET = re.compile(r"\[!?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[._])+\]")
GLOB = re.compile(rf"(?:[A-Za-z0-9._*?-]|{SET.pattern})+")
REGISTRY_GLOB = re.compile(rf"(?:[A-Za-z0-9._:*?-]|{SET.pattern})+")
RANGE = re.compile(r"([A-Za-z0-9])-([A-Za-z0-9])")
LOWER_SET = r"\[!?(?:[a-z0-9](?:-[a-z0-9])?|[._])+\]"
LOWER_GLOB = re.compile(rf"(?:[a-z0-9._*?-]|{LOWER_SET})+")
DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
NO_ALGORITHM = re.compile(r"(?!)")
Shape = re.Pattern[str]


def registry_and_repository(path: str) -> tuple[str, str]:
    """Docker's rule: the first part is a registry if it cannot be anything else."""
    first, slash, rest = path.partition("/")
    registry, repository = (first, rest) if slash and is_registry(first) else (HUB, path)
    if registry == f"index.{HUB}":
        registry = HUB
    if registry == HUB and "/" not in repository:
        repository = f"{OFFICIAL}/{repository}"
    return registry, repository


def is_registry(part: str) -> bool:
    """Whether a part before a slash is a host and not the beginning of a repository."""
    return "." in part or ":" in part or part == "localhost" or part != part.lower()


def is_host(registry: str) -> bool:
    """Whether there can be a registry of this name; no host's name holds an underscore."""
    return REGISTRY.fullmatch(registry) is not None


def is_name(registry: str, repository: str) -> bool:
    """Whether the two are a name together; without a host, the whole of it is the repository."""
    counted = repository if is_host(registry) else f"{registry}/{repository}"
    return (
        len(counted) <= LONGEST_REPOSITORY
        and (is_host(registry) or PART.fullmatch(registry) is not None)
        and all(PART.fullmatch(part) for part in repository.split("/"))
    )


@dataclass(frozen=True)
class Cut:
    """A text cut where a name would be; a tag or digest that is there begins with its sign."""

    path: str
    tag: str
    digest: str


def cut(text: str) -> Cut:
    """Cut a text into what would be path, tag and digest, whether they are or not."""
    name, at, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    return Cut(head + slash + last, colon + tag, at + digest)


def fault(text: str) -> int:
    """How many characters come before the first that is wrong in what is no name."""
    path = cut(text).path
    first, *rest = path.split("/")
    shapes = [_first_shape(first) if rest and is_registry(first) else PART, *(PART for _ in rest)]
    return min([*_too_long(text), *_faults(text, shapes, TAG)], default=len(text))


def _too_long(text: str) -> list[int]:
    """Where a text or its repository gets too long; what is left out of it counts as if it were there."""
    path = cut(text).path
    registry, repository = registry_and_repository(path)
    if not is_host(registry):
        repository = path
    end = len(path) - len(repository) + LONGEST_REPOSITORY
    found = [end] if len(repository) > LONGEST_REPOSITORY else []
    return found + ([LONGEST_TEXT] if len(text) > LONGEST_TEXT else [])


def pattern_fault(text: str) -> int:
    """How many characters come before the first that is wrong in what is no pattern."""
    split = cut(text)
    first, *rest = split.path.split("/")
    has_host = bool(rest) and ("." in first or ":" in first)
    literal, glob = (_first_shape(first), REGISTRY_GLOB) if has_host else (PART, LOWER_GLOB)
    shapes = [_shape(first, literal, glob), *(_shape(part, PART, LOWER_GLOB) for part in rest)]
    faults = _faults(text, shapes, _shape(split.tag, TAG, GLOB))
    return min([*faults, *backward_ranges(text)], default=len(text))


def name_pattern_fault(text: str) -> int:
    """How many characters come before the first that is wrong in what is no pattern of plain names."""
    return min([*_stops(GLOB, text, 0), *backward_ranges(text)], default=len(text))


def backward_ranges(text: str) -> list[int]:
    """Where ranges such as z-a stand: they match nothing at all."""
    found = [(letters.start(), pair) for letters in SET.finditer(text) for pair in RANGE.finditer(letters[0])]
    return [start + pair.start() for start, pair in found if pair[1] > pair[2]]


def has_signs(text: str) -> bool:
    """Whether a text is a glob."""
    return any(sign in text for sign in "*?[")


def _first_shape(part: str) -> Shape:
    """The shape that what looks like a host keeps to for longer: that of one, or a repository's."""
    return max(REGISTRY, PART, key=lambda shape: found.end() if (found := shape.match(part)) else 0)


def _shape(part: str, literal: Shape, glob: Shape) -> Shape:
    return glob if has_signs(part) else literal


def _faults(text: str, shapes: Sequence[Shape], tag: Shape) -> list[int]:
    split, offset = cut(text), 0
    found = [0] if IMAGE_ID.fullmatch(text) else []
    for shape, part in zip(shapes, split.path.split("/"), strict=True):
        found += _stops(shape, part, offset)
        offset += len(part) + 1
    if split.tag:
        found += _stops(tag, split.tag[1:], len(split.path) + 1)
    if split.digest:
        found += _stops(_begun(split.digest[1:]), split.digest[1:], len(text) - len(split.digest) + 1)
    return found


def _stops(shape: Shape, part: str, offset: int) -> list[int]:
    """Where a part, read from its beginning, leaves its shape; nowhere if it has it."""
    found = shape.match(part)
    stop = found.end() if found else 0
    return [] if part and stop == len(part) else [offset + stop]


def _begun(digest: str) -> Shape:
    """The shape of a digest of this algorithm, complete or not."""
    algorithm, _, _ = digest.partition(":")
    length = DIGEST_LENGTHS.get(algorithm)
    return re.compile(rf"{algorithm}:[0-9a-f]{{0,{length}}}") if length else NO_ALGORITHM
