"""People choose what goes ahead: what is confirmed is what the button was drawn for, and no more (S3)."""

from collections.abc import Iterator

import pytest

from bot.edits import EDITED, KEEP, KEEP_FOR, KINDS, NAMED, OBJECTS, WORDS, Edited
from bot.memory.choices import Choices
from bot.render import CANCEL, EDIT, EXECUTE, HOSTS, START
from bot.requests import Choice
from bot.starts import EXECUTE as TO_EXECUTE
from bot.starts import START_HOSTS, START_KINDS, START_VERB
from tests.service.bot_stage import Clock, HandDriven, Stage, listen
from tests.workspace import Message
from tests.workspace.records import View
from workers.contract import ExecutionOrder, Kind, Plan, PlanRequest, ProtectOrder
from workers.signing import digest

ALL_KINDS = [kind.value for kind in Kind]


@pytest.fixture
def bot(stage: Stage) -> Iterator[None]:
    with stage.bot():
        yield


@pytest.fixture
def driven(stage: Stage) -> Iterator[HandDriven]:
    made = HandDriven(stage, Clock())
    listen(stage, made)
    yield made
    made.close()


def two_plans(stage: Stage) -> dict[str, Plan]:
    stage.slack.command("ana", "ops", "/prune preview web-1 web-2")
    return {name: stage.host(name).answer_with_plan() for name in ("web-1", "web-2")}


def form(stage: Stage, user: str = "ana") -> View:
    found = stage.slack.wait_for(lambda: stage.slack.view(user), what=f"a form for {user}")
    assert isinstance(found, View)
    return found


def drawn(stage: Stage, user: str, words: str) -> View:
    def says() -> View | None:
        view = stage.slack.view(user)
        return view if view and words in str(view.blocks) else None

    found = stage.slack.wait_for(says, what=f"a form that says {words!r}")
    assert isinstance(found, View)
    return found


def buttons(root: Message) -> list[str]:
    return [control.label for control in root.controls if control.action_id in (EXECUTE, EDIT, CANCEL)]


def order_of(stage: Stage, host: str = "web-1") -> ExecutionOrder:
    order = stage.host(host).take()
    assert isinstance(order, ExecutionOrder)
    return order


def test_a_host_that_is_not_ticked_gets_no_order(stage: Stage, bot: None) -> None:
    plans = two_plans(stage)
    root = stage.ready_root("400 MB on 2 hosts?")
    assert buttons(root) == ["Edit", "Edit", "Prune 2 Hosts", "Cancel"]

    stage.slack.choose("ana", root, HOSTS, ["web-2"])
    chosen = stage.root("Prune 200 MB on web-2?")
    assert "web-1 is left out. It would free 200 MB" in chosen.plain
    stage.slack.click("bo", chosen, EXECUTE)

    assert order_of(stage, "web-2").plan_digest == digest(plans["web-2"])
    assert "web-1 was left out, nothing was removed." in stage.root("Confirmed: prune 200 MB on web-2.").plain
    assert stage.host("web-1").queued == 0
    assert stage.slack.violations == ()


def test_s3_a_button_from_before_a_choice_means_nothing(stage: Stage, bot: None) -> None:
    two_plans(stage)
    before = stage.ready_root("400 MB")
    stage.slack.choose("ana", before, HOSTS, ["web-2"])
    stage.root("Prune 200 MB on web-2?")

    stage.slack.click("bo", before, EXECUTE)

    stage.told("bo", "The plans changed after you saw them.")
    assert [stage.host(name).queued for name in ("web-1", "web-2")] == [0, 0]


def test_with_no_host_ticked_there_is_nothing_to_press_until_one_is(stage: Stage, bot: None) -> None:
    two_plans(stage)
    stage.slack.choose("ana", stage.ready_root("400 MB"), HOSTS, [])
    none = stage.root("Nothing is chosen on web-1 and 1 more.")
    assert buttons(none) == ["Edit", "Edit", "Cancel"]

    stage.slack.choose("ana", none, HOSTS, ["web-1", "web-2"])
    assert "Prune 2 Hosts" in buttons(stage.root("Prune 400 MB on 2 hosts?"))


