"""How soon the bot acknowledges slash commands, as the workspace measures it; run by hand.

python -m tests.bench.ack [--commands 200] [--rate 20]
"""
# ruff: noqa: T201  a bench prints

import argparse
import statistics
import time

from tests.acceptance.small_host import NO_WAITING, small_host
from tests.bench.machine import machine
from tests.stage.company import Company
from tests.stage.folder import fresh_folder

TEXTS = ("help", "hosts", "history", "preview web-1")


def acks(company: Company, text: str, *, count: int, rate: float) -> list[float]:
    """Milliseconds until each acknowledgement; the commands come at an even pace, whatever the answers do."""
    known, begun = len(company.slack.deliveries), time.monotonic()
    for number in range(count):
        time.sleep(max(0, begun + number / rate - time.monotonic()))
        company.slack.command("ana", company.channel, f"/prune {text}", wait=False)
    company.slack.wait_for(
        lambda: all(one.outcome != "under way" for one in company.slack.deliveries[known:]), 60
    )
    sent = company.slack.deliveries[known:]
    lost = [one.outcome for one in sent if one.ack_ms is None]
    if lost:
        print(f"not acknowledged: {len(lost)} of {len(sent)}")
    return [one.ack_ms for one in sent if one.ack_ms is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20)
    options = parser.parse_args()
    with fresh_folder() as folder, Company(folder, {"web-1": small_host}, policy=NO_WAITING) as company:
        company.ready("web-1")
        print(f"{machine()}; {options.commands} commands at {options.rate:g}/s, Socket Mode")
        print(f"{'milliseconds':<16}{'p50':>8}{'p99':>8}{'max':>8}   target: p99 <= 100")
        for text in TEXTS:
            taken = sorted(acks(company, text, count=options.commands, rate=options.rate))
            p99 = statistics.quantiles(taken, n=100)[98]
            print(f"{text:<16}{statistics.median(taken):>8.1f}{p99:>8.1f}{taken[-1]:>8.1f}")


if __name__ == "__main__":
    main()
