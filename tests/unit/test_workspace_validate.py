"""What Slack refuses for other reasons than size, and how it says so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workspace.validate import answer_fields, validate_message, validate_view

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def errors(*blocks: Any) -> list[str]:
    return [str(fault) for fault in validate_message(list(blocks))]


def section(**fields: Any) -> Json:
    return {"type": "section", "text": plain("x"), **fields}


def test_an_alert_is_refused_in_a_message_and_taken_in_a_modal() -> None:
    alert = {"type": "alert", "text": plain("Careful")}
    assert errors(alert) == ["unsupported type: alert [json-pointer:/blocks/0/type]"]
    assert validate_view({"type": "modal", "title": plain("T"), "blocks": [alert]}) == ()


@pytest.mark.parametrize("kind", ["plan", "task_card", "markdown", "table", "container", "context_actions"])
def test_message_blocks_are_refused_in_a_modal(kind: str) -> None:
    view = {"type": "modal", "title": plain("T"), "blocks": [{"type": kind}]}
    assert [fault.pointer for fault in validate_view(view)] == ["/view/blocks/0/type"]


def test_a_table_is_refused_on_the_home_tab() -> None:
    view = {"type": "home", "blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}]}
    assert [fault.rule for fault in validate_view(view)] == ["surface"]


def test_a_pointer_leads_to_the_fault() -> None:
    long = {"type": "actions", "elements": [{"type": "button", "text": plain("x" * 76)}]}
    assert errors(section(), long) == [
        "must be less than 76 characters [json-pointer:/blocks/1/elements/0/text/text]"
    ]


def test_the_answer_carries_pointers_as_slack_does() -> None:
    faults = validate_message([section(text=plain(""))])
    assert answer_fields(faults)["response_metadata"] == {
        "messages": ["[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"]
    }


def test_a_second_table_has_an_error_of_its_own() -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}
    assert [fault.error for fault in validate_message([table, table])] == ["invalid_attachments"]


def test_a_table_inside_a_container_counts() -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}
    container = {"type": "container", "title": plain("T"), "child_blocks": [table]}
    assert [str(fault) for fault in validate_message([table, container])] == [
        "only_one_table_allowed [json-pointer:/blocks]"
    ]


def test_too_much_text_has_an_error_of_its_own() -> None:
    blocks = [section(text=plain("x" * 2900))] * 5
    assert {fault.error for fault in validate_message(blocks)} == {"msg_blocks_too_long"}


def test_block_ids_are_unique_in_containers_too() -> None:
    inner = section(block_id="one")
    container = {"type": "container", "title": plain("T"), "child_blocks": [inner]}
    assert errors(section(block_id="one"), container) == [
        "block_id must be unique: one [json-pointer:/blocks]"
    ]


def test_unknown_fields_are_refused() -> None:
    assert errors(section(colour="red")) == ["invalid additional property: colour [json-pointer:/blocks/0]"]


def test_an_empty_cell_is_refused() -> None:
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}
    assert errors(table) == ["must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"]


def test_a_plan_excludes_loose_task_cards() -> None:
    card = {"type": "task_card", "task_id": "t", "title": "x", "status": "complete"}
    assert errors({"type": "plan", "title": "x", "tasks": [card]}, card) == [
        "a plan and loose task_cards exclude each other [json-pointer:/blocks]"
    ]


def test_pending_is_for_plans_only() -> None:
    card = {"type": "task_card", "task_id": "t", "title": "x", "status": "pending"}
    assert errors({"type": "plan", "title": "x", "tasks": [card]}) == []
    assert errors(card) == ["pending is only allowed inside a plan [json-pointer:/blocks/0/status]"]


def test_the_past_participle_is_no_status() -> None:
    card = {"type": "task_card", "task_id": "t", "title": "x", "status": "completed"}
    assert errors(card) == ["must be a valid enum value [json-pointer:/blocks/0/status]"]


def test_a_plan_stands_in_no_container() -> None:
    container = {"type": "container", "title": plain("T"), "child_blocks": [{"type": "plan", "title": "x"}]}
    assert errors(container) == ["unsupported type: plan [json-pointer:/blocks/0/child_blocks/0/type]"]


def test_a_modal_with_inputs_needs_a_submit() -> None:
    block = {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input"}}
    view = {"type": "modal", "title": plain("T"), "blocks": [block]}
    assert [fault.pointer for fault in validate_view(view)] == ["/view/submit"]


def test_an_initial_option_must_be_among_the_options() -> None:
    option = {"text": plain("a"), "value": "a"}
    ticks = {"type": "checkboxes", "options": [option], "initial_options": [{**option, "value": "b"}]}
    assert errors({"type": "actions", "elements": [ticks]}) == [
        "initial option is not among the options [json-pointer:/blocks/0/elements/0]"
    ]


@pytest.mark.parametrize(
    ("leaf", "faults"),
    [
        ({"type": "user", "user_id": "U01ANA00000"}, []),
        ({"type": "user", "user_id": "root"}, ["must be a user's id"]),
        ({"type": "user", "user": "U01ANA00000"}, ["must be a user's id"]),
        (
            {"type": "date", "timestamp": 1, "format": "{time}", "url": "https://x.example", "fallback": "x"},
            [],
        ),
        ({"type": "date", "timestamp": 1, "format": "{time}", "url": ""}, ["must be more than 0 characters"]),
        (
            {"type": "date", "timestamp": 1, "format": "{time}", "text": "x"},
            ["invalid additional property: text"],
        ),
    ],
)
def test_people_and_times_in_rich_text_are_what_slack_knows(leaf: Json, faults: list[str]) -> None:
    text = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}
    table = {"type": "table", "rows": [[text]]}
    for block in (text, table):
        assert [error.partition(" [")[0] for error in errors(block)] == faults


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "blocks", "rows", "tasks", "child_blocks", "options"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
kinds = st.sampled_from(
    ["section", "actions", "context", "table", "plan", "task_card", "container", "rich_text", "header"]
)


@given(
    st.lists(
        st.builds(
            lambda kind, rest: {**rest, "type": kind},
            kinds,
            st.dictionaries(
                st.sampled_from(
                    ["text", "elements", "rows", "tasks", "child_blocks", "title", "fields", "accessory"]
                ),
                anything,
            ),
        ),
        max_size=3,
    )
)
def test_no_nonsense_breaks_the_validator(blocks: list[Json]) -> None:
    assert isinstance(validate_message(blocks), tuple)
