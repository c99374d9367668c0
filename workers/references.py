"""Names of images as normalised references, and the explicit patterns that match names: never substrings.

A name has one meaning however it is spelled: `postgres:16` is `docker.io/library/postgres:16`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Self

from workers import name_grammar as grammar
from workers.errors import WorkerError
from workers.name_grammar import HUB, IMAGE_ID, OFFICIAL

NAMES_REMEMBERED = 1 << 14


class BadName(WorkerError, ValueError):
    """A text that is no name, or no pattern of names; a ValueError too, for whoever validates settings.

    `at` counts the characters before the one that is wrong; nothing before it is.
    """

    def __init__(self, text: str, expected: str, at: int) -> None:
        wrong = f"{text[at]!r} at character {at + 1}" if at < len(text) else "it ends too early"
        super().__init__(f"{text!r} is not {expected}: {wrong}")
        self.text, self.expected, self.at = text, expected, at


NAME_EXPECTED = (
    "an image name, expected [registry/]repository[:tag][@sha256:...] with the repository in lower case"
)
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
            raise BadName(text, REPOSITORY_EXPECTED, len(grammar.cut(text).path))
        return name

    @classmethod
    @lru_cache(maxsize=NAMES_REMEMBERED)
    def _read(cls, text: str, expected: str) -> Self:
        spelled = grammar.SPELLED.fullmatch(text) if len(text) <= grammar.LONGEST_TEXT else None
        # An image id would read as the repository `sha256` with an odd tag; engines take it for an id.
        if spelled is None or IMAGE_ID.fullmatch(text):
            raise BadName(text, expected, grammar.fault(text))
        registry, repository = grammar.registry_and_repository(spelled["path"])
        if not grammar.is_name(registry, repository):
            raise BadName(text, expected, grammar.fault(text))
        return cls(registry, repository, spelled["tag"], spelled["digest"])

    def full(self) -> str:
        """The one spelling that leaves nothing out."""
        return self._full

    def familiar(self) -> str:
        """The shortest spelling of the same name, as Docker prints it."""
        return self._familiar

    # A plan compares and shows the same few names thousands of times.

    @cached_property
    def _full(self) -> str:
        return f"{self.registry}/{self.repository}{self._suffix()}"

    @cached_property
    def _familiar(self) -> str:
        shortest = min(_paths(self), key=len)
        # `docker.io/a.b/c` cannot be shortened, though Docker does: `a.b/c` is another name.
        if grammar.registry_and_repository(shortest) != (self.registry, self.repository):
            return self.full()
        return shortest + self._suffix()

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def repository_of(name: ImageName) -> str:
    """The full spelling of the repository, the same for all its versions."""
    return f"{name.registry}/{name.repository}"


def listed_names(listed: Iterable[str] | None) -> tuple[ImageName, ...]:
    """Read what an engine lists as RepoTags or RepoDigests: null and `<none>` are no names."""
    return tuple(ImageName.parse(text) for text in listed or () if text not in grammar.NO_NAME)


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
    @lru_cache(maxsize=NAMES_REMEMBERED)
    def parse(cls, text: str) -> Self:
        """Read a pattern; one that could match nothing is an error, it must not look like a protection."""
        path, at, digest = text.partition("@")
        head, slash, last = path.rpartition("/")
        last, colon, tag = last.partition(":")
        parts = [*head.split("/"), last] if slash else [last]
        good = (
            len(text) <= grammar.LONGEST_TEXT
            and not IMAGE_ID.fullmatch(text)
            and _are_pattern_parts(parts)
            and (not colon or _is_pattern_of(grammar.TAG, tag, grammar.GLOB))
            and (not at or grammar.DIGEST.fullmatch(digest))
        )
        if not good:
            raise BadName(text, PATTERN_EXPECTED, grammar.pattern_fault(text))
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
    @lru_cache(maxsize=NAMES_REMEMBERED)
    def parse(cls, text: str) -> Self:
        """Read a pattern, or say what is wrong with it."""
        if not _is_pattern_of(grammar.GLOB, text, grammar.GLOB):
            raise BadName(text, NAME_PATTERN_EXPECTED, grammar.name_pattern_fault(text))
        return cls(text)

    def matches(self, name: str) -> bool:
        """Whether this name is meant; the slash before a container's name is Docker's, not part of it."""
        return fnmatchcase(name.removeprefix("/"), self.text)


def _paths(name: ImageName) -> Iterator[str]:
    """Every spelling of a name's repository; a registry is a host, so its case means nothing."""
    yield f"{name.registry.lower()}/{name.repository}"
    if name.registry == HUB:
        yield name.repository
        official, slash, rest = name.repository.partition("/")
        if (official, slash) == (OFFICIAL, "/") and "/" not in rest:
            yield rest
            yield f"{HUB}/{rest}"
    elif not grammar.is_host(name.registry):
        # Docker lists `docker.io/my_host.lan/app` in the same letters: who protects that means this too.
        yield f"{HUB}/{name.registry}/{name.repository}"


def _match(patterns: tuple[str, ...], parts: list[str]) -> bool:
    """Keep every place where the patterns so far may end: trying each way by itself takes hours of some."""
    ends = {0}
    for pattern in patterns:
        if pattern in ("*", "**"):
            ends = set(range(min(ends) + 1, len(parts) + 1))
        else:
            ends = {at + 1 for at in ends if at < len(parts) and fnmatchcase(parts[at], pattern)}
        if not ends:
            return False
    return len(parts) in ends


def _are_pattern_parts(parts: list[str]) -> bool:
    first, *rest = parts
    if rest and ("." in first or ":" in first):
        is_good = _is_pattern_of(grammar.REGISTRY, first, grammar.REGISTRY_GLOB) or _is_repository_part(first)
        return is_good and all(map(_is_repository_part, rest))
    # Docker would read `Shop/api` as the registry `Shop`; whoever writes it means a repository.
    return all(map(_is_repository_part, parts))


def _is_repository_part(part: str) -> bool:
    return part == part.lower() and _is_pattern_of(grammar.PART, part, grammar.GLOB)


def _is_pattern_of(literal: grammar.Shape, text: str, glob: grammar.Shape) -> bool:
    if not grammar.has_signs(text):
        return literal.fullmatch(text) is not None
    return glob.fullmatch(text) is not None and not grammar.backward_ranges(text)
