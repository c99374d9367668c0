"""Which fields each block, element and composition object may have, and which blocks each surface takes."""

from dataclasses import dataclass


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MESSAGE_BLOCKS = words(
    "section divider image actions context context_actions header input markdown rich_text table data_table "
    "data_visualization task_card plan container card carousel file video"
)
MODAL_BLOCKS = words("section divider image actions context header input rich_text alert video")
# A table on the Home tab and a card in a modal: the sources disagree, so neither passes.
HOME_BLOCKS = words(
    "section divider image actions context header input rich_text video container card carousel"
)
SURFACES = {"message": MESSAGE_BLOCKS, "modal": MODAL_BLOCKS, "home": HOME_BLOCKS}
NOT_IN_CONTAINERS = words("card carousel data_table plan container alert markdown")

MENUS = frozenset(
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
PICKERS = words("datepicker timepicker datetimepicker")
TICKS = words("checkboxes radio_buttons")
INPUTS = words("plain_text_input number_input email_text_input url_text_input file_input rich_text_input")
IN_ACTIONS = MENUS | PICKERS | TICKS | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_SECTION = MENUS | PICKERS | TICKS | {"button", "overflow", "workflow_button", "image"}
IN_INPUT = MENUS | PICKERS | TICKS | INPUTS
IN_CONTEXT = frozenset(("image", "mrkdwn", "plain_text"))
IN_CONTEXT_ACTIONS = frozenset(("feedback_buttons", "icon_button"))


@dataclass(frozen=True)
class Fields:
    """The fields an object must and may have beside `type`."""

    required: frozenset[str]
    optional: frozenset[str]


def _fields(required: str = "", optional: str = "") -> Fields:
    return Fields(words(required), words(optional))


BLOCK_FIELDS = {
    "section": _fields("", "text fields accessory expand"),
    "divider": _fields(),
    "image": _fields("alt_text", "image_url slack_file title"),
    "actions": _fields("elements"),
    "context": _fields("elements"),
    "context_actions": _fields("elements"),
    "header": _fields("text", "level"),
    "input": _fields("label element", "dispatch_action hint optional"),
    "markdown": _fields("text"),
    "rich_text": _fields("elements"),
    "table": _fields("rows", "column_settings"),
    "data_table": _fields("rows caption", "page_size row_header_column_index column_settings"),
    "data_visualization": _fields("", "title chart description"),
    "task_card": _fields("task_id title", "details output sources status"),
    "plan": _fields("title", "tasks"),
    "container": _fields(
        "child_blocks",
        "title rich_text_title subtitle width icon is_collapsible default_collapsed has_header_divider",
    ),
    "card": _fields("", "hero_image icon title subtitle body actions"),
    "carousel": _fields("elements"),
    "file": _fields("external_id source"),
    "video": _fields(
        "alt_text title thumbnail_url video_url",
        "author_name description provider_icon_url provider_name title_url",
    ),
    "alert": _fields("text", "level"),
}

_COMMON = "action_id confirm focus_on_load placeholder"
ELEMENT_FIELDS = {
    "button": _fields(
        "text", "action_id url value style confirm accessibility_label visible_to_user_ids agent_prompt"
    ),
    "overflow": _fields("options", "action_id confirm"),
    "static_select": _fields("", f"{_COMMON} options option_groups initial_option"),
    "multi_static_select": _fields("", f"{_COMMON} options option_groups initial_options max_selected_items"),
    "checkboxes": _fields("options", "action_id confirm focus_on_load initial_options"),
    "radio_buttons": _fields("options", "action_id confirm focus_on_load initial_option"),
    "plain_text_input": _fields(
        "", f"{_COMMON} initial_value multiline min_length max_length dispatch_action_config"
    ),
    "number_input": _fields(
        "is_decimal_allowed", f"{_COMMON} initial_value min_value max_value dispatch_action_config"
    ),
    "email_text_input": _fields("", f"{_COMMON} initial_value dispatch_action_config"),
    "url_text_input": _fields("", f"{_COMMON} initial_value dispatch_action_config"),
    "datepicker": _fields("", f"{_COMMON} initial_date"),
    "timepicker": _fields("", f"{_COMMON} initial_time timezone"),
    "datetimepicker": _fields("", f"{_COMMON} initial_date_time"),
    "users_select": _fields("", f"{_COMMON} initial_user"),
    "multi_users_select": _fields("", f"{_COMMON} initial_users max_selected_items"),
    "image": _fields("alt_text", "image_url slack_file"),
    "icon_button": _fields("icon text", "action_id value confirm accessibility_label visible_to_user_ids"),
    "feedback_buttons": _fields("positive_button negative_button", "action_id"),
}
"""Elements not listed here are not checked field by field."""

RICH_TEXT_PARTS = words("rich_text_section rich_text_list rich_text_preformatted rich_text_quote")
RICH_TEXT_LEAVES = words("text link user usergroup channel emoji date broadcast color team tag citation")
DATE_FIELDS = _fields("timestamp format", "timezone url fallback style")
TASK_STATES = words("pending in_progress complete error")
ALERT_LEVELS = words("default info warning error success")
CELL_TYPES = words("raw_text raw_number rich_text")
