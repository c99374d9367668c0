"""What a host was told to keep to: the newest decision holds, and what cannot be read bars every run."""

import uuid
from contextlib import closing
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.bot_values import ANA, BO, NOON
from workers.cli import standing as at_the_host
from workers.cli.doctor import Finding, examine
from workers.contract import (
    EVENT,
    FreezeOrder,
    Kind,
    Person,
    ProtectOrder,
    StandingOrder,
    StandingTaken,
    UnfreezeOrder,
    UnprotectOrder,
)
from workers.errors import LedgerError, RefusedError
from workers.host import Place
from workers.memory.ledger import Ledger
from workers.memory.standing import StandingOrders
from workers.problems import problems
from workers.reasons import Code, Reason, reason

MINUTE = timedelta(minutes=1)
FREEZE = {"who": ANA, "why": "disk is swapped"}


def an_order(type_: Any, minutes: float = 0, *, who: Person = ANA, late: float = 0, **claims: Any) -> Any:
    at = NOON + minutes * MINUTE
    return type_(
        key_id="k1",
        id=uuid.uuid4().hex,
        host="web-1",
        issued_at=at + late * MINUTE,
        expires_at=at + (late + 10) * MINUTE,
        request_id=uuid.uuid4().hex,
        reply_to="C1",
        requester=who,
        decided_at=at,
        **claims,
    )


def taken(ledger: Ledger, *orders: StandingOrder) -> list[bool]:
    return [StandingOrders(ledger).take(order, NOON) for order in orders]


def frozen(ledger: Ledger) -> bool:
    return StandingOrders(ledger).frozen() is not None


def protected(ledger: Ledger, at: datetime = NOON) -> list[tuple[str, str]]:
    return [(one.kind.value, one.pattern) for one in StandingOrders(ledger).protections(at)]


def barred(ledger: Ledger, order_id: str = "o1") -> Code | None:
    found = StandingOrders(ledger).bars(order_id)
    return found.code if found else None


# Freezes


def test_a_freeze_says_who_when_and_why(ledger: Ledger) -> None:
    taken(ledger, an_order(FreezeOrder, **FREEZE))

    told = {"by": ANA.spelled, "at": NOON.isoformat(), "why": "disk is swapped"}
    assert StandingOrders(ledger).frozen() == Reason(code=Code.FROZEN, params=told)
    assert barred(ledger) is Code.FROZEN


def test_the_newest_decision_holds_in_whatever_order_they_arrive(tmp_path: Path) -> None:
    first, second, third = an_order(FreezeOrder, 0), an_order(UnfreezeOrder, 1), an_order(FreezeOrder, 2)
    for number, order in enumerate(permutations([first, second, third])):
        with closing(Ledger(tmp_path / f"{number}.db")) as ledger:
            taken(ledger, *order)
            assert frozen(ledger)
    for number, order in enumerate(permutations([first, second])):
        with closing(Ledger(tmp_path / f"two-{number}.db")) as ledger:
            taken(ledger, *order)
            assert not frozen(ledger)


def test_an_older_decision_sealed_anew_does_not_undo_a_newer_one(ledger: Ledger) -> None:
    late = an_order(UnfreezeOrder, 0, late=30)

    assert taken(ledger, an_order(FreezeOrder, 1), late) == [True, False]
    assert frozen(ledger)


def test_of_two_decisions_at_once_the_freeze_holds(tmp_path: Path) -> None:
    for number, types in enumerate(permutations([FreezeOrder, UnfreezeOrder])):
        with closing(Ledger(tmp_path / f"{number}.db")) as ledger:
            taken(ledger, *(an_order(type_) for type_ in types))
            assert frozen(ledger)


def test_what_comes_twice_is_kept_once_and_told_each_time(ledger: Ledger) -> None:
    order = an_order(FreezeOrder)

    assert taken(ledger, order, order) == [True, True]
    assert len(ledger.rows("SELECT 1 FROM standing")) == 1
    events = [EVENT.validate_json(event) for _, event in ledger.outbox(after=0)]
    assert [(e.request_id, e.in_force) for e in events if isinstance(e, StandingTaken)] == [
        (order.request_id, True)
    ] * 2


