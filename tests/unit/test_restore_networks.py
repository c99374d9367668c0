"""A network is made again as it was described: what is sent is allowed, and says all that was told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import a_case, a_plan, days
from tests.unit.restore_values import described, network
from workers.allowed_calls import is_allowed
from workers.contract import NetworkDescription, Restorable
from workers.planning import answers
from workers.restore import networks

TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
PAIRS = st.dictionaries(TEXTS, TEXTS, max_size=2)
POOLS = st.fixed_dictionaries(
    {"Subnet": st.sampled_from(["10.0.0.0/24", "fd00::/64"])},
    optional={"IPRange": TEXTS, "Gateway": TEXTS, "AuxiliaryAddresses": PAIRS},
)
RAW = st.fixed_dictionaries(
    {
        "Name": st.sampled_from(["front", "shop_back"]),
        "Driver": st.sampled_from(["bridge", "macvlan", "vendor/driver:1"]),
        "Internal": st.booleans(),
        "Attachable": st.booleans(),
        "EnableIPv6": st.booleans(),
        "Options": st.none() | PAIRS,
        "Labels": st.none() | PAIRS,
        "IPAM": st.fixed_dictionaries(
            {
                "Driver": st.sampled_from(["default", "null", ""]),
                "Options": st.none() | PAIRS,
                "Config": st.none() | st.lists(POOLS, max_size=2),
            }
        ),
    },
    optional={"EnableIPv4": st.booleans()},
)


@given(RAW)
def test_what_was_described_may_be_made_and_is_described_so_again(changes: dict[str, Any]) -> None:
    raw = described("front", **changes) if "Name" not in changes else {**described("front"), **changes}
    assert networks.never(raw) is None
    told = networks.described(raw)
    spelled = networks.spelled(told)

    assert is_allowed("POST", "/v1.51/networks/create", json.dumps(spelled).encode())
    # An engine has a driver of addresses of its own where none is named.
    again = networks.described({**raw, **spelled})
    assert again.model_copy(update={"address_driver": told.address_driver}) == told
    assert ("EnableIPv4" in spelled) == ("EnableIPv4" in changes)


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        ("10.0.0.0/24", "10.0.0.128/25", True),
        ("10.0.0.0/24", "10.0.1.0/24", False),
        ("10.0.0.5/24", "10.0.0.0/28", True),
        ("fd00::/64", "fd00::1:0/112", True),
        ("fd00::/64", "10.0.0.0/8", False),
        ("", "10.0.0.0/8", False),
        ("10.0.0.0/24", "nonsense", False),
    ],
)
def test_addresses_overlap_either_way(one: str, other: str, overlaps: bool) -> None:
    mine, theirs = network("mine", one), network("theirs", other)

    assert (networks.overlap(mine, [theirs]) is not None) is overlaps
    assert (networks.overlap(theirs, [mine]) is not None) is overlaps


@pytest.mark.parametrize(("source", "way"), [("", Restorable.RECREATED), ("vlan7-conf", Restorable.NO)])
def test_a_plan_promises_only_what_can_be_made_again(source: str, way: Restorable) -> None:
    raw = {**described("front"), "Created": days(40).isoformat(), "ConfigFrom": {"Network": source}}
    [step] = a_plan(a_case(answers.network(raw))).steps

    assert step.restorable is way
    assert (networks.never(raw) is None) is (way is Restorable.RECREATED)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_was_not_kept_is_no_network(text: str) -> None:
    assert networks.never(networks.read(text)) is not None


def test_two_networks_are_the_same_if_all_of_them_is() -> None:
    assert network("front", "10.0.0.0/24") == network("front", "10.0.0.0/24", Id="f" * 64, Created="now")
    for changed in ({"Internal": True}, {"Labels": {"a": "b"}}, {"EnableIPv6": True}, {"Driver": "macvlan"}):
        assert not networks.is_same(network("front", **changed), network("front"))
    assert isinstance(network("front"), NetworkDescription)


@pytest.mark.parametrize("told", [True, False])
def test_a_network_is_the_same_where_only_one_engine_tells_whether_it_has_ipv4(told: bool) -> None:
    untold, now = network("front"), network("front", EnableIPv4=told)

    assert networks.is_same(untold, now)
    assert networks.is_same(now, untold)
    assert networks.differing(now, network("front", EnableIPv4=not told)) == ["ipv4"]
    assert networks.differing(untold, network("front", EnableIPv4=told, Internal=True)) == ["internal"]
