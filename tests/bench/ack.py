"""How soon the bot acknowledges what people do in Slack, as the workspace measures it; run by hand.

    python -m tests.bench.ack [--acts 200] [--rate 20]

Commands, questions, presses, boxes and forms, each at an even pace whatever the answers do, and all in turn.
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle, islice

from bot.edits import KINDS
from bot.render import EDIT, EXECUTE, HOSTS
from bot.starts import START_HOSTS
from tests.bench.machine import machine
from tests.service.bot_stage import Stage, bot_process, bot_stage
from tests.stage.folder import fresh_folder
from tests.workspace import Delivery, Message, View

TARGET = 100
SECONDS = 120.0
BOXES = cycle((["web-1"], ["web-1", "web-2"]))


@dataclass
class People:
    """Two people at a plan of two hosts, one of them with its form open."""

    stage: Stage
    root: Message
    form: View

    def command(self, text: str) -> Delivery:
        return self.stage.slack.command("bo", "ops", f"/prune {text}".strip(), wait=False)

    def press(self, name: str) -> Delivery:
        pressed = self.stage.slack.click("bo", self.root, name, wait=False)
        assert pressed
        return pressed

    def tick(self) -> Delivery:
        return self.stage.slack.choose("bo", self.root, HOSTS, next(BOXES), wait=False)

    def fill(self) -> Delivery:
        return self.stage.slack.choose("ana", self.form, KINDS, ["image"], wait=False)

    def hand_in(self) -> Delivery:
        """A form to start with; it is opened before, and that is not measured."""
        slack = self.stage.slack
        # Slack opens a hundred forms a minute, which is not what is looked at here.
        slack.advance(1)
        slack.command("dee", "ops", "/prune")
        form = slack.wait_for(lambda: slack.view("dee"), SECONDS, what="a form")
        assert isinstance(form, View)
        return slack.submit("dee", form, {START_HOSTS: ["web-1"]}, wait=False)


Act = Callable[[People], Delivery]
ACTS: dict[str, Act] = {
    "/prune help": lambda people: people.command("help"),
    "/prune hosts": lambda people: people.command("hosts"),
    "/prune history": lambda people: people.command("history"),
    "/prune why web-1 app:2": lambda people: people.command("why web-1 app:2"),
    "/prune (a form)": lambda people: people.command(""),
    "a form handed in": People.hand_in,
    "a form while it is filled in": People.fill,
    "Edit": lambda people: people.press(EDIT),
    "boxes of hosts": People.tick,
    "/prune preview web-1": lambda people: people.command("preview web-1"),
    "the button that confirms": lambda people: people.press(EXECUTE),
}


def people(stage: Stage) -> People:
    stage.slack.command("ana", "ops", "/prune preview web-1 web-2")
    for host in stage.hosts.values():
        host.answer_with_plan()
    root = stage.ready_root("2 hosts?")
    stage.slack.click("ana", root, EDIT)
    form = stage.slack.wait_for(lambda: stage.slack.view("ana"), SECONDS, what="a form")
    assert isinstance(form, View)
    return People(stage, root, form)


def acknowledged(at: People, acts: Iterable[Act], rate: float) -> list[float]:
    """Milliseconds until each acknowledgement."""
    begun, numbers = time.monotonic(), set[int]()
    for count, act in enumerate(acts):
        time.sleep(max(0, begun + count / rate - time.monotonic()))
        numbers.add(act(at).number)

    def ended() -> list[Delivery]:
        mine = [one for one in at.stage.slack.deliveries if one.number in numbers]
        return mine if all(one.outcome != "under way" for one in mine) else []

    sent = at.stage.slack.wait_for(ended, SECONDS, what="all acknowledgements")
    assert isinstance(sent, list)
    if lost := [one.outcome for one in sent if one.ack_ms is None]:
        print(f"not acknowledged: {len(lost)} of {len(sent)}")
    return [one.ack_ms for one in sent if one.ack_ms is not None]


def show(name: str, took: list[float]) -> None:
    p99 = statistics.quantiles(took, n=100)[98]
    print(f"{name:<32}{len(took):>6}{statistics.median(took):>8.1f}{p99:>8.1f}{max(took):>8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--acts", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20)
    options = parser.parse_args()
    with fresh_folder() as folder, bot_stage(folder, "web-1", "web-2") as stage:
        bot_process(stage, log=folder / "bot.log")
        stage.slack.wait_for_connection(SECONDS)
        at = people(stage)
        print(f"{machine()}; {options.acts} of each at {options.rate:g}/s, Socket Mode")
        print(f"{'milliseconds':<32}{'n':>6}{'p50':>8}{'p99':>8}{'max':>8}   target: p99 <= {TARGET}")
        for name, act in ACTS.items():
            show(name, acknowledged(at, [act] * options.acts, options.rate))
        show(
            "all of these in turn", acknowledged(at, islice(cycle(ACTS.values()), options.acts), options.rate)
        )


if __name__ == "__main__":
    main()
