"""Who may do what, as `rules.toml` says it, or as PRUNE_CHANNELS and PRUNE_APPROVERS do (pure).

Rules that are not understood, or that nobody could ever satisfy, are an error that names the key: a bot
does not start under rules that are not whole.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from bot.errors import SettingsError
from bot.rulebook_faults import sentences, told

CHANNEL = re.compile(r"[CG][A-Z0-9]+")
PERSON = re.compile(r"(?:[TE][A-Z0-9]+/)?[UW][A-Z0-9]+")
USER_GROUP = re.compile(r"S[A-Z0-9]+")
GLOB = re.compile(r"[a-z0-9*?\[\]!-]+")
# Every plan frees more than this.
ALWAYS = -1
# A member whom no rule names; they may look where every member may.
SOMEBODY = frozenset({""})
FOUR_EYES_EXPECTED = (
    'expected "always", "never", or the size over which two people are needed, such as "10GB"'
)
BYTES: TypeAdapter[int] = TypeAdapter(ByteSize)


def _channel(text: str) -> str:
    return _matching(CHANNEL, text, "a channel id like C0123ABCD")


def _person(text: str) -> str:
    return _matching(PERSON, text, "a user id like U0123ABCD or T0123/U0123")


def _entry(text: str) -> str:
    if USER_GROUP.fullmatch(text):
        return text
    return _matching(
        PERSON, text, "a user id like U0123ABCD or T0123/U0123, or a user group's like S0123ABCD"
    )


def _glob(text: str) -> str:
    return _matching(GLOB, text, "a host's name or a glob, in small letters")


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not {what}")
    return text


def _four_eyes(value: Any) -> int | None:
    """Over how many bytes two people are needed; None for never."""
    if value in ("always", "never"):
        return ALWAYS if value == "always" else None
    if not isinstance(value, str):
        raise ValueError(FOUR_EYES_EXPECTED)
    try:
        return BYTES.validate_python(value)
    except ValidationError:
        raise ValueError(FOUR_EYES_EXPECTED) from None


Channel = Annotated[str, AfterValidator(_channel)]
Named = Annotated[str, AfterValidator(_person)]
Entry = Annotated[str, AfterValidator(_entry)]
Glob = Annotated[str, AfterValidator(_glob)]
FourEyes = Annotated[int | None, BeforeValidator(_four_eyes)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Allow(_Table):
    """What whom is allowed in some channels; no `preview` means every member of the workspace."""

    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    preview: tuple[Entry, ...] | None = None
    execute: tuple[Entry, ...] = ()
    approve: tuple[Entry, ...] | None = None

    @property
    def approvers(self) -> tuple[Entry, ...]:
        """Whose press of the button counts: by default that of whoever may execute."""
        return self.execute if self.approve is None else self.approve

    @property
    def viewers(self) -> frozenset[Entry] | None:
        """Who may look, None for everybody; whoever may do more may look as well."""
        if self.preview is None:
            return None
        return frozenset((*self.preview, *self.execute, *self.approvers))


class HostGroup(_Table):
    """Hosts with the same rules."""

    hosts: Annotated[tuple[Glob, ...], Field(min_length=1)]
    four_eyes: FourEyes = None
    approvals: Annotated[int, Field(ge=1, le=10, strict=True)] = 1
    allow: Annotated[tuple[Allow, ...], Field(min_length=1)]

    def covers(self, host: str) -> bool:
        """Whether these rules are about a host."""
        return any(fnmatchcase(host, glob) for glob in self.hosts)

    @property
    def channels(self) -> frozenset[str]:
        """Where commands about these hosts are taken."""
        return frozenset(channel for allow in self.allow for channel in allow.channels)

    def within(self, channel: str) -> tuple[Allow, ...]:
        """What is allowed in a channel."""
        return tuple(allow for allow in self.allow if channel in allow.channels)


class Rulebook(_Table):
    """All rules. The first group that covers a host decides about it; a host that none covers is nobody's."""

    group: Mapping[str, HostGroup] = {}
    guests: tuple[Named, ...] = ()
    shared_channels: tuple[Channel, ...] = ()

    def group_of(self, host: str) -> HostGroup | None:
        """The group that decides about a host."""
        return next((group for group in self.group.values() if group.covers(host)), None)

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel in which something is allowed."""
        return tuple(sorted({channel for group in self.group.values() for channel in group.channels}))

    @property
    def user_groups(self) -> tuple[str, ...]:
        """The user groups that are named anywhere."""
        named = {e for g in self.group.values() for a in g.allow for e in _entries(a)}
        return tuple(sorted(entry for entry in named if is_user_group(entry)))

    @property
    def lets_somebody_execute(self) -> bool:
        """Whether anybody's press of a button can count at all."""
        return any(allow.approvers for group in self.group.values() for allow in group.allow)


