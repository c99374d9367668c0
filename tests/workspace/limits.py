"""One table of Slack's limits: what, how much, where it is written, and how sure that is."""

from dataclasses import dataclass
from typing import Literal

Sure = Literal["doc", "measured", "third-party", "inferred"]

DOCS = "docs.slack.dev"
BLOCKS = f"{DOCS}/reference/block-kit/blocks"
ELEMENTS = f"{DOCS}/reference/block-kit/block-elements"
OBJECTS = f"{DOCS}/reference/block-kit/composition-objects"
# docs.slack.dev/reference/app-manifest, in the words of its maintainers' own types.
MANIFEST = "slackapi/node-slack-sdk packages/web-api/src/types/request/manifest.ts"
DESIGN = "slackapi/slack-skills-plugin skills/block-kit/references/design-principles.md"


@dataclass(frozen=True)
class Limit:
    """One limit: the most that passes; one more does not."""

    name: str
    most: float
    source: str
    sure: Sure


TABLE: tuple[Limit, ...] = (
    # whole surfaces
    Limit("message.blocks", 50, DESIGN, "doc"),
    Limit("modal.blocks", 100, DESIGN, "doc"),
    Limit("home.blocks", 100, DESIGN, "doc"),
    Limit("message.block_text", 12_000, "slackapi/bolt-js#2509, #2867", "measured"),
    Limit("message.block_weight", 13_200, "slackapi/bolt-js#2509, #2867", "inferred"),
    Limit("message.text", 40_000, f"{DOCS}/reference/methods/chat.postMessage", "doc"),
    Limit("message.text_recommended", 4_000, f"{DOCS}/reference/methods/chat.postMessage", "doc"),
    Limit("message.update_text", 4_000, f"{DOCS}/reference/methods/chat.update", "doc"),
    Limit("message.tables", 1, f"{BLOCKS}/table-block", "doc"),
    Limit("message.metadata", 8_000, f"{DOCS}/messaging/message-metadata", "third-party"),
    Limit("view.title", 24, f"{DOCS}/reference/views/modal-views", "doc"),
    Limit("view.submit", 24, f"{DOCS}/reference/views/modal-views", "doc"),
    Limit("view.close", 24, f"{DOCS}/reference/views/modal-views", "doc"),
    Limit("view.private_metadata", 3_000, f"{DOCS}/reference/views/modal-views", "doc"),
    Limit("view.callback_id", 255, f"{DOCS}/reference/views/modal-views", "doc"),
    Limit("view.external_id", 255, f"{DOCS}/reference/methods/views.open", "doc"),
    Limit("view.bytes", 250_000, f"{DOCS}/reference/methods/views.open", "doc"),
    Limit("view.depth", 3, f"{DOCS}/reference/methods/views.push", "doc"),
    # blocks
    Limit("block_id", 255, BLOCKS, "doc"),
    Limit("section.text", 3_000, f"{BLOCKS}/section-block", "doc"),
    Limit("section.fields", 10, f"{BLOCKS}/section-block", "doc"),
    Limit("section.field", 2_000, f"{BLOCKS}/section-block", "doc"),
    Limit("header.text", 150, f"{BLOCKS}/header-block", "doc"),
    Limit("context.elements", 10, f"{BLOCKS}/context-block", "doc"),
    Limit("context.text", 3_000, OBJECTS, "doc"),
    Limit("context_actions.elements", 5, f"{BLOCKS}/context-actions-block", "doc"),
    Limit("actions.elements", 25, f"{BLOCKS}/actions-block", "doc"),
    Limit("input.label", 2_000, f"{BLOCKS}/input-block", "doc"),
    Limit("input.hint", 2_000, f"{BLOCKS}/input-block", "doc"),
    Limit("image.url", 3_000, f"{BLOCKS}/image-block", "doc"),
    Limit("image.alt_text", 2_000, f"{BLOCKS}/image-block", "doc"),
    Limit("image.title", 2_000, f"{BLOCKS}/image-block", "doc"),
    Limit("markdown.text", 12_000, f"{BLOCKS}/markdown-block", "doc"),
    Limit("alert.text", 200, DESIGN, "doc"),
    Limit("table.rows", 100, f"{BLOCKS}/table-block", "doc"),
    Limit("table.columns", 20, f"{BLOCKS}/table-block", "doc"),
    Limit("table.column_settings", 20, f"{BLOCKS}/table-block", "doc"),
    Limit("table.characters", 10_000, DESIGN, "doc"),
    Limit("data_table.rows", 101, f"{BLOCKS}/data-table-block", "doc"),
    Limit("data_table.characters", 20_000, DESIGN, "doc"),
    Limit("plan.tasks", 50, DESIGN, "doc"),
    Limit("plan.title", 256, f"{DOCS}/reference/methods/chat.appendStream", "inferred"),
    Limit("task_card.title", 256, f"{DOCS}/reference/methods/chat.appendStream", "inferred"),
    Limit("container.child_blocks", 10, f"{BLOCKS}/container-block", "doc"),
    Limit("container.title", 150, f"{BLOCKS}/container-block", "doc"),
    Limit("container.subtitle", 150, f"{BLOCKS}/container-block", "doc"),
    Limit("card.actions", 3, DESIGN, "doc"),
    Limit("card.title", 150, DESIGN, "doc"),
    Limit("card.subtitle", 150, DESIGN, "doc"),
    Limit("card.body", 200, DESIGN, "doc"),
    Limit("carousel.elements", 10, DESIGN, "doc"),
    # elements and composition objects
    Limit("action_id", 255, ELEMENTS, "doc"),
    Limit("placeholder", 150, ELEMENTS, "doc"),
    Limit("button.text", 75, f"{ELEMENTS}/button-element", "doc"),
    Limit("button.value", 2_000, f"{ELEMENTS}/button-element", "doc"),
    Limit("button.url", 3_000, f"{ELEMENTS}/button-element", "doc"),
    Limit("button.accessibility_label", 75, f"{ELEMENTS}/button-element", "doc"),
    Limit("overflow.options", 5, f"{ELEMENTS}/overflow-menu-element", "doc"),
    Limit("select.options", 100, f"{ELEMENTS}/select-menu-element", "doc"),
    Limit("checkboxes.options", 10, f"{ELEMENTS}/checkboxes-element", "doc"),
    Limit("radio_buttons.options", 10, f"{ELEMENTS}/radio-button-group-element", "doc"),
    Limit("option.text", 75, f"{OBJECTS}/option-object", "doc"),
    Limit("option.value", 150, f"{OBJECTS}/option-object", "doc"),
    Limit("option.description", 75, f"{OBJECTS}/option-object", "doc"),
    Limit("option_group.label", 75, f"{OBJECTS}/option-group-object", "doc"),
    Limit("confirm.title", 100, f"{OBJECTS}/confirmation-dialog-object", "doc"),
    Limit("confirm.text", 300, f"{OBJECTS}/confirmation-dialog-object", "doc"),
    Limit("confirm.confirm", 30, f"{OBJECTS}/confirmation-dialog-object", "doc"),
    Limit("confirm.deny", 30, f"{OBJECTS}/confirmation-dialog-object", "doc"),
    Limit("plain_text_input.max_length", 3_000, f"{ELEMENTS}/plain-text-input-element", "doc"),
    # time and delivery
    Limit("ack.seconds", 3, "slackapi/bolt-python docs concepts/acknowledge", "doc"),
    Limit("trigger_id.seconds", 3, f"{DOCS}/interactivity/handling-user-interaction", "doc"),
    Limit("response_url.uses", 5, f"{DOCS}/interactivity/handling-user-interaction", "doc"),
    Limit("response_url.seconds", 1_800, f"{DOCS}/interactivity/handling-user-interaction", "doc"),
    Limit("socket.connections", 10, "slackapi/node-slack-sdk#1654", "doc"),
    Limit("event.retries", 3, "slackapi/python-slack-sdk#790", "doc"),
    Limit("upload.alt_txt", 1_000, f"{DOCS}/reference/methods/files.getUploadURLExternal", "doc"),
    # the app's manifest
    Limit("manifest.name", 35, MANIFEST, "doc"),
    Limit("manifest.description", 140, MANIFEST, "doc"),
    Limit("manifest.display_name", 80, MANIFEST, "doc"),
    Limit("manifest.commands", 50, MANIFEST, "doc"),
    Limit("manifest.command", 32, MANIFEST, "doc"),
    Limit("manifest.command_description", 2_000, MANIFEST, "doc"),
    Limit("manifest.usage_hint", 1_000, MANIFEST, "doc"),
    Limit("manifest.scopes", 255, MANIFEST, "doc"),
    Limit("manifest.events", 100, MANIFEST, "doc"),
    # rates
    Limit("chat.postMessage.per_second", 1, f"{DOCS}/apis/web-api/rate-limits", "doc"),
    Limit("chat.postMessage.burst", 5, "our choice; Slack allows short bursts, unspecified", "inferred"),
    Limit("chat.update.per_second", 1 / 3, "slack-skills-plugin agent-progress-design.md", "doc"),
    Limit("chat.update.burst", 3, "our choice; Slack allows short bursts, unspecified", "inferred"),
    Limit("tier1.per_minute", 1, f"{DOCS}/apis/web-api/rate-limits", "doc"),
    Limit("tier2.per_minute", 20, f"{DOCS}/apis/web-api/rate-limits", "doc"),
    Limit("tier3.per_minute", 50, f"{DOCS}/apis/web-api/rate-limits", "doc"),
    Limit("tier4.per_minute", 100, f"{DOCS}/apis/web-api/rate-limits", "doc"),
)

