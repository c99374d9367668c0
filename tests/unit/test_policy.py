"""A policy is whole or an error that names the file, the key and what is expected there."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.contract import Kind
from workers.errors import PolicyError
from workers.host import read_policy
from workers.planning.policy import SECONDS, Policy, parse
from workers.signing import digest

WRITTEN = "protected_images = []\ncritical_containers = []\n"
DURATIONS = (
    "image_grace",
    "cache_grace",
    "container_grace",
    "network_grace",
    "image_unused_for",
    "quiet_for",
    "restore_for",
    "steady_for",
)


def parsed(text: str) -> Policy:
    return parse(WRITTEN + text, "policy.toml")


def complaint(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse(text, "/etc/safe-prune/policy.toml")
    return str(caught.value)


def test_two_written_keys_are_enough_and_the_defaults_are_the_documented_ones() -> None:
    policy = parsed("")

    assert (policy.keep_previous, policy.writable_limit, policy.max_objects) == (1, 1_000_000, 1000)
    assert policy.image_grace == policy.cache_grace == timedelta(hours=24)
    assert policy.container_grace == policy.network_grace == timedelta(days=7)
    assert policy.image_unused_for == timedelta(days=14)
    assert (policy.restore_for, policy.keep_commands) == (timedelta(days=90), False)
    assert policy.quiet_for == timedelta(minutes=2)
    assert policy.steady_for == timedelta(seconds=5)
    assert policy.protected_labels == ("safe-prune.keep=true",)
    assert policy.kinds == tuple(Kind)
    assert (policy.ping, policy.show_logs) == ((), 0)
    assert (policy.archive_dir, policy.archive_max_bytes) == (None, None)


def test_an_archive_has_a_folder_and_a_size() -> None:
    policy = parsed('archive_dir = "/mnt/archive"\narchive_max_bytes = "100GB"')

    assert (policy.archive_dir, policy.archive_max_bytes) == ("/mnt/archive", 100 * 10**9)


@pytest.mark.parametrize("key", ["protected_images", "critical_containers"])
def test_s4_forgetting_a_required_key_is_an_error_that_names_it(key: str) -> None:
    text = "\n".join(line for line in WRITTEN.splitlines() if not line.startswith(key))

    assert complaint(text) == f"policy /etc/safe-prune/policy.toml: {key} is missing; write it, even as []"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "protected_image = []",
            "protected_image is not a key of this file; you may have meant protected_images",
        ),
        ("keep_prevous = 2", "keep_prevous is not a key of this file; you may have meant keep_previous"),
        ("colour = 2", "colour is not a key of this file; the keys are approvers, "),
        ('keep_previous = "1"', "keep_previous: expected a whole number"),
        ("keep_previous = -1", "keep_previous: expected 0 or more"),
        ('archive_dir = "/mnt/archive"', "archive_max_bytes is missing; archive_dir needs it"),
        ('archive_max_bytes = "1GB"', "archive_dir is missing; archive_max_bytes needs it"),
        ('archive_dir = "archive"', "archive_dir: 'archive': expected the path of a folder from the root"),
        ('archive_dir = ""', "archive_dir: '': expected the path of a folder from the root"),
        ('archive_dir = "/mnt\\n"', "archive_dir: '/mnt\\n': expected the path of a folder from the root"),
        ('archive_dir = "/a"\narchive_max_bytes = -1', "archive_max_bytes: expected"),
        ("keep_previous = true", "keep_previous: expected a whole number"),
        ("image_grace = 24", 'image_grace: expected a duration such as "30s", "10min", "24h" or "7d"'),
        ('image_grace = "-1h"', "image_grace: expected a duration"),
        ('image_grace = "1.5h"', "image_grace: expected a duration"),
        ('image_grace = "one day"', "image_grace: expected a duration"),
        ('image_grace = "999999999999d"', "image_grace: expected a duration of at most"),
        ('image_unused_for = "999999d"', "image_unused_for: expected a duration of at most"),
        ("writable_limit = true", 'writable_limit: expected a size such as "500MB" or a number of bytes'),
        ("writable_limit = 1.5", "writable_limit: expected a size"),
        ('writable_limit = "much"', "writable_limit: expected a size"),
        ("writable_limit = -1", "writable_limit: expected a size"),
        ('kinds = ["volume"]', "kinds.0: expected 'container', 'image', 'network' or 'build-cache'"),
        ('kinds = "image"', 'kinds: expected a list, such as ["…"]'),
        ('protected_containers = ["a b"]', "protected_containers.0: 'a b' is not a name pattern, expected"),
        ('protected_networks = ["["]', "protected_networks.0: '[' is not a name pattern, expected"),
        ('protected_labels = ["=true"]', "protected_labels.0: '=true': expected LABEL or LABEL=VALUE"),
        (
            'probes = ["ftp://x"]',
            "probes.0: 'ftp://x': expected http://HOST…, https://HOST… or tcp://HOST:PORT",
        ),
        (
            'probes = ["http://ana:swordfish@web/"]',
            "probes.0: a probe takes no user and password: expected http://HOST…",
        ),
        ('probes = ["https://swordfish@web"]', "probes.0: a probe takes no user and password"),
        # Sixteen bits of it would be sent: the port of another service.
        (
            'probes = ["http://web:95536/?key=hunter2"]',
            "probes.0: 'http://web:95536/?…': expected a port from 1",
        ),
        ('probes = ["tcp://web:65536"]', "probes.0: 'tcp://web:65536': expected a port from 1 to 65535"),
        ('probes = ["https://web:0"]', "probes.0: 'https://web:0': expected a port from 1 to 65535"),
        ('probes = ["http://web/\\u0001"]', r"probes.0: 'http://web/\x01': expected http://HOST…"),
        ('probes = ["tcp://we\\u007fb:80"]', r"probes.0: 'tcp://we\x7fb:80': expected http://HOST…"),
        ('unrestorable_images = "drop"', "unrestorable_images: expected 'keep' or 'flag'"),
        ("max_objects = 0", "max_objects: expected 1 or more"),
        ("max_share = 1.5", "max_share: expected 1 or less"),
        ("max_share = true", "max_share: expected a number"),
        ('approvers = "U1"', 'approvers: expected a list, such as ["…"]'),
        ('approvers = ["U1"]', "approvers.0: 'U1': expected TEAM/USER"),
        ('ping = "U0123"', 'ping: expected a list, such as ["…"]'),
        (
            'ping = ["T1/U1"]',
            "ping.0: 'T1/U1': expected the Slack id of a person or user group, like U0123",
        ),
        ('ping = ["!channel"]', "ping.0: '!channel': expected the Slack id"),
        ('ping = ["C0123"]', "ping.0: 'C0123': expected the Slack id"),
        ('ping = ["U1", "U2", "U3", "U4", "U5", "S6"]', "ping: expected at most 5 of them"),
        ("show_logs = 51", "show_logs: expected 50 or less"),
        ("show_logs = -1", "show_logs: expected 0 or more"),
        ("show_logs = true", "show_logs: expected a whole number"),
    ],
)
def test_s4_a_wrong_value_names_file_key_and_what_is_expected(line: str, expected: str) -> None:
    said = complaint(WRITTEN + line)

    assert said.startswith("policy /etc/safe-prune/policy.toml: ")
    assert expected in said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'protected_images = ["Postgres:16"]',
            "protected_images.0: 'Postgres:16' is not a pattern of image names",
        ),
        (
            'protected_images = ["[z-a]"]',
            "protected_images.0: '[z-a]' is not a pattern of image names, expected",
        ),
        ('protected_images = "postgres:16"', 'protected_images: expected a list, such as ["…"]'),
        ("protected_images = [16]", "protected_images.0: expected text in quotes"),
        ('critical_containers = ["we b"]', "critical_containers.0: 'we b' is not a name pattern, expected"),
        ('critical_containers = ["compose:shop"]', "'compose:shop': expected compose:PROJECT/SERVICE"),
        ('critical_containers = ["compose:/web"]', "critical_containers.0: '' is not a name pattern"),
    ],
)
def test_s4_a_bad_pattern_names_its_place(line: str, expected: str) -> None:
    other = next(one for one in WRITTEN.splitlines() if not one.startswith(line.partition(" ")[0]))

    assert expected in complaint(f"{other}\n{line}")


@pytest.mark.parametrize(
    "text",
    ["protected_images = [", "= 1", "a = 1\na = 2", "\x00", "a = " + "[" * 9999, "a = " + "9" * 5000],
    ids=lambda text: text[:9],
)
def test_s4_what_is_not_toml_is_an_error_that_says_so(text: str) -> None:
    assert complaint(text).startswith("policy /etc/safe-prune/policy.toml: not TOML: ")


def test_every_mistake_is_told_at_once() -> None:
    said = complaint('image_grace = 1\nprotected_images = []\nunknown = "x"')

    assert all(
        key in said for key in ("critical_containers is missing", "image_grace: ", "unknown is not a key")
    )


def test_s4_a_missing_file_is_an_error_that_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="there is no such file; python -m workers init writes one"):
        read_policy(tmp_path / "policy.toml")


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_s4_an_unreadable_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "policy.toml"
    path.mkdir() if content is None else path.write_bytes(content)

    with pytest.raises(PolicyError, match=f"policy {path}: cannot be read: "):
        read_policy(path)


@given(st.text(max_size=80))
def test_s4_whatever_is_written_is_a_policy_or_a_policy_error(text: str) -> None:
    with pytest.raises(PolicyError):
        parse(text, "policy.toml")


@given(st.sampled_from(DURATIONS), st.integers(0, 36500), st.sampled_from(sorted(SECONDS)))
def test_a_duration_is_a_number_and_its_unit(key: str, number: int, unit: str) -> None:
    found = getattr(parsed(f'{key} = "{number}{unit}"'), key)

    assert found == timedelta(seconds=number * SECONDS[unit])


@pytest.mark.parametrize(
    ("written", "size"),
    [("5", 5), ('"5"', 5), ('"1MB"', 10**6), ('"1MiB"', 2**20), ('"2.5 GB"', 2_500_000_000)],
)
def test_a_size_is_bytes_or_has_a_unit(written: str, size: int) -> None:
    assert parsed(f"writable_limit = {written}").writable_limit == size


@pytest.mark.parametrize("probe", ["http://web", "https://[::1]:8443/up?a=b", "tcp://db:1", "tcp://db:65535"])
def test_a_probe_names_a_service(probe: str) -> None:
    assert parsed(f'probes = ["{probe}"]').probes == (probe,)


@pytest.mark.parametrize("line", ['ping = ["U0123", "W0123", "S0123"]', "show_logs = 50"])
def test_who_is_pinged_and_how_much_of_a_log_is_shown_can_be_written(line: str) -> None:
    key, _, value = line.partition(" = ")

    assert getattr(parsed(line), key) == (tuple(json.loads(value)) if key == "ping" else int(value))


def test_s1_volumes_are_no_kind() -> None:
    assert "kinds.0" in complaint(WRITTEN + 'kinds = ["volumes"]')


def test_the_digest_tells_policies_apart_and_not_how_they_are_spelled() -> None:
    assert digest(parsed("")) == digest(parsed('image_grace = "1d"'))
    assert digest(parsed("")) != digest(parsed('image_grace = "2d"'))
