"""What a host answers about itself: true, in order, and never larger than what every carrier takes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.facts_drawn import cases
from tests.unit.facts_host import (
    NOW,
    a_case,
    a_container,
    a_plan,
    a_policy,
    a_volume,
    an_image,
    days,
    running,
)
from workers import explaining
from workers.contract import (
    EVENT,
    Answer,
    Answered,
    Kind,
    NotAnswered,
    ObjectAnswer,
    Person,
    Question,
    Topic,
    VolumesAnswer,
)
from workers.memory.sightings import VOLUME, Sighting
from workers.planning import bounds
from workers.planning.explain import explain
from workers.planning.facts import Case, Memory
from workers.planning.policy import without_secrets
from workers.planning.protections import Protection
from workers.planning.questions import object_answer, policy_answer, volumes_answer
from workers.reasons import Code, reason
from workers.signing import digest

# What the stream and the bot's memory take at once without a thought.
MOST_BYTES = 64 * 1024
LONG = "x" * 5000


def carried(answer: Answer) -> Answer:
    """The answer as the bot reads it, having come through outbox and stream."""
    told = Answered(host="web-1", at=NOW, request_id="r1", answer=answer).model_dump_json()
    assert len(told.encode()) <= MOST_BYTES
    event = EVENT.validate_json(told)
    assert isinstance(event, Answered)
    return event.answer


def why(case: Case, text: str) -> ObjectAnswer:
    return object_answer(text, explain(case, a_plan(case), text), ())


def listed(*things: object, used: dict[str, float] | None = None) -> VolumesAnswer:
    seen = {
        (VOLUME, name): Sighting(days(90), NOW, last_used=days(ago)) for name, ago in (used or {}).items()
    }
    return volumes_answer(a_case(*things, memory=Memory(sightings=seen)))  # type: ignore[arg-type]


def question(**about: object) -> Question:
    claims = {"key_id": "k", "id": "q", "host": "web-1", "request_id": "r", "reply_to": "C1"}
    times = {"issued_at": NOW, "expires_at": NOW + timedelta(minutes=5)}
    return Question.model_validate({**claims, **times, "requester": Person(team="T", user="U"), **about})


# What is asked


@pytest.mark.parametrize("about", [{"topic": "object"}, {"topic": "policy", "object": "app:1"}])
def test_an_object_is_named_where_one_is_to_be_explained_and_only_there(about: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        question(**about)


def test_a_question_is_small() -> None:
    assert question(topic=Topic.OBJECT, object="x" * 512)
    with pytest.raises(ValidationError):
        question(topic=Topic.OBJECT, object="x" * 513)


# Why an object stays or goes


@settings(max_examples=30)
@given(cases())
def test_every_object_is_explained_as_at_the_host(case: Case) -> None:
    plan = a_plan(case)
    for verdict in plan.verdicts[:5]:
        found = explain(case, plan, verdict.object.id)
        told = carried(object_answer(verdict.object.id, found, ()))
        assert isinstance(told, ObjectAnswer)
        for here, there in zip(found, told.found, strict=True):
            assert (there.kind, there.id, there.name, there.keep) == (
                *(here.kind, here.id, here.name, here.keep),
            )
            assert there.reasons == here.reasons[: bounds.MOST_REASONS]


def test_what_is_used_by_more_than_can_be_told_is_counted() -> None:
    users = [running(f"web-{n}", of="app:1") for n in range(700)]
    [told] = why(a_case(an_image("app:1"), *users), "app:1").found

    assert told.more + len(told.reasons) == 701
    names = str(told.facts["used by"])
    assert len(names) < 700
    kept, left = names.rsplit(" and ", 1)
    assert len(kept.split(", ")) + int(left.removesuffix(" more").replace(",", "")) == 700


def test_of_what_means_too_much_the_first_are_told_and_the_rest_counted() -> None:
    answer = carried(why(a_case(*(an_image(f"app:{n}") for n in range(300))), "app"))

    assert isinstance(answer, ObjectAnswer)
    assert (len(answer.found), answer.more) == (20, 280)


@settings(max_examples=15)
@given(st.text(max_size=40) | st.just(LONG), st.sampled_from([1, 40]))
def test_an_engine_that_answers_nonsense_makes_no_larger_answer(name: str, times: int) -> None:
    text = name * times * 20
    volumes = [a_volume(f"{n}{text}") for n in range(20)]
    spent = [a_container(f"{n}{text}", volumes=(f"0{text}",), of="app:1") for n in range(20)]
    case = a_case(*spent, *volumes)
    carried(volumes_answer(case))
    for thing in (spent[0], volumes[0]):
        carried(why(case, thing.name))
    found = explain(case, a_plan(case), spent[0].name) * 40
    carried(object_answer(text, found, [text] * 3))


def test_facts_that_are_times_are_told_as_times() -> None:
    case = a_case(
        an_image("app:1", built_at=days(3)),
        running("web", of="app:1"),
        a_container("spent"),
        a_volume("data"),
    )
    for text in ("app:1", "spent", "data"):
        [told] = why(case, text).found
        times = {name for name, fact in told.facts.items() if explaining.is_time(str(fact))}
        assert times <= explaining.TIMES


# What the policy says


def test_the_policy_is_told_key_by_key_with_the_digest_that_previews_name() -> None:
    policy = a_policy(
        protected_images=("postgres:16",), critical_containers=("db",), image_unused_for="30d", settle="20s"
    )
    answer = carried(policy_answer(policy, "/etc/policy.toml", frozen=None, protections=()))

    assert answer.topic is Topic.POLICY
    assert (answer.digest, answer.protected_images.first) == (digest(policy), ("postgres:16",))
    assert (answer.image_unused_for, answer.settle, answer.approvers) == (30 * 86400, 20, None)


def test_what_was_added_from_slack_stands_beside_it() -> None:
    kept = Protection(Kind.NETWORK, "shop-*", "T1/U1", NOW)
    frozen = reason(Code.FROZEN, by="T1/U1", at=NOW.isoformat(), why=LONG)
    answer = carried(policy_answer(a_policy(), "policy.toml", frozen=frozen, protections=[kept] * 100))

    assert answer.topic is Topic.POLICY
    assert answer.frozen is not None
    assert len(answer.protections) + answer.more == 100
    assert (answer.protections[0].kind, answer.protections[0].pattern) == (Kind.NETWORK, "shop-*")


def test_who_is_pinged_and_how_much_of_a_log_is_shown_are_told() -> None:
    told = policy_answer(
        a_policy(ping=["S0ONCALL", "U1"], show_logs=3), "p.toml", frozen=None, protections=()
    )

    assert (told.ping.first, told.show_logs) == (("S0ONCALL", "U1"), 3)


def test_the_size_of_an_archive_is_told_and_not_its_place() -> None:
    policy = a_policy(archive_dir="/mnt/archive", archive_max_bytes="100GB")
    told = policy_answer(policy, "p.toml", frozen=None, protections=())

    assert told.archive_max_bytes == 100 * 10**9
    assert "/mnt/archive" not in told.model_dump_json()


def test_a_policy_of_any_length_is_told_in_part_and_the_rest_counted() -> None:
    policy = a_policy(
        protected_images=[f"registry.example/{'a' * 200}/{n}" for n in range(2000)],
        critical_containers=[f"c{n}" for n in range(2000)],
        probes=[f"tcp://host{n}:80" for n in range(2000)],
        approvers=[f"T1/U{n}" for n in range(2000)],
    )
    answer = carried(policy_answer(policy, "policy.toml", frozen=None, protections=()))

    assert answer.topic is Topic.POLICY
    for told in (answer.protected_images, answer.critical_containers, answer.probes, answer.approvers):
        assert told is not None
        assert len(told.first) + told.more == 2000


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ("tcp://db:5432", "tcp://db:5432"),
        ("https://web/health", "https://web/health"),
        ("https://ana:swordfish@web:8443/health?token=swordfish#x", "https://web:8443/health?…"),
        ("https://[ana:swordfish@web/", "https://…"),
    ],
)
def test_s12_no_password_of_a_probe_is_told(probe: str, told: str) -> None:
    assert without_secrets(probe) == told


# The volumes


def test_volumes_are_told_the_biggest_first_of_one_size_the_oldest_and_unknown_last() -> None:
    answer = listed(
        a_volume("unknown", size=-1, created_at=days(900)),
        a_volume("young", size=5, created_at=days(1)),
        a_volume("ageless", size=5, created_at=None),
        a_volume("old", size=5, created_at=days(9)),
        a_volume("empty", size=0, created_at=days(1)),
        a_volume("big", size=9, created_at=days(2)),
    )

    assert [one.name for one in answer.volumes] == ["big", "old", "young", "ageless", "empty", "unknown"]
    assert (answer.use.size, answer.use.count, answer.use.unsized) == (24, 6, 1)


def test_a_volume_says_when_it_was_last_used_and_by_whom() -> None:
    [data] = listed(
        a_volume("data", created_at=days(50)), running("db", volumes=("data",)), used={"data": 0}
    ).volumes
    assert (data.users, data.last_used_at) == (("db",), NOW)
    [lone] = listed(a_volume("data", created_at=days(50)), used={"data": 12}).volumes
    assert (lone.users, lone.last_used_at) == ((), days(12))
    [new] = listed(a_volume("data", created_at=days(50))).volumes
    assert new.last_used_at is None


def test_more_volumes_than_can_be_told_are_counted() -> None:
    answer = carried(listed(*(a_volume(f"v{n}") for n in range(1000))))

    assert isinstance(answer, VolumesAnswer)
    assert (len(answer.volumes), answer.more, answer.use.count) == (100, 900, 1000)


def test_s1_no_answer_about_volumes_is_a_plan() -> None:
    told = listed(a_volume("data"))

    assert {"steps", "verdicts", "digest"}.isdisjoint(type(told).model_fields)
    assert "volume" not in tuple(Kind)


def test_why_there_is_no_answer_reads_as_it_was_told() -> None:
    told = NotAnswered(host="web-1", at=NOW, reason=reason(Code.POLICY_INVALID, file="f", detail="d"))

    assert EVENT.validate_json(told.model_dump_json()) == told
