"""Which networks may be created again: plain ones of this host, told in full and in one spelling (pure)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

PATH = "/networks/create"
# Docker makes these itself, or a swarm does; some engines would take one for a second of the same name.
NEVER_NAMED = frozenset({"bridge", "host", "none", "docker_gwbridge", "ingress", "default"})
NEVER_DRIVEN = frozenset({"host", "null", "none", "overlay"})
NEEDED = ("Name", "Driver", "CheckDuplicate")
Check = Callable[[object], bool]


def is_network(body: bytes) -> bool:
    """Whether a body asks for such a network, and for nothing beside it.

    Engines read keys in any case, and of a key said twice the last: so each stands there once, as it is here.
    They read UTF-8, where Python would guess.
    """
    try:
        return _has(json.loads(body.decode(), object_pairs_hook=_once), _NETWORK, needs=NEEDED)
    except (ValueError, RecursionError):
        return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is said twice")
    return found


def _has(value: object, checks: Mapping[str, Check], *, needs: tuple[str, ...] = ()) -> bool:
    """Whether it is an object of known keys, each with a value of its kind."""
    return (
        isinstance(value, dict)
        and all(key in value for key in needs)
        and all(key in checks and checks[key](inner) for key, inner in value.items())
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _are_pools(value: object) -> bool:
    return isinstance(value, list) and all(_has(one, _POOL, needs=("Subnet",)) for one in value)


_POOL: Mapping[str, Check] = {
    "Subnet": _is_text,
    "IPRange": _is_text,
    "Gateway": _is_text,
    "AuxiliaryAddresses": _are_texts,
}
_IPAM: Mapping[str, Check] = {"Driver": _is_text, "Options": _are_texts, "Config": _are_pools}
_NETWORK: Mapping[str, Check] = {
    "Name": lambda value: isinstance(value, str) and value != "" and value.lower() not in NEVER_NAMED,
    "Driver": lambda value: isinstance(value, str) and value != "" and value.lower() not in NEVER_DRIVEN,
    # Without it an older engine makes a second one of the same name.
    "CheckDuplicate": lambda value: value is True,
    "Internal": _is_flag,
    "Attachable": _is_flag,
    "EnableIPv4": _is_flag,
    "EnableIPv6": _is_flag,
    "IPAM": lambda value: _has(value, _IPAM),
    "Options": _are_texts,
    "Labels": _are_texts,
}
