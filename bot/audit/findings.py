"""What a comparison finds, as a code with its values; sentences are made in `bot.render.audit` (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workers.audit_lines import Reported, RestoreReportLine
from workers.contract import Outcome, Restored

THERE = frozenset({Restored.RESTORED, Restored.ALREADY_THERE})


class Found(StrEnum):
    """One meaning each; the comment names the values."""

    # Differences.
    NEVER_ORDERED = "never_ordered"  # order, approvers, end
    NEVER_SEEN = "never_seen"  # order, at
    OTHER_PLAN = "other_plan"  # order, ours, theirs
    OTHER_STEPS = "other_steps"  # order, ours, theirs
    OTHER_APPROVER = "other_approver"  # order, ours, theirs
    OTHER_REQUESTER = "other_requester"  # order, ours, theirs
    OTHER_REPORT = "other_report"  # order, field, ours, theirs
    OTHER_OUTCOME = "other_outcome"  # order, step, ours, theirs
    OTHER_JOURNAL = "other_journal"  # order, step, journal, report
    REPORT_NOT_HERE = "report_not_here"  # order, end
    REPORT_NOT_THERE = "report_not_there"  # order, end
    REFUSAL_NOT_HERE = "refusal_not_here"  # order, codes
    REFUSAL_NOT_THERE = "refusal_not_there"  # order, codes
    STANDING_NOT_HERE = "standing_not_here"  # what
    STANDING_NOT_THERE = "standing_not_there"  # what
    OTHER_STANDING = "other_standing"  # request, ours, theirs
    EVENTS_MISSING = "events_missing"  # numbers
    EVENTS_NOT_THERE = "events_not_there"  # numbers, last
    OTHER_LEDGER = "other_ledger"  # ledger, known
    LEDGER_NOT_GIVEN = "ledger_not_given"  # ledger, events
    UNKNOWN_HOST = "unknown_host"  # file
    BROKEN = "broken"  # file, detail
    ACTS_MISSING = "acts_missing"  # numbers
    # No differences, but worth saying.
    AT_THE_HOST = "at_the_host"  # order, who, end
    REFUSED_AT_THE_HOST = "refused_at_the_host"  # who, codes
    OF_NOBODY = "of_nobody"  # count
    SENT_AFTER = "sent_after"  # order
    NOT_OVER = "not_over"  # order
    WAITING = "waiting"  # count
    REFUSALS_DROPPED = "refusals_dropped"  # count
    # No comparison.
    NO_FILE = "no_file"
    RESTORES_NOT_TOLD = "restores_not_told"


NOTES = frozenset(
    {
        *(Found.AT_THE_HOST, Found.REFUSED_AT_THE_HOST, Found.OF_NOBODY, Found.SENT_AFTER),
        *(Found.NOT_OVER, Found.WAITING, Found.REFUSALS_DROPPED),
    }
)
UNCOMPARED = frozenset({Found.NO_FILE, Found.RESTORES_NOT_TOLD})


@dataclass(frozen=True)
class Finding:
    """One thing found about a host; an empty host is the bot's own memory, or a file of nobody."""

    code: Found
    host: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def is_difference(self) -> bool:
        """Whether the two copies do not say the same."""
        return self.code not in NOTES | UNCOMPARED


def finding(code: Found, host: str, /, **values: str | int) -> Finding:
    """Write a finding as one writes a sentence."""
    return Finding(code, host, values)


def end(report: Reported | None) -> str:
    """How a run or a restore ended, in a few words."""
    if report is None:
        return "not reported"
    outcomes = [one.outcome for one in report.outcomes]
    if isinstance(report, RestoreReportLine):
        there = sum(one in THERE for one in outcomes)
        return f"restore {report.status}, {there} of {len(outcomes)} there again"
    return f"{report.status}, {outcomes.count(Outcome.REMOVED)} of {len(outcomes)} removed"


def ranges(numbers: Iterable[int]) -> str:
    """Write numbers as a person would: ``3, 5-9``."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
