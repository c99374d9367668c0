"""What runs removed and what a host has now, as tests of restores need them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.unit.bot_values import ENGINE, NOON, SIZE, order, plan
from workers.contract import (
    Bytes,
    Kind,
    LayerGroup,
    NetworkDescription,
    Outcome,
    Plan,
    Reference,
    RestorePlan,
    Step,
)
from workers.planning.restorable import Answers
from workers.reasons import Code, reason
from workers.restore import networks
from workers.restore.past import PastRun, Removal
from workers.restore.planning import Head, Present, Wanted, make_plan
from workers.signing import digest

HEAD = Head("request-2", "web-1", ENGINE, NOON)
KEPT_FOR = timedelta(days=90)


def image_id(number: int) -> str:
    return f"sha256:{number:064x}"


def digest_of(number: int) -> str:
    return f"sha256:{number + 1000:064x}"


def network_id(number: int) -> str:
    return f"{number:064x}"


def removal(kind: Kind, index: int, id_: str, name: str, way_back: str, **step: Any) -> Removal:
    made = Step(
        index=index,
        object=Reference(kind=kind, id=id_, name=name),
        reasons=(reason(Code.UNUSED, since=NOON.isoformat()),),
        fingerprint={},
        expected=Bytes(low=SIZE, high=SIZE),
        **step,
    )
    return Removal(made, way_back, Outcome.REMOVED)


def removed_image(
    number: int, *tags: str, at: int | None = None, repositories: Sequence[str] = ("registry.example/app",)
) -> Removal:
    """An image whose digest is known in these repositories."""
    kept = {
        "RepoTags": list(tags),
        "RepoDigests": [f"{repository}@{digest_of(number)}" for repository in repositories],
        "Size": SIZE,
        "EnvironmentNames": ["PATH", "LANG"],
    }
    index, name = number if at is None else at, tags[0] if tags else image_id(number)[:19]
    return removal(Kind.IMAGE, index, image_id(number), name, json.dumps(kept), untags=tags)


def described(name: str, subnet: str = "", **more: Any) -> dict[str, Any]:
    """A network as an engine describes it."""
    pools = [{"Subnet": subnet}] if subnet else []
    return {
        "Name": name,
        "Id": network_id(0),
        "Scope": "local",
        "Driver": "bridge",
        "Ingress": False,
        "ConfigOnly": False,
        "Labels": {},
        "Options": {},
        "IPAM": {"Driver": "default", "Config": pools},
        **more,
    }


def removed_network(number: int, raw: Mapping[str, Any], *, at: int | None = None) -> Removal:
    kept = json.dumps({**raw, "Id": network_id(number)})
    index = number if at is None else at
    return removal(Kind.NETWORK, index, network_id(number), str(raw["Name"]), kept)


def network(name: str, subnet: str = "", **more: Any) -> NetworkDescription:
    return networks.described(described(name, subnet, **more))


def run_plan(*groups: LayerGroup) -> Plan:
    return plan().model_copy(update={"layers": groups})


def wanted(*removals: Removal, groups: Sequence[LayerGroup] = ()) -> Wanted:
    made = run_plan(*groups)
    return Wanted(PastRun(order("o1", digest(made)), NOON, removals), made, removals, KEPT_FOR)


def planned(
    *removals: Removal,
    present: Present | None = None,
    answers: Answers | None = None,
    groups: Sequence[LayerGroup] = (),
) -> RestorePlan:
    return make_plan(HEAD, wanted(*removals, groups=groups), present or Present(), answers)