def test_an_edit_shows_the_new_total_and_the_order_leaves_out_what_was_left_out(
    stage: Stage, bot: None
) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan(steps=3)
    stage.slack.click("ana", stage.ready_root("300 MB"), EDIT)
    view = form(stage)
    assert "*web-1* would free *300 MB*: 3 images (300 MB)." in str(view.blocks)

    stage.slack.choose("ana", view, OBJECTS, ["1"])
    view = drawn(stage, "ana", "would free *200 MB*")
    assert "Left out: 1 image." in str(view.blocks)
    assert stage.root().first_line.startswith("Prune 300 MB")
    stage.slack.submit("ana", view)
    edited = stage.root("Prune 200 MB on web-1?")
    assert (stage.slack.view("ana"), "Left out: 1 image." in edited.plain) == (None, True)

    stage.slack.click("bo", edited, EXECUTE)
    order = order_of(stage)
    assert (order.plan_digest, order.excluded) == (digest(made), (1,))
    assert stage.slack.violations == ()


def test_what_cannot_go_without_what_is_left_out_is_named_with_it(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan(steps=9, is_chained=True)
    stage.slack.click("ana", stage.ready_root("900 MB"), EDIT)
    stage.slack.choose("ana", form(stage), OBJECTS, ["1"])
    view = drawn(stage, "ana", "would free *100 MB*")

    first = "image `app:2` (image `app:1`), image `app:3` (image `app:2`), image `app:4` (image `app:3`)"
    rest = "image `app:5` (image `app:4`), image `app:6` (image `app:5`) and 2 more."
    assert f"Cannot go without what else is left out: {first}, {rest}" in str(view.blocks)
    stage.slack.submit("ana", view)
    stage.slack.click("bo", stage.root("Prune 100 MB on web-1?"), EDIT)
    assert f"Cannot go without what else is left out: {first}, {rest}" in str(form(stage, "bo").blocks)

    stage.slack.choose("bo", form(stage, "bo"), OBJECTS, ["0"])
    view = drawn(stage, "bo", "nothing is removed there")
    assert "image `app:1` (image `app:0`)" in str(view.blocks)
    assert stage.slack.violations == ()


def test_a_form_that_leaves_nothing_leaves_the_host_out_and_may_take_it_in_again(
    stage: Stage, bot: None
) -> None:
    two_plans(stage)
    stage.slack.click("ana", stage.ready_root("400 MB"), EDIT)
    stage.slack.submit("ana", form(stage), {KINDS: []})
    left = stage.root("Prune 200 MB on web-2?")

    stage.slack.click("bo", left, EDIT)
    assert "taken in again" in str(form(stage, "bo").blocks)
    stage.slack.submit("bo", form(stage, "bo"))

    stage.root("Prune 400 MB on 2 hosts?")


def test_what_a_menu_has_no_room_for_is_left_out_by_its_name(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan(steps=303)
    stage.slack.click("ana", stage.ready_root("30.3 GB"), EDIT)
    view = form(stage)
    assert "3 smaller objects" in str(view.blocks)

    stage.slack.submit("ana", view, {NAMED: "app:301 app:nine"})
    view = drawn(stage, "ana", "Leave out by name")
    assert "Nothing that would go on web-1 is called app:nine." in str(view.errors)
    stage.slack.submit("ana", view, {NAMED: " ".join(f"app:{n}" for n in range(WORDS + 1))})
    view = drawn(stage, "ana", "Leave out by name")
    assert "These are 201 names; 200 are taken at once." in str(view.errors)
    stage.slack.submit("ana", view, {NAMED: "app:301, app:30[02]"})
    edited = stage.root("Prune 30.0 GB on web-1?")
    stage.slack.click("bo", edited, EXECUTE)

    assert order_of(stage).excluded == (300, 301, 302)
    assert stage.slack.violations == ()


def test_what_is_always_kept_is_left_out_and_protected_on_its_host(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    made = stage.host().answer_with_plan()
    stage.slack.click("ana", stage.ready_root(), EDIT)
    stage.slack.submit("ana", form(stage), {KEEP: ["0"], KEEP_FOR: "30d"})

    stage.root("Prune 100 MB on web-1?")
    order = stage.host().take()
    assert isinstance(order, ProtectOrder)
    assert (order.kind, order.pattern) == (Kind.IMAGE, made.steps[0].object.name)
    assert order.until is not None
    assert (order.until - order.decided_at).days == 30


def test_s12_who_may_not_execute_edits_nothing(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    root = stage.ready_root()
    stage.slack.click("cy", root, EDIT)
    stage.slack.submit("cy", form(stage, "cy"), {KINDS: []})

    assert "may do this" in str(drawn(stage, "cy", "Only").blocks)
    assert stage.root().ts == root.ts
    assert stage.root().first_line == root.first_line


def test_s12_who_asked_and_may_only_look_leaves_out_but_protects_nothing(stage: Stage, bot: None) -> None:
    stage.slack.command("dee", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    stage.slack.click("dee", stage.ready_root(), EDIT)
    stage.slack.submit("dee", form(stage, "dee"), {KEEP: ["0"]})
    drawn(stage, "dee", "Only")
    assert stage.root().first_line.startswith("Prune 200 MB")
    assert stage.host().queued == 0

    stage.slack.close_view("dee")
    stage.slack.click("dee", stage.root(), EDIT)
    stage.slack.submit("dee", form(stage, "dee"), {OBJECTS: ["0"]})
    stage.root("Prune 100 MB")


def test_a_form_handed_in_after_the_decision_counts_for_nothing(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    root = stage.ready_root()
    stage.slack.click("ana", root, EDIT)
    view = form(stage)
    stage.slack.click("bo", root, EXECUTE)
    assert order_of(stage).excluded == ()

    stage.slack.submit("ana", view, {OBJECTS: ["0"]})

    drawn(stage, "ana", "Already confirmed")


def test_where_slack_opens_no_form_whoever_asked_for_it_is_told(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune preview web-1")
    stage.host().answer_with_plan()
    stage.slack.fail_next("views.open")
    stage.slack.click("ana", stage.ready_root(), EDIT)
    stage.told("ana", "Slack did not open the form")

    stage.slack.fail_next("views.open")
    stage.slack.command("ana", "ops", "/prune")
    stage.slack.wait_for(
        lambda: sum("did not open" in m.plain for m in stage.slack.ephemerals("ana")) == 2, what="the answer"
    )


def test_s11_a_choice_after_the_decision_changes_nothing(stage: Stage, driven: HandDriven) -> None:
    driven.command("preview web-1")
    driven.carry_on()
    stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on(6)
    driven.click(EXECUTE)
    (dossier,) = driven.parts.reception.typed.dossiers.open()
    choices = Choices(driven.parts.database)

    late = choices.choose(
        dossier.asked.id, [Choice("web-1", (0,))], at=driven.clock(), by=driven.person("bo")
    )
    driven.carry_on()

    assert (late, choices.of(dossier.asked.id)) == (False, ())
    assert order_of(stage).excluded == ()


def test_a_restart_forgets_no_choice(stage: Stage) -> None:
    with stage.bot():
        stage.slack.command("ana", "ops", "/prune preview web-1")
        stage.host().answer_with_plan()
        stage.slack.click("ana", stage.ready_root(), EDIT)
        stage.slack.submit("ana", form(stage), {OBJECTS: ["1"]})
        stage.root("Prune 100 MB")
    with stage.bot():
        stage.slack.click("bo", stage.root("Prune 100 MB"), EXECUTE)
        assert order_of(stage).excluded == (1,)


# The form of a bare command


def test_a_bare_command_opens_a_form_that_asks_as_words_would(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune")
    view = form(stage)
    assert view.body["callback_id"] == START
    stage.slack.submit("ana", view, {START_HOSTS: ["web-2"], START_KINDS: ["image", "network"]})

    request = stage.host("web-2").take()
    assert isinstance(request, PlanRequest)
    assert request.kinds == (Kind.IMAGE, Kind.NETWORK)
    stage.told("ana", "Asking web-2 for a plan.")
    assert (stage.host("web-1").queued, stage.slack.view("ana")) == (0, None)
    assert stage.slack.violations == ()


def test_to_execute_the_form_wants_hosts(stage: Stage, bot: None) -> None:
    stage.slack.command("ana", "ops", "/prune")
    stage.slack.submit("ana", form(stage), {START_VERB: TO_EXECUTE})

    found = stage.slack.wait_for(lambda: form(stage).errors, what="an error in the form")
    assert found == {START_HOSTS: "To execute, name the hosts."}


def test_s12_who_may_not_look_gets_no_form(stage: Stage, bot: None) -> None:
    stage.slack.command("cy", "ops", "/prune")

    stage.told("cy", "not for guests")
    assert stage.slack.view("cy") is None


def test_s12_a_form_waits_until_slack_has_said_who_hands_it_in(stage: Stage, driven: HandDriven) -> None:
    driven.command("preview web-1")
    driven.carry_on()
    stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on(6)
    (dossier,) = driven.parts.reception.typed.dossiers.open()
    click = driven.pressed(EDIT, stage.roots()[-1], user="bo", trigger="t-open")
    view = driven.parts.reception.choosing.open(click)
    assert view is not None
    filled = driven.filled(view, {KINDS: ALL_KINDS, OBJECTS: ["0"]}, user="bo", trigger="t-fill")

    assert driven.parts.reception.fill(filled) is None
    waiting = Choices(driven.parts.database).of(dossier.asked.id)
    driven.parts.doorkeeper.step()

    assert (waiting, driven.told("t-fill")) == ((), "")
    assert Choices(driven.parts.database).of(dossier.asked.id) == (Choice("web-1", (0,)),)


def test_s3_a_form_of_another_plan_chooses_nothing(stage: Stage, driven: HandDriven) -> None:
    """Steps are named by their numbers, which mean something else in another plan."""
    driven.command("preview web-1")
    driven.carry_on()
    stage.host().answer_with_plan()
    driven.hear()
    driven.carry_on(6)
    (dossier,) = driven.parts.reception.typed.dossiers.open()
    of = Edited(dossier.asked.id, "web-1", "sha256:another", stage.channel, "")
    about = driven.parts.reception.presses.tickets.stamp(EDITED.dump_json(of).decode(), driven.person("bo"))
    view = {"callback_id": EDIT, "private_metadata": about}

    said = driven.parts.reception.fill(driven.filled(view, {KINDS: ()}, user="bo", trigger="t1"))

    assert "The plans changed after you saw them." in str(said)
    assert Choices(driven.parts.database).of(dossier.asked.id) == ()


def test_s14_what_is_wrong_with_a_form_that_had_to_wait_is_told_where_it_was_opened(
    stage: Stage, driven: HandDriven
) -> None:
    driven.command("preview web-1")
    driven.carry_on()
    stage.host().answer_with_plan(steps=303)
    driven.hear()
    driven.carry_on(2)
    click = driven.pressed(EDIT, stage.roots()[-1], user="ana", trigger="t0")
    view = driven.parts.reception.choosing.open(click)
    assert view
    values = {KINDS: ALL_KINDS, OBJECTS: ["0"], NAMED: ["app:nine"]}
    driven.wait(6 * 60)
    waiting = driven.parts.reception.fill(driven.filled(view, values, user="ana", trigger="t1"))
    driven.parts.doorkeeper.step()

    assert waiting is None
    assert "Nothing of your form was taken" in driven.told("t1")
    assert "app:nine" in driven.told("t1")
