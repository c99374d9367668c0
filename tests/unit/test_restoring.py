"""What a person reads of runs of the past, of a restore's plan, and of its report."""

import json
from datetime import timedelta

import pytest

from tests.unit.bot_values import NOON, order
from tests.unit.restore_values import (
    described,
    digest_of,
    image_id,
    network,
    network_id,
    planned,
    removal,
    removed_image,
    removed_network,
)
from tests.unit.test_restores import an_order, ended
from workers.cli import restoring
from workers.contract import FromArchive, Kind, Restored, RestoreOutcome, Status
from workers.planning.restorable import Answer
from workers.reasons import Code, reason
from workers.references import ImageName
from workers.restore.past import PastRun
from workers.restore.planning import Present
from workers.signing import digest

LATER = NOON + timedelta(minutes=5)
REMOVALS = [
    removed_image(1, "registry.example/app:1", "registry.example/app:2", at=0),
    removed_image(2, "local:1", at=1, repositories=()),
    removed_network(3, described("front", "10.0.0.0/24"), at=2),
    removed_network(4, described("back"), at=3),
    removal(Kind.CONTAINER, 4, "c" * 64, "job", json.dumps({"Name": "/job", "Image": "app:1"})),
    removal(Kind.BUILD_CACHE, 5, "r" * 25, "RUN make", "{}"),
]
PRESENT = Present(
    images={image_id(9)},
    tags={"registry.example/app:2": image_id(9)},
    networks={network_id(8): network("back", "10.9.0.0/24")},
    free=5 * 10**12,
)
ANSWERS = {ImageName.parse(f"registry.example/app@{digest_of(1)}"): Answer(given=True)}
PLAN = planned(*REMOVALS, present=PRESENT, answers=ANSWERS)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "local_time", lambda text: text[:16])


def test_a_plan_says_what_comes_from_where_and_what_stays_away_and_why() -> None:
    said = list(restoring.plan_lines(PLAN, now=LATER))

    assert said == [
        f"Bring back 2 objects of run o1 on web-1, {NOON.isoformat()[:16]}?"
        " 0 B to 100 MB needed, 5.00 TB are free.",
        "  ! What 1 container ran was not kept, so the command shown starts what its image starts."
        " Write what it ran behind the image. With keep_commands = true in the policy it is kept of later"
        " runs, as are the values of labels, with the secrets in them.",
        "",
        "network: bring back",
        "  front                                                    as it was described: bridge 10.0.0.0/24",
        "",
        "image: bring back",
        f"  registry.example/app:1                       0 B to 100 MB"
        f"  registry.example/app@{digest_of(1)[7:19]} (gives it back)",
        "         gets the tags registry.example/app:1",
        "         registry.example/app:2 names 000000000000 by now, and is left there",
        "",
        "  network back: another network of its name came since (000000000000)",
        "  image local:1: no registry is known to have had it",
        "  container job: what was written inside it is gone, so the command for one like it is only shown",
        "         docker create --name job app:1",
        "  1 build cache record: build cache comes back with the next build",
        "",
        f"Valid until {PLAN.expires_at.isoformat()[:16]}. To execute exactly this plan:",
        f"  python -m workers restore --confirm {digest(PLAN)}",
    ]


def test_a_plan_with_nothing_to_do_cannot_be_confirmed() -> None:
    said = list(restoring.plan_lines(planned(REMOVALS[1]), now=LATER))

    assert said[0].startswith("Nothing to bring back of run o1 on web-1")
    assert not any("--confirm" in line for line in said)


def test_a_report_tells_of_every_object_and_that_nothing_was_removed() -> None:
    first, second = (step.object for step in PLAN.steps)
    there, lost = reason(Code.ALREADY_THERE), reason(Code.NOT_GIVEN_BACK, reference="app")
    outcomes = (
        RestoreOutcome(index=0, object=first, outcome=Restored.ALREADY_THERE, reason=there),
        RestoreOutcome(index=1, object=second, outcome=Restored.RESTORED, tags=("app:1", "app:3")),
        RestoreOutcome(
            index=2,
            object=second,
            outcome=Restored.FAILED,
            reason=lost,
        ),
    )
    taken = reason(Code.TAG_TAKEN, name="app:2", image=image_id(9))
    report = ended(an_order()).model_copy(
        update={"status": Status.PARTIAL, "outcomes": outcomes, "findings": (taken,)}
    )

    assert list(restoring.report_lines(report, now=LATER)) == [
        "web-1: partial. 1 restored, 1 already there and 1 failed. Nothing was removed.",
        "  ! The tag app:2 names another image by now (000000000000) and is left there.",
        "",
        "  already there  front",
        "  restored       registry.example/app:1                       tagged app:1 and app:3",
        "  failed         registry.example/app:1                       the registry has app no more",
    ]


def test_the_runs_are_listed_with_what_they_removed_and_who_confirmed() -> None:
    run = PastRun(order("o1" * 8, digest(PLAN)), NOON, tuple(REMOVALS))
    forgotten = PastRun(order("o2" * 8, digest(PLAN)), NOON, ())
    first, second, how = restoring.run_lines([run, forgotten], "web-1")
    [nothing] = restoring.run_lines([], "web-1")

    assert first.startswith("o1o1o1o1o1o1  ")
    assert "1 stopped container, 2 images, 2 unused networks and 1 build cache record removed" in first
    assert "confirmed by T1/" in first
    assert second.endswith("; its ways back are forgotten")
    assert how.endswith("python -m workers restore RUN")
    assert nothing == "Nothing was removed on web-1 yet, as far as its ledger knows."
    assert restoring.run_as_json(run)["removed"] == {
        "container": 1,
        "image": 2,
        "network": 2,
        "build-cache": 1,
    }


def test_a_copy_in_the_archive_is_told_with_its_bytes() -> None:
    copy = FromArchive(file="2.tar.zst", size=25_000_000, sha256="ab")
    plan = planned(REMOVALS[1], present=Present(archived={image_id(2): copy}, free=10**12))

    [line] = [line for line in restoring.plan_lines(plan, now=LATER) if "local:1 " in line]
    assert line.endswith("from the archive (25.0 MB there)")
