"""The bot's settings, from the environment; what is missing is said by name."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bot.errors import SettingsError
from bot.rulebook import Rulebook, parse, simple
from bot.state import StateDir
from workers.credentials import SecretFileError, SecretSettings, refuse_bad_address, with_password

WHAT = {
    "slack_bot_token": "the bot's token (xoxb-…), from OAuth & Permissions",
    "slack_signing_secret": "the secret that signs Slack's requests, from Basic Information;"
    " or SLACK_APP_TOKEN for Socket Mode",
    "port": "the port on which Slack's requests arrive; or SLACK_APP_TOKEN for Socket Mode",
    "redis_url": "where Redis is, like redis://redis.example:6379/0",
}
SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "REDIS_URL", "PRUNE_REDIS_PASSWORD")
NONE = SecretStr("")
Names = Annotated[tuple[str, ...], NoDecode]


class StateSettings(SecretSettings):
    """What every command of the bot needs to know."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    prune_state_dir: Path = Path("/var/lib/safe-prune-bot")
    prune_signing_key_file: Path | None = None
    redis_url: SecretStr = NONE
    prune_redis_password: SecretStr = NONE

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsError: that names the variable which is missing or wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(
                " ".join(_said(detail["loc"], detail["msg"]) for detail in error.errors())
            ) from None
        except SecretFileError as error:
            raise SettingsError(str(error)) from None

    @field_validator("redis_url")
    @classmethod
    def _address(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            refuse_bad_address(value.get_secret_value())
        return value

    @property
    def state(self) -> StateDir:
        """The bot's folder."""
        return StateDir(self.prune_state_dir)

    @property
    def signing_key_file(self) -> Path:
        """Where the signing key is."""
        return self.prune_signing_key_file or self.state.signing_key


class SlackSettings(StateSettings):
    """What whoever asks Slack needs to know besides."""

    slack_bot_token: SecretStr
    slack_api_url: str = "https://slack.com/api/"

    @field_validator("slack_api_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        return value if value.endswith("/") else f"{value}/"


class BotSettings(SlackSettings):
    """What the running bot needs to know besides."""

    slack_app_token: SecretStr = NONE
    slack_signing_secret: SecretStr = NONE
    redis_url: SecretStr
    port: int | None = Field(default=None, ge=1, le=65535)
    prune_bind: str = "127.0.0.1"
    prune_channels: Names = ()
    prune_approvers: Names = ()
    prune_rules: Path | None = None

    @field_validator("prune_channels", "prune_approvers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @property
    def is_socket_mode(self) -> bool:
        """Whether the bot calls Slack, or Slack calls the bot."""
        return bool(self.slack_app_token.get_secret_value())

    def redis(self) -> str:
        """Return the address of Redis, password included: never print it.

        Raises:
            SettingsError: there are two passwords.
        """
        url, password = self.redis_url.get_secret_value(), self.prune_redis_password.get_secret_value()
        try:
            return with_password(url, password) if password else url
        except ValueError as error:
            raise SettingsError(_said(("redis_url",), str(error))) from None

    def rules(self) -> Rulebook:
        """Who may do what; two places that say so would leave one unread.

        Raises:
            SettingsError: the rules cannot be read, or are not whole.
        """
        if self.prune_rules is None:
            return simple(self.prune_channels, self.prune_approvers)
        if self.prune_channels or self.prune_approvers:
            raise SettingsError(
                "PRUNE_RULES says who may do what and where, so PRUNE_CHANNELS and PRUNE_APPROVERS must not."
            )
        try:
            text = self.prune_rules.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"PRUNE_RULES {self.prune_rules} cannot be read: {error}") from None
        return parse(text, str(self.prune_rules))

    def refuse_deafness(self) -> None:
        """Without one of the two ways in, the bot would never hear of anything."""
        missing = [
            name
            for name, value in (("slack_signing_secret", self.slack_signing_secret), ("port", self.port))
            if not self.is_socket_mode
            and not (value.get_secret_value() if isinstance(value, SecretStr) else value)
        ]
        if missing:
            raise SettingsError(" ".join(_said((name,), "Field required") for name in missing))


def _said(where: tuple[int | str, ...], message: str) -> str:
    name = str(where[0]) if where else "settings"
    if message == "Field required":
        return f"{name.upper()} is not set: {WHAT.get(name, 'it is needed')}."
    # The message never repeats the value, which may be a secret.
    return f"{name.upper()} cannot be used: {message.removeprefix('Value error, ')}."