def told(ledger: Ledger) -> list[bool | None]:
    events = [EVENT.validate_json(event) for _, event in ledger.outbox(after=0)]
    return [event.was_frozen for event in events if isinstance(event, StandingTaken)]


def test_an_unfreeze_says_whether_there_was_a_freeze_to_lift_however_often_it_comes(ledger: Ledger) -> None:
    first, freeze, second = an_order(UnfreezeOrder, 0), an_order(FreezeOrder, 1), an_order(UnfreezeOrder, 2)
    taken(ledger, first, first, freeze, second, second, an_order(UnfreezeOrder, 3), first)

    assert told(ledger) == [False, False, None, True, True, False, False]


def test_a_bot_of_before_reads_that_a_freeze_is_kept(ledger: Ledger) -> None:
    taken(ledger, an_order(FreezeOrder), an_order(UnfreezeOrder, 1))
    freeze, unfreeze = (event for _, event in ledger.outbox(after=0))

    assert "was_frozen" not in freeze
    assert "was_frozen" in unfreeze


def test_nobody_decides_for_the_future() -> None:
    with pytest.raises(ValidationError):
        an_order(FreezeOrder, 0, late=-1)


def test_a_freeze_outlives_the_process(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        taken(ledger, an_order(FreezeOrder))
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        assert frozen(ledger)


# Stops


def test_a_stop_bars_its_run_alone_and_the_first_reason_stays(ledger: Ledger) -> None:
    standing = StandingOrders(ledger)
    standing.stop("o1", reason(Code.STOP_ORDERED, by=BO.user), NOON)
    standing.stop("o1", reason(Code.STOP_UNREADABLE, seconds=60), NOON)

    assert standing.bars("o1") == reason(Code.STOP_ORDERED, by=BO.user)
    assert standing.bars("o2") is None


# Protections


def test_a_protection_is_in_force_until_its_time_or_until_it_is_lifted(ledger: Ledger) -> None:
    image = {"kind": Kind.IMAGE, "pattern": "app:*"}
    taken(
        ledger,
        an_order(ProtectOrder, until=NOON + 30 * MINUTE, **image),
        an_order(ProtectOrder, kind=Kind.NETWORK, pattern="front"),
    )
    assert protected(ledger) == [("image", "app:*"), ("network", "front")]
    assert protected(ledger, NOON + 30 * MINUTE) == [("network", "front")]

    taken(ledger, an_order(UnprotectOrder, 1, **image))
    assert protected(ledger) == [("network", "front")]


def test_a_protection_put_again_counts_from_the_newer_decision(ledger: Ledger) -> None:
    image = {"kind": Kind.IMAGE, "pattern": "app:1"}
    newer = an_order(ProtectOrder, 5, until=NOON + 60 * MINUTE, **image)

    taken(ledger, newer, an_order(UnprotectOrder, 4, **image), an_order(ProtectOrder, 0, until=NOON, **image))

    assert protected(ledger) == [("image", "app:1")]


@pytest.mark.parametrize(
    ("type_", "kind", "pattern", "code"),
    [
        (ProtectOrder, Kind.IMAGE, "app:[z-a]", Code.BAD_PATTERN),
        (ProtectOrder, Kind.NETWORK, "front net", Code.BAD_PATTERN),
        (UnprotectOrder, Kind.IMAGE, "postgres:16", Code.NOT_PROTECTED),
    ],
)
def test_what_means_nothing_is_refused(
    ledger: Ledger, type_: Any, kind: Kind, pattern: str, code: Code
) -> None:
    with pytest.raises(RefusedError) as refused:
        taken(ledger, an_order(type_, kind=kind, pattern=pattern))

    assert [why.code for why in refused.value.reasons] == [code]
    assert ledger.outbox(after=0) == []


# What cannot be read


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE standing SET body = '{}' WHERE about = 'host'",
        "DROP TABLE standing",
        "DROP TABLE stops",
    ],
)
def test_s4_what_cannot_be_read_bars_every_run(ledger: Ledger, damage: str) -> None:
    taken(ledger, an_order(UnfreezeOrder))
    assert barred(ledger) is None
    ledger.rows(damage)

    assert barred(ledger) is Code.STANDING_UNREADABLE


