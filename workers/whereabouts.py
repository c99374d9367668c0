"""Where the disk went, in rows of words that terminals, files and chats lay out as they like (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from workers.contract import DiskAttribution, DiskPart, Filesystem, FilesystemUse, PartUse, VolumeUse
from workers.wording import Voice, amount, bytes_range, listing, size, span

USERS = 3
PARTS = {
    DiskPart.IMAGES: ("images", "image"),
    DiskPart.WRITABLE_LAYERS: ("writable layers", "container"),
    DiskPart.LOGS: ("container logs", "container"),
    DiskPart.VOLUMES: ("volumes", "volume"),
    DiskPart.BUILD_CACHE: ("build cache", "record"),
}


@dataclass(frozen=True)
class Row:
    """A figure, what it is of, and what is to be said of that."""

    figure: str
    name: str
    note: str = ""


def tables(disk: DiskAttribution, voice: Voice, now: datetime) -> Iterator[tuple[str, list[Row]]]:
    """All there is to say, as tables under their titles; none is empty."""
    rows = [*part_rows(disk), *(row for use in disk.filesystems for row in _filesystem(use, disk, voice))]
    yield from (
        (title, lines)
        for title, lines in (
            ("where the disk went", rows),
            ("biggest logs", list(log_rows(disk, voice))),
            ("biggest volumes, which always stay", list(volume_rows(disk, voice, now))),
        )
        if lines
    )


def _filesystem(use: FilesystemUse, disk: DiskAttribution, voice: Voice) -> tuple[Row, Row]:
    return rest_row(use, disk, voice), filesystem_row(use, voice)


def part_rows(disk: DiskAttribution) -> Iterator[Row]:
    """What each part holds, counted where there is more to say."""
    for use in disk.parts:
        yield Row(_figure(use.size), PARTS[use.part][0], _counted(use))


def _counted(use: PartUse) -> str:
    count = amount(use.count, PARTS[use.part][1])
    return f"{count}, {use.unsized:,} of unknown size" if use.unsized else count


def _figure(count: int | None) -> str:
    return "unknown" if count is None else size(count)


def filesystem_row(use: FilesystemUse, voice: Voice) -> Row:
    """How full a filesystem is, in bytes and in inodes."""
    one = use.filesystem
    space = f"{_percent(one.used, one.capacity)} of {size(one.capacity)} in use, {size(one.free)} free"
    return Row(size(one.used), voice.quote(one.path), f"{space}; {inodes(one)}")


def inodes(one: Filesystem) -> str:
    """How many inodes are in use."""
    if not one.inodes:
        return "no fixed number of inodes"
    used = one.inodes - one.inodes_free
    return f"{_percent(used, one.inodes)} of {one.inodes:,} inodes in use"


def _percent(used: int, of: int) -> str:
    """As df does, rounded up."""
    return f"{-(-100 * used // of) if of > 0 else 0} %"


def rest_row(use: FilesystemUse, disk: DiskAttribution, voice: Voice) -> Row:
    """What is in use beside all that is known of the engine."""
    unknown = [PARTS[part.part][0] for part in disk.parts if part.part in use.holds and _is_hidden(part)]
    note = f"with {listing(unknown)} of unknown size" if unknown else ""
    return Row(bytes_range(use.rest), f"everything else on {voice.quote(use.filesystem.path)}", note)


def _is_hidden(use: PartUse) -> bool:
    return use.size is None or use.unsized > 0


def log_rows(disk: DiskAttribution, voice: Voice) -> Iterator[Row]:
    """The biggest logs."""
    yield from (Row(size(log.size), voice.quote(log.container)) for log in disk.logs)


def volume_rows(disk: DiskAttribution, voice: Voice, now: datetime) -> Iterator[Row]:
    """The biggest volumes with age and use: what no plan removes is worth a look all the more."""
    yield from (volume_row(volume, voice, now) for volume in disk.volumes)


def volume_row(volume: VolumeUse, voice: Voice, now: datetime, *, more: int = 0) -> Row:
    """One volume; `more` containers mount it beside those it names."""
    note = f"{_age(volume, now)}, {_use(volume, voice, now, more)}"
    return Row(_figure(volume.size), voice.quote(volume.name), note)


def _age(volume: VolumeUse, now: datetime) -> str:
    if volume.created_at is None or volume.created_at > now:
        return "age unknown"
    return f"made {_ago(volume.created_at, now)}"


def _use(volume: VolumeUse, voice: Voice, now: datetime, more: int) -> str:
    who = f"mounted by {listing(_first(volume.users, voice, more)) or 'no container'}"
    used = volume.last_used_at
    if volume.users and used == now:
        return who
    if used is None or used > now:
        return f"{who}, last use unknown"
    return f"{who}, last used {_ago(used, now)}"


def _first(names: Sequence[str], voice: Voice, more: int) -> list[str]:
    left = len(names[USERS:]) + more
    return [*map(voice.quote, names[:USERS]), *([f"{left} more"] if left > 0 else [])]


def _ago(moment: datetime, now: datetime) -> str:
    return f"{span((now - moment).total_seconds())} ago"
