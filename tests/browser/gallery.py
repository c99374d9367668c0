"""Pictures of what Safe Prune draws, state by state, at the width of a desk and of a phone.

    python -m tests.browser.gallery     draws deploy/gallery anew, and the page that shows it

They are the recorded examples (bot/examples), posted by an app into the workspace and looked at in Chromium.
"""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.examples import drawn
from tests.browser.chromium import Page, chromium_page
from tests.workspace import Workspace

Json = dict[str, Any]
FOLDER = Path(__file__).parents[2] / "deploy" / "gallery"
WIDTHS = {"desk": 900, "phone": 390}
# Taller than whatever is shown: a list that scrolls would be cut off.
HEIGHT = 5000
COLOURS = 96
# What the gallery shows, in its order; the rest of the examples are variations.
SHOWN = {
    "root-planning": "Asked: each host is looked at, and says so.",
    "root-ready-one": "The plan of one host: what goes by kind, what stays and why, what has no way back.",
    "root-ready-several": "Of several: most bytes first, a silent host named, boxes, a button that counts.",
    "form-edit 1": "*Edit*: leave out kinds or objects, or keep them for good; the total follows.",
    "root-ready-edited": "After an edit: less goes, and the buttons are new ones.",
    "root-approved-by-one-of-two": "Two people are needed and one has agreed.",
    "root-executing-stages": "Under way: each host a task, with what it does and how far it is.",
    "root-executing-stopped": "Stopped by a button under it: the object in hand is finished.",
    "root-finished-one": "Done.",
    "root-finished-several": "Done on two of three; of the third nothing is guessed.",
    "root-finished-stopped": "A service got worse, so the run stopped.",
    "root-finished-refused": "Refused by the host before anything was removed.",
    "report-done": "The report: before and after, by kind and on the disk, services, ways back.",
    "trouble 1": "A service got worse: who is called, what was removed before it, and the ways back.",
    "report-stopped": "The report of a run that stopped: what was removed, refused, failed and not touched.",
    "details": "The whole plan in the thread: a reason for each object, and where the disk went.",
    "root-ready-fifty": "Fifty hosts in one message.",
    "root-nothing-yet": "A host met for the first time: nothing now, and from when there will be something.",
    "root-ready-full-disk": "A disk that pruning cannot help, and what is big instead.",
    "root-ready-clock-off": "A host whose clock is wrong: its plan is shown, and no button.",
    "root-not-answering": "A host that does not answer.",
    "root-nobody-may": "Nobody may execute here.",
    "root-timed-out": "Nobody answered: that is never a yes.",
    "root-cancelled": "Cancelled.",
    "root-replaced": "Replaced by a newer plan.",
    "form-start": "A bare `/prune`.",
    "why 1": "`/prune why`: any object, with its reasons.",
    "volumes 1": "`/prune volumes`: for review by hand; nothing here removes one.",
    "policy 1": "`/prune policy`, in sentences.",
    "underway 1": "`/prune status`.",
    "history 1": "`/prune history`, page by page.",
    "home 1": "The Home tab: what waits for its reader first.",
    "checkup 1": "`/prune doctor`.",
    "hosts 1": "`/prune hosts`.",
    "help": "`/prune help`.",
}
MESSAGE = "document.querySelector('#messages .message:last-of-type')"
FORM = "document.querySelector('dialog')"


def examples(slack: Workspace) -> dict[str, Json]:
    """Every example, with the people and the channel of this workspace in it."""
    people = {"U0ANA": slack.user_id("ana"), "U0BO": slack.user_id("bo")}
    names = {**people, "C0OPS": slack.channel_id("ops")}
    found = {}
    for name, example in drawn():
        text = json.dumps(example)
        for old, new in names.items():
            text = text.replace(old, new)
        found[name] = json.loads(text)
    return found


@contextmanager
def posting(slack: Workspace, shown: dict[str, Json]) -> Iterator[WebClient]:
    """An app that opens the form it is asked for."""
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    app = App(client=client, token_verification_enabled=False)

    @app.command("/prune")
    def open_form(ack: Ack, command: Json) -> None:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view=shown[command["text"]])

    handler = SocketModeHandler(app, slack.app_token)
    handler.connect()
    slack.wait_for_connection(10)
    try:
        yield client
    finally:
        handler.close()


def post(client: WebClient, slack: Workspace, example: Json) -> None:
    client.chat_postMessage(channel=slack.channel_id("ops"), text=example["text"], blocks=example["blocks"])


def is_message(example: Json) -> bool:
    return "text" in example


def show(page: Page, slack: Workspace, client: WebClient, name: str, example: Json) -> str:
    """Have one example on the page; returns the expression that finds it there."""
    if is_message(example):
        post(client, slack, example)
        count = len(slack.messages("ops"))
        page.open(f"{slack.url}/?user=ana&channel=ops")
        page.wait_for(f"document.querySelectorAll('#messages .message').length === {count}", name)
        return MESSAGE
    if example["type"] == "home":
        client.views_publish(user_id=slack.user_id("ana"), view=example)
        page.open(f"{slack.url}/?user=ana&channel=home")
        page.wait_for("document.querySelector('.home')", name)
        return "document.querySelector('.home')"
    page.open(f"{slack.url}/?user=ana&channel=ops")
    page.wait_for("document.querySelector('#composer input')", "the page")
    slack.command("ana", "ops", f"/prune {name}")
    page.wait_for(FORM, name)
    return FORM


def picture(page: Page, of: str, path: Path) -> None:
    """One element alone, in few colours: a folder of these is part of the repository.

    Without the time of day, so that one changes only when what it shows does.
    """
    page.evaluate("document.querySelectorAll('.byline time').forEach((one) => one.remove())")
    raw = page.element(of)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(raw)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def gallery_page() -> str:
    """The pictures with what each shows, the phone's beside the desk's."""
    head = "# What it looks like"
    how = "Each is drawn from a message that the tests record, at a desk and on a phone."
    return "\n\n".join([head, how, *map(_entry, SHOWN)]) + "\n"


def _entry(name: str) -> str:
    desk, phone = (f"gallery/{file_of(name, width)}" for width in WIDTHS)
    images = [
        f'<img src="{desk}" width="600" alt="{name}">',
        f'<img src="{phone}" width="260" alt="{name}, on a phone">',
    ]
    return f"## {SHOWN[name]}\n\n{' '.join(images)}"


def file_of(name: str, width: str) -> str:
    return f"{name.replace(' ', '-')}-{width}.png"


def main() -> int:
    with Workspace.start(rate_limits=False) as slack, chromium_page() as page:
        shown = examples(slack)
        with posting(slack, shown) as client:
            for name in SHOWN:
                for width, pixels in WIDTHS.items():
                    page.size(pixels, HEIGHT, phone=width == "phone")
                    found = show(page, slack, client, name, shown[name])
                    picture(page, found, FOLDER / file_of(name, width))
                    if found == FORM:
                        slack.close_view("ana")
    (FOLDER.parent / "GALLERY.md").write_text(gallery_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
