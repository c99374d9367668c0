"""A preview inside the running worker, beside `docker system df -v` on the same engine; run by hand.

    python -m tests.bench.preview [--images 300] [--running 70] [--stopped 30] [--repeats 5]

The time is from the event that says planning began to the one that carries the plan, as the worker wrote
them. The first preview is of an engine the worker has never seen; a repeat finds layers in the ledger.
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import time
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import Any

from tests.bench.machine import machine
from tests.stage import hosts
from tests.stage.catalogue import Catalogue, Container, Image, Life, days
from tests.stage.company import Company
from tests.stage.engine import DisposableEngine
from tests.stage.folder import fresh_folder
from tests.stage.hosts import FilledHost
from workers.contract import EVENT, PlanReady, PlanStarted, events_key

VERSIONS = 10
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


def planning_times(company: Company) -> list[float]:
    """The seconds of each preview so far, oldest first."""
    with closing(company.redis.client()) as redis:
        entries: Any = redis.xrange(events_key("web-1"))
    events = [EVENT.validate_json(fields[b"event"]) for _, fields in entries]
    begun: dict[str, datetime] = {e.request_id: e.at for e in events if isinstance(e, PlanStarted)}
    ready = [e for e in events if isinstance(e, PlanReady)]
    return [(e.at - begun[e.request_id]).total_seconds() for e in ready]


def df_time(company: Company) -> float:
    begun = time.monotonic()
    company.members["web-1"].engine.cli("system", "df", "--verbose")
    return time.monotonic() - begun


def quiet_preview(company: Company, channel: str) -> None:
    """Until the last of it is in Slack: nothing of it disturbs what is timed next."""
    company.channel = channel
    company.reply(company.ready("web-1"), "Plan of web-1")


def measure(wanted: Catalogue, repeats: int) -> tuple[list[float], list[float]]:
    channels = tuple(f"bench-{number}" for number in range(repeats + 1))
    fill = partial(placed, wanted=wanted)
    with fresh_folder() as folder, Company(folder, {"web-1": fill}, channels=channels) as company:
        df = []
        for channel in channels:
            quiet_preview(company, channel)
            df.append(df_time(company))
        return planning_times(company), df


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("images", 300), ("running", 70), ("stopped", 30), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    wanted = catalogue(options.images, options.running, options.stopped)
    (first, *repeats), df = measure(wanted, options.repeats)
    base, repeat = statistics.median(df), statistics.median(repeats)
    print(f"{machine()}; {options.images} images, {options.running} + {options.stopped} containers")
    print(f"{'':<28}{'seconds':>10}{'ratio':>8}{'target':>8}")
    print(f"{'docker system df -v, median':<28}{base:>10.3f}{1:>8.2f}")
    print(f"{'first preview':<28}{first:>10.3f}{first / base:>8.2f}{'<= 5':>8}")
    print(f"{'repeat, median':<28}{repeat:>10.3f}{repeat / base:>8.2f}{'<= 1.2':>8}")
    print(f"df -v: {_all(df)}; repeats: {_all(repeats)}")


def _all(seconds: list[float]) -> str:
    return " ".join(f"{one:.3f}" for one in seconds)


if __name__ == "__main__":
    main()