def test_s4_protections_that_cannot_be_read_are_not_passed_over(ledger: Ledger) -> None:
    taken(ledger, an_order(ProtectOrder, kind=Kind.IMAGE, pattern="app:1"))
    ledger.rows("UPDATE standing SET body = '{}'")

    with pytest.raises(LedgerError):
        protected(ledger)
    why = StandingOrders(ledger).refusal("o1", NOON)
    assert why is not None
    assert why.code is Code.STANDING_UNREADABLE


# At the host itself


def test_who_is_at_the_host_comes_after_all_that_it_was_told(tmp_path: Path) -> None:
    place = Place(host="web-1", address="", policy_file=tmp_path / "policy.toml", state_dir=tmp_path)
    with closing(Ledger(place.ledger_file)) as ledger:
        ahead = NOON.replace(year=2999)
        told = an_order(FreezeOrder).model_copy(update={"decided_at": ahead, "issued_at": ahead})
        taken(ledger, told)

        assert at_the_host.decide(UnfreezeOrder, "done", place)
        assert not frozen(ledger)
        assert not at_the_host.decide(UnfreezeOrder, "done", place)

        at_the_host.decide(FreezeOrder, "again", place)
        (about, why), *_ = at_the_host.in_force(place)
        assert (about, why.code, why.params["why"]) == ("host", Code.FROZEN, "again")
        assert str(why.params["by"]).startswith("cli:")


def test_a_frozen_host_says_so_with_its_signs_of_life_whoever_froze_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("protected_images = []\ncritical_containers = []\n")
    place = Place(host="web-1", address="", policy_file=policy, state_dir=tmp_path)
    assert list(problems(place)) == []

    at_the_host.decide(FreezeOrder, "disk is swapped", place)
    assert [why.code for why in problems(place)] == [Code.FROZEN]

    at_the_host.decide(UnfreezeOrder, "", place)
    assert list(problems(place)) == []


# What comes while a run is under way


def test_s7_what_is_protected_during_a_run_ends_it(ledger: Ledger) -> None:
    standing = StandingOrders(ledger)
    taken(ledger, an_order(ProtectOrder, 0, kind="image", pattern="app:1"))
    begun = standing.taken_so_far()
    assert standing.bars("o1", begun) is None

    taken(ledger, an_order(UnprotectOrder, 1, kind="image", pattern="app:1"))
    assert standing.bars("o1", begun) is None

    taken(ledger, an_order(ProtectOrder, 2, kind="image", pattern="db:*", who=BO))
    told = {"kind": "image", "pattern": "db:*", "by": BO.spelled}
    assert standing.bars("o1", begun) == Reason(code=Code.PROTECTED_MEANWHILE, params=told)
    assert standing.bars("o1", standing.taken_so_far()) is None


def test_s4_a_protection_that_is_none_any_more_bars_a_run(ledger: Ledger) -> None:
    order = an_order(ProtectOrder, kind="image", pattern="app:1")
    taken(ledger, order)
    ledger.write("UPDATE standing SET body = replace(body, 'app:1', ?)", [("UPPER:1",)])

    why = StandingOrders(ledger).refusal("o1", NOON)
    assert why is not None
    assert why.code is Code.STANDING_UNREADABLE


def test_s4_the_doctor_finds_what_cannot_be_read(ledger: Ledger, tmp_path: Path) -> None:
    place = Place("web-1", "unix:///nonexistent.sock", tmp_path / "policy.toml", tmp_path)

    def found() -> Finding:
        return next(one for one in examine(place) if one.what == "told to keep to")

    assert (found().good, found().found) == (True, "nothing")
    taken(ledger, an_order(FreezeOrder, **FREEZE), an_order(ProtectOrder, kind="image", pattern="app:1"))
    assert (found().good, found().found) == (True, "frozen; 1 protection from Slack")
    ledger.write("UPDATE standing SET body = ?", [("{",)])
    assert not found().good
