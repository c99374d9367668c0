"""Rules at work, on real Redis and a strict Slack: who is let in, what counts, and what is looked up when."""

import json
from collections.abc import Iterator

import pytest

from bot.arrivals import Click
from bot.memory.choices import Choices
from bot.render import CANCEL, EXECUTE
from bot.requests import Choice
from tests.service.bot_stage import Clock, HandDriven, Stage, listen
from tests.unit.bot_values import plan_failed
from workers.contract import ExecutionOrder, Plan
from workers.signing import digest

FIVE_MINUTES = 301
SIMPLE = 'execute = ["{ana}", "{bo}"]'
GROUP = 'execute = ["S01DOCKERADMINS"]'


def ruled(stage: Stage, allow: str, group: str = "", top: str = "") -> HandDriven:
    """A bot under rules for all hosts in one channel."""
    ids = {name: stage.slack.user_id(name) for name in ("ana", "bo", "cy", "dee")}
    stage.rules = (
        f'{top.format(**ids)}\n[group.web]\nhosts = ["web-*"]\n{group}\n'
        f'[[group.web.allow]]\nchannels = ["{stage.channel}"]\n{allow.format(**ids)}\n'
    )
    bot = HandDriven(stage, Clock())
    listen(stage, bot)
    return bot


QUESTIONS = ("why web-1 app:1", "policy web-1", "volumes web-1", "volumes nowhere")


@pytest.fixture
def bots() -> Iterator[list[HandDriven]]:
    made: list[HandDriven] = []
    yield made
    for bot in made:
        bot.close()


def ready(stage: Stage, bot: HandDriven, *, user: str = "ana", unusual: bool = False) -> Plan:
    """Ask, and let web-1 answer."""
    bot.command("preview web-1", user=user)
    bot.carry_on()
    made = stage.host().answer_with_plan(unusual=unusual)
    bot.hear()
    bot.carry_on(3)
    return made


def looked_up(stage: Stage) -> list[str]:
    names = ("users.info", "conversations.info", "usergroups.users.list")
    return [call.method for call in stage.slack.calls() if call.method in names]


def test_s12_two_approvals_are_counted_in_place_and_named_everywhere(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, 'execute = ["{ana}", "{bo}", "{dee}"]', "approvals = 2"))
    made = ready(stage, bot)
    drawn = [stage.roots()[0].plain]

    said = [bot.click(EXECUTE, user=user) for user in ("ana", "bo", "bo")]
    bot.carry_on(2)
    drawn.append(stage.roots()[0].plain)
    queued = stage.host().queued
    last = bot.click(EXECUTE, user="dee")
    bot.carry_on(2)
    drawn.append(stage.roots()[0].plain)
    order = stage.host().take()

    assert "Approvals: 0 of 2. May approve: @bo and @dee, but not @ana, who asked." in drawn[0]
    assert said[0].startswith("This takes two people, and you asked for it.")
    assert all(s.startswith("Your approval counts: 1 of 2. Nothing is removed yet.") for s in said[1:])
    assert "Approvals: 1 of 2: @bo." in drawn[1]
    assert (queued, last) == (0, "")
    assert "Confirmed by @bo and @dee" in drawn[2]
    assert isinstance(order, ExecutionOrder)
    assert order.approver == bot.person("dee")
    assert order.approvers == (bot.person("bo"), bot.person("dee"))
    assert order.plan_digest == digest(made)
    assert stage.slack.violations == ()


def test_s12_approvals_survive_a_restart(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, 'execute = ["{ana}", "{bo}", "{dee}"]', "approvals = 2"))
    ready(stage, bot)
    bot.click(EXECUTE, user="bo")
    bot.close()
    bots[:] = [again := HandDriven(stage, bot.clock)]
    listen(stage, again)

    assert again.click(EXECUTE, user="dee") == ""
    again.carry_on()
    assert stage.host().queued == 1


def test_s3_what_is_left_out_later_voids_approvals(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, 'execute = ["{ana}", "{bo}", "{dee}"]', "approvals = 2"))
    ready(stage, bot)
    bot.click(EXECUTE, user="bo")
    (dossier,) = bot.parts.reception.typed.dossiers.open()
    left_out, ana = [Choice("web-1", (0,))], bot.person("ana")
    Choices(bot.parts.database).choose(dossier.asked.id, left_out, at=bot.clock(), by=ana)
    bot.carry_on(2)

    said = bot.click(EXECUTE, user="dee")
    bot.carry_on(2)

    assert said.startswith("Your approval counts: 1 of 2.")
    assert "No longer counts, for the plans or the rules changed: @bo." in stage.roots()[0].plain
    assert stage.host().queued == 0


