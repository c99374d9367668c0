"""The demo's play: two hosts, the real bot, one real worker each, and a Slack workspace on localhost.

Started by deploy/demo, which sets up what it needs. A story has a module of its own and one host.
"""

import argparse
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from deploy import restore_story
from tests.stage.company import Company
from tests.stage.errors import StageError
from tests.stage.folder import stage_folder
from tests.stage.hosts import web_host
from tests.workspace import Message, WorkspaceError

# Short, for unix sockets have short names; one demo at a time, whose remains the next one removes.
FOLDER = Path("/var/tmp/safe-prune-demo")
HOSTS = ("web-1", "web-2")
CHANNEL = "ops"
TARGET = "web-1"
REPLY = "\n    safe-prune"


def main() -> int:
    """Play or serve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="deploy/demo", description="Safe Prune, shown on this machine.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--once", action="store_true", help="play one preview, confirmation and report")
    which.add_argument(
        "--story", choices=["restore"], help="play how a removal breaks a service, and the way back"
    )
    options = parser.parse_args()
    # Also where the shell that started it in the background has told it to ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with stage_folder(FOLDER):
            return _told() if options.story else _shown(once=options.once)
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except (StageError, WorkspaceError, TimeoutError) as error:
        print(f"The demo did not go as it should: {error}", file=sys.stderr)
        return 1


def _told() -> int:
    print(
        "Starting Redis, a registry, a Docker engine and what lives on it, the bot, the worker …\n",
        flush=True,
    )
    with restore_story.company(FOLDER) as company:
        return restore_story.play(company)


def _shown(*, once: bool) -> int:
    print("Starting Redis, two Docker engines and what lives on them, the bot, the workers …", flush=True)
    hosts = {name: partial(web_host, name=name) for name in HOSTS}
    with Company(FOLDER, hosts, channels=(CHANNEL, "dev")) as company:
        return play(company) if once else serve(company)


def play(company: Company) -> int:
    """Play preview, confirmation and report on one host, print the thread, and judge what came of it."""
    planned = company.ready(TARGET)
    print(f"\n{company.slack.transcript(CHANNEL, ts=planned.ts)}\n", flush=True)
    print(f"— bo presses [ Prune {TARGET} ] and confirms —\n", flush=True)
    company.slack.click("bo", planned, "prune_execute")
    company.root(lambda m: m.ts == planned.ts and _is_over(m), "the outcome", seconds=120)
    company.slack.wait_for(partial(_has_report, company, planned), 180, what="the report and its picture")
    print(company.slack.transcript(CHANNEL, ts=planned.ts).split("\n\n", 1)[0])
    print(_report(company, planned))
    return _judged(company, planned)


def _is_over(message: Message) -> bool:
    return not message.controls and not message.first_line.startswith(("Prune ", "Confirmed", "Pruning"))


def _has_report(company: Company, root: Message) -> bool:
    thread = company.slack.thread(CHANNEL, root.ts)
    return any("Services:" in m.plain for m in thread) and any(
        f.is_image for f in company.slack.files(CHANNEL)
    )


def _report(company: Company, root: Message) -> str:
    """The report, and what follows it in the thread."""
    _, *replies = company.slack.transcript(CHANNEL, ts=root.ts).split(REPLY)
    first = next(n for n, reply in enumerate(replies) if "Services:" in reply)
    return "".join(f"{REPLY}{reply}" for reply in replies[first:])


def _judged(company: Company, root: Message) -> int:
    """Look at the engines, not at what the bot says of them, and at what the workspace objected to."""
    first_line = company.slack.message(CHANNEL, root.ts).first_line
    filled = {name: member.filled for name, member in company.members.items()}
    wrong = [
        *(f"the outcome is: {first_line}" for _ in range(not first_line.startswith("Pruned"))),
        *(f"{name} lost {what}" for name, host in filled.items() for what in host.lost()),
        *(f"{TARGET} still holds {what}" for what in filled[TARGET].left()),
        *(f"the workspace objects: {violation}" for violation in company.slack.violations),
    ]
    for line in wrong:
        print(f"NOT AS IT SHOULD BE: {line}", file=sys.stderr)
    if not wrong:
        kept, waste = len(filled[TARGET].kept), len(filled[TARGET].waste)
        print(f"Checked on the engine itself: all {waste} removed, all {kept} still there, every service up.")
    return 1 if wrong else 0


def serve(company: Company) -> int:
    """Keep everything up until Ctrl-C."""
    print(
        f"\nOpen {company.slack.url}/ and type /prune preview in #{CHANNEL}; press the buttons as ana or bo."
    )
    print("Logs:")
    for log in _logs(company):
        print(f"  {log}")
    print("Ctrl-C stops everything.", flush=True)
    with suppress(KeyboardInterrupt):
        signal.pause()
    print("\nStopping …", flush=True)
    return 0


def _logs(company: Company) -> Iterable[Path]:
    return (company.bot.log, *(member.worker.log for member in company.members.values()))


if __name__ == "__main__":
    raise SystemExit(main())
