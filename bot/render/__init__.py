"""Values into messages: everything people read in Slack is worded here, and nothing is decided."""

from bot.render.answers import (
    already_settled,
    changed,
    counted,
    elsewhere,
    form_not_opened,
    help_text,
    not_allowed,
    not_ours,
    not_taken,
    not_told_in_time,
    not_yet,
    outdated,
    queue_unreachable,
    stopped_before,
    timed_out,
    too_late_to_choose,
    usage,
    waited_too_long,
)
from bot.render.blocks import Block, Message
from bot.render.buttons import AGAIN, CANCEL, EXECUTE, STOP, Pressed, pressed
from bot.render.checkup import checkup
from bot.render.decisions import already_stopped, deciding, decision, not_protected, nothing_runs, protections
from bot.render.details import details
from bot.render.editing import EDIT, HOSTS, editing
from bot.render.files import details_file, report_file
from bot.render.forms import closed_form
from bot.render.history import NEWER, OLDER, history, not_kept
from bot.render.home import REFRESH, home, shut_home, undrawn_home, unsaid_home
from bot.render.hosts import HostRow, hosts
from bot.render.inquiries import KEEP_ALWAYS, answered, unanswered
from bot.render.picture import Figure, Picture, days_shown, is_pictured, picture
from bot.render.report import report
from bot.render.restorable import restorable
from bot.render.restore_files import restore_plan_file, restore_report_file
from bot.render.root import EVENT_TYPE, root
from bot.render.starting import START, starting
from bot.render.trouble import is_troubled, trouble
from bot.render.underway import cancelled, underway
from bot.render.unshown import goes_on_here, unshown
from bot.render.ways_back import CHECK, RESTORE_RUN, RESTORE_USED

__all__ = [
    "AGAIN",
    "CANCEL",
    "CHECK",
    "EDIT",
    "EVENT_TYPE",
    "EXECUTE",
    "HOSTS",
    "KEEP_ALWAYS",
    "NEWER",
    "OLDER",
    "REFRESH",
    "RESTORE_RUN",
    "RESTORE_USED",
    "START",
    "STOP",
    "Block",
    "Figure",
    "HostRow",
    "Message",
    "Picture",
    "Pressed",
    "already_settled",
    "already_stopped",
    "answered",
    "cancelled",
    "changed",
    "checkup",
    "closed_form",
    "counted",
    "days_shown",
    "deciding",
    "decision",
    "details",
    "details_file",
    "editing",
    "elsewhere",
    "form_not_opened",
    "goes_on_here",
    "help_text",
    "history",
    "home",
    "hosts",
    "is_pictured",
    "is_troubled",
    "not_allowed",
    "not_kept",
    "not_ours",
    "not_protected",
    "not_taken",
    "not_told_in_time",
    "not_yet",
    "nothing_runs",
    "outdated",
    "picture",
    "pressed",
    "protections",
    "queue_unreachable",
    "report",
    "report_file",
    "restorable",
    "restore_plan_file",
    "restore_report_file",
    "root",
    "shut_home",
    "starting",
    "stopped_before",
    "timed_out",
    "too_late_to_choose",
    "trouble",
    "unanswered",
    "underway",
    "undrawn_home",
    "unsaid_home",
    "unshown",
    "usage",
    "waited_too_long",
]