def test_s3_a_changed_set_of_plans_voids_approvals(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, 'execute = ["{ana}", "{bo}", "{dee}"]', "approvals = 2"))
    bot.command("preview web-1 web-2")
    bot.carry_on()
    stage.host().answer_with_plan()
    bot.wait(70)
    stage.host().beat()
    stage.host().tell(plan_failed(request="of-nobody"))
    bot.hear()
    bot.carry_on(4)
    bot.click(EXECUTE, user="bo")
    stage.host("web-2").answer_with_plan()
    bot.hear()
    bot.carry_on(3)
    root = stage.ready_root("2 hosts")

    said = bot.click(EXECUTE, user="dee", root=root)
    bot.carry_on(2)

    assert "Approvals: 0 of 2." in root.plain
    assert "No longer counts, for the plans or the rules changed: @bo." in root.plain
    assert said.startswith("Your approval counts: 1 of 2.")
    assert stage.host().queued == 0


@pytest.mark.parametrize(
    ("four_eyes", "unusual", "takes_two"),
    [('"always"', False, True), ('"100MB"', False, True), ('"1GB"', False, False), ('"never"', True, True)],
)
def test_s12_four_eyes_where_the_rules_say_so(
    stage: Stage, bots: list[HandDriven], four_eyes: str, unusual: bool, takes_two: bool
) -> None:
    bots.append(bot := ruled(stage, SIMPLE, f"four_eyes = {four_eyes}"))
    ready(stage, bot, unusual=unusual)
    drawn = stage.roots()[0].plain

    said = bot.click(EXECUTE, user="ana")
    bot.carry_on(2)

    assert ("Takes two people. May confirm: @bo, but not @ana, who asked." in drawn) is takes_two
    assert said.startswith("This takes two people") is takes_two
    assert stage.host().queued == (0 if takes_two else 1)


def test_s12_the_preview_of_who_may_only_look_takes_two_approvers(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, SIMPLE, 'four_eyes = "always"'))
    ready(stage, bot, user="dee")
    drawn = stage.roots()[0].plain

    first = bot.click(EXECUTE, user="ana")
    bot.carry_on(2)
    queued = stage.host().queued
    second = bot.click(EXECUTE, user="bo")
    bot.carry_on(2)

    assert "Approvals: 0 of 2." in drawn
    assert "but not @dee, who asked and may not execute." in drawn
    assert (first.split(".")[0], queued) == ("Your approval counts: 1 of 2", 0)
    assert (second, stage.host().queued) == ("", 1)


def test_s12_a_member_of_the_group_who_asks_is_the_first_of_two(stage: Stage, bots: list[HandDriven]) -> None:
    stage.slack.set_user_group("docker-admins", "ana", "bo")
    bots.append(bot := ruled(stage, GROUP, 'four_eyes = "always"'))
    ready(stage, bot, user="ana")
    drawn = stage.roots()[0].plain

    said = bot.click(EXECUTE, user="bo")
    bot.carry_on(2)

    assert "Takes two people. May confirm:" in drawn
    assert (said, stage.host().queued) == ("", 1)


def test_s12_who_asked_and_lost_the_right_is_not_the_first_of_two(
    stage: Stage, bots: list[HandDriven]
) -> None:
    stage.slack.set_user_group("docker-admins", "ana", "bo", "dee")
    bots.append(bot := ruled(stage, GROUP, 'four_eyes = "always"'))
    ready(stage, bot, user="ana")
    stage.slack.set_user_group("docker-admins", "bo", "dee")
    bot.wait(FIVE_MINUTES)

    said = bot.click(EXECUTE, user="bo")
    bot.carry_on(2)
    first = stage.host().queued
    bot.click(EXECUTE, user="dee")
    bot.carry_on(2)

    assert said.startswith("Your approval counts: 1 of 2.")
    assert (first, stage.host().queued) == (0, 1)


