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
    """Slack answered with an error."""


class SlackAway(SlackError):
    """Slack asks to wait, is broken or does not answer; `seconds` is how long to leave it alone."""

    def __init__(self, detail: str, *, seconds: float, certain: bool) -> None:
        super().__init__(detail)
        self.seconds, self.certain = seconds, certain


class ChannelClosed(SlackError):
    """The bot is not in the channel, or the channel is archived or gone."""


class MessageGone(SlackError):
    """Somebody removed the message, or it can no longer be edited."""


class MessageRefused(SlackError):
    """Slack does not take a message as it is drawn."""
