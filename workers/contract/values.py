"""What every message is made of: hosts, people, objects, sizes."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

HOST_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
# The team of whoever is at a machine's own command line; a job never carries it (workers.jobs).
HOST_TEAM = "host"
AT_A_MACHINE = "cli:"
LONGEST_WORK = 86_400
HostName = Annotated[str, Field(pattern=HOST_PATTERN)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
# What somebody may call an object, and how many of them one request names.
LONGEST_NAME, MOST_OBJECTS = 512, 50
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class Value(BaseModel):
    """A frozen value that knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What a plan may hold, in the order of its stages. Volumes are not a member (S1)."""

    CONTAINER = "container"
    IMAGE = "image"
    NETWORK = "network"
    BUILD_CACHE = "build-cache"


ProtectedKind = Literal[Kind.CONTAINER, Kind.IMAGE, Kind.NETWORK]


class Person(Value):
    """Who asked or confirmed: a user id means something only together with its team."""

    team: str
    user: str

    @property
    def spelled(self) -> str:
        """``TEAM/USER``, or ``cli:USER`` of somebody at a machine itself."""
        return f"{AT_A_MACHINE}{self.user}" if self.team == HOST_TEAM else f"{self.team}/{self.user}"


class Bytes(Value):
    """A size that is known to lie between two bounds, most often equal ones."""

    low: int = 0
    high: int = 0

    def __add__(self, other: "Bytes") -> "Bytes":
        return Bytes(low=self.low + other.low, high=self.high + other.high)


class Reference(Value):
    """One object on a host. The name is for people, the id is its identity."""

    kind: Kind
    id: str
    name: str


class Restorable(StrEnum):
    """Whether an object can be brought back, as far as anyone has shown."""

    YES = "yes"
    NOT_PROBED = "not_probed"
    NO = "no"
    RECREATED = "recreated"
    ARCHIVED = "archived"
