"""A host's own copy of what was asked of it and done: lines of JSON; the last vouches for the others.

The host writes them (`workers.audit`), and whoever has the bot's copy reads them (pure).
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from workers.contract import (
    AT_A_MACHINE,
    Bytes,
    Digest,
    ExecutionOrder,
    HostName,
    Reference,
    Report,
    RestoreOrder,
    RestoreOutcome,
    RestoreReport,
    StepOutcome,
    Value,
)
from workers.reasons import Reason

# The first one tells of no restores.
SCHEMA: Literal[2] = 2


class Head(Value):
    """Whose copy this is; `ledger` names the numbering of the events."""

    record: Literal["head"] = "head"
    v: Literal[1, 2] = SCHEMA
    host: HostName
    ledger: str
    exported_at: AwareDatetime


class Consumed(Value):
    """An order that was consumed; people as ``TEAM/USER`` or ``cli:USER``."""

    id: str
    consumed_at: AwareDatetime
    request_id: str
    requester: str
    approvers: tuple[str, ...]
    plan_digest: Digest
    engine_id: str
    excluded: tuple[int, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether somebody at the host itself began this."""
        return all(name.startswith(AT_A_MACHINE) for name in self.approvers)


class OrderLine(Consumed):
    """The order of a run."""

    record: Literal["order"] = "order"


class RestoreLine(Consumed):
    """The order of a restore."""

    record: Literal["restore"] = "restore"


class Journaled(Value):
    """What the engine was asked for; a step without an outcome was cut off there."""

    order_id: str
    index: int
    asked_at: AwareDatetime
    outcome: str = ""
    reason: Reason | None = None


class StepLine(Journaled):
    """A removal."""

    record: Literal["step"] = "step"
    object: Reference


class RestoreStepLine(Journaled):
    """Bringing back one object, which the plan names."""

    record: Literal["restore_step"] = "restore_step"


class OutcomeLine(Value):
    """How one step of a plan ended, by the report; `reason` is its code."""

    index: int
    id: str
    outcome: str
    reason: str = ""


class Reported(Value):
    """How what was ordered ended."""

    order_id: str
    request_id: str
    plan_digest: Digest
    requester: str
    approvers: tuple[str, ...]
    started_at: AwareDatetime
    finished_at: AwareDatetime
    status: str
    stopped_by: tuple[Reason, ...] = ()
    findings: tuple[Reason, ...] = ()
    outcomes: tuple[OutcomeLine, ...] = ()


class ReportLine(Reported):
    """How a run ended; `freed` in bytes, None where that could not be measured."""

    record: Literal["report"] = "report"
    freed: int | None
    expected: Bytes


class RestoreReportLine(Reported):
    """What of a run was brought back; `run` is that one's order."""

    record: Literal["restore_report"] = "restore_report"
    run: str


class RefusalLine(Value):
    """Something that was turned away; who sent it is known only where its seal held."""

    record: Literal["refusal"] = "refusal"
    number: int
    at: AwareDatetime
    order_id: str
    request_id: str = ""
    requester: str = ""
    approvers: tuple[str, ...] = ()
    reasons: tuple[Reason, ...]

    @property
    def is_local(self) -> bool:
        """Whether this was said to somebody at the host itself."""
        return self.requester.startswith(AT_A_MACHINE)


class StandingLine(Value):
    """A freeze, a protection, or the end of one, that the host was told to keep to."""

    record: Literal["standing"] = "standing"
    request_id: str
    type: str
    about: str
    decided_by: str
    decided_at: AwareDatetime
    taken_at: AwareDatetime


class EventsLine(Value):
    """How far the events were numbered, and which of them the bot has not yet acknowledged."""

    record: Literal["events"] = "events"
    last: int
    waiting: tuple[int, ...]


class End(Value):
    """How many lines there are before this one, and the digest of them."""

    record: Literal["end"] = "end"
    lines: int
    digest: Digest


Line = Annotated[
    Head
    | OrderLine
    | StepLine
    | ReportLine
    | RestoreLine
    | RestoreStepLine
    | RestoreReportLine
    | RefusalLine
    | StandingLine
    | EventsLine
    | End,
    Field(discriminator="record"),
]
LINE: TypeAdapter[Line] = TypeAdapter(Line)


