"""A small Bolt app that draws what Safe Prune draws, to judge the page by eye and to click through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from tests.workspace import Workspace

Json = dict[str, Any]
REPORT = """*web-1*: 25.7 GB freed (images 22.1, containers 3.0, build cache 0.6), volumes untouched.
```removed  shop:38  812 MB
removed  shop:39  815 MB```"""
EXPIRY = "<!date^1763980200^{date_short_pretty} {time}|later>"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(action: str, label: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action, "text": plain(label), "value": "r-7f3a", **more}


def rich(text: str) -> Json:
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [part]}


def table(rows: list[list[str]]) -> Json:
    cells = [[{"type": "raw_text", "text": text} for text in row] for row in rows]
    right = {"align": "right"}
    return {"type": "table", "rows": cells, "column_settings": [{"align": "left"}, right, right, right]}


def question() -> list[Json]:
    confirm = {
        "title": plain("Prune 2 hosts?"),
        "text": mrkdwn("*web-1* and *web-2*: 41 images, 12 containers, about 38.2 GB. Volumes stay."),
        "confirm": plain("Prune 2 Hosts"),
        "deny": plain("Keep Everything"),
        "style": "danger",
    }
    return [
        {"type": "header", "text": plain("Prune 38.2 GB on 2 hosts?")},
        {
            "type": "section",
            "text": mrkdwn(
                "41 images, 12 stopped containers and 3 networks would go. _No volume is ever removed._"
            ),
        },
        table(
            [
                ["Host", "Frees (GB)", "Objects", "Kept"],
                ["web-1", "25.7", "34", "18"],
                ["web-2", "12.5", "22", "21"],
            ]
        ),
        {
            "type": "section",
            "fields": [
                mrkdwn("*Guarded by*\n`api`, `db`, `proxy`"),
                mrkdwn("*Policy*\n`3f9c1a` on both hosts"),
                mrkdwn("*Previous versions*\n1 kept per repository"),
                mrkdwn("*Grace*\n24 h images, 7 d containers"),
            ],
        },
        {
            "type": "container",
            "title": plain("Kept on purpose: 39 objects"),
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [
                {
                    "type": "section",
                    "text": mrkdwn("`postgres:16` protected · `shop:41` the way back of `shop:42`"),
                }
            ],
        },
        {
            "type": "context",
            "elements": [mrkdwn(f"Asked by <@U01ANA00000> · expires {EXPIRY} · plan `7f3a91`")],
        },
        {
            "type": "actions",
            "elements": [
                button("execute", "Prune 2 Hosts", style="danger", confirm=confirm),
                button("edit", "Edit"),
                button("cancel", "Cancel"),
                {
                    "type": "overflow",
                    "action_id": "more",
                    "options": [
                        {"text": plain("Show policy"), "value": "policy"},
                        {"text": plain("Download list"), "value": "list"},
                    ],
                },
            ],
        },
    ]


def running() -> list[Json]:
    def task(name: str, title: str, status: str, output: str) -> Json:
        return {
            "type": "task_card",
            "task_id": name,
            "title": title,
            "status": status,
            "output": rich(output),
        }

    return [
        {"type": "header", "text": plain("Pruned 25.7 GB on 1 of 2 hosts")},
        {
            "type": "plan",
            "title": "Removing what was confirmed",
            "tasks": [
                task("web-1", "Pruned web-1", "complete", "25.7 GB freed, all 6 services healthy"),
                task("web-2", "Pruning web-2", "in_progress", "Images: 9 of 14"),
                {"type": "task_card", "task_id": "post", "title": "Watching health", "status": "pending"},
            ],
        },
        {"type": "context", "elements": [mrkdwn("Confirmed by <@U01ANA00000> · plan `7f3a91`")]},
    ]


def modal() -> Json:
    options = [{"text": plain(name), "value": name} for name in ("web-1", "web-2")]
    hosts = {"type": "checkboxes", "action_id": "hosts", "options": options, "initial_options": options}
    reason = {"type": "plain_text_input", "action_id": "reason", "multiline": True}
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain("Edit the prune"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": [
            {
                "type": "alert",
                "level": "warning",
                "text": mrkdwn("What is removed cannot be brought back by Slack."),
            },
            {"type": "input", "block_id": "hosts", "label": plain("Hosts"), "element": hosts},
            {
                "type": "input",
                "block_id": "reason",
                "label": plain("Reason"),
                "element": reason,
                "optional": True,
            },
        ],
    }


def home() -> Json:
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("Hosts")},
            {
                "type": "section",
                "text": mrkdwn("*web-1* · last pruned today · 25.7 GB"),
                "accessory": button("look", "Preview"),
            },
            {"type": "divider"},
            {
                "type": "section",
                "text": mrkdwn("*web-2* · never pruned"),
                # The same action, of another host: what is pressed is told by its block alone.
                "block_id": "web-2",
                "accessory": button("look", "Preview"),
            },
        ],
    }


def small_app(slack: Workspace) -> App:
    client = WebClient(token=slack.bot_token, base_url=slack.api_url)
    app = App(client=client, token_verification_enabled=False)
    app.command("/prune")(prune)
    app.action("execute")(execute)
    app.action("edit")(edit)
    app.view("edit")(saved)
    app.event("app_home_opened")(opened)
    for name in ("cancel", "more", "look"):
        app.action(name)(acknowledge)
    return app


def prune(ack: Ack, command: Json, client: WebClient) -> None:
    if not command["text"].startswith("preview"):
        ack("Usage: `/prune preview [HOST …]`, for example `/prune preview web-*`.")
        return
    ack()
    client.chat_postMessage(
        channel=command["channel_id"], text="Prune 38.2 GB on 2 hosts?", blocks=question()
    )


def execute(ack: Ack, body: Json, client: WebClient) -> None:
    ack()
    channel, ts = body["channel"]["id"], body["message"]["ts"]
    client.chat_update(channel=channel, ts=ts, text="Pruned 25.7 GB on 1 of 2 hosts", blocks=running())
    client.chat_postMessage(channel=channel, thread_ts=ts, text=REPORT)


def edit(ack: Ack, body: Json, client: WebClient) -> None:
    ack()
    client.views_open(trigger_id=body["trigger_id"], view=modal())


def saved(ack: Ack, body: Json) -> None:
    chosen = body["view"]["state"]["values"]["hosts"]["hosts"]["selected_options"]
    if len(chosen) == 2:
        ack(response_action="errors", errors={"hosts": "Leave one out, or cancel."})
    else:
        ack()


def opened(event: Json, client: WebClient) -> None:
    client.views_publish(user_id=event["user"], view=home())


def acknowledge(ack: Ack) -> None:
    ack()


@contextmanager
def running_small_app(slack: Workspace) -> Iterator[None]:
    handler = SocketModeHandler(small_app(slack), slack.app_token)
    handler.client.connect()
    slack.wait_for_connection()
    try:
        yield
    finally:
        handler.client.close()
