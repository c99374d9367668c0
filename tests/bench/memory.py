"""Resident memory: bot and worker idle after one preview, the worker's child while it plans; run by hand.

    python -m tests.bench.memory [--images 3000] [--running 210] [--stopped 90]

With `--images 0` only the idle ones. Of the child the kernel's own peak counts.
"""
# ruff: noqa: T201  a bench prints

import argparse
from functools import partial
from pathlib import Path

from tests.bench.machine import machine
from tests.bench.preview import catalogue, measure
from tests.stage import hosts
from tests.stage.catalogue import Catalogue
from tests.stage.company import Company
from tests.stage.folder import fresh_folder

IDLE = {"bot": 100, "worker": 80}
PLANNING = 150


def megabytes(pid: int) -> tuple[float, float]:
    """Proportional and resident set of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Pss"] / 1024, sizes["Rss"] / 1024


def idle() -> None:
    fill = partial(hosts.web_host, name="web-1", scale=0.1)
    with fresh_folder() as folder, Company(folder, {"web-1": fill}) as company:
        company.reply(company.ready("web-1"), "Plan of web-1")
        pids = {"bot": company.bot.pid, "worker": company.members["web-1"].worker.pid}
        print(f"{'MiB, idle':<28}{'PSS':>8}{'RSS':>8}{'target':>10}")
        for name, target in IDLE.items():
            pss, rss = megabytes(pids[name])
            print(f"{name:<28}{pss:>8.1f}{rss:>8.1f}{f'<= {target}':>10}")


def planning(wanted: Catalogue) -> None:
    efforts, _ = measure(wanted, repeats=1)
    print(f"{'MiB, planning':<28}{'':>8}{'peak':>8}{'target':>10}")
    for name, effort in zip(("first preview", "repeat"), efforts, strict=True):
        print(f"{name:<28}{'':>8}{effort.megabytes:>8}{f'<= {PLANNING}':>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("images", 3000), ("running", 210), ("stopped", 90)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    print(f"{machine()}; {options.images} images, {options.running} + {options.stopped} containers")
    idle()
    if options.images:
        planning(catalogue(options.images, options.running, options.stopped))


if __name__ == "__main__":
    main()
