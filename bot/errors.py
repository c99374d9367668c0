"""What can go wrong in the bot: one tree, one sentence each.

BotError
├── SettingsError       the bot cannot start as it is set up
├── StateInUse          another bot holds the state folder
├── StoreError          the bot's memory cannot be used
├── PayloadUnreadable   what came from Slack is not what Slack sends
├── QueueUnreachable    Redis does not answer, and nothing was put there
│   └── QueueAnswerLost Redis may have taken what was sent; its answer did not come
└── SlackError          Slack did not do as asked
    ├── SlackAway       not now: limited, broken or not answering
    │   ├── OutOfTurn   Slack was not asked, for it has asked us to wait
    │   └── AccessLost  it does not know the token, or the app lacks a scope
    ├── ChannelClosed   the bot may not post in the channel
    ├── MessageGone     the message to edit is not there any more
    └── MessageRefused  Slack does not take this message
"""


class BotError(Exception):
    """Something went wrong in the bot."""


class SettingsError(BotError):
    """A setting, a key, a token or a scope that the bot needs is missing or wrong."""


class StateInUse(BotError):
    """Another bot works with the same state folder."""


class StoreError(BotError):
    """The bot's memory cannot be opened, read or written."""


class PayloadUnreadable(BotError):
    """What came from Slack lacks something, or holds something else than text there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"its field {name} cannot be read")


class QueueUnreachable(BotError):
    """Redis does not answer; it is certain that nothing was put there."""


class QueueAnswerLost(QueueUnreachable):
    """What was sent to Redis may be there or not."""


class SlackError(BotError):
    """Slack answered with an error: `code` is its own word for it, `remedy` what a person can do."""

    def __init__(self, detail: str, *, code: str = "", remedy: str = "") -> None:
        super().__init__(detail)
        self.code, self.remedy = code, remedy

    @property
    def told(self) -> str:
        """What was answered to which call, and what can be done."""
        return f"{self}; {self.remedy}" if self.remedy else str(self)


class SlackAway(SlackError):
    """Slack asks to wait, is broken or does not answer; `seconds` is how long to leave it alone."""

    def __init__(
        self, detail: str, *, seconds: float, certain: bool, code: str = "", remedy: str = ""
    ) -> None:
        super().__init__(detail, code=code, remedy=remedy)
        self.seconds, self.certain = seconds, certain


class OutOfTurn(SlackAway):
    """Slack was not asked: it has asked us to wait, or takes messages one after the other."""


class AccessLost(SlackAway):
    """Slack does not know the token any more, or the app lacks `scopes`; only a person can mend that."""

    def __init__(
        self, detail: str, *, seconds: float, code: str, remedy: str, scopes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail, seconds=seconds, certain=True, code=code, remedy=remedy)
        self.scopes = scopes


class ChannelClosed(SlackError):
    """The bot is not in the channel, or the channel is archived or gone."""


class MessageGone(SlackError):
    """Somebody removed the message, or it can no longer be edited."""


class MessageRefused(SlackError):
    """Slack does not take a message as it is drawn."""
