"""A Slack workspace on localhost, at least as strict as Slack is known to be, for tests and for the demo.

    with Workspace.start(port=0, channels=("ops", "dev")) as slack:
        start_the_bot(slack.env())                    # SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_API_URL, …
        slack.wait_for_connection(10)                 # Socket Mode; or slack.deliver_to(url) for signed HTTP
        slack.command(user="ana", channel="ops", text="/prune preview web-1")
        root = slack.wait_for(lambda: next(iter(slack.messages("ops")), None), 20, what="a root message")
        slack.click("ana", root, "execute")           # an action_id, a block_id or the button's words
        print(slack.transcript("ops"))
        assert slack.violations == ()

People and places (names or ids both work): users `ana`, `bo` (members), `cy` (guest); channels as given,
the first with all three in it, the others without the guest.

    Workspace.start(*, port=0, channels=("ops",), private=(), bot_in=None, commands=("/prune",),
        scopes=SCOPES, rate_limits=True, ack_seconds=3.0, event_retry_delays=(0, 60, 300),
        user_groups={"docker-admins": ("ana", "bo")})
        private: which of the channels are private; bot_in: where the bot is a member (default: all).

Addresses and secrets
    slack.url · slack.api_url · slack.bot_token · slack.app_token · slack.signing_secret · slack.team_id
    slack.bot_user_id · slack.user_id("ana") · slack.channel_id("ops") · slack.group_id("docker-admins")
    slack.direct("ana")                               the channel of what the bot tells ana alone
    slack.env(http=False)                             the app's environment, as a dict

Acting as people. Each waits for the app's acknowledgement (or its failure) and returns a `Delivery`;
with wait=False it returns at once, for races.
    slack.command(user, channel, text, *, wait=True)
    slack.say(user, channel, text, *, thread_ts=None)              an ordinary message; returns the Message
    slack.click(user, message, control, *, option=None, confirm=True, wait=True)
        control: a Control of message.controls, or the first with that action_id, label or block_id.
        A Message read earlier may be used after the message has changed: the click of somebody whose
        screen was a moment behind (the delivery is marked stale).
        option: value of an overflow or select option. confirm=False: presses "deny" in the dialog; None.
    slack.choose(user, message, control, values, *, wait=True)     checkboxes: what is ticked now;
                                                                   this person's later clicks carry it
    slack.submit(user, view, values, *, wait=True)                 values: {action_id or block_id: value}
    slack.close_view(user, *, wait=True)
    slack.open_home(user, *, wait=True)                            the Home tab; sends app_home_opened
    slack.event({...}, *, wait=True)                               any other event
    slack.join(channel, user) · slack.leave(channel, user)
    slack.invite_bot(channel) · slack.remove_bot(channel)

Reading (snapshots, safe to keep)
    slack.messages(channel) -> tuple[Message, ...]                 oldest first, no ephemerals: roots, and
                                                                   replies that the channel shows as well
    slack.thread(channel, ts) -> tuple[Message, ...]               root first
    slack.message(channel, ts) -> Message                          as it stands now
    slack.ephemerals(user, channel=None) -> tuple[Message, ...]
    slack.view(user) -> View | None · slack.home(user) -> View | None
    slack.files(channel=None) -> tuple[File, ...]                  name, title, content, text, channels
    slack.transcript(channel, *, ts=None, viewer=None) -> str      as a person reads it; ts: one thread only
    slack.calls(method=None) -> tuple[Call, ...]                   method, arguments, answer, status, at
    slack.violations -> tuple[Violation, ...]                      rule, detail, source, at
    slack.deliveries -> tuple[Delivery, ...]                       kind, user, via, outcome, ack_ms, attempt,
                                                                   stale, payload, answer, error
    Message: channel, ts, thread_ts, user, text, blocks, metadata, edited, broadcast, is_root, plain,
        first_line, controls
    Control: action_id, block_id, kind, label, value, style, confirm, options

Waiting: no polling; woken by every change in the workspace.
    slack.wait_for(predicate, timeout=10, what="…")                predicate() gives its first true value
    slack.wait_for_connection(timeout=10, count=1)

Switches
    slack.deliver_to(url, signing_secret=None)                     signed HTTP from now on; None: Socket Mode
    slack.redeliver(delivery, *, wait=True)                        the same payload once more
    slack.fail_next(method, status=500, times=1, retry_after=1, after_effect=False)
        status: an HTTP status or "timeout"; after_effect: Slack did it, but its answer is lost;
        retry_after: of a 429, None where it does not say how long;
        method: a Web API method, "response_url", or "*" for any
    slack.refuse_next(method, error, times=1)         answers that error, as Slack does that has understood
    slack.go_away() · slack.come_back()                            refuses all connections, keeps its state
    slack.refresh_connections()                                    Slack's regular farewell in Socket Mode
    slack.deafen_connections(new_ones=False)                       they stand; nothing is heard over them
    slack.advance(seconds)                                         the clock: triggers, response_urls, rates
    slack.user_groups_need_plan(True)                              usergroups.* answer plan_upgrade_required
    slack.set_user_group(handle, *users)                           makes it, or changes its members
    slack.make_guest(user, is_guest=True) · slack.deactivate(user) · slack.share_channel(channel)
    slack.set_clock_of(user, ahead)                                seconds ahead of UTC
    slack.revoke_scope("files:write") · slack.grant_scope(...)
    slack.revoke_token(error="token_revoked") · slack.restore_token()
    slack.archive(channel, is_archived=True) · slack.remove(message)
"""

from tests.workspace.controls import Control
from tests.workspace.errors import WorkspaceError
from tests.workspace.records import Call, Delivery, File, Message, View, Violation
from tests.workspace.workspace import Workspace

__all__ = [
    "Call",
    "Control",
    "Delivery",
    "File",
    "Message",
    "View",
    "Violation",
    "Workspace",
    "WorkspaceError",
]
