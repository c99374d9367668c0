"""Conditions that can only stop: each returns a reason to refuse, or None (pure)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from workers.contract import HOST_TEAM, EngineIdentity, ExecutionOrder, Person, Plan, Step, Verdict
from workers.errors import EngineError
from workers.planning import fingerprints
from workers.planning.ages import told, uses
from workers.planning.containers import has_joined
from workers.planning.fields import Fields
from workers.planning.hearsay import Use
from workers.planning.inventory import Container, Image, Network
from workers.planning.mentions import begins, full, service_images
from workers.planning.networks import attached
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.references import ImageName
from workers.signing import digest

TOUCHING = frozenset({"pull", "load", "tag", "untag", "import", "push"})
MAX_FAILURES = 5


def order_refusals(
    order: ExecutionOrder,
    plan: Plan | None,
    *,
    used_by: str,
    engine: EngineIdentity,
    policy: Policy,
    now: datetime,
) -> tuple[Reason, ...]:
    """Ring one, once per order: this plan, this engine, this policy, unused, unexpired, closed."""
    if plan is None:
        return (reason(Code.UNKNOWN_PLAN, digest=order.plan_digest),)
    checks: Iterable[Reason | None] = (
        reason(Code.PLAN_USED, order=used_by) if used_by else None,
        reason(Code.PLAN_EXPIRED, at=plan.expires_at.isoformat()) if now > plan.expires_at else None,
        _other_engine(order, plan, engine),
        _other_policy(plan, digest(policy)),
        engine.read_only or (None if plan.applicable else reason(Code.NOTHING_TO_DO)),
        accepted(order.agreed, policy),
        _alone(order, plan),
        *_not_closed(plan, frozenset(order.excluded)),
    )
    return tuple(found for found in checks if found is not None)


def _other_policy(plan: Plan, now: str) -> Reason | None:
    if plan.policy_digest == now:
        return None
    return reason(Code.POLICY_CHANGED, planned=plan.policy_digest, now=now)


def _other_engine(order: ExecutionOrder, plan: Plan, engine: EngineIdentity) -> Reason | None:
    if {order.engine_id, plan.engine.id} == {engine.id}:
        return None
    return reason(Code.OTHER_ENGINE, engine=order.engine_id)


def accepted(users: Iterable[Person], policy: Policy) -> Reason | None:
    """Where the host names approvers, what anybody else has agreed to is not taken, whoever else did."""
    if policy.approvers is None:
        return None
    named = {*policy.approvers}
    others = [u for u in users if u.team != HOST_TEAM and f"{u.team}/{u.user}" not in named]
    return reason(Code.APPROVER_NOT_ACCEPTED, approver=others[0].user) if others else None


def _alone(order: ExecutionOrder, plan: Plan) -> Reason | None:
    """What is unusual takes two; whoever is at the host itself has said so with --unusual."""
    if not plan.unusual or order.approver.team == HOST_TEAM or order.requester not in order.agreed:
        return None
    return reason(Code.NEEDS_SECOND_PERSON)


def _not_closed(plan: Plan, excluded: frozenset[int]) -> list[Reason]:
    steps = range(len(plan.steps))
    unknown = [reason(Code.UNKNOWN_STEP, step=i) for i in sorted(excluded) if i not in steps]
    loose = [
        reason(Code.NOT_CLOSED, object=step.object.name, needs=plan.steps[need].object.name)
        for step in plan.steps
        for need in step.needs
        if step.index not in excluded and need in excluded
    ]
    return unknown + loose


# Ring two, before each step, on a fresh look (S7)


def no_longer_eligible(step: Step, verdicts: Mapping[str, Verdict]) -> Reason | None:
    """A judgement made anew at the start of the run keeps it: executed is previewed minus that (S3)."""
    verdict = verdicts.get(step.object.id)
    return verdict.reasons[0] if verdict is not None and verdict.keep else None


def container_changed(step: Step, fresh: Container) -> Reason | None:
    """The container ran again, or another took its place."""
    return _changed(step, fingerprints.of_container(fresh))


def container_joined(fresh: Container, came: Iterable[Container]) -> Reason | None:
    """One that came since has joined its network, processes or memory, or has its volumes."""
    guest = next((c for c in came if has_joined(c, fresh)), None)
    return reason(Code.BECAME_USED, container=guest.name) if guest else None


def image_changed(step: Step, fresh: Image) -> Reason | None:
    """The image got or lost a name."""
    return _changed(step, fingerprints.of_image(fresh))


def image_used(fresh: Image, containers: Iterable[Container]) -> Reason | None:
    """A container in any state needs it."""
    user = next((c for c in containers if uses(c, fresh)), None)
    return reason(Code.BECAME_USED, container=user.name) if user else None


def image_ran(fresh: Image, heard: Iterable[Use]) -> Reason | None:
    """A container used it since the run judged, and may be gone by now: somebody runs it, again perhaps."""
    user = next((use for use in heard if _is_of(use.image, fresh)), None)
    return reason(Code.USED_MEANWHILE, container=user.name or user.container) if user else None


def _is_of(text: str, image: Image) -> bool:
    """Whether a container was made of it, by the name or the beginning of the id that it was made by (S4)."""
    return begins(image.id, text.removeprefix("sha256:")) or full(text) in image.called


def image_built_upon(fresh: Image, came: Iterable[Image]) -> Reason | None:
    """What came since the run judged was made of it."""
    count = len(fresh.layers)
    child = next((i for i in came if count < len(i.layers) and i.layers[:count] == fresh.layers), None)
    return reason(Code.BUILT_UPON_MEANWHILE, image=child.shown) if child and count else None


def image_served(fresh: Image, services: Iterable[Mapping[str, Any]] = ()) -> Reason | None:
    """A service of the swarm names it, if only to be rolled back to; of tasks there may be none yet."""
    named = service_images(services)
    return reason(Code.SWARM) if named & {*fresh.names, *fresh.digests} else None


def image_protected(fresh: Image, policy: Policy) -> Reason | None:
    """A protection covers one of the names it has now."""
    for pattern in policy.image_protections():
        if any(pattern.matches(name) for name in (*fresh.names, *fresh.digests)):
            return reason(Code.BECAME_PROTECTED, what=pattern.text)
    return None


def image_arrived(fresh: Image, arrivals: Mapping[str, datetime]) -> Reason | None:
    """It was pulled, loaded or tagged since the run began, even if it was there before (S10)."""
    return reason(Code.RECENT_EVENT, reference=fresh.shown) if told(fresh, arrivals) else None


def network_changed(step: Step, fresh: Network) -> Reason | None:
    """Another network took its name."""
    return _changed(step, fingerprints.of_network(fresh))


def network_joined(fresh: Network, heard: Mapping[str, str]) -> Reason | None:
    """A container came to it or left it since the run judged, and may be gone by now: ids by network."""
    user = heard.get(fresh.id)
    return None if user is None else reason(Code.USED_MEANWHILE, container=user[:12])


def network_used(fresh: Network, containers: tuple[Container, ...]) -> Reason | None:
    """A container in any state is attached to it."""
    users = attached(fresh, containers)
    return reason(Code.BECAME_USED, container=users[0].name) if users else None


def name_touched(name: str, events: Iterable[Mapping[str, Any]]) -> Reason | None:
    """An event spoke of this reference just now: an untag by name cannot compare, so it waits (S2)."""
    wanted = ImageName.parse(name).full()
    touched = any(_touches(wanted, Fields(told)) for told in events)
    return reason(Code.RECENT_EVENT, reference=name) if touched else None


def _touches(wanted: str, event: Fields) -> bool:
    """One that cannot be read may have spoken of any name."""
    spoken = event.text("Type") == "image" and event.text("Action") in TOUCHING and wanted in _named(event)
    return spoken or bool(event.unread)


def lost_a_name(events: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The ids of the images that lost a name."""
    untags = (e for e in events if e.get("Action") == "untag")
    return frozenset(Fields(event).inside("Actor").text("ID") for event in untags)


def _named(event: Fields) -> set[str]:
    actor = event.inside("Actor")
    return {full(text) for text in (actor.text("ID"), actor.inside("Attributes").text("name"))}


def _changed(step: Step, found: Mapping[str, str]) -> Reason | None:
    what = fingerprints.differences(step.fingerprint, found)
    return reason(Code.CHANGED, what=what) if what else None


# Ring three, between steps


def halted(*, told_to_stop: bool, failures: int, now: datetime, deadline: datetime) -> Reason | None:
    """The run itself must end."""
    if told_to_stop:
        return reason(Code.TERMINATED)
    if failures >= MAX_FAILURES:
        return reason(Code.TOO_MANY_FAILURES, limit=MAX_FAILURES)
    return reason(Code.DEADLINE) if now > deadline else None


def checked(guard: Callable[[], Reason | None]) -> Reason | None:
    """Ask a guard; one that cannot decide has refused (S4). That no engine answers is not for guards."""
    try:
        return guard()
    except EngineError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in a guard, its answer is no
        return reason(Code.UNREADABLE, what=f"{type(error).__name__}: {error}")
