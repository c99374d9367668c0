"""The command that would create a container like one that was removed: read by a shell, nothing is lost."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_kept import SECRET, container
from workers.restore import kept
from workers.restore.commands import create_command


def words(*, commands: bool = False, settings: dict[str, Any] | None = None, **config: Any) -> list[str]:
    raw = container(**config)
    raw["HostConfig"] |= settings or {}
    return read(create_command(kept.of_container(raw, commands=commands)))


def read(command: str) -> list[str]:
    """The words of a command as a shell reads them; one that may do little, if it reads more than words."""
    shell = ["/bin/bash", "--restricted", "-c", f"printf '%s\\0' {command}"]
    done = subprocess.run(shell, stdout=subprocess.PIPE, check=True, timeout=60, env={"PATH": ""})
    return [word.decode("utf-8", "surrogatepass") for word in done.stdout.split(b"\0")[:-1]]


def test_a_container_with_everything_is_told_in_full() -> None:
    settings = {
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostPort": "81"}]},
        "Memory": 1000,
        "NanoCpus": 1_500_000_000,
        "Privileged": True,
        "CapAdd": ["NET_ADMIN"],
        "ExtraHosts": ["db:10.0.0.1"],
        "PidsLimit": None,
    }
    config = {"Env": ["KEY=value", "PATH=/bin"], "User": "1000", "Labels": {"a": "b"}, "Hostname": "c" * 12}

    assert words(settings=settings, **config) == [
        *("docker", "create", "--name", "web", "--user", "1000", "--restart", "on-failure:3"),
        *("--network", "front", "--publish", "127.0.0.1:8080:80/tcp", "--publish", "81:80/tcp"),
        *("--mount", "type=volume,source=data,target=/data", "--env", "KEY=FILL_IN", "--label", "a=FILL_IN"),
        *("--memory", "1000", "--cpus", "1.5", "--log-driver", "splunk", "--privileged"),
        *("--cap-add", "NET_ADMIN", "--add-host", "db:10.0.0.1", "app:1"),
    ]


def test_a_command_that_was_kept_follows_the_image() -> None:
    found = words(commands=True, Entrypoint=["/run", "-x"], Cmd=["a b", "$(reboot)"], Labels={"a": "b;c"})

    assert found[found.index("--entrypoint") + 1] == "/run"
    assert found[found.index("--label") + 1] == "a=b;c"
    assert found[-4:] == ["app:1", "-x", "a b", "$(reboot)"]


# What a terminal, a shell, and both of them read as more than a letter.
HOSTILE = st.sampled_from([*"\x1b\x07\r\n\t\b\x7f\x9b\u202e\u2028\xad\ue000'\"\\$`!~# 07xa]é🐳"])
TEXTS = st.text(HOSTILE | st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_no_word_of_it_means_more_to_a_shell_or_a_terminal(command: list[str], label: str) -> None:
    kept_of = json.loads(kept.of_container(container(Cmd=command), commands=True))
    told = create_command(json.dumps({**kept_of, "LabelNames": ["a"], "Labels": {"a": label}}))
    found = read(told)

    assert told.isprintable()
    assert found[-len(command) - 1 :] == ["app:1", *command]
    assert found[found.index("--label") + 1] == f"a={label}"


def test_what_no_argument_can_hold_is_left_out() -> None:
    told = create_command(json.dumps({"Image": "app:1", "Cmd": ["a\0b\n", "\0"]}))

    assert read(told) == ["docker", "create", "app:1", "ab\n", ""]


def test_a_title_for_the_terminal_in_a_label_is_shown_letter_by_letter() -> None:
    label = {"com.docker.compose.project": "p\x1b]0;owned\x07\x1b[2J\r# fine"}
    told = create_command(json.dumps({"Image": "app:1", "LabelNames": [*label], "Labels": label}))

    assert told == (
        "docker create --label "
        r"$'com.docker.compose.project=p\033]0;owned\007\033[2J\015# fine' app:1"
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '"x"'])
def test_of_what_cannot_be_read_there_is_no_command(text: str) -> None:
    assert create_command(text) == ""


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*json.loads(kept.of_container(container(), commands=True))]), JUNK))
def test_whatever_was_kept_is_read_without_an_error(changed: dict[str, Any]) -> None:
    text = json.dumps({**json.loads(kept.of_container(container(), commands=False)), **changed})
    command = create_command(text)

    assert read(command)[:2] == ["docker", "create"]
    assert command.isprintable()
    assert SECRET not in command