def is_user_group(entry: str) -> bool:
    """Whether an entry names a user group rather than a person."""
    return bool(USER_GROUP.fullmatch(entry))


def _entries(allow: Allow) -> frozenset[str]:
    return frozenset((*(allow.preview or ()), *allow.execute, *allow.approvers))


def simple(channels: Sequence[str], approvers: Sequence[str]) -> Rulebook:
    """The rules of PRUNE_CHANNELS and PRUNE_APPROVERS: one group of all hosts.

    Raises:
        SettingsError: for an entry that is not an id, since it would silently name nobody.
    """
    allow = {"channels": channels, "execute": approvers}
    group = {"all": {"hosts": ["*"], "allow": [allow]}} if channels else {}
    try:
        book = Rulebook.model_validate({"group": group})
        TypeAdapter(tuple[Entry, ...]).validate_python(approvers)
    except ValidationError as error:
        said = "; ".join(told(problem) for problem in error.errors())
        raise SettingsError(f"PRUNE_CHANNELS or PRUNE_APPROVERS cannot be used: {said}") from None
    return book


def parse(text: str, path: str) -> Rulebook:
    """Read a rules file.

    Raises:
        SettingsError: naming the key and what was expected there.
    """
    try:
        book = Rulebook.model_validate(tomllib.loads(text))
    except ValidationError as error:
        said = "; ".join(sentences(error.errors(), Allow, {0: Rulebook, 2: HostGroup}))
        raise SettingsError(f"the rules {path} cannot be used: {said}") from None
    except (ValueError, RecursionError) as error:
        # Also a number of thousands of digits, which is no error of TOML to Python.
        raise SettingsError(f"the rules {path} cannot be used: not TOML: {error}") from None
    if impossible := [said for name, group in book.group.items() for said in _impossible(name, group)]:
        raise SettingsError(f"the rules {path} cannot be used: {'; '.join(impossible)}")
    return book


def _impossible(name: str, group: HostGroup) -> Iterable[str]:
    """What the rules ask for and nobody could ever give; who is in a user group is not known here."""
    for channel in sorted(group.channels):
        allowed = group.within(channel)
        approvers = {entry for allow in allowed for entry in allow.approvers}
        if not approvers or any(map(is_user_group, approvers)):
            continue
        if len(approvers) < group.approvals:
            yield (
                f"group.{name}.approvals: {group.approvals} are needed,"
                f" and in {channel} only {len(approvers)} may approve"
            )
        elif takes_two(group) and not _has_another(allowed, approvers, group.approvals):
            yield (
                f"group.{name}.{'approvals' if group.approvals > 1 else 'four_eyes'}: whoever asks cannot"
                f" approve, and in {channel} nobody else is left who may"
            )


def takes_two(group: HostGroup) -> bool:
    """Whether it always takes somebody besides the one who asks."""
    return group.four_eyes == ALWAYS or group.approvals > 1


def _has_another(allowed: Sequence[Allow], approvers: set[str], needed: int) -> bool:
    """Whether somebody can ask who leaves enough others to approve: two, where they may only look."""
    entitled = {entry for allow in allowed for entry in allow.execute}
    looking = {entry for allow in allowed for entry in (SOMEBODY if allow.viewers is None else allow.viewers)}
    return any(
        is_user_group(asker) or len(approvers - {asker}) >= (needed if asker in entitled else max(needed, 2))
        for asker in entitled | looking
    )
