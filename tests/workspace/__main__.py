"""Runs the workspace alone: `python -m tests.workspace --port 8600 --channel ops --channel dev`."""

import argparse
import threading
from contextlib import suppress

from tests.workspace.workspace import Workspace


def main() -> None:
    options = _options()
    with Workspace.start(
        port=options.port,
        channels=options.channel or ["ops"],
        private=options.private or (),
        commands=options.command or ["/prune"],
    ) as slack:
        print(f"page: {slack.url}/")
        for name, value in slack.env().items():
            print(f"{name}={value}")
        print(f"SLACK_SIGNING_SECRET={slack.signing_secret}", flush=True)
        if options.deliver_to:
            slack.deliver_to(options.deliver_to)
        _until_interrupted()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--channel", action="append", help="repeat for more; default: ops")
    parser.add_argument("--private", action="append", help="a channel that is private")
    parser.add_argument("--command", action="append", help="a slash command of the app; default: /prune")
    parser.add_argument("--deliver-to", help="the app's URL, for signed HTTP instead of Socket Mode")
    return parser.parse_args()


def _until_interrupted() -> None:
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


if __name__ == "__main__":
    main()