BY_NAME = {limit.name: limit for limit in TABLE}


def most(name: str) -> int:
    """The largest whole number that passes."""
    return int(BY_NAME[name].most)


def rate(name: str) -> float:
    return BY_NAME[name].most


def source(name: str) -> str:
    """Where a limit or rule is written, with how sure that is."""
    found = BY_NAME.get(name)
    return f"{found.source} ({found.sure})" if found else RULES.get(name, "")


RULES = {
    "fallback": f"{DOCS}/reference/methods/chat.postMessage, {DESIGN} (doc)",
    "surface": f"{DESIGN} (doc)",
    "unknown_method": f"{DOCS}/reference/methods (doc)",
    "ack": "slackapi/bolt-python docs concepts/acknowledge (doc)",
    "rate": f"{DOCS}/apis/web-api/rate-limits (doc)",
    "trigger": f"{DOCS}/interactivity/handling-user-interaction (doc)",
    "response_url": f"{DOCS}/interactivity/handling-user-interaction; slackapi/bolt-python#1268 (doc)",
    "blocks": f"{BLOCKS} (doc)",
    "thread": "slackapi/python-slack-sdk#1116 (third-party)",
    "scope": f"{DOCS}/reference/scopes (doc)",
    "upload": f"{DOCS}/reference/methods/files.getUploadURLExternal, slackapi/python-slack-sdk#1818 (doc)",
}
"""Rules without a number that violations name as their source."""
