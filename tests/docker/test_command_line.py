"""The host's own command line on a real engine: what it says while it works, and where it refuses."""

import json
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.docker.worker_host import WorkerHost
from workers.cli.command_line import Exit, parser, run
from workers.contract import Status
from workers.signing import digest


def command(
    host: WorkerHost, *arguments: str, hear: Callable[[str], None] = lambda _: None
) -> tuple[Exit, list[str]]:
    said: list[str] = []

    def out(line: str) -> None:
        said.append(line)
        hear(line)

    done = run(parser().parse_args(arguments), host.place, out)
    return done, said


def reports(host: WorkerHost) -> list[Status]:
    with host.opened() as opened:
        return [report.status for report in opened.ledger.reports()]


def test_a_run_says_what_it_does_and_for_how_long(host: WorkerHost) -> None:
    host.image("app:1")
    host.image("waste:1")
    host.running("web", "app:1")
    host.policy(critical_containers='["web"]', settle='"1s"')
    done, said = command(host, "execute", "--confirm", digest(host.plan()))

    assert done is Exit.DONE
    assert said[:6] == [
        "Ctrl-C ends the run after the object in hand.",
        "Looking at the host once more.",
        "Watching for 0 s whether the critical containers hold still.",
        "Removing 1 image, each after a fresh look at it.",
        "Watching the services for 1 s after the last removal.",
        "Measuring what was freed.",
    ]
    assert said[6].startswith("web-1: done. 1 object removed")


def test_s5_what_an_order_would_be_refused_for_is_said_before_it(host: WorkerHost) -> None:
    """By the preview as far as lists tell it, by the doctor after a look at services and probes."""
    host.image("app:1")
    host.create("db", "app:1")
    host.policy(critical_containers='["db"]', probes='["tcp://127.0.0.1:1"]')
    host.plan()
    _, shown = command(host, "preview")
    done, found = command(host, "doctor")
    services = [line for line in found if "critical services" in line]

    assert any("critical container db is not running (created)" in line.lower() for line in shown)
    assert (done, len(services)) == (Exit.FAILED, 2)
    assert "NOT OK critical services: Critical container db is not running (created)." in services[0]
    assert "The probe tcp://127.0.0.1:1 fails" in services[1]


def test_s5_a_doctor_says_that_services_are_well(host: WorkerHost) -> None:
    host.image("app:1")
    host.running("web", "app:1")
    host.policy(critical_containers='["web"]')
    host.plan()

    assert "ok     critical services: all that the policy names are well" in command(host, "doctor")[1]


def test_for_programs_the_report_is_json_and_the_rest_stands_beside_it(
    host: WorkerHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.image("waste:1")
    done, said = command(host, "execute", "--json", "--unusual", "--confirm", digest(host.plan()))

    assert (done, json.loads("\n".join(said))["status"]) == (Exit.DONE, "done")
    assert "Removing 1 image" in capsys.readouterr().err


def test_for_programs_a_refusal_is_json_with_its_reasons(host: WorkerHost) -> None:
    plan = host.plan()
    empty, nothing = command(host, "execute", "--json", "--confirm", digest(plan))
    alone, asked = command(host, "execute", "--json")
    host.place.policy_file.write_text("protected_images = []\ncritical_containers = []\nkeep_prevous = 2\n")
    refused, why = command(host, "preview", "--json")

    assert (empty, json.loads(nothing[0])["reasons"][0]["code"]) == (Exit.DONE, "nothing_to_do")
    assert (alone, json.loads(asked[0])["ended"]) == (Exit.REFUSED, "refused")
    assert (refused, json.loads(why[0])["reasons"][0]["code"]) == (Exit.REFUSED, "policy_invalid")
    assert "you may have meant keep_previous" in json.loads(why[0])["said"]


def test_s14_a_run_whose_ledger_breaks_does_not_say_that_nothing_was_removed(host: WorkerHost) -> None:
    host.image("waste:1")
    host.create("old", "waste:1")

    def lose_the_journal(line: str) -> None:
        if line.startswith("Removing 1 image"):
            with closing(sqlite3.connect(host.place.ledger_file)) as ledger:
                ledger.execute("ALTER TABLE journal RENAME TO lost")

    plan = host.plan()
    done, said = command(host, "execute", "--unusual", "--confirm", digest(plan), hear=lose_the_journal)

    assert (done, host.engine.client.containers(all=True)) == (Exit.FAILED, [])
    assert "Nothing was removed" not in said[-1]
    assert "broke off" in " ".join(said)


def test_s6_a_reader_that_has_seen_enough_ends_no_run(host: WorkerHost) -> None:
    host.image("waste:1")

    def hang_up(line: str) -> None:
        if line.startswith(("Looking", "Removing", "Measuring")):
            assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
            raise BrokenPipeError

    done, _ = command(host, "execute", "--unusual", "--confirm", digest(host.plan()), hear=hang_up)

    assert (done, reports(host)) == (Exit.DONE, [Status.DONE])


def test_s6_a_terminal_that_goes_away_ends_a_run_after_the_object_in_hand(host: WorkerHost) -> None:
    host.image("waste:1")

    def hang_up(line: str) -> None:
        if line.startswith("Looking"):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGHUP)

    # These tests may run under nohup themselves, and what that ignores stays ignored.
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        done, _ = command(host, "execute", "--unusual", "--confirm", digest(host.plan()), hear=hang_up)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert (done, reports(host)) == (Exit.REFUSED, [Status.REFUSED])


@pytest.mark.parametrize("answer", [EOFError, KeyboardInterrupt])
def test_s13_no_answer_is_never_a_yes(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch, answer: type[BaseException]
) -> None:
    def nobody() -> str:
        raise answer

    host.image("waste:1")
    host.plan()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", nobody)
    done, said = command(host, "execute", "--unusual")

    assert (done, said[-1]) == (Exit.REFUSED, "Not confirmed. Nothing was removed.")


def test_a_command_leaves_the_signals_of_its_process_alone(host: WorkerHost) -> None:
    """A broken pipe once ended whoever ran the tests: only the process's edge says what one means."""
    before = {number: signal.getsignal(number) for number in signal.Signals}
    host.image("waste:1")
    command(host, "preview")
    command(host, "execute", "--unusual", "--confirm", digest(host.plan()))

    assert {number: signal.getsignal(number) for number in signal.Signals} == before


def test_a_run_says_how_what_it_removed_can_come_back(host: WorkerHost) -> None:
    host.image("waste:1")
    _, said = command(host, "execute", "--unusual", "--confirm", digest(host.plan()))
    with host.opened() as opened:
        [report] = opened.ledger.reports()

    assert said[-1] == f"To see what of it can come back: python -m workers restore {report.order_id[:12]}"
