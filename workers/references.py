"""Names of images as normalised references, and the explicit patterns that match names: never substrings.

A name has one meaning however it is spelled: `postgres:16` is `docker.io/library/postgres:16`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Self

from workers.errors import WorkerError

HUB = "docker.io"
OFFICIAL = "library"
LONGEST_NAME = 255
LONGEST_TEXT = 1024

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_PART = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_SPELLED = re.compile(rf"(?P<path>[^@]*?)(?::(?P<tag>{_TAG.pattern}))?(?:@(?P<digest>{_DIGEST.pattern}))?")
IMAGE_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_NO_NAME = frozenset({"<none>:<none>", "<none>@<none>"})

_SET = re.compile(r"\[!?(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[._])+\]")
_GLOB = re.compile(rf"(?:[A-Za-z0-9._*?-]|{_SET.pattern})+")
_REGISTRY_GLOB = re.compile(rf"(?:[A-Za-z0-9._:*?-]|{_SET.pattern})+")
_RANGE = re.compile(r"([A-Za-z0-9])-([A-Za-z0-9])")


class BadName(WorkerError, ValueError):
    """A text that is no name, or no pattern of names; a ValueError too, for whoever validates settings."""

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(f"{text!r} is not {expected}")
        self.text, self.expected = text, expected


NAME_EXPECTED = "an image name, expected [registry/]repository[:tag][@sha256:...] in lower case"
REPOSITORY_EXPECTED = "a repository, expected [registry/]repository in lower case, without tag and digest"
PATTERN_EXPECTED = (
    "a pattern of image names, expected [registry/]repository[:tag][@sha256:...] in lower case, "
    "where *, ? and [a-z] may stand in registry, repository and tag"
)
NAME_PATTERN_EXPECTED = "a name pattern, expected letters, digits, _ . - and the globs *, ? and [a-z]"


@dataclass(frozen=True)
class ImageName:
    """A normalised reference. Without tag and digest it names a repository."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as people and engines write it; without tag and digest, `latest` is meant."""
        name = cls._read(text, NAME_EXPECTED)
        return name if name.tag or name.digest else replace(name, tag="latest")

    @classmethod
    def parse_repository(cls, text: str) -> Self:
        """Read a repository; a tag or digest in it is an error."""
        name = cls._read(text, REPOSITORY_EXPECTED)
        if name.tag or name.digest:
            raise BadName(text, REPOSITORY_EXPECTED)
        return name

    @classmethod
    def _read(cls, text: str, expected: str) -> Self:
        spelled = _SPELLED.fullmatch(text) if len(text) <= LONGEST_TEXT else None
        # An image id would read as the repository `sha256` with an odd tag; engines take it for an id.
        if spelled is None or IMAGE_ID.fullmatch(text):
            raise BadName(text, expected)
        registry, repository = _registry_and_repository(spelled["path"])
        if not _is_valid(registry, repository):
            raise BadName(text, expected)
        return cls(registry, repository, spelled["tag"], spelled["digest"])

    def full(self) -> str:
        """The one spelling that leaves nothing out."""
        return f"{self.registry}/{self.repository}{self._suffix()}"

    def familiar(self) -> str:
        """The shortest spelling of the same name, as Docker prints it."""
        shortest = min(_paths(self), key=len)
        # `docker.io/a.b/c` cannot be shortened: `a.b/c` would name a registry.
        if _registry_and_repository(shortest) != (self.registry, self.repository):
            return self.full()
        return shortest + self._suffix()

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def repository_of(name: ImageName) -> str:
    """The full spelling of the repository, the same for all its versions."""
    return f"{name.registry}/{name.repository}"


def listed_names(listed: Iterable[str] | None) -> tuple[ImageName, ...]:
    """Read what an engine lists as RepoTags or RepoDigests: null and `<none>` are no names."""
    return tuple(ImageName.parse(text) for text in listed or () if text not in _NO_NAME)


