"""A run and a history of which a picture is drawn."""

from datetime import datetime, timedelta

from bot.measured import Measured, Moment
from tests.unit.bot_values import NOON, POLICY, plan, report
from workers.contract import DiskUsage, Filesystem, Report

GB = 10**9
DAY = timedelta(days=1)


def disk(used: int, *, total: int = 50 * GB, path: str = "/data", inodes_free: int = 600) -> Filesystem:
    free = total - used - 2 * GB
    return Filesystem(
        path=path, total=total, free=free, reserved=2 * GB, inodes=1000, inodes_free=inodes_free
    )


def usage(images: int, *filesystems: Filesystem, at: datetime = NOON, **others: int) -> DiskUsage:
    held = {"containers": 0, "build_cache": 0, "volumes": 5 * GB} | others
    return DiskUsage(taken_at=at, images=images, filesystems=filesystems, **held)


def run(before: DiskUsage | None, after: DiskUsage | None) -> Report:
    made = report("o1", plan(), POLICY)
    return made.model_copy(update={"usage_before": before, "usage_after": after})


BEFORE = usage(22 * GB, disk(41 * GB), containers=GB, build_cache=6 * GB)
AFTER = usage(13 * GB, disk(28 * GB, inodes_free=700), build_cache=2 * GB, at=NOON + timedelta(seconds=40))
RUN = run(BEFORE, AFTER)


def at(days: float, used: int, moment: Moment = Moment.PLAN, order: str = "") -> Measured:
    """What was measured so many days before the run's end."""
    return Measured(usage(0, disk(used), at=AFTER.taken_at - days * DAY), moment, order)
