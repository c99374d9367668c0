"""What is under way is shown, and taken back, where it was asked for and by whoever may."""

from dataclasses import replace

import pytest

from bot.permalinks import Permalinks
from bot.render import AGAIN, EXECUTE
from tests.service.bot_stage import HandDriven, Stage
from tests.unit.bot_values import finished, report, started, work_begun
from tests.workspace import Message
from workers.contract import Doing, ExecutionOrder, Kind, PlanRequest
from workers.signing import digest
from workers.wording import short


def ready(stage: Stage, bot: HandDriven, host: str = "web-1", *, user: str = "ana") -> None:
    bot.command(f"preview {host}", user=user)
    bot.carry_on()
    stage.host(host).answer_with_plan()
    bot.hear()
    bot.carry_on(6)


def lines(bot: HandDriven, text: str, trigger: str, *, user: str = "ana") -> str:
    """All that a command is answered."""
    said = bot.parts.reception.command(bot.call(text, user=user, trigger=trigger))
    bot.parts.doorkeeper.step()
    owed = next((note.message for note in bot.posts.owed() if note.id == trigger), said)
    return "\n".join(block["text"]["text"] for block in owed.blocks if block["type"] == "section")


def test_status_names_each_request_with_a_link_to_its_thread(stage: Stage, bot: HandDriven) -> None:
    assert "Nothing is under way in this channel." in lines(bot, "status", "t0")
    ready(stage, bot)
    ready(stage, bot, "web-2", user="bo")

    shown, one = lines(bot, "status", "t1"), lines(bot, "status web-2", "t2")

    links = [f"/archives/{stage.channel}/p{root.ts.replace('.', '')}|thread>" for root in stage.roots()]
    assert "2 requests under way in this channel" in shown
    assert all(link in shown for link in links)
    assert "Prune 200 MB on web-1?" in shown
    assert ("1 request under way" in one, "web-1" in one) == (True, False)
    assert "No host is called" in lines(bot, "status web-9", "t3")


def test_without_the_address_of_the_workspace_there_are_no_links(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    request = bot.parts.reception.typed.dossiers.open()[0].asked.id
    assert Permalinks(bot.posts, stage.slack.url).of([request, "another"]).keys() == {request}
    assert Permalinks(bot.posts, "").of([request]) == {}


def test_a_run_is_under_way_until_it_is_over(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)
    bot.click(EXECUTE)
    assert "Confirmed: prune 200 MB on web-1. Waiting for it to begin…" in lines(bot, "status", "t1")
    assert "Nothing that you could cancel" in lines(bot, "cancel web-1", "t2")
    bot.carry_on()
    order = stage.host().take()
    assert isinstance(order, ExecutionOrder)
    begun = work_begun(order.id, Doing.WATCHING_FOR_QUIET, at=bot.clock())
    stage.host().tell(begun.model_copy(update={"request_id": made.request_id}))
    bot.hear()
    assert "Pruning web-1…" in lines(bot, "status", "t3")
    ended = report(order.id, made, digest(made), at=bot.clock())
    stage.host().tell(started(order.id, made, at=bot.clock()), finished(ended, at=bot.clock()))
    bot.hear()
    bot.carry_on(8)
    assert "Nothing is under way" in lines(bot, "status", "t4")


def test_work_of_a_time_that_there_is_not_is_kept_unread_and_stops_nothing(
    stage: Stage, bot: HandDriven, caplog: pytest.LogCaptureFixture
) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)
    bot.click(EXECUTE)
    bot.carry_on()
    order = stage.host().take()
    assert isinstance(order, ExecutionOrder)
    stage.host().tell(started(order.id, made, at=bot.clock()))
    told = work_begun(order.id, Doing.SETTLING, at=bot.clock()).model_dump_json()
    for seconds in ("1e18", "-1", "1e999"):
        stage.host().seq += 1
        stage.host().put(told.replace('"seconds":0.0', f'"seconds":{seconds}'), stage.host().seq)
    bot.hear()
    bot.carry_on(4)

    assert caplog.text.count("cannot be read") == 3
    assert "Pruning web-1" in stage.roots()[-1].plain
    stage.host().tell(finished(report(order.id, made, order.plan_digest, at=bot.clock()), at=bot.clock()))
    bot.hear()
    bot.carry_on(6)
    assert bot.parts.reception.typed.dossiers.open() == ()
    with bot.parts.database.reading() as db:
        kept = [row["kind"] for row in db.execute("SELECT kind FROM events ORDER BY seq")]
    assert kept.count("unreadable") == 3
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_who_asks_a_host_that_is_being_pruned_reads_by_whom_since_when_and_what_ends_it(
    stage: Stage, bot: HandDriven
) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(6)
    bot.click(EXECUTE, user="bo")
    bot.carry_on()
    order = stage.host().take()
    stage.host().beat(busy="execute", since=bot.clock())
    stage.host().tell(started(order.id, made, at=bot.clock()))
    bot.hear()
    who, since = f"<@{stage.slack.user_id('bo')}>", f"<!date^{int(bot.clock().timestamp())}^"
    held = f"is being pruned by {who} since {since}"

    asked, hosts = lines(bot, "preview web-1", "t1"), lines(bot, "hosts", "t2")
    question = lines(bot, "policy web-1", "t3")
    bot.carry_on(3)
    waits = stage.roots()[-1]
    stage.host().beat()
    stage.host().tell(finished(report(order.id, made, digest(made), at=bot.clock()), at=bot.clock()))
    bot.hear()
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(3)

    for told in (asked, hosts, question):
        assert held in told
        assert f"(plan `{short(digest(made))}`)" in told
        assert "`/prune stop web-1` ends that after the object in hand." in told
    assert "is being pruned by @bo" in waits.plain
    assert "Its plan comes when that is over." in waits.plain
    assert stage.slack.message("ops", waits.ts).first_line.startswith("Prune 200 MB on web-1?")


