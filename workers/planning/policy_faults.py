"""What is wrong with a policy, in the words of whoever wrote the file (pure)."""

from typing import Any

EXPECTED = {
    "tuple_type": 'expected a list, such as ["…"]',
    "string_type": 'expected text in quotes, such as "…"',
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "greater_than_equal": "expected {ge:g} or more",
    "greater_than": "expected more than {gt:g}",
    "less_than_equal": "expected {le:g} or less",
    "literal_error": "expected {expected}",
    "enum": "expected {expected}",
    "too_long": "expected at most {max_length} of them",
}


def told(problem: Any) -> str:
    """What was expected where a problem is."""
    expected = EXPECTED.get(problem["type"])
    if expected is None:
        return str(problem["msg"]).removeprefix("Value error, ")
    return expected.format(**problem.get("ctx", {}))
