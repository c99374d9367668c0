"""The facts a step depends on: compared at its turn, and named where they differ (pure; S7)."""

from collections.abc import Mapping
from datetime import datetime

from workers.planning.inventory import CacheRecord, Container, Image, Network

Fingerprint = Mapping[str, str]


def of_container(container: Container) -> dict[str, str]:
    """A container that ran again, will start by itself, or whose name or image changed, is another one."""
    return {
        "name": container.name,
        "restart policy": container.restart_policy or "",
        "state": container.state,
        "started": _text(container.started_at),
        "finished": _text(container.finished_at),
        "image": container.image_id,
    }


def of_image(image: Image) -> dict[str, str]:
    """An image that got or lost a name has changed; a name put back shows in the time of tagging."""
    return {
        "names": " ".join(sorted(name.full() for name in image.names)),
        "digests": " ".join(sorted(name.full() for name in image.digests)),
        "tagged": _text(image.tagged_at),
    }


def of_network(network: Network) -> dict[str, str]:
    """A network of the same name may be another one; its id and creation tell."""
    return {"name": network.name, "created": _text(network.created_at), "driver": network.driver}


def of_cache_record(record: CacheRecord) -> dict[str, str]:
    """A record that a build used since then is wanted again."""
    return {"last used": _text(record.last_used_at), "size": str(record.size)}


def differences(expected: Fingerprint, found: Fingerprint) -> str:
    """Say what changed, as `what: before, now after`; empty where nothing did."""
    keys = sorted(expected.keys() | found.keys())
    changed = [(k, expected.get(k, ""), found.get(k, "")) for k in keys if expected.get(k) != found.get(k)]
    return "; ".join(f"{key}: {before or 'none'}, now {after or 'none'}" for key, before, after in changed)


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
