"""What keeps an order back at the bot: a freeze on its way, one just typed, or a host in trouble (S13)."""

import pytest

from bot.decisions import Decided, Freeze, State, Verb
from bot.requests import Contact
from bot.withholding import ON_ITS_WAY, TYPED, withheld
from tests.unit.bot_values import ANA, NOON
from workers.reasons import Code, reason

HOSTS = ("db-1", "web-1", "web-2")


def decided(verb: Verb, state: State, host: str = "web-1") -> Decided:
    return Decided(id="d1", host=host, verb=verb, at=NOON, by=ANA, channel="C1", state=state)


def held(*newest: Decided, typed: tuple[Freeze, ...] = ()) -> dict[str, str]:
    found = withheld(contacts=map(Contact, HOSTS), typed=typed, newest=newest)
    return {host: one.why for host, one in found.items()}


@pytest.mark.parametrize("state", State)
def test_s13_a_freeze_holds_orders_back_until_its_host_keeps_it(state: State) -> None:
    is_held = state in (State.OPEN, State.REFUSED)

    assert held(decided(Verb.FREEZE, state)) == ({"web-1": ON_ITS_WAY} if is_held else {})


@pytest.mark.parametrize("state", State)
def test_an_unfreeze_holds_nothing_back(state: State) -> None:
    assert held(decided(Verb.UNFREEZE, state)) == {}


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (("web-1", "deploy"), {"web-1"}),
        (("web-*",), {"web-1", "web-2"}),
        (("*", "holidays"), {*HOSTS}),
        (("eb-1",), set()),
    ],
)
def test_s13_a_freeze_that_was_typed_holds_back_the_hosts_it_means(
    words: tuple[str, ...], hosts: set[str]
) -> None:
    assert held(typed=(Freeze(Verb.FREEZE, words),)) == dict.fromkeys(hosts, TYPED)
    assert held(typed=(Freeze(Verb.UNFREEZE, words),)) == {}


@pytest.mark.parametrize("code", [Code.KEY_NOT_HELD, Code.LEDGER_UNUSABLE, Code.CLOCK_OFF, Code.FROZEN])
def test_s14_a_host_that_could_not_obey_gets_no_order_for_good(code: Code) -> None:
    contact = Contact("db-1", problems=(reason(code),))
    found = withheld(contacts=[contact], typed=[Freeze(Verb.FREEZE, ("*",))], newest=[])

    assert found["db-1"].for_good
    assert withheld(contacts=[Contact("db-1")], typed=[], newest=[]) == {}
