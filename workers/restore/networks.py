"""Networks as they are described: read, compared, and spelled to be made again (pure)."""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any

from workers.contract import AddressPool, NetworkDescription
from workers.planning import answers
from workers.planning.fields import Fields
from workers.planning.networks import never_again
from workers.reasons import Code, Reason, reason

Raw = Mapping[str, Any]
Address = ipaddress.IPv4Network | ipaddress.IPv6Network


def never(raw: Raw) -> Reason | None:
    """Why a network that was described so is not one to make again."""
    return never_again(answers.network(raw))


def described(raw: Raw) -> NetworkDescription:
    """Read an engine's description, of whatever network."""
    fields = Fields(raw)
    addresses = fields.inside("IPAM")
    return NetworkDescription(
        name=fields.text("Name"),
        driver=fields.text("Driver"),
        internal=fields.flag("Internal"),
        attachable=fields.flag("Attachable"),
        ipv4=fields.flag("EnableIPv4") if "EnableIPv4" in raw else None,
        ipv6=fields.flag("EnableIPv6"),
        address_driver=addresses.text("Driver"),
        address_options=dict(addresses.labels("Options")),
        pools=tuple(map(_pool, addresses.each("Config"))),
        options=dict(fields.labels("Options")),
        labels=dict(fields.labels("Labels")),
    )


def is_same(one: NetworkDescription, other: NetworkDescription) -> bool:
    """Whether two descriptions are of one network, as far as both tell of it."""
    return not differing(one, other)


def differing(one: NetworkDescription, other: NetworkDescription) -> list[str]:
    """The names of what they tell differently: engines before 28 do not tell whether a network has IPv4."""
    untold = {"ipv4"} if one.ipv4 is None or other.ipv4 is None else set()
    names = [name for name in type(one).model_fields if name not in untold]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def _pool(fields: Fields) -> AddressPool:
    return AddressPool(
        subnet=fields.text("Subnet"),
        ip_range=fields.text("IPRange"),
        gateway=fields.text("Gateway"),
        auxiliary=dict(fields.labels("AuxiliaryAddresses")),
    )


def spelled(network: NetworkDescription) -> dict[str, Any]:
    """Write a description as an engine takes it."""
    addresses = {
        "Driver": network.address_driver or "default",
        "Options": network.address_options,
        "Config": [_spelled_pool(pool) for pool in network.pools if pool.subnet],
    }
    return {
        "Name": network.name,
        "Driver": network.driver,
        "CheckDuplicate": True,
        "Internal": network.internal,
        "Attachable": network.attachable,
        **({} if network.ipv4 is None else {"EnableIPv4": network.ipv4}),
        "EnableIPv6": network.ipv6,
        "IPAM": addresses,
        "Options": network.options,
        "Labels": network.labels,
    }


def _spelled_pool(pool: AddressPool) -> dict[str, Any]:
    told = {"IPRange": pool.ip_range, "Gateway": pool.gateway, "AuxiliaryAddresses": pool.auxiliary}
    return {"Subnet": pool.subnet, **{key: value for key, value in told.items() if value}}


def overlap(network: NetworkDescription, others: Iterable[NetworkDescription]) -> Reason | None:
    """Which of the other networks has addresses of this one."""
    mine = _subnets(network)
    for other in others:
        for subnet in mine:
            if any(_overlap(subnet, theirs) for theirs in _subnets(other)):
                return reason(Code.ADDRESSES_TAKEN, subnet=str(subnet), network=other.name)
    return None


def _subnets(network: NetworkDescription) -> list[Address]:
    return [found for pool in network.pools if (found := _subnet(pool.subnet))]


def _subnet(text: str) -> Address | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _overlap(one: Address, other: Address) -> bool:
    return one.version == other.version and one.overlaps(other)


def read(text: str) -> Raw:
    """Read what was kept of a network; nothing where that is no description."""
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
