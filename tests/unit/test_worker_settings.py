"""What is missing or wrong in a host's environment is said by the name of its variable, and nothing more."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import keys
from workers.errors import SettingsError
from workers.settings import WorkerSettings

PUBLIC = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "sw0rdf1sh"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in WorkerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def refusal(environment: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        WorkerSettings.load()
    return str(refused.value)


def test_without_a_word_the_usual_places_are_meant(environment: pytest.MonkeyPatch) -> None:
    settings = WorkerSettings.load()

    assert settings.docker_host == "unix:///var/run/docker.sock"
    assert settings.prune_policy == Path("/etc/safe-prune/policy.toml")
    assert settings.prune_state_dir == Path("/var/lib/safe-prune")
    assert settings.prune_engines_dir == Path("/var/lib/safe-prune/engines")
    assert settings.prune_host == ""


def test_a_command_line_needs_no_redis_but_a_worker_does(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL is not set"):
        WorkerSettings.load().redis_for_worker()


def test_the_password_is_in_the_address_and_nowhere_else(environment: pytest.MonkeyPatch) -> None:
    address = f"redis://w:{PASSWORD}@redis.example:6379/0"
    environment.setenv("REDIS_URL", address)
    settings = WorkerSettings.load()

    assert settings.redis_for_worker() == address
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PRUNE_HOST", "Web 1", "a-z"),
        ("PRUNE_HOST", "web_1", "a-z"),
        ("PRUNE_HOST", "-web", "a-z"),
        ("PRUNE_HOST", "w" * 64, "63"),
        ("PRUNE_LOG_LEVEL", "LOUD", "DEBUG"),
        ("DOCKER_HOST", "ssh://web-1", "unix:///"),
        ("REDIS_URL", f"http://w:{PASSWORD}@redis.example", "redis://"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_not_repeated(
    environment: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    said = refusal(environment, **{name: value})

    assert said.startswith(f"{name} cannot be used: ")
    assert words in said
    assert PASSWORD not in said


def test_several_wrong_values_are_named_together(environment: pytest.MonkeyPatch) -> None:
    said = refusal(environment, PRUNE_HOST="Web 1", PRUNE_LOG_LEVEL="LOUD")

    assert "PRUNE_HOST" in said
    assert "PRUNE_LOG_LEVEL" in said


def test_a_level_may_be_written_small(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PRUNE_LOG_LEVEL", "debug")

    assert WorkerSettings.load().prune_log_level == "DEBUG"


def test_the_line_that_the_bot_prints_is_what_a_host_takes(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = keys.make(tmp_path / "signing.key")
    name, _, value = keys.host_line([made]).partition("=")
    environment.setenv(name, value)

    (taken,) = WorkerSettings.load().bot_keys().items()

    assert (made.id, made.public) == (taken[0], taken[1].public_bytes_raw())


def test_the_line_that_the_bot_prints_may_stand_in_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = keys.make(tmp_path / "signing.key")
    (tmp_path / "keys").write_text(f"{keys.host_line([made])}\n")
    environment.setenv("PRUNE_BOT_KEYS_FILE", str(tmp_path / "keys"))

    assert [made.id] == list(WorkerSettings.load().bot_keys())


def test_two_keys_may_overlap_while_one_replaces_the_other(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PRUNE_BOT_KEYS", f"old:{PUBLIC}, new:{PUBLIC}")

    assert list(WorkerSettings.load().bot_keys()) == ["old", "new"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "PRUNE_BOT_KEYS is not set"),
        (f"a:{PUBLIC},b:{PUBLIC},c:{PUBLIC}", "3 keys"),
        (f"a:{PUBLIC},a:{PUBLIC}", "twice"),
        (PUBLIC, "is not"),
        (f":{PUBLIC}", "is not"),
        ("a:AAAA", "is not"),
        ("a:€", "is not"),
        ("a", "is not"),
    ],
)
def test_s12_keys_that_cannot_be_used_are_refused(
    environment: pytest.MonkeyPatch, value: str, words: str
) -> None:
    environment.setenv("PRUNE_BOT_KEYS", value)

    with pytest.raises(SettingsError, match="PRUNE_BOT_KEYS") as refused:
        WorkerSettings.load().bot_keys()
    assert words in str(refused.value)


def test_s12_a_file_of_keys_that_is_not_there_is_named(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("PRUNE_BOT_KEYS_FILE", str(tmp_path / "none"))

    with pytest.raises(SettingsError, match="PRUNE_BOT_KEYS_FILE"):
        WorkerSettings.load().bot_keys()


@given(st.text(max_size=80))
def test_s12_whatever_stands_for_a_key_is_a_key_or_is_refused(text: str) -> None:
    settings = WorkerSettings.model_construct(prune_bot_keys=(text,), prune_bot_keys_file=None)

    with pytest.raises(SettingsError):
        settings.bot_keys()
