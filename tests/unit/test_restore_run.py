"""A restore ends in a report, and so does one whose worker died, whatever comes up on the way (S14)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import cast

import pytest

from tests.unit.bot_values import ANA, BO, ENGINE
from tests.unit.facts_host import a_policy
from tests.unit.restores_told import restore_plan
from workers.contract import Restored, RestoreOrder, RestoreOutcome, Status
from workers.engine import Engine
from workers.errors import LedgerError
from workers.execution.races import no_archive
from workers.memory.ledger import Ledger
from workers.reasons import Code
from workers.restore.run import Tools, report_interrupted, restore

UNFORESEEN = [HTTPException("no HTTP"), RecursionError("too deep"), KeyError("Id"), AssertionError()]


class Broken:
    """An engine that says who it is, and whatever else it is asked ends with an error."""

    def __init__(self, error: Exception, *, is_known: bool = True) -> None:
        self._error, self._is_known = error, is_known

    def id(self) -> str:
        if self._is_known:
            return ENGINE.id
        raise self._error

    def __getattr__(self, _call: str) -> Callable[..., object]:
        def broken(*_: object, **__: object) -> object:
            raise self._error

        return broken


@pytest.fixture
def order(ledger: Ledger) -> RestoreOrder:
    now = datetime.now(UTC)
    return RestoreOrder(
        key_id="k1",
        id="o1",
        host="web-1",
        issued_at=now,
        expires_at=now + timedelta(minutes=10),
        request_id="r1",
        reply_to="",
        requester=ANA,
        approver=BO,
        engine_id=ENGINE.id,
        plan_digest=ledger.keep_restore_plan(restore_plan(at=now)),
    )


def tools(ledger: Ledger, error: Exception) -> Tools:
    return Tools(
        engine=cast("Engine", Broken(error)),
        identity=ENGINE,
        ledger=ledger,
        policy=a_policy(),
        local=False,
        load=no_archive,
        told_to_stop=lambda: False,
    )


def told(outcomes: tuple[RestoreOutcome, ...]) -> list[tuple[Restored, Code | None]]:
    return [(one.outcome, one.reason and one.reason.code) for one in outcomes]


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
def test_s14_a_restore_ends_in_a_report_whatever_comes_up(
    ledger: Ledger, order: RestoreOrder, error: Exception
) -> None:
    report = restore(order, tools(ledger, error))

    assert told(report.outcomes) == [(Restored.FAILED, Code.UNREADABLE)] * 2
    assert ledger.restore_reports() == [report]


def test_s15_a_restore_whose_ledger_takes_no_more_tells_nothing(ledger: Ledger, order: RestoreOrder) -> None:
    with pytest.raises(LedgerError):
        restore(order, tools(ledger, LedgerError("full")))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
def test_s11_one_whose_worker_died_is_reported_whatever_comes_up(
    ledger: Ledger, order: RestoreOrder, error: Exception, is_known: bool
) -> None:
    ledger.consume_restore(order, datetime.now(UTC))
    ledger.ask_restore(order.id, 0, datetime.now(UTC))
    [report] = report_interrupted(ledger, cast("Engine", Broken(error, is_known=is_known)))

    assert told(report.outcomes) == [
        (Restored.FAILED, Code.STATE_UNKNOWN),
        (Restored.NOT_ATTEMPTED, Code.RESTORE_ENDED),
    ]
    assert (report.status, ledger.open_restores()) == (Status.INTERRUPTED, [])
