"""What may go and what must stay on a host, as its owner wrote it in `policy.toml` (pure).

A policy that is missing, unreadable or not understood is an error that names the key: nothing is removed
under a policy that is not whole (S4).
"""

import re
import tomllib
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from workers.contract import Kind
from workers.errors import PolicyError
from workers.planning import policy_faults
from workers.references import NamePattern, Pattern

SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
LONGEST_DAYS = 36500
DURATION = re.compile(r"([0-9]+)\s*(s|min|h|d)")
SIZE_EXPECTED = 'expected a size such as "500MB" or a number of bytes'
PLACE = r"(?:\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]]+)"
PORT = r"[0-9]{1,5}"
PROBE = re.compile(rf"https?://{PLACE}(?::(?P<web>{PORT}))?(?:[/?#]\S*)?|tcp://{PLACE}:(?P<tcp>{PORT})")
HIGHEST_PORT = 65535
COMPOSE = "compose:"
APPROVER = re.compile(r"[TE][A-Z0-9]+/[UW][A-Z0-9]+")
PINGED = re.compile(r"[UWS][A-Z0-9]{1,30}")
# Whoever needs more names a user group.
MOST_PINGED = 5
MOST_LOG_LINES = 50


def _duration(value: Any) -> Any:
    found = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, timedelta):
        return value
    if not found:
        raise ValueError('expected a duration such as "30s", "10min", "24h" or "7d"')
    seconds = int(found[1]) * SECONDS[found[2]]
    # Reckoning with more would leave the calendar; whoever means "always" has enough with this.
    if seconds > LONGEST_DAYS * SECONDS["d"]:
        raise ValueError(f'expected a duration of at most "{LONGEST_DAYS}d"')
    return timedelta(seconds=seconds)


def _size(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(SIZE_EXPECTED)
    return value


def _image_pattern(text: str) -> str:
    Pattern.parse(text)
    return text


def _name_pattern(text: str) -> str:
    NamePattern.parse(text)
    return text


def _critical(text: str) -> str:
    """A container's name or glob, or `compose:PROJECT/SERVICE`."""
    project, slash, service = text.removeprefix(COMPOSE).partition("/")
    if text.startswith(COMPOSE):
        if not slash:
            raise ValueError(f"{text!r}: expected compose:PROJECT/SERVICE")
        NamePattern.parse(project)
        NamePattern.parse(service)
        return text
    return _name_pattern(text)


def _label(text: str) -> str:
    if not text or text.startswith("=") or text != text.strip():
        raise ValueError(f"{text!r}: expected LABEL or LABEL=VALUE")
    return text


def _probe(text: str) -> str:
    found = PROBE.fullmatch(text)
    if not found or not text.isprintable():
        # What stands there may be a password, and errors of the policy are read in a chat.
        shown = repr(text) if "@" not in text else "a probe takes no user and password"
        raise ValueError(f"{shown}: expected http://HOST…, https://HOST… or tcp://HOST:PORT")
    if not 0 < int(found["web"] or found["tcp"] or HIGHEST_PORT) <= HIGHEST_PORT:
        raise ValueError(f"{without_secrets(text)!r}: expected a port from 1 to {HIGHEST_PORT}")
    return text


def without_secrets(probe: str) -> str:
    """Where a probe goes, without user, password and query: what is told of it is read in a chat."""
    try:
        parts = urlsplit(probe)
    except ValueError:
        return probe.partition("//")[0] + "//…"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


def _approver(text: str) -> str:
    """A person with their team: the same user id may be somebody else's in another workspace."""
    if not APPROVER.fullmatch(text):
        raise ValueError(
            f"{text!r}: expected TEAM/USER, like T0123/U0123; a user id alone names nobody for sure"
        )
    return text


def _pinged(text: str) -> str:
    """A person or a user group: the id alone, for that is what Slack takes in a mention."""
    if not PINGED.fullmatch(text):
        raise ValueError(f"{text!r}: expected the Slack id of a person or user group, like U0123 or S0123")
    return text


def _folder(text: str) -> str:
    if not text.startswith("/") or text != text.strip() or not text.isprintable():
        raise ValueError(f"{text!r}: expected the path of a folder from the root, like /mnt/archive")
    return text


def _seconds(value: timedelta) -> int:
    return int(value.total_seconds())


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_seconds)]
Size = Annotated[ByteSize, BeforeValidator(_size), Field(ge=0)]
ImagePattern = Annotated[str, AfterValidator(_image_pattern)]
Name = Annotated[str, AfterValidator(_name_pattern)]
Critical = Annotated[str, AfterValidator(_critical)]
Label = Annotated[str, AfterValidator(_label)]
Probe = Annotated[str, AfterValidator(_probe)]
Approver = Annotated[str, AfterValidator(_approver)]
Pinged = Annotated[str, AfterValidator(_pinged)]
Folder = Annotated[str, AfterValidator(_folder)]