def test_s12_where_nobody_may_there_is_no_button(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, "execute = []"))
    ready(stage, bot)
    (root,) = stage.roots()

    press = json.dumps({"request": bot.store.open_requests()[0].asked.id, "set": "any"})
    click = Click(press, bot.person("bo"), stage.channel, "t1", "", message_ts=root.ts)
    bot.parts.reception.execute(click)

    assert [control.action_id for control in root.controls] == [CANCEL]
    assert "Nobody may execute this here" in root.plain
    assert bot.told("t1").startswith("Nobody may prune yet.")


def test_s12_nothing_is_looked_up_before_the_answer_and_it_is_again_after_five_minutes(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, GROUP))
    seen = []
    for number, (text, later) in enumerate([("preview web-1", 0), ("hosts", 0), ("hosts", FIVE_MINUTES)]):
        bot.wait(later)
        before = len(looked_up(stage))
        bot.parts.reception.command(bot.call(text, trigger=f"t{number}"))
        until_answered = len(looked_up(stage)) - before
        bot.parts.doorkeeper.step()
        seen.append((until_answered, len(looked_up(stage)) - before))

    # The group tells whether who asks is the first of two people, where it takes two.
    assert seen == [(0, 3), (0, 0), (0, 2)]
    assert bot.told("t2").startswith("2 hosts")


def test_s12_a_member_of_the_user_group_may_and_who_left_it_may_not(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)

    others = bot.click(EXECUTE, user="dee")
    stage.slack.set_user_group("docker-admins", "ana")
    bot.wait(FIVE_MINUTES)
    left = bot.click(EXECUTE, user="bo")
    bot.carry_on(2)

    assert others.startswith("Only <!subteam^S01DOCKERADMINS> may do this.")
    assert left.startswith("Only <!subteam^S01DOCKERADMINS> may do this.")
    assert stage.host().queued == 0


def test_s12_an_approval_whose_giver_left_the_group_no_longer_counts(
    stage: Stage, bots: list[HandDriven]
) -> None:
    stage.slack.set_user_group("docker-admins", "bo", "dee", "ana")
    bots.append(bot := ruled(stage, GROUP, "approvals = 2"))
    ready(stage, bot)
    bot.click(EXECUTE, user="bo")
    stage.slack.set_user_group("docker-admins", "dee", "ana")
    bot.wait(FIVE_MINUTES)

    said = bot.click(EXECUTE, user="dee")
    bot.carry_on(2)

    assert said.startswith("Your approval counts: 1 of 2.")
    assert "Approvals: 1 of 2: @dee." in stage.roots()[0].plain
    assert stage.host().queued == 0


def test_s12_who_lost_the_right_before_the_order_is_sealed_has_not_approved(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)
    bot.click(EXECUTE, user="bo")
    stage.slack.set_user_group("docker-admins", "ana")
    bot.wait(FIVE_MINUTES)

    bot.carry_on(2)

    (root,) = stage.roots()
    # Five minutes late, an order is given up before anybody is looked up.
    assert "nothing was removed" in root.first_line
    assert stage.host().queued == 0
    assert bot.store.open_requests() == ()


def test_s12_a_rule_taken_back_before_the_order_is_sealed_is_heeded(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, SIMPLE))
    ready(stage, bot)
    bot.click(EXECUTE, user="bo")
    bot.close()
    stage.rules = stage.rules.replace(stage.slack.user_id("bo"), stage.slack.user_id("dee"))
    bots[:] = [again := HandDriven(stage, bot.clock)]
    listen(stage, again)

    again.carry_on(3)

    (root,) = stage.roots()
    assert root.first_line == "An approval no longer counts, nothing was removed on web-1."
    assert (
        "Too few of those who agreed still may (0 of 1 approvals count, no longer that of @bo)" in root.plain
    )
    assert (stage.host().queued, again.store.open_requests()) == (0, ())


def test_s4_a_look_up_that_fails_is_a_no_with_its_reason(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)
    bot.wait(FIVE_MINUTES)
    stage.slack.revoke_scope("users:read")

    said = bot.click(EXECUTE, user="bo")
    bot.carry_on(2)

    assert said.startswith(
        "Slack did not say whether you may (users.info: missing_scope: users:read (to tell members from"
    )
    assert stage.host().queued == 0


