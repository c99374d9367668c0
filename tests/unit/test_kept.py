"""What the journal keeps of an object is enough for its way back, and holds no secret."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.bot_values import NOON, finished, order, plan, plan_ready, report
from workers.memory.ledger import Ledger
from workers.restore import kept
from workers.signing import digest

SECRET = "correct horse battery"
NAMES = st.from_regex(r"[A-Z][A-Z_]{0,8}", fullmatch=True)
TEXTS = st.text(max_size=8)


def container(**config: Any) -> dict[str, Any]:
    return {
        "Id": "c" * 64,
        "Name": "/web",
        "Image": f"sha256:{'1' * 64}",
        "Created": "2026-01-01T00:00:00Z",
        "State": {"ExitCode": 3, "FinishedAt": "2026-01-02T00:00:00Z"},
        "Mounts": [{"Type": "volume", "Name": "data", "Source": "/x", "Destination": "/data", "RW": True}],
        "HostConfig": {"NetworkMode": "front", "LogConfig": {"Type": "splunk", "Config": {"token": SECRET}}},
        "NetworkSettings": {"Networks": {"front": {}}},
        "Config": {"Image": "app:1", **config},
    }


@given(st.lists(NAMES, max_size=4), st.lists(TEXTS, max_size=3), st.booleans())
def test_no_value_of_an_environment_is_kept_whatever_the_policy_says(
    names: list[str], command: list[str], commands: bool
) -> None:
    environment = [f"{name}={SECRET}" for name in names]
    text = kept.of_container(container(Env=environment, Cmd=command), commands=commands)

    assert SECRET not in text
    assert json.loads(text)["EnvironmentNames"] == sorted(set(names))


@pytest.mark.parametrize("commands", [True, False])
def test_commands_and_labels_are_kept_where_the_policy_lets_them(commands: bool) -> None:
    labels = {"com.docker.compose.project": "shop", "auth": SECRET}
    text = kept.of_container(
        container(Cmd=["--password", SECRET], Entrypoint=[SECRET], Labels=labels), commands=commands
    )
    found = json.loads(text)

    assert (SECRET in text) is commands
    assert ("Cmd" in found, "Entrypoint" in found) == (commands, commands)
    assert found["LabelNames"] == ["auth", "com.docker.compose.project"]
    assert found["Labels"]["com.docker.compose.project"] == "shop"


def test_volumes_exit_code_and_networks_of_a_container_are_kept() -> None:
    found = json.loads(kept.of_container(container(), commands=False))

    assert found["Mounts"][0]["Name"] == "data"
    assert (found["ExitCode"], found["Networks"], found["LogDriver"]) == (3, ["front"], "splunk")


def test_an_image_keeps_all_its_names_digests_labels_and_its_platform() -> None:
    image = {
        "Id": f"sha256:{'1' * 64}",
        "RepoTags": ["app:1", "app:2"],
        "RepoDigests": [f"app@sha256:{'2' * 64}"],
        "Size": 12,
        "Os": "linux",
        "Architecture": "arm64",
        "Variant": "v8",
        "RootFS": {"Layers": ["sha256:3"]},
        "Config": {"Labels": {"a": "b"}, "Env": [f"TOKEN={SECRET}"]},
    }
    text = kept.of_image(image)
    found = json.loads(text)

    assert {name: found[name] for name in image if name != "Config"} == {
        name: value for name, value in image.items() if name != "Config"
    }
    assert (found["Labels"], found["EnvironmentNames"], SECRET in text) == ({"a": "b"}, ["TOKEN"], False)


def test_a_network_keeps_its_whole_description() -> None:
    network = {"Name": "front", "IPAM": {"Config": [{"Subnet": "10.1.0.0/24"}]}, "Internal": True}

    assert json.loads(kept.of_network(network)) == network


# For no longer than the policy says


def removed(ledger: Ledger, *, reported: bool) -> list[str]:
    """A run that asked for two removals at noon; returns their ways back."""
    made = plan()
    ledger.keep_plan(made, plan_ready(made))
    ledger.consume(order("o1", digest(made)), NOON)
    ledger.ask("o1", [(step, '{"Id": "1"}') for step in made.steps], NOON)
    if reported:
        done = report("o1", made, digest(made))
        ledger.finish(done, finished(done))
    return ways(ledger)


def ways(ledger: Ledger) -> list[str]:
    return [way for _, way, _ in ledger.ways_back("o1")]


def test_ways_back_are_forgotten_when_their_time_is_over_and_what_was_removed_is_not(ledger: Ledger) -> None:
    before = removed(ledger, reported=True)
    ledger.forget_ways_back(NOON)
    assert ways(ledger) == before
    ledger.forget_ways_back(NOON + timedelta(microseconds=1))

    assert ways(ledger) == ["", ""]
    assert [step.object for step, _, _ in ledger.ways_back("o1")] == [step.object for step in plan().steps]


def test_plans_are_forgotten_when_their_time_is_over_unless_an_order_came_of_them(ledger: Ledger) -> None:
    removed(ledger, reported=True)
    unused = plan().model_copy(update={"request_id": "r2"})
    ledger.keep_plan(unused, None)
    ledger.forget_plans(unused.made_at)
    assert ledger.plan(digest(unused)) == unused
    ledger.forget_plans(unused.made_at + timedelta(microseconds=1))

    assert ledger.plan(digest(unused)) is None
    assert ledger.plan(digest(plan())) == plan()


def test_what_a_recovery_may_need_is_not_forgotten(ledger: Ledger) -> None:
    before = removed(ledger, reported=False)
    ledger.forget_ways_back(NOON + timedelta(days=1000))

    assert ways(ledger) == before