class Policy(BaseModel):
    """The keys of `policy.toml`. Two must be written, even as `[]`: forgetting is not a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protected_images: tuple[ImagePattern, ...]
    critical_containers: tuple[Critical, ...]
    protected_labels: tuple[Label, ...] = ("safe-prune.keep=true",)
    protected_networks: tuple[Name, ...] = ()
    protected_containers: tuple[Name, ...] = ()
    keep_previous: Annotated[int, Field(ge=0, strict=True)] = 1
    image_grace: Duration = timedelta(hours=24)
    cache_grace: Duration = timedelta(hours=24)
    container_grace: Duration = timedelta(days=7)
    network_grace: Duration = timedelta(days=7)
    image_unused_for: Duration = timedelta(days=14)
    writable_limit: Size = ByteSize(1_000_000)
    kinds: tuple[Kind, ...] = tuple(Kind)
    unrestorable_images: Literal["keep", "flag"] = "flag"
    probe_registry: Annotated[bool, Field(strict=True)] = False
    restore_for: Duration = timedelta(days=90)
    keep_commands: Annotated[bool, Field(strict=True)] = False
    archive_dir: Folder | None = None
    archive_max_bytes: Size | None = None
    build_cache_keep_bytes: Size = ByteSize(0)
    max_objects: Annotated[int, Field(ge=1, strict=True)] = 1000
    max_bytes: Size | None = None
    max_share: Annotated[float, Field(gt=0, le=1, strict=True)] = 0.9
    probes: tuple[Probe, ...] = ()
    quiet_for: Duration = timedelta(minutes=2)
    steady_for: Duration = timedelta(seconds=5)
    settle: Duration | None = None
    approvers: tuple[Approver, ...] | None = None
    ping: Annotated[tuple[Pinged, ...], Field(max_length=MOST_PINGED)] = ()
    show_logs: Annotated[int, Field(ge=0, le=MOST_LOG_LINES, strict=True)] = 0

    @model_validator(mode="after")
    def _both_of_the_archive(self) -> Self:
        """A folder that may grow without end fills a disk; a size says nothing without a folder."""
        for written, missing in (("archive_dir", "archive_max_bytes"), ("archive_max_bytes", "archive_dir")):
            if getattr(self, written) is not None and getattr(self, missing) is None:
                raise ValueError(f"{missing} is missing; {written} needs it")
        return self

    def image_protections(self) -> tuple[Pattern, ...]:
        """The protected images, ready to be compared."""
        return tuple(Pattern.parse(text) for text in self.protected_images)


def parse(text: str, path: str) -> Policy:
    """Read a policy.

    Raises:
        PolicyError: naming the key and what was expected there.
    """
    try:
        return Policy.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise PolicyError(path, "; ".join(_sentence(problem) for problem in error.errors())) from None
    except (ValueError, RecursionError) as error:
        # Python reads no number of thousands of digits, and that is no error of TOML to it.
        raise PolicyError(path, f"not TOML: {error}") from None


def _sentence(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "missing":
            return f"{key} is missing; write it, even as []"
        case "extra_forbidden":
            return f"{key} is not a key of this file; {_known(key)}"
        case "byte_size" | "byte_size_unit":
            return f"{key}: {SIZE_EXPECTED}"
    return ": ".join(filter(None, (key, policy_faults.told(problem))))


def _known(key: str) -> str:
    """What a wrong key was most likely meant to be, or all that there are."""
    keys = sorted(Policy.model_fields)
    likely = get_close_matches(key, keys, n=1)
    return f"you may have meant {likely[0]}" if likely else f"the keys are {', '.join(keys)}"
