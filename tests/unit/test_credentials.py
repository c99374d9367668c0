"""Secrets come from files where a variable says so, and are said nowhere."""

from pathlib import Path

import pytest

from bot.errors import SettingsError as BotSettingsError
from bot.parts import Wiring
from bot.settings import BotSettings
from workers.credentials import for_user
from workers.errors import SettingsError
from workers.settings import WorkerSettings

SECRET = "sw0rd/f1sh@%"
SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "PRUNE_REDIS_PASSWORD")
WRITTEN = "sw0rd%2Ff1sh%40%25"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for settings in (BotSettings, WorkerSettings):
        for name in settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    return monkeypatch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


def test_every_secret_of_the_bot_may_stand_in_a_file(environment: pytest.MonkeyPatch, file: Path) -> None:
    environment.setenv("REDIS_URL", "redis://prune-bot@redis:6379/0")
    for name in SECRETS:
        environment.setenv(f"{name}_FILE", str(file))

    settings = BotSettings.load()

    found = settings.model_dump()
    assert [found[name.lower()].get_secret_value() for name in SECRETS] == [SECRET] * len(SECRETS)
    assert settings.redis() == f"redis://prune-bot:{WRITTEN}@redis:6379/0"
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_worker_has_its_password_from_a_file(environment: pytest.MonkeyPatch, file: Path) -> None:
    environment.setenv("REDIS_URL", "rediss://prune-host-web-1@redis:6380/0?ssl_ca_certs=/ca.pem")
    environment.setenv("PRUNE_REDIS_PASSWORD_FILE", str(file))

    address = WorkerSettings.load().redis_for_worker()

    assert address == f"rediss://prune-host-web-1:{WRITTEN}@redis:6380/0?ssl_ca_certs=/ca.pem"


def test_a_whole_address_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://u:p@redis:6379/0\n")
    environment.setenv("REDIS_URL_FILE", str(tmp_path / "url"))

    assert WorkerSettings.load().redis_for_worker() == "redis://u:p@redis:6379/0"


@pytest.mark.parametrize(
    ("text", "words"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "is no text")]
)
def test_a_file_that_cannot_be_used_is_named(
    environment: pytest.MonkeyPatch, tmp_path: Path, text: bytes | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "secret").write_bytes(text)
    environment.setenv("PRUNE_REDIS_PASSWORD_FILE", str(tmp_path / "secret"))

    with pytest.raises(SettingsError, match=f"PRUNE_REDIS_PASSWORD_FILE .*{words}"):
        WorkerSettings.load()


def test_a_secret_in_two_places_is_refused(environment: pytest.MonkeyPatch, file: Path) -> None:
    environment.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    environment.setenv("SLACK_BOT_TOKEN_FILE", str(file))

    with pytest.raises(
        BotSettingsError, match="SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set"
    ) as said:
        BotSettings.load()
    assert SECRET not in str(said.value)


@pytest.mark.parametrize("settings", [BotSettings, WorkerSettings])
@pytest.mark.parametrize(
    "url", ["redis://u:sw0rd/f1sh@redis:6379/0", "sw0rd", "redis://u:p@redis:sw0rd/0", "redis://h/0?db=sw0rd"]
)
def test_an_address_that_is_none_is_not_repeated(
    environment: pytest.MonkeyPatch, settings: type[BotSettings | WorkerSettings], url: str
) -> None:
    environment.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    environment.setenv("REDIS_URL", url)

    with pytest.raises((SettingsError, BotSettingsError), match="REDIS_URL cannot be used") as said:
        settings.load()
    assert "sw0rd" not in str(said.value)


def test_two_passwords_are_one_too_many(environment: pytest.MonkeyPatch, file: Path) -> None:
    environment.setenv("REDIS_URL", "redis://u:sw0rd@redis:6379/0")
    environment.setenv("PRUNE_REDIS_PASSWORD_FILE", str(file))

    with pytest.raises(SettingsError, match="holds a password") as said:
        WorkerSettings.load().redis_for_worker()
    assert "sw0rd" not in str(said.value)


def test_a_host_gets_the_bot_s_address_without_its_password() -> None:
    assert for_user("redis://:pw@redis:6379/0", "w") == "redis://w@redis:6379/0"
    assert for_user("rediss://prune-bot@[::1]:6380/1?ssl_ca_certs=/ca", "w") == (
        "rediss://w@[::1]:6380/1?ssl_ca_certs=/ca"
    )
    assert for_user("unix://b:pw@/run/redis.sock?db=1", "w") == "unix://w@/run/redis.sock?db=1"


def test_what_the_bot_is_made_of_can_be_printed() -> None:
    hidden = {name for name, field in Wiring.__dataclass_fields__.items() if not field.repr}

    assert hidden == {"bot_token", "app_token", "signing_secret", "redis_url"}
