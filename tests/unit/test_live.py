"""The task of each host at work: none is left out, those to look at first, and no name becomes mark-up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.render.blocks import bulk, code
from bot.render.headlines import headline
from bot.render.live import TASKS, live
from bot.render.rich import rich_text
from bot.requests import HostPart, Phase, Request, Stage
from tests.unit.render_strategies import NAMES
from tests.unit.render_values import NOW, REQUESTS, at_work, planned, ran, request, run, work
from workers.contract import Doing, HealthChange, Status

STAGES = (Stage.ORDERED, Stage.EXECUTING, Stage.FINISHED, Stage.REFUSED, Stage.LOST)


def leaves(drawn: dict[str, list[dict[str, list[dict[str, object]]]]]) -> list[dict[str, object]]:
    return [leaf for section in drawn["elements"] for leaf in section["elements"]]


def of(stage: Stage, host: str) -> HostPart:
    if stage is Stage.FINISHED:
        return ran(run(host))
    return replace(at_work(host, Doing.REMOVING), stage=stage)


def waits(host: str = "web-1", stage: Stage = Stage.ORDERED) -> HostPart:
    return replace(planned(host), stage=stage, ordered=True)


def executing(parts: list[HostPart]) -> Request:
    return request(*parts, phase=Phase.EXECUTING)


@given(NAMES)
def test_a_name_is_one_piece_of_code_and_nothing_else(name: str) -> None:
    found = leaves(rich_text([f"before {code(name)} after"]))
    shown = code(name)
    if shown == "(no name)":
        assert [leaf["type"] for leaf in found] == ["text"]
        return
    assert [leaf.get("style") for leaf in found] == [None, {"code": True}, None]
    assert found[1]["text"] == shown[1:-1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_times_and_people_are_drawn_as_such() -> None:
    (first, _, person, _, group) = leaves(
        rich_text(["<!date^5^{date_short_pretty} {time}|1970> by <@U0ANA> of <!subteam^S1>"])
    )
    assert first == {
        "type": "date",
        "timestamp": 5,
        "format": "{date_short_pretty} {time}",
        "fallback": "1970",
    }
    assert (person["user_id"], group["usergroup_id"]) == ("U0ANA", "S1")


@given(st.lists(st.sampled_from(STAGES), min_size=1, max_size=90), st.integers(3_500, 9_000))
def test_every_host_is_a_task_or_counted_and_none_to_look_at_is_hidden(
    stages: list[Stage], room: int
) -> None:
    parts = [of(stage, f"h{n}") for n, stage in enumerate(stages)]
    tasks = live(executing(parts), NOW, room=room)["tasks"]
    named = [task for task in tasks if task["task_id"] != "others"]
    counted = next((int(task["title"].split()[0]) for task in tasks if task["task_id"] == "others"), 0)
    assert len(named) + counted == len(parts)
    assert len(tasks) <= TASKS
    assert bulk(tasks) <= room
    if counted and any(task["status"] != "error" for task in named):
        hidden = next(task for task in tasks if task["task_id"] == "others")
        assert hidden["status"] != "error"


def test_the_host_that_frees_most_comes_first() -> None:
    less = replace(at_work("web-0", Doing.REMOVING), excluded=(2, 3))
    tasks = live(executing([less, at_work("web-1", Doing.REMOVING)]), NOW, room=9_000)["tasks"]
    assert [task["task_id"] for task in tasks] == ["host-web-1", "host-web-0"]


def test_a_run_after_which_a_service_is_worse_is_no_success() -> None:
    made = run("web-1")
    worse = made.model_copy(
        update={"health": (made.health[0].model_copy(update={"change": HealthChange.REGRESSED}),)}
    )
    states = [
        live(executing([ran(one)]), NOW, room=9_000)["tasks"][0]["status"]
        for one in (made, worse, made.model_copy(update={"status": Status.STOPPED}))
    ]
    assert states == ["complete", "error", "error"]


def test_a_host_in_trouble_is_to_look_at_while_it_works() -> None:
    (task, *_) = live(REQUESTS["executing-no-ledger"], NOW, room=9_000)["tasks"]
    assert task["status"] == "error"


def test_one_that_waits_is_pending_and_under_way_once_it_says_what_it_does() -> None:
    waiting = replace(planned("web-1"), stage=Stage.ORDERED, ordered=True)
    begun = replace(waiting, work=at_work("web-1", Doing.LOOKING).work)
    states = [live(executing([part]), NOW, room=9_000)["tasks"][0]["status"] for part in (waiting, begun)]
    assert states == ["pending", "in_progress"]


def test_nothing_is_called_under_way_before_a_host_has_begun() -> None:
    alone = "Confirmed: prune 13.0 GB on web-1. Waiting for it to begin…"
    together = "Confirmed: prune 25.9 GB on 2 hosts. Waiting for them to begin…"
    at_it = replace(waits("web-2"), work=work("web-2", Doing.WATCHING_FOR_QUIET))
    told = [
        (alone, [waits()]),
        (together, [waits(), waits("web-2")]),
        (together, [waits(), waits("web-2", Stage.REFUSED)]),
        ("Pruning web-1 and 1 more…", [waits(), at_it]),
        ("Pruning web-1 and 1 more…", [waits(), waits("web-2", Stage.LOST)]),
        ("Pruning web-1 and 1 more…", [waits(), ran(run("web-2"))]),
    ]
    for said, parts in told:
        assert headline(executing(parts), NOW) == said
