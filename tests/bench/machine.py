"""The machine on which figures were taken, in a line."""

import os
from pathlib import Path


def machine() -> str:
    """Cores and memory; figures mean nothing without."""
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    model = next(
        line.split(": ", 1)[1]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return f"{os.cpu_count()} cores ({model}), {kilobytes / 1024**2:.1f} GiB, load {os.getloadavg()[0]:.1f}"
