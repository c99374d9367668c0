"""A preview inside the running worker, beside `docker system df -v` on the same engine; run by hand.

    python -m tests.bench.preview [--images 1000] [--running 210] [--stopped 90] [--repeats 5]
        [--engine 26.1-containerd]

The time is the worker's own, from before the event that says planning began until the plan is on the disk.
The first preview is of an engine the worker has never seen; a repeat finds layers in the ledger.
"""
# ruff: noqa: T201  a bench prints

import argparse
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.machine import machine
from tests.stage import hosts
from tests.stage.catalogue import Catalogue, Container, Image, Life, days
from tests.stage.company import Company
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from tests.stage.hosts import FilledHost
from tests.stage.kinds import ENGINES, MACHINES_OWN, engine_kind

VERSIONS = 10
NewEngine = Callable[[Path], DisposableEngine]
IDLE = "exec tail -f /dev/null"


def catalogue(images: int, running: int, stopped: int) -> Catalogue:
    """Repositories with ten versions each; services run the newest but one, finished jobs lie about."""
    versions = tuple(_version(number) for number in range(images))
    in_use = [one.name for number, one in enumerate(versions) if number % VERSIONS == VERSIONS - 2]
    services = tuple(
        Container(
            name=f"service-{n}",
            image=in_use[n % len(in_use)],
            fate="kept",
            life=Life.RUNNING,
            created=days(20),
            command=IDLE,
            restart="always",
            critical=n < 5,
        )
        for n in range(running)
    )
    jobs = tuple(
        Container(
            name=f"job-{n}",
            image=in_use[n % len(in_use)],
            fate="waste",
            life=Life.EXITED,
            created=days(21),
            stopped=days(20),
        )
        for n in range(stopped)
    )
    return Catalogue(images=versions, containers=(*services, *jobs))


def _version(number: int) -> Image:
    repository, version = divmod(number, VERSIONS)
    name = f"team{repository % 6}/app{repository}:{version}"
    return Image(name=name, fate="kept", arrived=days(90 - 2 * version), megabytes=1)


def placed(engine: DisposableEngine, *, wanted: Catalogue) -> FilledHost:
    begun = time.monotonic()
    filled = hosts.place(engine, "bench", wanted, scale=0.2)
    print(f"filled in {time.monotonic() - begun:.0f} s")
    return filled


@dataclass(frozen=True)
class Effort:
    """What a preview took, as the worker says: from the first event written to the plan on the disk."""

    seconds: float
    calls: int
    megabytes: int


EFFORT = re.compile(r"planned in ([\d.]+) s, (\d+) calls to the engine, at most (\d+) MB")


def efforts(company: Company) -> list[Effort]:
    """The previews so far, oldest first."""
    said = EFFORT.findall(company.members["web-1"].worker.log.read_text())
    return [Effort(float(seconds), int(calls), int(peak)) for seconds, calls, peak in said]


def df_time(company: Company) -> float:
    begun = time.monotonic()
    company.members["web-1"].engine.cli("system", "df", "--verbose")
    return time.monotonic() - begun


def quiet_preview(company: Company, channel: str) -> None:
    """Until the last of it is in Slack: nothing of it disturbs what is timed next."""
    company.channel = channel
    company.reply(company.ready("web-1"), "Plan of web-1")


def measure(
    wanted: Catalogue, repeats: int, engine: NewEngine = DisposableEngine
) -> tuple[list[Effort], list[float]]:
    channels = tuple(f"bench-{number}" for number in range(repeats + 1))
    fill = partial(placed, wanted=wanted)
    with (
        fresh_folder() as folder,
        Company(folder, {"web-1": fill}, channels=channels, engine=engine) as company,
    ):
        df = list[float]()
        for channel in channels:
            quiet_preview(company, channel)
            df.append(df_time(company))
        return efforts(company), df


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("images", 1000), ("running", 210), ("stopped", 90), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--engine", choices=sorted(ENGINES), default=MACHINES_OWN)
    options = parser.parse_args()
    wanted = catalogue(options.images, options.running, options.stopped)
    engine = partial(DisposableEngine, kind=engine_kind(options.engine))
    (first, *repeats), df = measure(wanted, options.repeats, engine)
    base, repeat = statistics.median(df), statistics.median(one.seconds for one in repeats)
    print(
        f"{machine()}, engine {options.engine}; {options.images} images"
        f", {options.running} + {options.stopped} containers"
    )
    print(f"{'':<28}{'seconds':>10}{'ratio':>8}{'target':>8}{'calls':>8}{'peak MB':>9}")
    print(f"{'docker system df -v, median':<28}{base:>10.3f}{1:>8.2f}")
    print(_row("first preview", first, first.seconds, base, "<= 5"))
    print(_row("repeat, median", repeats[-1], repeat, base, "<= 1.2"))
    print(f"df -v: {_all(df)}; repeats: {_all([one.seconds for one in repeats])}")


def _row(what: str, effort: Effort, seconds: float, base: float, target: str) -> str:
    ratio, calls, peak = seconds / base, effort.calls, effort.megabytes
    return f"{what:<28}{seconds:>10.3f}{ratio:>8.2f}{target:>8}{calls:>8}{peak:>9}"


def _all(seconds: list[float]) -> str:
    return " ".join(f"{one:.3f}" for one in seconds)


if __name__ == "__main__":
    main()
