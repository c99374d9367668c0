"""`python -m workers restore` on a real engine: lists, plans, asks, and says what came of it."""

import json
import sys

import pytest

from tests.docker.test_command_line import command
from tests.docker.test_restore import shared
from tests.docker.worker_host import WorkerHost
from tests.stage.fixtures import RegistryFactory
from tests.stage.registry import Registry
from workers.cli.command_line import Exit


@pytest.fixture
def registry(host: WorkerHost, fresh_registry: RegistryFactory) -> Registry:
    host.policy(probe_registry="true")
    return fresh_registry(host.engine)


def typed(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: answer)


def test_a_run_is_listed_planned_and_brought_back(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    host.network("front")
    run = host.execute(host.plan()).order_id
    listed, runs = command(host, "restore")
    planned, told = command(host, "restore", run[:8])
    [confirm] = [line.split()[-1] for line in told if "--confirm" in line]
    done, said = command(host, "restore", "--confirm", confirm[7:25])

    assert (listed, planned, done) == (Exit.DONE, Exit.DONE, Exit.DONE)
    assert runs[0].startswith(run[:12])
    assert "1 image and 1 network removed" in runs[0].replace("unused ", "")
    assert told[0].startswith(f"Bring back 2 objects of run {run[:12]} on web-1")
    assert "Bringing back network front." in said
    assert "web-1: done. 2 restored. Nothing was removed." in said
    assert host.tags()[f"{registry.address}/web:1"] == image


def test_at_a_terminal_the_name_of_the_host_confirms_and_nothing_else(
    host: WorkerHost, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = shared(host, registry, "web:1")
    run = host.execute(host.plan()).order_id
    typed(monkeypatch, "yes")
    no, said = command(host, "restore", run)
    assert (no, said[-1], host.has(image)) == (Exit.REFUSED, "Not confirmed. Nothing was changed.", False)
    typed(monkeypatch, "web-1")
    yes, _ = command(host, "restore", run)

    assert (yes, host.has(image)) == (Exit.DONE, True)


def test_only_what_is_named_comes_back(host: WorkerHost, registry: Registry) -> None:
    one, _ = shared(host, registry, "web:1")
    other, _ = shared(host, registry, "api:1")
    run = host.execute(host.plan()).order_id
    _, told = command(host, "restore", "--json", run, "web:1")
    plan = json.loads("\n".join(told))
    done, report = command(host, "restore", "--json", "--confirm", plan["digest"])

    assert [step["object"]["id"] for step in plan["plan"]["steps"]] == [one]
    assert (done, json.loads("\n".join(report))["status"]) == (Exit.DONE, "done")
    assert (host.has(one), host.has(other)) == (True, False)


def test_what_is_wrong_is_said_with_what_was_meant(host: WorkerHost, registry: Registry) -> None:
    none, _ = command(host, "restore")
    shared(host, registry, "web:1")
    run = host.execute(host.plan()).order_id
    usages = [
        command(host, "restore", "--json", *words)
        for words in (("zzzz",), (run, "nothing"), ("--confirm", "0" * 64), (run, "--confirm", "0" * 64))
    ]

    assert (none, {ended for ended, _ in usages}) == (Exit.USAGE, {Exit.USAGE})
    said = [json.loads("\n".join(lines))["said"] for _, lines in usages]
    assert f"most alike are {run}" in said[0]
    assert said[1].startswith(f"run {run} removed nothing called 'nothing'")
    assert "no plan of a restore" in said[2]
    assert "leave RUN out" in said[3]


def test_a_plan_that_is_not_to_be_executed_is_refused(host: WorkerHost, registry: Registry) -> None:
    shared(host, registry, "web:1")
    run = host.execute(host.plan()).order_id
    _, told = command(host, "restore", "--json", run)
    digest = json.loads("\n".join(told))["digest"]
    command(host, "restore", "--confirm", digest)
    twice, why = command(host, "restore", "--json", "--confirm", digest)
    _, empty = command(host, "restore", "--json", run)
    nothing, _ = command(host, "restore", "--confirm", json.loads("\n".join(empty))["digest"])

    _, record = command(host, "audit")

    assert "restore done, 1 of 1 object there again" in record[1]
    assert "was refused: the plan of the restore was already used" in record[2]
    assert (twice, json.loads(why[0])["reasons"][0]["code"]) == (Exit.REFUSED, "restore_plan_used")
    assert nothing is Exit.DONE


def test_a_freeze_does_not_bar_what_removes_nothing(host: WorkerHost, registry: Registry) -> None:
    image, _ = shared(host, registry, "web:1")
    run = host.execute(host.plan()).order_id
    command(host, "freeze", "incident")
    _, told = command(host, "restore", "--json", run)
    done, _ = command(host, "restore", "--confirm", json.loads("\n".join(told))["digest"])

    assert (done, host.has(image)) == (Exit.DONE, True)
