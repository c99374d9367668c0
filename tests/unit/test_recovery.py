"""A run whose worker died is reported, whatever comes up in the looks for it (S11, S14)."""

import pytest

from tests.unit.replayed_host import UNFORESEEN, ReplayedHost, codes
from workers.contract import Kind, Outcome, Status
from workers.errors import EngineUnreachable, LedgerError
from workers.memory.ledger import Ledger
from workers.reasons import Code

CALLS = ("id", "containers", "images", "inspect_container", "inspect_network", "inspect_image")
REMOVED, FAILED, UNTOUCHED = Outcome.REMOVED, Outcome.FAILED, Outcome.NOT_ATTEMPTED


@pytest.fixture
def host(ledger: Ledger) -> ReplayedHost:
    host = ReplayedHost(ledger)
    plan = host.plan(Kind.IMAGE)
    host.die_in(plan)
    for step in plan.steps[:1]:
        host.engine.lose("images", step.object.id)
    return host


def test_s11_what_was_done_and_what_was_not_is_told(host: ReplayedHost) -> None:
    [report] = host.recover()

    assert [one.outcome for one in report.outcomes[:3]] == [REMOVED, FAILED, UNTOUCHED]
    assert (report.status, report.findings) == (Status.INTERRUPTED, ())


@pytest.mark.parametrize("error", [*UNFORESEEN, EngineUnreachable("away")], ids=repr)
@pytest.mark.parametrize("call", CALLS)
def test_s14_whatever_comes_up_in_a_look_holds_up_no_report(
    host: ReplayedHost, ledger: Ledger, error: Exception, call: str
) -> None:
    host.engine.breaks(error, call)
    [report] = host.recover()

    assert [one.outcome for one in report.outcomes[:3]] == [REMOVED, FAILED, UNTOUCHED]
    assert set(codes(report.findings)) <= {Code.NOT_LOOKED_AT}
    assert ledger.open_runs() == []


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
def test_s4_what_a_look_does_not_tell_is_unknown(host: ReplayedHost, error: Exception) -> None:
    host.engine.breaks(error, *CALLS)
    [report] = host.recover()

    assert codes(filter(None, [report.outcomes[1].reason])) == [Code.STATE_UNKNOWN]
    assert codes(report.findings) == [Code.NOT_LOOKED_AT]


def test_s15_a_ledger_that_cannot_be_read_is_no_look_that_failed(host: ReplayedHost) -> None:
    host.engine.breaks(LedgerError("full"), "containers")

    with pytest.raises(LedgerError):
        host.recover()
