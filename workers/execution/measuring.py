"""The disk after a run: sampled until it holds still."""

from collections.abc import Callable

from workers.contract import DiskUsage

SETTLING_LOOKS = 5
BETWEEN_LOOKS = 0.2


def settled(usage: Callable[[], DiskUsage], wait: Callable[[float], None]) -> DiskUsage:
    """Sample until two looks agree: files go a moment after the reply that says so."""
    looks = [usage()]
    for _ in range(SETTLING_LOOKS):
        looks.append(usage())
        if _agree(looks[-2], looks[-1]):
            break
        wait(BETWEEN_LOOKS)
    return looks[-1]


def _agree(one: DiskUsage, other: DiskUsage) -> bool:
    return (one.engine_bytes, one.filesystems) == (other.engine_bytes, other.filesystems)
