"""The list of what the conversation is made by is whole, and names tests that there are."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LIST = TESTS.parent / "deploy" / "CONVERSATION.md"
ROW = re.compile(r"\| (\d+) \| .+ \|")
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[str]:
    return [line for line in LIST.read_text().splitlines() if ROW.fullmatch(line)]


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_detail_and_every_complaint_has_its_row() -> None:
    numbers = [int(found[1]) for row in rows() if (found := ROW.fullmatch(row))]

    assert numbers == [*range(1, 16), *range(1, 36)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[:60])
def test_every_row_names_tests_that_there_are(row: str) -> None:
    named = NAMED.findall(row.split(" | ")[-1])

    assert named
    assert row.split(" | ")[-1].count("`") == 2 * len(named)
    assert [(file, name) for file, name in named if name not in functions_of(file)] == []