@dataclass(frozen=True)
class HostCopy:
    """A whole copy."""

    head: Head
    orders: tuple[OrderLine, ...]
    steps: tuple[StepLine, ...]
    reports: tuple[ReportLine, ...]
    refusals: tuple[RefusalLine, ...]
    events: EventsLine
    standing: tuple[StandingLine, ...] = ()
    restores: tuple[RestoreLine, ...] = ()
    restore_steps: tuple[RestoreStepLine, ...] = ()
    restore_reports: tuple[RestoreReportLine, ...] = ()

    @property
    def tells_of_restores(self) -> bool:
        """Whether what it does not say of restores was not there either."""
        return self.head.v == SCHEMA


class BrokenCopy(Exception):
    """A copy that cannot be relied on; the message says where it breaks."""


def spelled(lines: Iterable[Line]) -> Iterator[str]:
    """Write the lines, and the end that vouches for them."""
    count, sum_ = 0, hashlib.sha256()
    for line in lines:
        text = line.model_dump_json() + "\n"
        sum_.update(text.encode())
        count += 1
        yield text
    yield End(lines=count, digest=f"sha256:{sum_.hexdigest()}").model_dump_json() + "\n"


def read(text: str) -> HostCopy:
    """Read a copy.

    Raises:
        BrokenCopy: it is cut off, altered, of another version, or no copy at all.
    """
    # Not by splitlines, which also breaks at letters that a name may hold.
    texts = [f"{one}\n" for one in text.split("\n")[:-1]]
    end = _end(texts.pop() if texts and text.endswith("\n") else "", len(texts))
    lines = [_line(number, one) for number, one in enumerate(texts, 1)]
    if (end.lines, end.digest) != (len(texts), _digest(texts)):
        raise BrokenCopy("its lines are not those that its end vouches for; it was altered")
    return _copy(lines)


def _end(text: str, before: int) -> End:
    try:
        line = LINE.validate_json(text) if text else None
    except ValidationError:
        line = None
    if not isinstance(line, End):
        raise BrokenCopy(f"it is cut off after {before} whole lines; its end is missing")
    return line


def _line(number: int, text: str) -> Line:
    try:
        return LINE.validate_json(text)
    except ValidationError:
        raise BrokenCopy(f"line {number} cannot be read; schema {SCHEMA} is known here") from None


def _digest(texts: list[str]) -> str:
    return "sha256:" + hashlib.sha256("".join(texts).encode()).hexdigest()


def _copy(lines: list[Line]) -> HostCopy:
    heads = [line for line in lines if isinstance(line, Head)]
    events = [line for line in lines if isinstance(line, EventsLine)]
    if len(heads) != 1 or len(events) != 1:
        raise BrokenCopy("it does not say once of which host and numbering it is")
    return HostCopy(
        head=heads[0],
        orders=tuple(line for line in lines if isinstance(line, OrderLine)),
        steps=tuple(line for line in lines if isinstance(line, StepLine)),
        reports=tuple(line for line in lines if isinstance(line, ReportLine)),
        refusals=tuple(line for line in lines if isinstance(line, RefusalLine)),
        events=events[0],
        standing=tuple(line for line in lines if isinstance(line, StandingLine)),
        restores=tuple(line for line in lines if isinstance(line, RestoreLine)),
        restore_steps=tuple(line for line in lines if isinstance(line, RestoreStepLine)),
        restore_reports=tuple(line for line in lines if isinstance(line, RestoreReportLine)),
    )


def agreed(what: ExecutionOrder | RestoreOrder | Report | RestoreReport) -> tuple[str, ...]:
    """Everybody who agreed, where several had to; the one whose agreement was the last one needed is last."""
    return tuple(dict.fromkeys(one.spelled for one in what.agreed))


def report_line(report: Report) -> ReportLine:
    """What is compared of a run's report."""
    return ReportLine(**_reported(report), freed=report.freed, expected=report.expected)


def restore_report_line(report: RestoreReport) -> RestoreReportLine:
    """What is compared of a restore's report."""
    return RestoreReportLine(**_reported(report), run=report.run)


def _reported(report: Report | RestoreReport) -> dict[str, Any]:
    return {
        "order_id": report.order_id,
        "request_id": report.request_id,
        "plan_digest": report.plan_digest,
        "requester": report.requester.spelled,
        "approvers": agreed(report),
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "status": report.status,
        "stopped_by": report.stopped_by,
        "findings": report.findings,
        "outcomes": tuple(_outcome_line(one) for one in report.outcomes),
    }


def _outcome_line(one: StepOutcome | RestoreOutcome) -> OutcomeLine:
    why = one.reason.code if one.reason else ""
    return OutcomeLine(index=one.index, id=one.object.id, outcome=one.outcome, reason=why)
