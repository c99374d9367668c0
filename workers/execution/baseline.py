"""The signs of life before a run, as they stand in the ledger for whoever has to finish it (pure).

Of labels only compose's are kept, by which the policy may name a service: others may hold anything.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from workers.execution.health import Vital
from workers.planning.answers import container
from workers.planning.fields import moment
from workers.references import ImageName

COMPOSE = "com.docker.compose."


def written(baseline: Iterable[Vital]) -> str:
    """Write a baseline down (JSON)."""
    return json.dumps([_entry(vital) for vital in baseline])


def read(text: str) -> list[Vital]:
    """Read what was written down; nothing was where the run had not come so far."""
    return [_vital(entry) for entry in json.loads(text or "[]")]


def _entry(vital: Vital) -> dict[str, object]:
    known = vital.container
    return {
        "id": known.id,
        "name": known.name,
        "image": known.image_id,
        "labels": {key: value for key, value in known.labels.items() if key.startswith(COMPOSE)},
        "state": vital.state,
        "health": vital.health,
        "restarts": vital.restarts,
        "started_at": vital.started_at.isoformat() if vital.started_at else None,
        "removes_itself": vital.removes_itself,
        "unsteady": vital.unsteady,
        "networks": sorted(known.networks),
        "references": [name.full() for name in known.references],
    }


def _vital(entry: dict[str, Any]) -> Vital:
    line = {
        "Id": entry["id"],
        "Names": [f"/{entry['name']}"],
        "State": entry["state"],
        "ImageID": entry["image"],
        "Labels": entry["labels"],
        "Mounts": [],
        "HostConfig": {},
    }
    known = replace(
        container(line, None, writable=None),
        networks=frozenset(entry.get("networks", ())),
        references=tuple(map(ImageName.parse, entry.get("references", ()))),
    )
    return Vital(
        container=known,
        state=entry["state"],
        health=entry["health"],
        restarts=entry["restarts"],
        started_at=moment(entry["started_at"]),
        removes_itself=entry.get("removes_itself", False),
        unsteady=entry.get("unsteady", False),
    )
