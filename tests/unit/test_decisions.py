"""What people decide about hosts is read as they typed it; what cannot be read is answered with its place."""

from datetime import timedelta

import pytest

from bot.commands import UsageReply, parse
from bot.decisions import Decided, Freeze, Protect, Protections, Stop, Verb, targets, turns
from tests.unit.bot_values import BO, NOON
from workers.contract import Kind

HOSTS = ("db-1", "web-1", "web-2")
DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("stop", Stop()),
        ("stop WEB-1, web-2", Stop(("web-1", "web-2"))),
        ("freeze web-1 Disk is Swapped", Freeze(Verb.FREEZE, ("web-1", "Disk", "is", "Swapped"))),
        ("UNFREEZE *", Freeze(Verb.UNFREEZE, ("*",))),
        ("protect web-1 app:Rel-1", Protect(Verb.PROTECT, "web-1", Kind.IMAGE, "app:Rel-1")),
        (
            "protect web-* registry.example/base/* —for 30d",
            Protect(Verb.PROTECT, "web-*", Kind.IMAGE, "registry.example/base/*", timedelta(days=30)),
        ),
        (
            "protect --for=12h web-1 <http://registry.example/app|registry.example/app>",
            Protect(Verb.PROTECT, "web-1", Kind.IMAGE, "registry.example/app", timedelta(hours=12)),
        ),
        (f"protect web-1 app@{DIGEST}", Protect(Verb.PROTECT, "web-1", Kind.IMAGE, f"app@{DIGEST}")),
        ("protect web-1 container:job-*", Protect(Verb.PROTECT, "web-1", Kind.CONTAINER, "job-*")),
        ("protect web-1 image:volume:1", Protect(Verb.PROTECT, "web-1", Kind.IMAGE, "volume:1")),
        ("unprotect web-1 network:front", Protect(Verb.UNPROTECT, "web-1", Kind.NETWORK, "front")),
        ("protections", Protections()),
        ("protections web-1", Protections("web-1")),
    ],
)
def test_a_decision_is_read_as_it_was_typed(text: str, command: object) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("freeze", "Say where"),
        ("unfreeze --all", "Say where"),
        ("stop --now", "takes no option"),
        ("protect web-1", "Say where and what"),
        ("protect web-1 app:1 app:2", "Say where and what"),
        ("protect web-1 app:1 --for", "--for needs a time"),
        ("protect web-1 app:1 --for 3w", "--for needs a time"),
        ("protect web-1 app:1 --for 0d", "--for needs a time"),
        ("protect web-1 app:1 --for 9999d", "--for needs a time"),
        ("unprotect web-1 app:1 --for 3d", "Say where and what"),
        ("protect web-1 app:[z-a]", "'z' at character 6"),
        ("protect web-1 App:1", "'A' at character 1"),
        ("protect web-1 container:a/b", "'/' at character 2"),
        ("protections web-1 web-2", "takes one host"),
        ("protect web-1 volume:pgdata", "Volumes are never removed"),
        ("unprotect web-1 Volumes:pgdata", "Volumes are never removed"),
    ],
)
def test_what_cannot_be_read_is_answered(text: str, words: str) -> None:
    found = parse(text)

    assert isinstance(found, UsageReply), found
    assert words in found.text


@pytest.mark.parametrize(
    ("line", "patterns", "why"),
    [
        ("web-1", ("web-1",), ""),
        ("web-1 db-1 Disk is swapped", ("web-1", "db-1"), "Disk is swapped"),
        ("web-1,DB-1 why", ("web-1", "db-1"), "why"),
        ("web-* release", ("web-*",), "release"),
        ("wbe-1 release", ("wbe-1",), "release"),
        ("web-1 dv-* release", ("web-1", "dv-*"), "release"),
    ],
)
def test_hosts_lead_and_why_follows(line: str, patterns: tuple[str, ...], why: str) -> None:
    assert targets(line.split(), HOSTS) == (patterns, why)


def test_what_is_about_two_things_at_one_host_is_two_decisions() -> None:
    def stop(host: str, order: str) -> Decided:
        return Decided("", host, Verb.STOP, NOON, BO, "C1", order_id=order)

    stops = [stop("web-1", "a"), stop("web-2", "b"), stop("web-1", "c")]

    assert [(turn, one.order_id) for turn, one in turns(stops)] == [(0, "a"), (0, "b"), (1, "c")]
