"""How soon the message in Slack tells what has arrived in Redis: a report, a step of a run; run by hand.

    python -m tests.bench.arrival [--runs 20] [--hosts 50] [--objects 500]

The bot is the real one, in a process of its own; the hosts are told what to say. Slack takes an edit of a
message every 3 s, so what is no change of phase may wait that long; the targets are on top of it.
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.render import EXECUTE
from tests.bench.machine import machine
from tests.service.bot_stage import Stage, StandInHost, bot_process, bot_stage, now
from tests.stage.folder import fresh_folder
from tests.unit.bot_values import finished, report, started, step_finished
from tests.workspace import Message
from workers.contract import Event, Plan, Question
from workers.signing import digest

SECONDS = 120.0
STEPS_TOLD = 12
STEP_EVERY = 0.4
Run = tuple[StandInHost, Plan, str]


def until(stage: Stage, root: Message, words: Callable[[str], bool], what: str) -> None:
    """Wait until the message says so; every change of it is looked at."""
    stage.slack.wait_for(lambda: words(stage.slack.message("ops", root.ts).plain), SECONDS, what=what)


def taken(stage: Stage, root: Message, run: Run, event: Event, words: Callable[[str], bool]) -> float:
    """Seconds from just before a host puts an event into Redis until the message says so."""
    at = time.monotonic()
    run[0].tell(event)
    until(stage, root, words, event.event)
    return time.monotonic() - at


def begun(stage: Stage, *hosts: str, objects: int) -> tuple[Message, list[Run]]:
    """Runs that have begun on these hosts, and the message about them."""
    known = {root.ts for root in stage.roots()}
    stage.slack.command("ana", "ops", f"/prune preview {' '.join(hosts)}")
    plans = [stage.host(name).answer_with_plan(steps=objects) for name in hosts]
    root = stage.slack.wait_for(lambda: _open(stage, known), SECONDS, what="a plan to confirm")
    assert isinstance(root, Message)
    stage.slack.click("bo", root, EXECUTE)
    runs = [_order(stage.host(name), made) for name, made in zip(hosts, plans, strict=True)]
    for host in hosts:
        until(stage, root, lambda text, host=host: f"Pruning {host} · 0 of" in text, "runs under way")  # type: ignore[misc]
    return root, runs


def _open(stage: Stage, known: set[str]) -> Message | None:
    return next((root for root in stage.roots() if root.ts not in known and root.controls), None)


def _order(host: StandInHost, made: Plan) -> Run:
    order = host.take(SECONDS)
    assert not isinstance(order, Question)
    host.tell(started(order.id, made, at=now()))
    return host, made, order.id


def ended(run: Run) -> Event:
    _, made, order = run
    return finished(report(order, made, digest(made), at=now()), at=now())


def is_over(text: str) -> bool:
    return text.startswith("Pruned")


def reports(stage: Stage) -> float:
    root, [run] = begun(stage, "web-1", objects=2)
    return taken(stage, root, run, ended(run), is_over)


def steps(stage: Stage) -> Iterator[float]:
    """A step every so often: what has not waited for its turn is shown with the next edit."""
    root, [run] = begun(stage, "web-1", objects=STEPS_TOLD)
    for number in range(STEPS_TOLD):
        step = step_finished(run[2], run[1], number, at=now())
        if number % 4 == 3:
            done = f"· {number + 1} of {STEPS_TOLD}"
            yield taken(stage, root, run, step, lambda text, done=done: done in text)  # type: ignore[misc]
        else:
            run[0].tell(step)
        time.sleep(STEP_EVERY)
    taken(stage, root, run, ended(run), is_over)


def many(stage: Stage, hosts: list[str], objects: int) -> Iterator[float]:
    """The report of each of many hosts, one after the other; the last one ends the request."""
    root, runs = begun(stage, *hosts, objects=objects)
    for run in runs:
        for left in runs:
            left[0].beat(busy="execute")
        told = f"Pruned {run[0].name} ·"
        words = is_over if run is runs[-1] else lambda text, told=told: told in text
        yield taken(stage, root, run, ended(run), words)  # type: ignore[arg-type]


def show(name: str, seconds: list[float], target: float) -> None:
    p50, most = statistics.median(seconds), max(seconds)
    print(f"{name:<44}{len(seconds):>4}{p50:>8.3f}{most:>8.3f}   <= {target:g}")


def measure(folder: Path, options: argparse.Namespace) -> None:
    hosts = [f"web-{number}" for number in range(1, options.hosts + 1)]
    with bot_stage(folder, *hosts) as stage:
        bot_process(stage, log=folder / "bot.log")
        stage.slack.wait_for_connection(30)
        print(f"{'seconds from Redis to Slack':<44}{'n':>4}{'p50':>8}{'max':>8}   target")
        show("one host, a report", [reports(stage) for _ in range(options.runs)], 1)
        show("one host, a step of a run", list(steps(stage)), 4)
        *each, last = many(stage, hosts, options.objects)
        show(f"{options.hosts} hosts of {options.objects} objects, a report", each, 4)
        show("the last of them", [last], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 20), ("hosts", 50), ("objects", 500)):
        parser.add_argument(f"--{name}", type=int, default=default)
    print(machine())
    with fresh_folder() as folder:
        measure(folder, parser.parse_args())


if __name__ == "__main__":
    main()
