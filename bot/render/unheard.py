"""A host without a plan that can be confirmed, or without a report, in one plain sentence."""

from bot.requests import HostPart, Stage
from workers.reasons import Code, Reason

NO_PLAN = {
    Stage.SILENT: "No plan: {host} is not answering.",
    Stage.UNREACHABLE: "No plan: {host} was not reached.",
    Stage.REFUSED: "No plan: {host} refused the request.",
    Stage.PLAN_FAILED: "No plan: {host} could not make one.",
}
OBSTACLES = {
    Code.KEY_NOT_HELD: "it does not hold the key that signs",
    Code.CLOCK_OFF: "its clock is wrong",
    Code.LEDGER_UNUSABLE: "its ledger cannot be used",
    Code.FROZEN: "it is frozen",
}
UNREPORTED = {
    Stage.REFUSED: "{host} refused, nothing was {done}.",
    Stage.WITHDRAWN: "An approval no longer counts, nothing was {done} on {host}.",
    Stage.UNREACHABLE: "{host} was not sent the order, nothing was {done}.",
    Stage.NOT_EXECUTED: "Not executed on {host} in time, nothing was {done}.",
}
NOT_KNOWN = "{host} stopped answering, what was {done} is not known yet."


def no_plan(part: HostPart) -> str:
    """Why a host has no plan."""
    return NO_PLAN.get(part.stage, "No plan from {host}.").format(host=part.host)


def not_confirmable(host: str, why: Reason) -> str:
    """Why a host would be sent no order."""
    return f"Nothing can be confirmed for {host}: {OBSTACLES[why.code]}."


def done(part: HostPart) -> str:
    """What is done to objects there."""
    return "brought back" if part.is_restore else "removed"


def unreported(part: HostPart) -> str:
    """Why there is no report, and what is known all the same."""
    return UNREPORTED.get(part.stage, NOT_KNOWN).format(host=part.host, done=done(part))
