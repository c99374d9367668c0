"""One call has a body, a network's that is brought back; it means what was looked at, to any engine."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_allowed_calls import CHANGES, READS
from workers.allowed_calls import is_allowed

CREATE = "/v1.41/networks/create"
FRONT = {
    "Name": "shop_front",
    "Driver": "bridge",
    "CheckDuplicate": True,
    "Internal": True,
    "Attachable": False,
    "EnableIPv6": False,
    "IPAM": {
        "Driver": "default",
        "Options": {"a": "b"},
        "Config": [
            {
                "Subnet": "10.1.0.0/24",
                "IPRange": "10.1.0.0/25",
                "Gateway": "10.1.0.1",
                "AuxiliaryAddresses": {"printer": "10.1.0.9"},
            }
        ],
    },
    "Options": {"com.docker.network.bridge.name": "front0"},
    "Labels": {"com.docker.compose.project": "shop"},
}
BODY = json.dumps(FRONT).encode()
FOREIGN = (
    *("Ingress", "ConfigOnly", "ConfigFrom", "Scope", "ingress", "INGRESS", "name", "checkduplicate", "ipam"),
    *("Containers", "Force", "volumes", ""),
)


def body(**changes: Any) -> bytes:
    return json.dumps({**FRONT, **changes}).encode()


def test_a_network_that_is_told_in_full_may_be_made() -> None:
    assert is_allowed("POST", CREATE, BODY)
    assert is_allowed("POST", CREATE, b'{"Name": "front", "Driver": "macvlan", "CheckDuplicate": true}')
    assert is_allowed(
        "POST", CREATE, json.dumps({**FRONT, "Labels": {"é": "🐳"}}, ensure_ascii=False).encode()
    )


@pytest.mark.parametrize(
    ("method", "url"),
    [
        *(("GET", url) for url in READS),
        *CHANGES,
        *((method, CREATE) for method in ("GET", "PUT", "DELETE", "post")),
        ("POST", f"{CREATE}?force=1"),
        ("POST", f"{CREATE}/"),
        ("POST", "/v1.41/networks"),
        ("POST", "/v1.41//networks/create"),
        ("POST", f"/v1.41/networks/{'a' * 64}/connect"),
        ("POST", f"/v1.41/networks/{'a' * 64}/disconnect"),
        ("POST", "/v1.41/networks/prune"),
        ("POST", "/v1.41/containers/create"),
        ("POST", "/v1.41/containers/create?name=web"),
        ("POST", "/v1.41/volumes/create"),
        ("POST", "/v1.41/images/create"),
        ("POST", "/v1.41/build"),
        ("POST", "/v1.41/commit"),
    ],
)
def test_s1_s2_nothing_else_has_a_body(method: str, url: str) -> None:
    assert not is_allowed(method, url, BODY)
    assert not is_allowed(method, url, b"{}")


def test_a_network_needs_its_body() -> None:
    assert not is_allowed("POST", CREATE)
    assert not is_allowed("POST", CREATE, b"{}")


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"Name": "front", "Name": "bridge", "Driver": "bridge"}',
        BODY.replace(b"{", b'{"Driver": "overlay", ', 1),
        BODY + b"{}",
        *(
            BODY.decode().encode(other)
            for other in ("utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-8-sig")
        ),
        body(Labels={"a": "b"}).replace(b'"b"', b'"\xe9"'),
        body(Labels={"a": "b"}).replace(b'"b"', b'"\xed\xa0\x80"'),
        *(
            json.dumps({key: FRONT[key] for key in FRONT if key != gone}).encode()
            for gone in ("Name", "Driver", "CheckDuplicate")
        ),
        *(body(Name=name) for name in ("", "bridge", "Bridge", "host", "none", "ingress", None, 1)),
        *(body(Driver=driver) for driver in ("", "overlay", "host", "null", None)),
        *(body(CheckDuplicate=no) for no in (False, 1, "true")),
        *(body(**{name: True}) for name in FOREIGN),
        body(Internal="false"),
        body(EnableIPv6=1),
        body(Labels={"a": 1}),
        body(Options=[]),
        body(IPAM=None),
        body(IPAM={"Config": [{"Gateway": "10.1.0.1"}]}),
        body(IPAM={"Config": [{"Subnet": "10.1.0.0/24", "subnet": "10.2.0.0/24"}]}),
        body(IPAM={"Driver": "default", "Ingress": True}),
    ],
)
def test_no_other_network_is_made(text: bytes) -> None:
    assert not is_allowed("POST", CREATE, text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*FRONT, *FOREIGN]), VALUES | st.sampled_from([*FRONT.values()])))
def test_whatever_is_allowed_is_a_plain_network_of_its_name(changes: dict[str, Any]) -> None:
    if is_allowed("POST", CREATE, body(**changes)):
        made = {**FRONT, **changes}

        assert made.keys() <= FRONT.keys()
        assert made["CheckDuplicate"] is True
        assert made["Name"]
        assert made["Name"].lower() not in ("bridge", "host", "none", "ingress")
        assert made["Driver"].lower() not in ("overlay", "host", "null")