@dataclass(frozen=True)
class Pattern:
    """Which image names are meant: a literal reference or an explicit glob, over every spelling of a name.

    `*` and `?` stay inside one part of a path (`web-*` is not `web-team/app`), but a part that is `*` alone
    stands for one part or more: `registry.example/*` is everything from there, `*/app` is `app` from anywhere
    and `*` is every image. A pattern protects, so where it could mean less or more, it means more.
    Without a tag, or with `:*`, all of the repository is meant; with a digest, only that content.
    """

    text: str
    parts: tuple[str, ...]
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern; one that could match nothing is an error, it must not look like a protection."""
        path, at, digest = text.partition("@")
        head, slash, last = path.rpartition("/")
        last, colon, tag = last.partition(":")
        parts = [*head.split("/"), last] if slash else [last]
        good = (
            len(text) <= LONGEST_TEXT
            and not IMAGE_ID.fullmatch(text)
            and _are_pattern_parts(parts)
            and (not colon or _is_pattern_of(_TAG, tag, _GLOB))
            and (not at or _DIGEST.fullmatch(digest))
        )
        if not good:
            raise BadName(text, PATTERN_EXPECTED)
        parts[0] = HUB if slash and parts[0] == f"index.{HUB}" else parts[0].lower()
        return cls(text, tuple(parts), None if tag in ("", "*") else tag, digest or None)

    def matches(self, name: ImageName) -> bool:
        """Whether this name, in any of its spellings, is meant."""
        if not any(_match(self.parts, path.split("/")) for path in _paths(name)):
            return False
        # As for Docker, a digest decides alone: the tag beside it is a remark.
        if self.digest:
            return name.digest == self.digest
        return self.tag is None or (name.tag is not None and fnmatchcase(name.tag, self.tag))


@dataclass(frozen=True)
class NamePattern:
    """Which containers or networks are meant: a literal name or a glob with `*`, `?` and `[a-z]`."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pattern, or say what is wrong with it."""
        if not _is_pattern_of(_GLOB, text, _GLOB):
            raise BadName(text, NAME_PATTERN_EXPECTED)
        return cls(text)

    def matches(self, name: str) -> bool:
        """Whether this name is meant; the slash before a container's name is Docker's, not part of it."""
        return fnmatchcase(name.removeprefix("/"), self.text)


def _registry_and_repository(path: str) -> tuple[str, str]:
    """Docker's rule: the first part is a registry if it cannot be anything else."""
    first, slash, rest = path.partition("/")
    registry, repository = (first, rest) if slash and _is_registry(first) else (HUB, path)
    if registry == f"index.{HUB}":
        registry = HUB
    if registry == HUB and "/" not in repository:
        repository = f"{OFFICIAL}/{repository}"
    return registry, repository


def _is_registry(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost" or part != part.lower()


def _is_valid(registry: str, repository: str) -> bool:
    return (
        len(registry) + len(repository) < LONGEST_NAME
        and _REGISTRY.fullmatch(registry) is not None
        and all(_PART.fullmatch(part) for part in repository.split("/"))
    )


def _paths(name: ImageName) -> Iterator[str]:
    """Every spelling of a name's repository; a registry is a host, so its case means nothing."""
    yield f"{name.registry.lower()}/{name.repository}"
    if name.registry == HUB:
        yield name.repository
        official, slash, rest = name.repository.partition("/")
        if (official, slash) == (OFFICIAL, "/") and "/" not in rest:
            yield rest
            yield f"{HUB}/{rest}"


def _match(patterns: tuple[str, ...], parts: list[str]) -> bool:
    if not patterns or not parts:
        return not patterns and not parts
    first, rest = patterns[0], patterns[1:]
    if first in ("*", "**"):
        return any(_match(rest, parts[taken:]) for taken in range(1, len(parts) + 1))
    return fnmatchcase(parts[0], first) and _match(rest, parts[1:])


def _are_pattern_parts(parts: list[str]) -> bool:
    first, *rest = parts
    if rest and ("." in first or ":" in first):
        return _is_pattern_of(_REGISTRY, first, _REGISTRY_GLOB) and all(map(_is_repository_part, rest))
    # Docker would read `Shop/api` as the registry `Shop`; whoever writes it means a repository.
    return all(map(_is_repository_part, parts))


def _is_repository_part(part: str) -> bool:
    return part == part.lower() and _is_pattern_of(_PART, part, _GLOB)


def _is_pattern_of(literal: re.Pattern[str], text: str, glob: re.Pattern[str]) -> bool:
    if not any(sign in text for sign in "*?["):
        return literal.fullmatch(text) is not None
    # A range that runs backwards matches nothing at all.
    ranges = (pair for letters in _SET.findall(text) for pair in _RANGE.findall(letters))
    return glob.fullmatch(text) is not None and all(low <= high for low, high in ranges)