@pytest.mark.parametrize("status", [429, 500])
def test_s14_a_look_up_that_has_to_wait_is_made_again(
    stage: Stage, bots: list[HandDriven], status: int
) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)
    bot.wait(FIVE_MINUTES)
    stage.slack.fail_next("usergroups.users.list", status=status, retry_after=5)

    said = bot.click(EXECUTE, user="bo", trigger="t1")
    bot.wait(6)
    bot.parts.doorkeeper.step()
    bot.carry_on()

    assert (said, bot.told("t1")) == ("", "")
    assert stage.host().queued == 1


def test_s14_one_that_has_to_wait_too_long_is_a_no(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)
    bot.wait(FIVE_MINUTES)
    stage.slack.fail_next("usergroups.users.list", status=429, retry_after=70, times=2)

    bot.click(EXECUTE, user="bo", trigger="t1")
    bot.wait(71)
    bot.parts.doorkeeper.step()

    said = bot.told("t1")
    assert said.startswith("Slack did not say whether you may (usergroups.users.list: ratelimited).")


def test_s14_what_waits_for_a_look_up_survives_a_restart(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, GROUP))
    ready(stage, bot)
    bot.wait(FIVE_MINUTES)
    root = stage.roots()[0]
    bot.parts.reception.execute(bot.pressed(EXECUTE, root, user="bo", trigger="t1"))
    bot.close()
    bots[:] = [again := HandDriven(stage, bot.clock)]
    listen(stage, again)

    again.parts.doorkeeper.step()
    again.carry_on()

    assert stage.host().queued == 1


@pytest.mark.parametrize("why", ["missing_scope", "plan_upgrade_required"])
def test_without_user_groups_the_static_list_rules(stage: Stage, bots: list[HandDriven], why: str) -> None:
    if why == "missing_scope":
        stage.slack.revoke_scope("usergroups:read")
    else:
        stage.slack.user_groups_need_plan()
    bots.append(bot := ruled(stage, 'execute = ["S01DOCKERADMINS", "{bo}"]'))
    ready(stage, bot)

    ana, bo = bot.click(EXECUTE, user="ana"), bot.click(EXECUTE, user="bo")
    bot.carry_on()

    assert ana.startswith(f"Slack did not say whether you may (usergroups.users.list: {why}")
    assert (bo, stage.host().queued) == ("", 1)


def test_s12_guests_are_turned_away_unless_named(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, 'execute = ["{bo}", "{cy}"]'))
    texts = ("preview web-1", "execute web-1", "hosts", "preview x", *QUESTIONS)
    away = [bot.command(text, user="cy") for text in texts]
    bot.close()
    bots[:] = [bot := ruled(stage, 'execute = ["{bo}", "{cy}"]', top='guests = ["{cy}"]')]

    assert {said.split(".")[0] for said in away} == {"Safe Prune is not for guests of this workspace"}
    assert bot.command("preview web-1", user="cy").startswith("Asking web-1")
    assert len(stage.roots()) == 0


def test_s12_a_deactivated_approver_and_a_shared_channel_are_out(
    stage: Stage, bots: list[HandDriven]
) -> None:
    bots.append(bot := ruled(stage, SIMPLE))
    stage.slack.deactivate("bo")
    left = bot.command("preview web-1", user="bo")
    stage.slack.share_channel("ops")
    bot.wait(FIVE_MINUTES)
    shared = [bot.command(text, user="ana") for text in ("preview web-1", *QUESTIONS)]
    bot.close()
    bots[:] = [bot := ruled(stage, SIMPLE, top=f'shared_channels = ["{stage.channel}"]')]

    assert left.startswith("This account is switched off")
    assert all(said.startswith("Other organisations are in this channel") for said in shared)
    assert bot.command("preview web-1", user="ana").startswith("Asking web-1")


def test_what_somebody_may_not_see_is_left_out(stage: Stage, bots: list[HandDriven]) -> None:
    bots.append(bot := ruled(stage, SIMPLE))
    stage.rules = stage.rules.replace("web-*", "web-2")
    bot.close()
    bots[:] = [bot := HandDriven(stage, Clock())]
    listen(stage, bot)

    assert bot.command("hosts").startswith("1 host,")
    assert bot.command("preview").startswith("Asking web-2 for a plan.")
    assert bot.command("preview web-1").startswith("No rule says anything about web-1.")
