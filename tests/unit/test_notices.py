"""What a plan says above its list: what guards nothing, what is unusual, what will go later."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.facts_host import (
    ENGINE,
    NOW,
    USAGE,
    a_case,
    a_container,
    a_network,
    a_plan,
    a_policy,
    a_record,
    an_id,
    an_image,
    days,
    names,
    running,
    seen,
)
from workers.contract import Kind, Restorable
from workers.planning.facts import Case, Memory
from workers.planning.notices import share
from workers.planning.protections import Protection
from workers.reasons import Code, Reason, reason
from workers.wording import sentence

KNOWN_FOR_LONG = Memory(since=days(90))


def said(case: Case) -> dict[Code, list[Reason]]:
    found: dict[Code, list[Reason]] = {}
    for notice in a_plan(case).notices:
        found.setdefault(notice.code, []).append(notice)
    return found


def test_that_an_engine_is_only_read_is_said_first() -> None:
    why = reason(Code.ENGINE_TOO_OLD, engine="19.03.15 (API 1.12 to 1.40)", ours="1.41 to 1.51")
    case = a_case(an_image("app:1"), engine=ENGINE.model_copy(update={"read_only": why}))

    assert (a_plan(case).notices[0], a_plan(case).applicable) == (why, False)


def test_nothing_is_said_where_nothing_is_worth_it() -> None:
    policy = a_policy(critical_containers=["web"], protected_images=["app"])
    case = a_case(running("web", of="app:1"), an_image("app:1"), policy=policy, memory=KNOWN_FOR_LONG)

    assert said(case) == {}


@pytest.mark.parametrize(("keys", "expected"), [({}, True), ({"probes": ["tcp://db:1"]}, False)])
def test_s5_a_host_that_nothing_guards_says_so(keys: dict[str, list[str]], expected: bool) -> None:
    assert (Code.NOTHING_CRITICAL in said(a_case(policy=a_policy(**keys)))) is expected


def test_who_asks_for_a_kind_that_the_policy_never_plans_is_told_so() -> None:
    case = a_case(an_image("app:1"), policy=a_policy(kinds=["container", "network"]))
    asked = a_plan(case, (Kind.IMAGE, Kind.CONTAINER)).notices
    why = reason(Code.KIND_NOT_PLANNED, kind=Kind.IMAGE)

    assert asked[0] == why
    assert sentence(why).startswith("The policy leaves images out of every plan.")
    assert Code.KIND_NOT_PLANNED not in said(case)


@pytest.mark.parametrize("state", ["exited", "created", "paused", "restarting", "dead"])
def test_s5_a_critical_container_that_does_not_run_is_said_before_an_order_is_refused(state: str) -> None:
    db, web = a_container("db", state=state), running("web")
    found = said(a_case(db, web, policy=a_policy(critical_containers=["db", "we?"])))

    assert found[Code.CRITICAL_NOT_RUNNING] == [
        reason(Code.CRITICAL_NOT_RUNNING, container="db", state=state)
    ]


def test_s5_a_critical_container_whose_own_check_fails_is_said() -> None:
    ill, starting = "Up 2 hours (unhealthy)", "Up 2 seconds (health: starting)"
    containers = running("db", status=ill), running("web", status=starting), running("other", status=ill)
    found = said(a_case(*containers, policy=a_policy(critical_containers=["db", "web"])))

    assert found[Code.CRITICAL_UNHEALTHY] == [reason(Code.CRITICAL_UNHEALTHY, container="db")]
    assert Code.CRITICAL_NOT_RUNNING not in found


@pytest.mark.parametrize("entry", ["wbe", "compose:shop/web"])
def test_s5_a_critical_entry_that_matches_nothing_is_said_as_the_refusal_to_come(entry: str) -> None:
    found = said(a_case(running("web"), policy=a_policy(critical_containers=[entry])))

    assert [n.params for n in found[Code.CRITICAL_MATCHES_NOTHING]] == [{"entry": entry}]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("protected_images", "postgers:16"),
        ("protected_containers", "wbe-*"),
        ("protected_networks", "frnot"),
        ("protected_labels", "team=wbe"),
    ],
)
def test_s8_a_pattern_that_matches_nothing_is_said(key: str, pattern: str) -> None:
    things = running("web"), an_image("postgres:16"), a_network("front")
    found = said(a_case(*things, policy=a_policy(**{key: [pattern]})))

    assert [n.params for n in found[Code.PATTERN_MATCHES_NOTHING]] == [{"key": key, "pattern": pattern}]


@pytest.mark.parametrize("label", ["safe-prune.keep=true", "team=web", "team"])
def test_a_label_that_something_carries_or_that_nobody_chose_is_not_idle(label: str) -> None:
    case = a_case(an_image("app:1", labels={"team": "web"}), policy=a_policy(protected_labels=[label]))

    assert Code.PATTERN_MATCHES_NOTHING not in said(case)


@pytest.mark.parametrize(
    ("kind", "pattern", "idle"),
    [
        (Kind.IMAGE, "postgres:16", False),
        (Kind.IMAGE, "postgers:16", True),
        (Kind.CONTAINER, "web", False),
        (Kind.CONTAINER, "front", True),
        (Kind.NETWORK, "front", False),
        (Kind.NETWORK, "web", True),
    ],
)
def test_s8_a_protection_from_slack_that_means_nothing_here_is_said(
    kind: Kind, pattern: str, idle: bool
) -> None:
    things = running("web"), an_image("postgres:16"), a_network("front")
    case = replace(a_case(*things), protections=(Protection(kind, pattern, by="U1"),))
    expected = [{"kind": kind, "pattern": pattern, "by": "U1", "until": ""}] if idle else []

    assert [n.params for n in said(case).get(Code.PROTECTION_MATCHES_NOTHING, [])] == expected
    assert Code.PATTERN_MATCHES_NOTHING not in said(case)


def test_s8_a_protection_that_went_to_several_hosts_is_not_called_misspelled_on_all_but_one() -> None:
    protection = Protection(Kind.IMAGE, "postgres:16", by="U1", until=days(-1))
    [found] = said(replace(a_case(), protections=(protection,)))[Code.PROTECTION_MATCHES_NOTHING]

    assert sentence(found) == (
        "No image on this host matches postgres:16, protected from Slack by U1 until 2026-06-02 12:00 UTC. "
        "It holds for what may come; if it was meant for something that is here, check its spelling."
    )


def test_a_pattern_that_matches_a_digest_is_not_idle() -> None:
    pinned = f"app@sha256:{'ab' * 32}"
    case = a_case(an_image(digests=names(pinned)), policy=a_policy(protected_images=[pinned]))

    assert Code.PATTERN_MATCHES_NOTHING not in said(case)


@pytest.mark.parametrize(("going", "staying", "expected"), [(9, 1, False), (10, 0, True), (0, 0, False)])
def test_an_unusual_share_of_the_images_is_said(going: int, staying: int, expected: bool) -> None:
    images = [an_image(f"old{n}:1") for n in range(going)] + [
        an_image(f"new{n}:1", arrived=0) for n in range(staying)
    ]
    case = a_case(*images)

    assert share(case.inventory.images, a_plan(case).steps) == (going * 10)
    assert (Code.UNUSUAL_SHARE in said(case)) is expected
    assert a_plan(case).unusual is expected


@pytest.mark.parametrize(("most", "percent"), [(0.29, 29), (0.57, 57), (0.07, 7), (0.58, 58), (0.285, 28)])
def test_s12_a_share_is_usual_up_to_what_the_policy_says_to_the_image(most: float, percent: int) -> None:
    def host(going: int) -> Case:
        old = [an_image(f"old{n}:1") for n in range(going)]
        new = [an_image(f"new{n}:1", arrived=0) for n in range(100 - going)]
        return a_case(*old, *new, policy=a_policy(max_share=most))

    assert not a_plan(host(percent)).unusual
    assert a_plan(host(percent + 1)).unusual
    assert said(host(percent + 1))[Code.UNUSUAL_SHARE][0].params == {"share": percent + 1, "limit": percent}


def test_s12_a_share_is_unusual_by_the_images_and_not_by_rounded_figures() -> None:
    old = [an_image(f"old{n}:1") for n in range(181)]
    case = a_case(*old, *(an_image(f"new{n}:1", arrived=0) for n in range(19)))

    assert a_plan(case).unusual
    assert said(case)[Code.UNUSUAL_SHARE][0].params == {"share": 91, "limit": 90}


def test_what_cannot_surely_be_had_again_is_counted() -> None:
    case = a_case(
        an_image("app:1"), an_image("app:2", digests=names(f"app@sha256:{'ab' * 32}")), a_container()
    )

    found = {s.object.name: s.restorable for s in a_plan(case).steps}

    assert (found["app:1"], found["app:2"]) == (Restorable.NO, Restorable.NOT_PROBED)
    assert said(case)[Code.UNRESTORABLE_COUNT][0].params == {"count": 2}


@pytest.mark.parametrize(("there", "size"), [(100, 11), (8, 8), (None, 11)])
def test_s10_what_only_its_age_keeps_is_promised_for_when_the_first_of_it_may_go(
    there: int | None, size: int
) -> None:
    """Images that share layers are no more than all images together."""
    images = (an_image("app:1", arrived=0.5, size=5), an_image("app:2", arrived=0.25, size=6))
    case = a_case(*images, usage=USAGE.model_copy(update={"images": there}))
    until = days(0.5) + timedelta(days=1)

    assert said(case)[Code.WAITING][0].params == {"count": 2, "size": size, "until": until.isoformat()}


def test_what_was_used_or_stopped_lately_is_promised_as_well() -> None:
    case = a_case(
        *(a_container("spent", ended=1), a_record(used=0.5), a_network("loose")),
        memory=Memory(uses={an_id("loose"): days(2)}),
    )

    assert said(case)[Code.WAITING][0].params["count"] == 3


def test_what_the_plan_leaves_out_is_not_promised() -> None:
    case = a_case(an_image("app:1", arrived=0.5), policy=a_policy(kinds=["container", "network"]))

    assert Code.WAITING not in said(case)
    assert Code.WAITING not in {why.code for why in a_plan(case, (Kind.NETWORK,)).notices}


def test_what_something_else_keeps_as_well_is_not_promised() -> None:
    case = a_case(an_image("app:1", arrived=0.5), policy=a_policy(protected_images=["app:1"]))

    assert Code.WAITING not in said(case)


@pytest.mark.parametrize(("memory", "since"), [(Memory(), NOW), (Memory(since=days(13)), days(13))])
def test_a_young_ledger_says_since_when_it_knows_of_use(memory: Memory, since: object) -> None:
    assert said(a_case(memory=memory))[Code.USE_UNKNOWN_BEFORE][0].params == {
        "since": str(since).replace(" ", "T")
    }


def test_a_ledger_that_is_old_enough_says_nothing() -> None:
    assert Code.USE_UNKNOWN_BEFORE not in said(a_case(memory=seen()))


def test_a_part_says_first_how_much_is_left() -> None:
    case = a_case(an_image("app:1"), an_image("app:2"), an_image("app:3"), policy=a_policy(max_objects=1))
    first = a_plan(case).notices[0]

    assert (first.code, first.params) == (Code.PART_OF, {"left": 2})
