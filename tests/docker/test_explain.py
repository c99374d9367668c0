"""`python -m workers explain` on a real engine: the verdict of the plan, by any name."""

import json

import pytest

from tests.docker.worker_host import WorkerHost
from workers.cli.command_line import Exit, parser, run


def explain(host: WorkerHost, *arguments: str) -> tuple[Exit, str]:
    said: list[str] = []
    done = run(parser().parse_args(["explain", *arguments]), host.place, said.append)
    return done, "\n".join(said)


@pytest.fixture
def filled(host: WorkerHost) -> WorkerHost:
    host.image("app:1")
    host.image("waste:1")
    host.running("web", "app:1")
    host.engine.client.create_volume("precious")
    host.plan()
    return host


def test_what_is_in_use_says_by_whom(filled: WorkerHost) -> None:
    done, said = explain(filled, "docker.io/library/app:1")

    assert done is Exit.DONE
    assert said.startswith("image app:1 stays (")
    assert "because container web uses it (running)" in said


def test_what_goes_says_why_too(filled: WorkerHost) -> None:
    _, said = explain(filled, "waste:1")

    assert said.startswith("image waste:1 goes (")
    assert "because no container is known to have used it" in said


def test_s1_a_volume_is_never_removed(filled: WorkerHost) -> None:
    _, said = explain(filled, "precious", "--json")
    [found] = json.loads(said)

    assert (found["kind"], found["keep"], found["reasons"][0]["code"]) == ("volume", True, "volume")


def test_what_there_is_not_gets_what_is_most_alike(
    filled: WorkerHost, capsys: pytest.CaptureFixture[str]
) -> None:
    done, said = explain(filled, "wast:1")

    assert (done, said) == (Exit.USAGE, "")
    assert "nothing on web-1 is called 'wast:1'; most alike are waste:1" in capsys.readouterr().err


def test_to_explain_is_not_to_plan(filled: WorkerHost) -> None:
    with filled.opened() as host:
        before = host.ledger.rows("SELECT count(*) FROM plans")
    explain(filled, "app:1")
    with filled.opened() as host:
        assert host.ledger.rows("SELECT count(*) FROM plans") == before
