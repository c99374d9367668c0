"""How long it takes to draw one request of many hosts with large plans; run by hand.

    python -m tests.bench.drawing [--hosts 50] [--objects 1000]

No Slack and no Redis: what the bot works out, every state of the message once, and what is in its thread.
"""
# ruff: noqa: T201  a bench prints

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

from bot.render import details, details_file, report, report_file, root
from bot.requests import HostPart, Phase, Request, Settled, Settlement, Stage
from tests.bench.machine import machine
from tests.unit.bot_values import report as ran
from tests.unit.render_values import BO, KEPT, NOW, STEPS, ago, planned, reference, request
from tests.workspace.validate import validate_message
from workers.contract import Reference
from workers.signing import digest

TARGET = 2.0


def large(host: str, objects: int) -> HostPart:
    """A host that would remove so many objects, and keep as many."""
    steps = [
        one.model_copy(update={"index": n, "object": named(one.object, n)})
        for n, one in zip(range(objects), cycle(STEPS), strict=False)
    ]
    kept = [
        one.model_copy(update={"object": named(one.object, n)})
        for n, one in zip(range(objects), cycle(KEPT), strict=False)
    ]
    part = planned(host, steps=tuple(steps), verdicts=tuple(kept))
    assert part.plan
    return replace(part, plan_digest=digest(part.plan))


def named(one: Reference, number: int) -> Reference:
    return reference(one.kind, f"registry.example/team/app-{number}:1.{number}")


def finished(part: HostPart) -> HostPart:
    assert part.plan
    told = ran("o-1", part.plan, part.plan_digest, at=ago(minutes=1))
    return replace(part, stage=Stage.FINISHED, ordered=True, report=told)


def states(parts: list[HostPart]) -> dict[str, Request]:
    confirmed = Settlement(Settled.CONFIRMED, ago(minutes=5), BO, "set")
    at_work = [replace(part, stage=Stage.EXECUTING, ordered=True, steps=9, steps_done=4) for part in parts]
    over = [finished(part) for part in parts]
    return {
        "the question": request(*parts, phase=Phase.READY),
        "timed out": request(*parts, phase=Phase.CLOSED, settlement=Settlement(Settled.EXPIRED, NOW)),
        "under way": request(*at_work, phase=Phase.EXECUTING, settlement=confirmed),
        "over": request(*over, phase=Phase.FINISHED, settlement=confirmed),
    }


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--objects", type=int, default=1000)
    options = parser.parse_args()
    parts = [large(f"web-{n}", options.objects) for n in range(1, options.hosts + 1)]
    print(f"{machine()}; {options.hosts} hosts, {options.objects} objects to remove and to keep on each")
    print(f"{'message':<34}{'seconds':>8}{'blocks':>8}{'faults':>8}   target: < {TARGET:g} s, no fault")
    for name, one in states(parts).items():
        took, drawn = seconds(lambda one=one: root(one, NOW)), root(one, NOW)
        faults = validate_message(list(drawn.blocks))
        print(f"{name:<34}{took:>8.3f}{len(drawn.blocks):>8}{len(faults):>8}")
    one = finished(parts[0])
    for name, work in {
        "a host's details in the thread": lambda: details(one),
        "the file of its plan": lambda: details_file(one),
        "its report and file": lambda: (report(one, NOW), report_file(one)),
    }.items():
        print(f"{name:<34}{seconds(work):>8.3f}")


if __name__ == "__main__":
    main()
