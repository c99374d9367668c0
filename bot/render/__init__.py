"""Values into messages: everything people read in Slack is worded here, and nothing is decided."""

from bot.render.answers import (
    already_settled,
    changed,
    help_text,
    invite_me,
    not_allowed,
    not_yet,
    outdated,
    queue_unreachable,
    timed_out,
    usage,
)
from bot.render.blocks import Block, Message
from bot.render.buttons import CANCEL, EXECUTE, Pressed, pressed
from bot.render.details import details
from bot.render.files import details_file, report_file
from bot.render.history import HistoryRow, HostRow, history, history_row, hosts
from bot.render.report import report
from bot.render.root import EVENT_TYPE, root

__all__ = [
    "CANCEL",
    "EVENT_TYPE",
    "EXECUTE",
    "Block",
    "HistoryRow",
    "HostRow",
    "Message",
    "Pressed",
    "already_settled",
    "changed",
    "details",
    "details_file",
    "help_text",
    "history",
    "history_row",
    "hosts",
    "invite_me",
    "not_allowed",
    "not_yet",
    "outdated",
    "pressed",
    "queue_unreachable",
    "report",
    "report_file",
    "root",
    "timed_out",
    "usage",
]
