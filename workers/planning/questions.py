"""What people ask about a host, answered from what was read of it; nothing is decided by that (pure)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from workers.contract import (
    DiskPart,
    Explanation,
    ObjectAnswer,
    PolicyAnswer,
    ProtectionFromSlack,
    VolumesAnswer,
    VolumeUse,
)
from workers.planning import bounds
from workers.planning.disk import part_use, volume_use
from workers.planning.facts import Case
from workers.planning.policy import Policy, without_secrets
from workers.planning.protections import Protection
from workers.reasons import Reason
from workers.signing import digest

MOST_FOUND = 20
MOST_VOLUMES = 100
MOST_PROTECTIONS = 40
LATEST = datetime.max.replace(tzinfo=UTC)
NAMED = (
    *("protected_images", "protected_labels", "protected_networks", "protected_containers"),
    "critical_containers",
)
SECONDS = (
    *("image_grace", "image_unused_for", "container_grace", "network_grace", "cache_grace"),
    *("quiet_for", "steady_for"),
)
AS_IT_IS = (
    *("kinds", "keep_previous", "writable_limit", "build_cache_keep_bytes", "unrestorable_images"),
    *("probe_registry", "max_objects", "max_bytes", "max_share", "show_logs", "archive_max_bytes"),
)


def object_answer(text: str, found: Sequence[Explanation], nearest: Iterable[str]) -> ObjectAnswer:
    """All that a text may mean, or what is called almost so."""
    kept = bounds.fitting([bounds.explanation(one) for one in found[:MOST_FOUND]])
    alike = tuple(map(bounds.clipped, nearest))
    return ObjectAnswer(text=bounds.clipped(text), found=kept, more=len(found) - len(kept), nearest=alike)


def volumes_answer(case: Case) -> VolumesAnswer:
    """Every volume with its size, age and last use, the biggest first."""
    every = sorted((volume_use(one, case) for one in case.inventory.volumes), key=_biggest_first)
    kept = bounds.fitting([bounds.volume(one) for one in every[:MOST_VOLUMES]])
    use = part_use(case.inventory, DiskPart.VOLUMES)
    return VolumesAnswer(taken_at=case.now, use=use, volumes=kept, more=len(every) - len(kept))


def _biggest_first(volume: VolumeUse) -> tuple[int, datetime, datetime, str]:
    """Of one size the oldest first, then what was not used for longest; what is unknown comes last."""
    size = -1 if volume.size is None else volume.size
    return -size, volume.created_at or LATEST, volume.last_used_at or LATEST, volume.name


def policy_answer(
    policy: Policy, file: str, *, frozen: Reason | None, protections: Sequence[Protection]
) -> PolicyAnswer:
    """The policy as it was read, and what the host was told to keep to."""
    kept = bounds.fitting([_protection(one) for one in protections[:MOST_PROTECTIONS]])
    return PolicyAnswer(
        file=file,
        digest=digest(policy),
        probes=bounds.names(map(without_secrets, policy.probes)),
        approvers=None if policy.approvers is None else bounds.names(policy.approvers),
        ping=bounds.names(policy.ping),
        settle=None if policy.settle is None else int(policy.settle.total_seconds()),
        frozen=frozen and bounds.clipped_reason(frozen),
        protections=kept,
        more=len(protections) - len(kept),
        **{key: bounds.names(getattr(policy, key)) for key in NAMED},
        **{key: int(getattr(policy, key).total_seconds()) for key in SECONDS},
        **{key: getattr(policy, key) for key in AS_IT_IS},
    )


def _protection(one: Protection) -> ProtectionFromSlack:
    about = {"kind": one.kind, "pattern": bounds.clipped(one.pattern), "until": one.until}
    return ProtectionFromSlack.model_validate({**about, "by": bounds.clipped(one.by)})
