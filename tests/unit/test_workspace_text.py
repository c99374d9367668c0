"""Messages as plain text, as the transcript prints them."""

import pytest

from tests.workspace.mrkdwn import Names, plain_mrkdwn
from tests.workspace.text import plain_blocks

NAMES = Names({"U1": "ana", "C1": "ops", "S1": "docker-admins"})


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*bold* and _it_ and `code`", "bold and it and code"),
        ("<@U1> in <#C1> for <!subteam^S1>", "@ana in #ops for @docker-admins"),
        ("<https://x.example|the page>", "the page (https://x.example)"),
        ("<https://x.example>", "https://x.example"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<!date^1700000000^{date_short} {time}|later>", "Nov 14, 2023 22:13 UTC"),
        ("<!date^soon^{time}|later>", "later"),
        ("```two\nlines```", "two\nlines"),
        ("web-* and 2 * 3 * 4", "web-* and 2 * 3 * 4"),
        ("snake_case_name stays", "snake_case_name stays"),
    ],
)
def test_mrkdwn_reads_as_text(written: str, read: str) -> None:
    assert plain_mrkdwn(written, NAMES) == read


def test_a_table_has_aligned_columns() -> None:
    rows = [["Host", "GB"], ["web-1", "9.5"], ["web-10", "12.5"]]
    block = {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": text} for text in row] for row in rows],
        "column_settings": [{"align": "left"}, {"align": "right"}],
    }
    assert plain_blocks([block], NAMES) == [
        "Host      GB",
        "------  ----",
        "web-1    9.5",
        "web-10  12.5",
    ]


def test_buttons_show_their_words() -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Prune 1 Host"}}
    other = {"type": "button", "text": {"type": "plain_text", "text": "Cancel"}}
    assert plain_blocks([{"type": "actions", "elements": [button, other]}], NAMES) == [
        "[ Prune 1 Host ]  [ Cancel ]"
    ]


def test_a_plan_shows_the_state_of_each_task() -> None:
    output = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "12.4 GB"}]}],
    }
    tasks = [
        {
            "type": "task_card",
            "task_id": "1",
            "title": "Pruned web-1",
            "status": "complete",
            "output": output,
        },
        {"type": "task_card", "task_id": "2", "title": "web-2", "status": "pending"},
    ]
    assert plain_blocks([{"type": "plan", "title": "Pruning", "tasks": tasks}], NAMES) == [
        "Pruning",
        "  [✓] Pruned web-1",
        "      12.4 GB",
        "  [ ] web-2",
    ]


def test_a_time_that_leads_somewhere_says_where() -> None:
    at = {
        "type": "date",
        "timestamp": 1795489722,
        "format": "{date_short} {time}",
        "url": "https://x.example/p1",
    }
    text = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [at]}]}
    assert plain_blocks([text], NAMES) == ["Nov 24, 2026 03:08 UTC (https://x.example/p1)"]


def test_fields_and_containers_are_read_in_order() -> None:
    section = {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Policy*\n`3f9c`"}]}
    container = {
        "type": "container",
        "title": {"type": "plain_text", "text": "Kept: 7"},
        "child_blocks": [section],
    }
    assert plain_blocks([container], NAMES) == ["▸ Kept: 7", "  Policy: 3f9c"]
