"""Questions to a host with a real engine: it answers as its own command line does, and nothing changes."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.docker.worker_host import ANA, WorkerHost
from tests.docker.worker_host import codes as codes_of
from workers import jobs
from workers.cli.command_line import parser, run
from workers.contract import (
    EVENT,
    Answered,
    Event,
    FreezeOrder,
    Kind,
    NotAnswered,
    ObjectAnswer,
    PolicyAnswer,
    ProtectOrder,
    Question,
    Topic,
    VolumesAnswer,
)
from workers.host import read_policy
from workers.memory.standing import StandingOrders
from workers.reasons import Code
from workers.signing import digest


def claims() -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "key_id": "k",
        "id": uuid.uuid4().hex,
        "host": "web-1",
        "issued_at": now,
        "expires_at": now + timedelta(minutes=5),
        "request_id": uuid.uuid4().hex,
        "reply_to": "C1",
        "requester": ANA,
    }


def told(host: WorkerHost, topic: Topic, object_: str = "") -> Event:
    """What the host says to a question, as the bot is to read it."""
    question = Question.model_validate(claims() | {"topic": topic, "object": object_})
    jobs.answer(question, host.place)
    with host.opened() as opened:
        last = [EVENT.validate_json(body) for _, body in opened.ledger.outbox(after=0)][-1]
    assert (last.request_id, last.reply_to) == (question.request_id, "C1")
    return last


def why(host: WorkerHost, text: str) -> ObjectAnswer:
    event = told(host, Topic.OBJECT, text)
    assert isinstance(event, Answered)
    assert isinstance(event.answer, ObjectAnswer)
    return event.answer


def explained(host: WorkerHost, text: str) -> str:
    said: list[str] = []
    run(parser().parse_args(["explain", text]), host.place, said.append)
    return "\n".join(said)


@pytest.fixture
def filled(host: WorkerHost) -> WorkerHost:
    host.image("app:1")
    host.image("app:2")
    host.image("waste:1")
    host.running("web", "app:1", host={"binds": ["precious:/data"]})
    host.network("loose")
    host.engine.client.create_volume("attic")
    host.plan()
    return host


def everything(host: WorkerHost) -> tuple[object, ...]:
    client = host.engine.client
    with host.opened() as opened:
        plans = opened.ledger.rows("SELECT digest, body FROM plans ORDER BY digest")
    networks: list[Mapping[str, str]] = client.networks()
    containers = sorted(c["Id"] for c in client.containers(all=True))
    return host.tags(), host.volumes(), sorted(n["Id"] for n in networks), containers, plans


@pytest.mark.parametrize("text", ["app:1", "docker.io/library/waste:1", "web", "loose", "precious"])
def test_an_object_is_explained_in_the_words_of_the_host(filled: WorkerHost, text: str) -> None:
    [found] = why(filled, text).found
    here = explained(filled, text)

    assert here.startswith(f"{found.kind} {found.name} {'stays' if found.keep else 'goes'}")
    assert here.count("because ") == len(found.reasons)


def test_a_repository_means_all_its_versions_and_an_unknown_name_the_nearest(filled: WorkerHost) -> None:
    assert {one.name for one in why(filled, "app").found} == {"app:1", "app:2"}
    nothing = why(filled, "wast:1")
    assert (nothing.found, nothing.nearest[0]) == ((), "waste:1")


def test_the_policy_is_told_as_it_stands_now_and_with_what_slack_added(filled: WorkerHost) -> None:
    filled.policy(protected_images='["postgres:16"]', image_unused_for='"30d"')
    with filled.opened() as opened:
        standing, now = StandingOrders(opened.ledger), datetime.now(UTC)
        standing.take(FreezeOrder(**claims(), decided_at=now - timedelta(minutes=1), why="disk"), now)
        standing.take(
            ProtectOrder(**claims(), decided_at=now - timedelta(minutes=1), kind=Kind.NETWORK, pattern="a-*"),
            now,
        )
    event = told(filled, Topic.POLICY)

    assert isinstance(event, Answered)
    assert isinstance(event.answer, PolicyAnswer)
    policy = event.answer
    assert policy.digest == digest(read_policy(filled.place.policy_file))
    assert (policy.protected_images.first, policy.image_unused_for) == (("postgres:16",), 30 * 86400)
    assert policy.frozen is not None
    assert (policy.frozen.code, policy.frozen.params["why"]) == (Code.FROZEN, "disk")
    assert [(one.kind, one.pattern) for one in policy.protections] == [(Kind.NETWORK, "a-*")]


@pytest.mark.parametrize("topic", [Topic.POLICY, Topic.VOLUMES])
def test_s4_an_invalid_policy_is_told_as_a_preview_tells_it(filled: WorkerHost, topic: Topic) -> None:
    filled.place.policy_file.write_text("protected_images = 3\n")
    question = Question.model_validate(claims() | {"topic": topic})
    jobs.answer(question, filled.place)
    filled.policy()
    with filled.opened() as opened:
        [event] = [
            event
            for _, body in opened.ledger.outbox(after=0)
            if (event := EVENT.validate_json(body)).request_id == question.request_id
        ]

    assert isinstance(event, NotAnswered)
    assert event.reason.code is Code.POLICY_INVALID
    assert "protected_images" in str(event.reason.params["detail"])


def test_the_policy_is_told_while_the_engine_is_silent(filled: WorkerHost) -> None:
    question = Question.model_validate(claims() | {"topic": Topic.POLICY})
    filled.engine.stop()
    try:
        jobs.answer(question, filled.place)
    finally:
        filled.engine.start()
    with filled.opened() as opened:
        bodies = [body for _, body in opened.ledger.outbox(after=0)]
    assert isinstance(EVENT.validate_json(bodies[-1]), Answered)


def test_volumes_are_told_with_size_age_and_use(filled: WorkerHost) -> None:
    event = told(filled, Topic.VOLUMES)

    assert isinstance(event, Answered)
    assert isinstance(event.answer, VolumesAnswer)
    found = {one.name: one for one in event.answer.volumes}
    assert set(found) == {"precious", "attic"} == filled.volumes()
    assert (found["precious"].users, found["precious"].last_used_at) == (("web",), event.answer.taken_at)
    assert (found["attic"].users, found["attic"].last_used_at) == ((), None)
    assert all(one.created_at is not None and one.size is not None for one in found.values())


def test_s1_s13_to_answer_changes_nothing_and_replaces_no_plan(filled: WorkerHost) -> None:
    before = everything(filled)
    told(filled, Topic.VOLUMES)
    told(filled, Topic.POLICY)
    assert not why(filled, "waste:1").found[0].keep

    assert everything(filled) == before
    assert codes_of(why(filled, "precious").found[0].reasons) == [Code.VOLUME]
