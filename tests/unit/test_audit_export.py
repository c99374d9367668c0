"""The acts as files: one row each, nothing a spreadsheet would run, and only what was asked for."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.acts import Act, What
from bot.audit.export import COLUMNS, chosen, csv_lines, json_lines
from tests.unit.bot_values import NOON, after
from tests.unit.golden import assert_text

FORMULA = ("=", "+", "-", "@", "\t", "\r")
ACTS = (
    Act(1, NOON, "cli:ops", What.ADMITTED, host="web-1"),
    Act(2, after(1), "T1/U1", What.ASKED, "r1", detail={"verb": "preview", "hosts": ["web-1", "web-2"]}),
    Act(3, after(2), "host:web-2", What.PLANNED, "r1", "web-2", plan_digest="sha256:2"),
    Act(4, after(3), "T1/U2", What.CONFIRMED, "r1", detail={"set": "s1"}),
    Act(5, after(4), "bot", What.ORDERED, "r1", "web-1", "o1", "sha256:1"),
    Act(6, after(5), "T1/U3", What.TURNED_AWAY, detail={"why": '"quoted", and\nbroken'}),
    Act(7, after(6), "T1/U1", What.ASKED, "r2", detail={"hosts": ["db-1"]}),
)


def rows(acts: tuple[Act, ...]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(csv_lines(acts)), newline="")))


def test_what_people_read() -> None:
    assert_text("audit-export.csv", "".join(csv_lines(ACTS)).replace("\r\n", "\n"))
    assert_text("audit-export.jsonl", "".join(json_lines(ACTS)))


def test_csv_holds_every_value_of_every_act() -> None:
    head, *found = rows(ACTS)

    assert tuple(head) == COLUMNS
    assert [row[0] for row in found] == [str(act.number) for act in ACTS]
    assert [json.loads(row[-1]) for row in found] == [dict(act.detail) for act in ACTS]


@settings(max_examples=60)
@given(st.text(), st.sampled_from([*FORMULA, ""]))
def test_no_cell_is_a_formula_whatever_a_host_or_a_person_wrote(text: str, start: str) -> None:
    act = Act(1, NOON, start + text, What.REFUSED, start + text, start + text, start + text, start + text)

    _, row = rows((act,))

    assert [cell for cell in row if cell.startswith(FORMULA)] == []
    assert row[2] in (start + text, f"'{start}{text}")


def test_json_lines_hold_the_details_as_they_are() -> None:
    read = [json.loads(line) for line in json_lines(ACTS)]

    assert read[1]["detail"] == {"verb": "preview", "hosts": ["web-1", "web-2"]}
    assert read[4] == {
        "number": 5,
        "at": after(4).isoformat(timespec="milliseconds"),
        "who": "bot",
        "what": "ordered",
        "request": "r1",
        "host": "web-1",
        "order": "o1",
        "plan": "sha256:1",
        "detail": {},
    }


@pytest.mark.parametrize(
    ("host", "numbers"), [("", [1, 2, 3, 4, 5, 6, 7]), ("web-1", [1, 2, 4, 5]), ("db-1", [7]), ("x", [])]
)
def test_what_concerns_a_host_is_what_was_done_there_and_decided_about_it(
    host: str, numbers: list[int]
) -> None:
    assert [act.number for act in chosen(ACTS, since=None, host=host)] == numbers


def test_a_time_begins_the_list() -> None:
    assert [act.number for act in chosen(ACTS, since=after(4), host="")] == [5, 6, 7]