def test_cancel_takes_back_what_one_asked_for_and_nothing_else(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    ready(stage, bot, "web-2", user="bo")

    said = lines(bot, "cancel", "t1")
    bot.carry_on(3)

    assert "Cancelled on web-1: nothing was removed by it." in said
    first, second = stage.roots()
    assert first.first_line == "Cancelled, nothing was removed on web-1."
    assert "Cancelled by @ana" in first.plain
    assert [len(root.controls) for root in (first, second)] == [1, 3]


def test_cancel_with_a_host_takes_back_what_others_asked_for(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot, user="bo")
    assert "Nothing that you could cancel" in lines(bot, "cancel", "t1")
    assert "Cancelled on web-1" in lines(bot, "cancel web-*", "t2")
    assert "Nothing that you could cancel" in lines(bot, "cancel web-1", "t3")


def test_what_timed_out_is_asked_for_again_with_a_press_and_only_once(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    old = stage.roots()[0]
    bot.wait(3601)
    bot.carry_on(2)
    over = stage.slack.message("ops", old.ts)

    said = [again(bot, over, trigger) for trigger in ("t1", "t2")]
    bot.carry_on(2)
    made = stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(2)

    assert "Timed out, nothing was removed on web-1." in over.first_line
    assert [control.label for control in over.controls] == ["Preview Again"]
    assert said[0] == "Asking web-1 for a plan. It comes in this channel; nothing is removed by it."
    assert said[1] == "1 request under way in this channel"
    assert [root.first_line.split("?")[0] for root in stage.roots()] == [
        "Timed out, nothing was removed on web-1.",
        "Prune 200 MB on web-1",
    ]
    assert (made.steps != (), stage.host().queued) == (True, 0)


def test_a_restore_of_the_same_host_is_not_taken_for_the_plan_that_is_asked_for_again(
    stage: Stage, bot: HandDriven
) -> None:
    ready(stage, bot)
    old = stage.roots()[0]
    bot.wait(3601)
    bot.carry_on(2)
    bot.command("restore web-1 last")
    bot.carry_on()
    stage.host().take()

    said = again(bot, stage.slack.message("ops", old.ts), "t1")

    assert said == "Asking web-1 for a plan. It comes in this channel; nothing is removed by it."


def test_the_same_kinds_are_asked_for_again(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1 --only images")
    bot.carry_on()
    first = stage.host().take()
    bot.wait(61)
    bot.carry_on(2)

    again(bot, stage.roots()[0], "t1", user="dee")
    bot.carry_on()
    second = stage.host().take()

    assert isinstance(first, PlanRequest)
    assert isinstance(second, PlanRequest)
    assert first.kinds == second.kinds == (Kind.IMAGE,)
    assert second.requester == bot.person("dee")


def test_s12_who_may_not_look_asks_for_nothing_again(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    bot.wait(3601)
    bot.carry_on(2)
    stage.slack.make_guest("cy")
    over = stage.roots()[0]

    said = again(bot, over, "t1", user="cy")
    elsewhere = again(bot, replace(over, ts="1.0"), "t2")
    bot.carry_on(2)

    assert said.startswith("Safe Prune is not for guests")
    assert elsewhere.startswith("This request is not known any more.")
    assert len(stage.roots()) == 1


def again(bot: HandDriven, root: Message, trigger: str, *, user: str = "ana") -> str:
    """Press what asks for another plan; what the presser reads."""
    bot.parts.reception.preview_again(bot.pressed(AGAIN, root, user=user, trigger=trigger))
    bot.parts.doorkeeper.step()
    return bot.told(trigger)


def test_s12_who_may_not_execute_cancels_nothing_of_others(stage: Stage, bot: HandDriven) -> None:
    ready(stage, bot)
    said = lines(bot, "cancel web-1", "t1", user="dee")
    bot.carry_on(2)

    assert "may do this" in said
    assert stage.roots()[0].controls
    ready(stage, bot, "web-2", user="dee")
    assert "Cancelled on web-2" in lines(bot, "cancel", "t2", user="dee")


def test_what_is_planned_still_can_be_taken_back(stage: Stage, bot: HandDriven) -> None:
    bot.command("preview web-1")
    bot.carry_on()
    assert "Planning on web-1…" in lines(bot, "status", "t1")
    assert "Cancelled on web-1" in lines(bot, "cancel", "t2")
    stage.host().answer_with_plan()
    bot.hear()
    bot.carry_on(4)
    assert stage.roots()[0].first_line == "Cancelled, nothing was removed on web-1."
