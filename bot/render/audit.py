"""What a comparison of two copies found, in sentences for a terminal (pure)."""

from collections.abc import Iterator, Sequence

from bot.audit.findings import Finding, Found
from bot.render.files import one_line

SENTENCES = {
    Found.NEVER_ORDERED: "order {order} was executed there ({end}), and the bot never sent it;"
    " it names {approvers} as who confirmed",
    Found.NEVER_SEEN: "order {order}, sent at {at}, is not on record there: neither consumed nor refused",
    Found.OTHER_PLAN: "order {order} was sent for plan {ours}, and executed for plan {theirs}",
    Found.OTHER_STEPS: "order {order} was confirmed without the steps {ours}, and executed without {theirs}",
    Found.OTHER_APPROVER: "order {order} was confirmed by {ours} here, by {theirs} there",
    Found.OTHER_REQUESTER: "order {order} was asked for by {ours} here, by {theirs} there",
    Found.OTHER_REPORT: "the reports of order {order} differ in {field}: {ours} here, {theirs} there",
    Found.OTHER_OUTCOME: "step {step} of order {order} ended as {ours} here, as {theirs} there",
    Found.OTHER_JOURNAL: "step {step} of order {order} ended as {journal} by that host's journal,"
    " as {report} by its own report",
    Found.REPORT_NOT_HERE: "the report of order {order} ({end}) is there, and never came here",
    Found.REPORT_NOT_THERE: "a report of order {order} ({end}) came here, and there is none there",
    Found.REFUSAL_NOT_HERE: "order {order} was refused there ({codes}), and that never came here",
    Found.REFUSAL_NOT_THERE: "a refusal of order {order} ({codes}) came here, and there is none there",
    Found.STANDING_NOT_HERE: "{what} is kept there, and that never came here",
    Found.STANDING_NOT_THERE: "{what} was taken by that host, as it told, and is not on record there",
    Found.OTHER_STANDING: "what {request} decided is {ours} here, {theirs} there",
    Found.EVENTS_MISSING: "the events numbered {numbers} were told there, and are missing here",
    Found.EVENTS_NOT_THERE: "the events numbered {numbers} came here, and that host has numbered only {last}:"
    " its ledger is older than what it told",
    Found.OTHER_LEDGER: "the file is of ledger {ledger}, of which nothing ever came here; known is {known}",
    Found.LEDGER_NOT_GIVEN: "no file is of ledger {ledger}, though events of it came here: {events}",
    Found.UNKNOWN_HOST: "the file is of a host that was never admitted here",
    Found.BROKEN: "{file} cannot be relied on: {detail}",
    Found.ACTS_MISSING: "the acts numbered {numbers} are gone from the bot's own memory",
    Found.AT_THE_HOST: "order {order} was executed at the host itself by {who} ({end})",
    Found.REFUSED_AT_THE_HOST: "{who} was refused at the host itself ({codes})",
    Found.OF_NOBODY: "jobs turned away there, of which nobody is told since nobody answers for them: {count}",
    Found.SENT_AFTER: "order {order} was sent after that copy was written; take another one",
    Found.NOT_OVER: "order {order} was begun there and is not reported yet",
    Found.WAITING: "events that are still on their way here: {count}",
    Found.REFUSALS_DROPPED: "that host keeps its last refusals only; older ones, not compared: {count}",
    Found.RESTORES_NOT_TOLD: "its restores are not compared, for an older worker wrote a file of it;"
    " update that worker and take another one",
    Found.NO_FILE: "not compared, for no file of it was given."
    " On that host: python -m workers audit --json > {host}.jsonl",
}


def audit_lines(found: Sequence[Finding], compared: Sequence[str]) -> Iterator[str]:
    """Every difference first, then what is worth saying, then each host in a line."""
    if not found and not compared:
        yield "Nothing was compared: no host is admitted and no file was given."
    differences = [one for one in found if one.is_difference]
    yield from (f"DIFFERENCE  {_said(one)}" for one in differences)
    yield from (f"note        {_said(one)}" for one in found if one not in differences and one.code in SAID)
    differing = {one.host for one in differences}
    for host in compared:
        yield f"{'differs' if host in differing else 'same':<11} {host}"
    yield from (f"NO COPY     {_said(one)}" for one in found if one.code is Found.NO_FILE)


SAID = frozenset(SENTENCES) - {Found.NO_FILE}


def _said(one: Finding) -> str:
    # A host that lies may have written what the terminal would obey.
    said = one_line(SENTENCES[one.code].format(host=one.host, **one.values))
    return f"{one.host}: {said}" if one.host else said
