"""Guards can only stop: each says why not, and one that cannot decide has refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_host import (
    ENGINE,
    NOW,
    a_case,
    a_container,
    a_network,
    a_plan,
    a_policy,
    an_id,
    an_image,
    an_image_id,
    days,
    names,
    running,
)
from workers.contract import HOST_TEAM, EngineIdentity, ExecutionOrder, Person, Plan, Step, Verdict
from workers.errors import EngineUnreachable
from workers.exclusions import closed
from workers.execution import guards
from workers.planning.hearsay import Use
from workers.planning.policy import Policy
from workers.reasons import Code, Reason, reason
from workers.signing import digest

POLICY = a_policy()
OTHER = ENGINE.model_copy(update={"id": "ENG:2"})
SPENT, IMAGE, NETWORK = a_container("spent", of="app:1"), an_image("app:1", "app:old"), a_network("loose")
STAYS = an_image("stays:1", arrived=0)
PLAN = a_plan(a_case(SPENT, IMAGE, NETWORK, STAYS))
ANA, BO, CY = (Person(team="T1", user=user) for user in ("UANA", "UBO", "UCY"))


def an_order(plan: Plan = PLAN, **claims: Any) -> ExecutionOrder:
    usual: dict[str, Any] = {
        "engine_id": ENGINE.id,
        "plan_digest": digest(plan),
        "approver": ANA,
        "excluded": (),
    }
    return ExecutionOrder.model_validate(
        {
            "key_id": "k",
            "id": "order-1",
            "host": "web-1",
            "issued_at": NOW,
            "expires_at": NOW + timedelta(minutes=5),
            "request_id": "r",
            "reply_to": "",
            "requester": ANA,
            **usual,
            **claims,
        }
    )


def refusals(
    order: ExecutionOrder | None = None,
    plan: Plan | None = PLAN,
    *,
    used_by: str = "",
    engine: EngineIdentity = ENGINE,
    policy: Policy = POLICY,
    at: timedelta = timedelta(0),
) -> list[Code]:
    found = guards.order_refusals(
        order or an_order(), plan, used_by=used_by, engine=engine, policy=policy, now=NOW + at
    )
    return [one.code for one in found]


def step_of(id_: str) -> Step:
    return next(step for step in PLAN.steps if step.object.id == id_)


def code(found: Reason | None) -> Code | None:
    return found.code if found else None


# Ring one: the order


def test_an_order_for_a_plan_that_stands_is_accepted() -> None:
    assert refusals() == []


def test_s3_a_plan_that_was_not_made_here_is_refused() -> None:
    assert refusals(plan=None) == [Code.UNKNOWN_PLAN]


def test_s11_a_used_plan_is_refused() -> None:
    assert refusals(used_by="order-0") == [Code.PLAN_USED]


@pytest.mark.parametrize(("minutes", "expected"), [(59, []), (60, []), (61, [Code.PLAN_EXPIRED])])
def test_a_plan_lives_for_an_hour(minutes: int, expected: list[Code]) -> None:
    assert refusals(at=timedelta(minutes=minutes)) == expected


def test_s12_another_engine_is_refused_whoever_names_it() -> None:
    moved = PLAN.model_copy(update={"engine": OTHER})

    assert refusals(engine=OTHER) == [Code.OTHER_ENGINE]
    assert refusals(an_order(engine_id=OTHER.id)) == [Code.OTHER_ENGINE]
    assert refusals(an_order(moved), plan=moved) == [Code.OTHER_ENGINE]


@pytest.mark.parametrize(
    "keys", [{"protected_images": ["app:1"]}, {"keep_previous": 2}, {"steady_for": "9s"}]
)
def test_s4_a_policy_that_has_changed_is_refused(keys: dict[str, Any]) -> None:
    policy = a_policy(**keys)
    [why] = guards.order_refusals(an_order(), PLAN, used_by="", engine=ENGINE, policy=policy, now=NOW)

    assert why == reason(Code.POLICY_CHANGED, planned=PLAN.policy_digest, now=digest(policy))


def test_s4_an_engine_that_is_only_read_refuses_every_order() -> None:
    why = reason(Code.ENGINE_TOO_NEW, engine="31.0.0 (API 1.52 to 1.60)", ours="1.41 to 1.51")
    only_read = ENGINE.model_copy(update={"read_only": why})
    plan = PLAN.model_copy(update={"engine": only_read})

    assert not plan.applicable
    assert refusals(engine=only_read) == [Code.ENGINE_TOO_NEW]
    assert refusals(an_order(plan), plan) == [Code.NOTHING_TO_DO]


@pytest.mark.parametrize("change", [{"steps": ()}, {"complete": False}])
def test_s4_an_empty_or_incomplete_plan_is_refused(change: dict[str, Any]) -> None:
    plan = PLAN.model_copy(update=change)

    assert refusals(an_order(plan), plan) == [Code.NOTHING_TO_DO]


@pytest.mark.parametrize(
    ("approvers", "expected"),
    [
        (["T1/UANA"], []),
        (["T2/UANA"], [Code.APPROVER_NOT_ACCEPTED]),
        (["T1/UBO"], [Code.APPROVER_NOT_ACCEPTED]),
        ([], [Code.APPROVER_NOT_ACCEPTED]),
    ],
)
def test_s12_the_host_has_the_last_word_on_who_may_approve(
    approvers: list[str], expected: list[Code]
) -> None:
    policy = a_policy(approvers=approvers)
    plan = a_plan(a_case(SPENT, IMAGE, NETWORK, STAYS, policy=policy))

    assert refusals(an_order(plan), plan, policy=policy) == expected


@pytest.mark.parametrize(
    ("agreed", "expected"), [([ANA, BO], []), ([CY, ANA], [Code.APPROVER_NOT_ACCEPTED]), ([], [])]
)
def test_s12_the_host_accepts_each_of_those_who_agreed(agreed: list[Person], expected: list[Code]) -> None:
    policy = a_policy(approvers=["T1/UANA", "T1/UBO"])
    plan = a_plan(a_case(SPENT, IMAGE, NETWORK, STAYS, policy=policy))
    order = an_order(plan, approver=ANA, approvers=tuple(agreed))

    assert refusals(order, plan, policy=policy) == expected


def test_s12_who_asked_is_none_of_the_two_that_an_unusual_plan_takes() -> None:
    plan = PLAN.model_copy(update={"unusual": True})
    assert refusals(an_order(plan, approver=BO, approvers=(ANA, BO)), plan) == [Code.NEEDS_SECOND_PERSON]


@pytest.mark.parametrize(
    ("unusual", "approver", "expected"),
    [
        (True, ANA, [Code.NEEDS_SECOND_PERSON]),
        (True, BO, []),
        (True, Person(team="T2", user="UANA"), []),
        (True, Person(team=HOST_TEAM, user="root"), []),
        (False, ANA, []),
    ],
)
def test_s12_what_is_unusual_takes_two(unusual: bool, approver: Person, expected: list[Code]) -> None:
    plan = PLAN.model_copy(update={"unusual": unusual})

    assert refusals(an_order(plan, approver=approver), plan) == expected


@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        ((), []),
        ((2,), []),
        ((1,), []),
        ((0, 1), []),
        ((0, 1, 2), []),
        ((0,), [Code.NOT_CLOSED]),
        ((3,), [Code.UNKNOWN_STEP]),
        ((-1,), [Code.UNKNOWN_STEP]),
    ],
)
def test_s3_what_is_taken_out_takes_its_dependants_along(
    excluded: tuple[int, ...], expected: list[Code]
) -> None:
    assert [step.object.name for step in PLAN.steps] == ["spent", "app:1", "loose"]
    assert refusals(an_order(excluded=excluded)) == expected


def test_s3_what_is_left_out_is_accepted_just_where_nothing_left_waits_for_it() -> None:
    used = [a_container("spent", of="app:1"), a_container("older", of="app:1"), an_image("app:1")]
    plan = a_plan(a_case(*used, an_image("base:1"), an_image("top:1", parent=an_image_id("base:1")), STAYS))
    steps = range(len(plan.steps))
    assert len(steps) == 5

    for excluded in chain.from_iterable(combinations(steps, count) for count in range(len(steps) + 1)):
        is_closed = closed(plan, excluded) == frozenset(excluded)
        assert (refusals(an_order(plan, excluded=excluded), plan) == []) is is_closed, excluded


def test_what_was_taken_out_is_named_by_its_object() -> None:
    [told] = guards.order_refusals(
        an_order(excluded=(0,)), PLAN, used_by="", engine=ENGINE, policy=POLICY, now=NOW
    )

    assert told == reason(Code.NOT_CLOSED, object="app:1", needs="spent")


def test_every_refusal_is_told_at_once() -> None:
    found = refusals(used_by="order-0", engine=OTHER, policy=a_policy(keep_previous=2), at=timedelta(days=1))

    assert found == [Code.PLAN_USED, Code.PLAN_EXPIRED, Code.OTHER_ENGINE, Code.POLICY_CHANGED]


# Ring two: the step


def test_s7_what_is_as_it_was_may_go() -> None:
    assert guards.container_changed(step_of(SPENT.id), SPENT) is None
    assert guards.image_changed(step_of(IMAGE.id), IMAGE) is None
    assert guards.network_changed(step_of(NETWORK.id), NETWORK) is None


@pytest.mark.parametrize(
    "change",
    [
        {"state": "running"},
        {"started_at": NOW},
        {"finished_at": NOW},
        {"image_id": "sha256:other"},
        {"name": "renamed"},
        {"restart_policy": "always"},
    ],
)
def test_s7_a_container_that_changed_is_refused(change: dict[str, Any]) -> None:
    assert code(guards.container_changed(step_of(SPENT.id), replace(SPENT, **change))) is Code.CHANGED


@pytest.mark.parametrize(
    "change",
    [
        {"names": names("app:1")},
        {"names": names("app:1", "app:old", "app:new")},
        {"names": names("app:1", "app:other")},
        {"digests": names(f"app@sha256:{'ab' * 32}")},
        {"tagged_at": NOW},
    ],
)
def test_s7_an_image_that_changed_is_refused(change: dict[str, Any]) -> None:
    assert code(guards.image_changed(step_of(IMAGE.id), replace(IMAGE, **change))) is Code.CHANGED


@pytest.mark.parametrize("change", [{"name": "other"}, {"created_at": NOW}, {"driver": "overlay"}])
def test_s7_another_network_of_that_id_is_refused(change: dict[str, Any]) -> None:
    assert code(guards.network_changed(step_of(NETWORK.id), replace(NETWORK, **change))) is Code.CHANGED


def test_s7_the_refusal_names_what_changed() -> None:
    found = guards.container_changed(step_of(SPENT.id), replace(SPENT, state="running"))

    assert found == reason(Code.CHANGED, what="state: exited, now running")


@pytest.mark.parametrize(
    "user",
    [
        running("web", of="app:1"),
        a_container("web", image_id="sha256:other", references=names("app:old")),
        a_container("web", image_id="sha256:other", references=(), image_mounts=("docker.io/library/app:1",)),
    ],
)
def test_s7_an_image_that_became_used_is_refused(user: Any) -> None:
    assert guards.image_used(IMAGE, [user]) == reason(Code.BECAME_USED, container="web")
    assert guards.image_used(IMAGE, [running("web", of="app:10")]) is None


def test_s7_an_image_that_became_protected_is_refused() -> None:
    found = guards.image_protected(replace(IMAGE, names=names("db:16")), a_policy(protected_images=["db:*"]))

    assert code(found) is Code.BECAME_PROTECTED
    assert guards.image_protected(IMAGE, a_policy(protected_images=["db:*"])) is None


def test_s8_a_digest_that_became_protected_is_refused() -> None:
    digest = f"app@sha256:{'a' * 64}"
    pulled = replace(IMAGE, names=(), digests=names(digest))

    assert code(guards.image_protected(pulled, a_policy(protected_images=[digest]))) is Code.BECAME_PROTECTED


@pytest.mark.parametrize("known_as", ["loose", an_id("loose")])
def test_s7_a_network_that_became_used_is_refused(known_as: str) -> None:
    user = a_container("web", state="created", networks=frozenset({known_as}))

    assert guards.network_used(NETWORK, (user,)) == reason(Code.BECAME_USED, container="web")
    assert guards.network_used(NETWORK, (SPENT,)) is None


def test_s3_what_a_new_judgement_keeps_is_refused_with_its_reason() -> None:
    step = step_of(IMAGE.id)
    keep = Verdict(object=step.object, keep=True, reasons=(reason(Code.AGE_UNKNOWN),))

    assert code(guards.no_longer_eligible(step, {step.object.id: keep})) is Code.AGE_UNKNOWN
    assert guards.no_longer_eligible(step, {step.object.id: keep.model_copy(update={"keep": False})}) is None


def event(action: str, name: str, kind: str = "image") -> dict[str, Any]:
    return {"Type": kind, "Action": action, "Actor": {"ID": name, "Attributes": {"name": name}}}


@pytest.mark.parametrize("action", ["pull", "load", "tag", "untag", "import", "push"])
def test_s2_a_name_that_was_just_touched_is_not_untagged(action: str) -> None:
    events = [event(action, "docker.io/library/app:1")]

    assert code(guards.name_touched("app:1", events)) is Code.RECENT_EVENT
    assert guards.name_touched("app:10", events) is None


@pytest.mark.parametrize(
    "told",
    [
        {"Type": "image", "Action": "pull", "Actor": {"ID": "app:1"}},
        {"Type": "image", "Action": "tag", "Actor": {"ID": "sha256:1", "Attributes": {"name": "app:1"}}},
        # What cannot be read may have spoken of any name.
        {"Type": "image", "Action": 7, "Actor": {"ID": "db:1"}},
        {"Type": "image", "Action": "tag", "Actor": 7},
    ],
)
def test_s2_a_name_is_touched_wherever_an_event_has_it_and_by_what_cannot_be_read(
    told: dict[str, Any],
) -> None:
    assert code(guards.name_touched("app:1", [told])) is Code.RECENT_EVENT


@pytest.mark.parametrize(
    "harmless",
    [event("delete", "app:1"), event("tag", "app:1", "container"), event("tag", "<none>"), {"Type": "image"}],
)
def test_s2_other_events_do_not_touch_a_name(harmless: dict[str, Any]) -> None:
    assert guards.name_touched("app:1", [harmless]) is None


def test_s10_an_image_that_came_again_during_the_run_is_refused() -> None:
    assert code(guards.image_arrived(IMAGE, {"docker.io/library/app:old": NOW})) is Code.RECENT_EVENT
    assert code(guards.image_arrived(IMAGE, {IMAGE.id: NOW})) is Code.RECENT_EVENT
    assert guards.image_arrived(IMAGE, {"docker.io/library/app:10": NOW}) is None


@pytest.mark.parametrize(
    "made_by",
    ["app:old", "docker.io/library/app:old", IMAGE.id, IMAGE.id[7:19], f"app@sha256:{'a' * 64}", ""],
)
def test_s7_an_image_of_which_a_container_came_and_went_is_refused(made_by: str) -> None:
    image = replace(IMAGE, digests=names(f"app@sha256:{'a' * 64}"))
    found = guards.image_ran(image, [Use("c1", "other:1", NOW), Use("c2", made_by, NOW, "job")])

    assert found == reason(Code.USED_MEANWHILE, container="job")
    assert guards.image_ran(image, [Use("c1", "app:10", NOW), Use("c2", "0123456789ab", NOW)]) is None


def test_s7_an_image_of_which_another_was_made_during_the_run_is_refused() -> None:
    base = replace(IMAGE, layers=("a", "b"))
    child = replace(an_image("built:1"), layers=("a", "b", "c"))

    assert guards.image_built_upon(base, [child]) == reason(Code.BUILT_UPON_MEANWHILE, image="built:1")
    assert guards.image_built_upon(base, [replace(child, layers=("a", "c", "b"))]) is None
    assert guards.image_built_upon(base, [replace(child, layers=("a", "b"))]) is None
    assert guards.image_built_upon(replace(base, layers=()), [child]) is None


def test_s7_a_network_that_was_joined_for_a_while_is_refused() -> None:
    found = guards.network_joined(NETWORK, {NETWORK.id: "3f" * 32})

    assert found == reason(Code.USED_MEANWHILE, container="3f3f3f3f3f3f")
    assert code(guards.network_joined(NETWORK, {NETWORK.id: ""})) is Code.USED_MEANWHILE
    assert guards.network_joined(NETWORK, {"another": "3f" * 32}) is None


# Ring three: the run


def halted(**changes: Any) -> Code | None:
    usual: dict[str, Any] = {"told_to_stop": False, "failures": 0, "now": NOW, "deadline": NOW}
    return code(guards.halted(**(usual | changes)))


def test_a_run_ends_when_told_after_too_many_failures_or_too_long() -> None:
    assert halted() is None
    assert halted(told_to_stop=True) is Code.TERMINATED
    assert halted(failures=4) is None
    assert halted(failures=5) is Code.TOO_MANY_FAILURES
    assert halted(deadline=days(0.001)) is Code.DEADLINE


# What goes wrong in a guard


def failing(error: Exception) -> Callable[[], Reason | None]:
    def guard() -> Reason | None:
        raise error

    return guard


@given(
    st.sampled_from(
        [ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RuntimeError]
    )
)
def test_s4_an_exception_in_a_guard_is_a_refusal(kind: type[Exception]) -> None:
    assert code(guards.checked(failing(kind("odd")))) is Code.UNREADABLE


def test_s4_an_engine_that_does_not_answer_ends_the_run_and_not_just_a_step() -> None:
    with pytest.raises(EngineUnreachable):
        guards.checked(failing(EngineUnreachable("gone")))


@pytest.mark.parametrize(
    ("named", "code"), [("app:1", Code.SWARM), ("docker.io/library/app:1", Code.SWARM), ("app:10", None)]
)
def test_s7_an_image_that_a_service_names_is_needed(named: str, code: Code | None) -> None:
    service = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": named}}}}
    found = guards.image_served(an_image("app:1"), [service])

    assert (found and found.code) is code
    assert guards.image_served(an_image("app:1")) is None
