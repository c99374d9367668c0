"""What somebody is told, where they are still reached, when Slack does not show what they asked for."""

from bot.errors import AccessLost, ChannelClosed, SlackAway, SlackError
from bot.render.answers import said, why
from bot.render.blocks import Message, prose

# Whoever waits less than this for Slack need not be told.
TOLD_AFTER_SECONDS = 10.0
GOES_ON = "what you asked for goes on, and is shown then."
OUTSIDE = "Safe Prune is not a member of this channel, so nothing can be shown here."
ARCHIVED = "This channel is archived, so nothing can be shown here."
CLOSED = {
    **dict.fromkeys(("not_in_channel", "channel_not_found"), (OUTSIDE, "Invite it with `/invite`")),
    **dict.fromkeys(("is_archived", "is_inactive", "channel_is_archived"), (ARCHIVED, "Unarchive it")),
}


def unshown(error: SlackError, mark: str) -> Message | None:
    """What keeps Slack from showing it, and what to do; None where it passes by itself, and soon."""
    match error:
        case ChannelClosed():
            what, do = CLOSED.get(error.code, _by_a_setting(error))
            return said(what, f"{do}; {GOES_ON}", mark=mark)
        case AccessLost():
            what = f"Slack does not let Safe Prune show this: {why(error)}."
            do = f"Whoever runs the bot has to mend that: {prose(error.remedy)}"
            return said(what, f"{do}; {GOES_ON}", mark=mark)
        case SlackAway(code="ratelimited") if error.seconds >= TOLD_AFTER_SECONDS:
            what = f"Slack asks Safe Prune to wait {error.seconds:.0f} s before it shows anything more."
            return said(what, GOES_ON.capitalize(), mark=mark)
    return None


def goes_on_here(mark: str) -> Message:
    """First in the thread of a message that stands for one that is gone."""
    what = "The message before this one was removed, or can no longer be edited."
    return said(what, "The request goes on here, and the buttons of that one do nothing.", mark=mark)


def _by_a_setting(error: SlackError) -> tuple[str, str]:
    what = f"A setting of this workspace keeps Safe Prune from writing here ({prose(error.code)})."
    return what, "Have an owner of the workspace let the app write in this channel"
