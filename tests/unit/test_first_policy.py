"""The first policy of a host names every key, and what stands behind a "#" is its default or an example."""

import re
import tomllib

from tests.unit.facts_host import a_policy
from workers.cli.initial import policy_text
from workers.planning.policy import Policy, parse

# They are unlimited, or anybody, where they are not written; what is shown is an example.
EXAMPLES = {"archive_dir", "archive_max_bytes", "max_bytes", "settle", "approvers", "ping"}


def test_every_key_is_named_and_shown_with_its_default() -> None:
    text = re.sub(r"^# (\w+ = .*)$", r"\1", policy_text(()), flags=re.MULTILINE)
    shown = parse(text, "policy.toml")

    assert set(tomllib.loads(text)) == set(Policy.model_fields)
    assert shown.model_dump(exclude=EXAMPLES) == a_policy().model_dump(exclude=EXAMPLES)
