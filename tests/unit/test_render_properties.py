import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import Phase as Steps
from hypothesis import strategies as st

from bot import questions
from bot.past import Page, Run, Sought, Totals, Turn
from bot.questions import Ask, Inquiry, Unanswered
from bot.questions import Why as NoAnswer
from bot.render import (
    AGAIN,
    CANCEL,
    CHECK,
    EDIT,
    EXECUTE,
    HOSTS,
    STOP,
    HostRow,
    Message,
    answered,
    details,
    details_file,
    editing,
    history,
    hosts,
    is_troubled,
    pressed,
    report,
    report_file,
    root,
    starting,
    trouble,
    unanswered,
)
from bot.render.blocks import TEXT_BUDGET, code, date, fit, is_called, mention, printable, weight, when
from bot.render.editing import FEWER, OBJECTS_LISTED
from bot.render.summary import gone_for_good
from bot.requests import HostPart, Phase, Request, Stage
from bot.wanted import Restore, read
from tests.unit.render_strategies import (
    ANSWERS,
    HOSTILE,
    NAMES,
    SIZES,
    TEXTS,
    VOLUMES_ANSWERS,
    parts,
    plans,
    reasons,
    reports,
    requests,
    runs,
    soughts,
)
from tests.unit.render_values import ASKED_VOLUMES, ASKED_WHY, NOW, REQUESTS, ago, planned, told_by
from tests.unit.render_values import request as of
from tests.unit.soundness import (
    CODE,
    actions,
    assert_sound,
    assert_sound_view,
    assert_unstyled,
    has_buttons,
    texts,
)
from workers.contract import Answer, NotAnswered, OrderRefused, Report, Topic, VolumesAnswer
from workers.reasons import Code, Reason, reason

# To shrink a request of hundreds of hosts takes minutes.
arbitrary = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Steps.explicit, Steps.reuse, Steps.generate],
)


@arbitrary
@given(requests())
def test_any_request_makes_a_sound_root_message(request: Request) -> None:
    drawn = root(request, NOW)
    assert_sound(drawn)
    assert_unstyled(drawn)


@pytest.mark.parametrize("count", [1, 2, 10, 11, 40, 41, 50, 60, 99, 101, 300])
@pytest.mark.parametrize("longer", ["", "-" + "x" * 22, "-" + "x" * 58])
@pytest.mark.parametrize("left_out", [False, True])
def test_any_number_of_hosts_with_names_of_any_length_has_room(
    count: int, longer: str, left_out: bool
) -> None:
    hosts = [replace(planned(f"h{n}{longer}"), is_left_out=left_out and n % 2 == 1) for n in range(count)]
    drawn = root(of(*hosts, phase=Phase.READY), NOW)
    assert_sound(drawn)
    assert EXECUTE in str(drawn.blocks)


def test_what_a_table_of_many_hosts_says_is_not_said_again() -> None:
    drawn = root(REQUESTS["ready-fifty"], NOW)
    told = "\n".join(texts(drawn.blocks))
    [table] = [block for block in drawn.blocks if block["type"] == "table"]
    assert len(table["rows"]) == 48
    assert "*web-47*" not in told
    assert all(f"*web-{n}*" in told for n in (48, 49, 50))


@arbitrary
@given(requests())
def test_s13_buttons_stand_under_a_plan_in_force_or_a_run_and_nowhere_else(request: Request) -> None:
    drawn = root(request, NOW)
    is_running = request.phase is Phase.EXECUTING and bool(request.stoppable)
    assert has_buttons(drawn) == (
        is_running or (request.phase is Phase.READY and not request.is_expired(NOW))
    )
    assert is_running == (STOP in str(drawn.blocks))


@arbitrary
@given(requests())
def test_what_removes_is_alone_in_red_and_asks_first_and_few_buttons_stand_together(request: Request) -> None:
    rows = [block["elements"] for block in actions(root(request, NOW))]
    buttons = [[one for one in row if one["type"] == "button"] for row in rows]

    assert all(len(row) <= 3 for row in buttons)
    for one in (button for row in buttons for button in row):
        removes = one["action_id"] == EXECUTE
        assert ("style" in one, "confirm" in one) == (removes, removes)
        if removes:
            assert one["style"] == one["confirm"]["style"] == "danger"
            assert one["confirm"]["title"]["text"] == f"{one['text']['text']}?"
            lost = gone_for_good(step for part in request.confirmable for step in part.chosen_steps)
            assert " ".join(["Volumes stay.", *lost]) in one["confirm"]["text"]["text"]


@arbitrary
@given(requests())
def test_whoever_hears_it_read_can_tell_its_buttons_apart(request: Request) -> None:
    blocks = root(request, NOW).blocks
    elements = [e for b in blocks for e in (*b.get("elements", ()), *[b.get("accessory") or {}])]
    buttons = [one for one in elements if one.get("type") == "button"]
    read = [one.get("accessibility_label", one["text"]["text"]) for one in buttons]

    assert len(read) == len(set(read))


def test_what_stays_is_counted_by_its_reasons_beside_what_goes() -> None:
    told = "\n".join(texts(root(REQUESTS["ready-one"], NOW).blocks))

    assert "Keeps 5: running 1, in use 1, way back 1, protected 1, other reasons 1." in told


@arbitrary
@given(requests())
def test_s13_whatever_is_waited_for_has_a_visible_end(request: Request) -> None:
    drawn = "\n".join(texts(root(request, NOW).blocks))
    is_open = request.phase is Phase.READY and not request.is_expired(NOW)
    waits_to_begin = any(part.stage is Stage.ORDERED for part in request.parts)

    assert ("Expires <!date^" in drawn) == (is_open and request.expires_at is not None)
    assert ("Answers are waited for until <!date^" in drawn) == (request.phase is Phase.PLANNING)
    if request.phase is Phase.EXECUTING and request.settlement and waits_to_begin:
        assert "The order expires <!date^" in drawn


@arbitrary
@given(requests())
def test_only_where_nothing_came_of_a_request_is_it_asked_for_again(request: Request) -> None:
    drawn = root(request, NOW)
    beside = [block["accessory"] for block in drawn.blocks if "accessory" in block]
    asks = [one for one in beside if one.get("action_id") == AGAIN]
    ordered = [part for part in request.parts if part.ordered]
    may_have_removed = any(part.report or part.stage is Stage.LOST for part in ordered)
    is_over = request.phase in (Phase.CLOSED, Phase.FINISHED) or request.is_expired(NOW)
    assert len(asks) <= 1
    assert not asks or (is_over and not (request.phase is Phase.FINISHED and may_have_removed))
    assert request.phase is not Phase.READY or bool(asks) == request.is_expired(NOW)


@arbitrary
@given(requests())
def test_s3_a_button_names_the_request_and_the_set_that_is_drawn(request: Request) -> None:
    drawn = root(request, NOW)
    elements = [e for b in drawn.blocks if b["type"] == "actions" for e in b["elements"]]
    for element in elements:
        if element["action_id"] not in (EXECUTE, CANCEL):
            continue
        found = pressed(element["value"])
        assert found
        assert (found.request, found.set_digest) == (request.asked.id, request.set_digest)


@arbitrary
@given(requests())
def test_who_chooses_sees_what_is_chosen_and_the_button_counts_it(request: Request) -> None:
    drawn = root(request, NOW)
    elements = [e for b in drawn.blocks for e in (*b.get("elements", ()), *[b.get("accessory") or {}])]
    by_action = {e.get("action_id"): e for e in elements}
    is_open = request.phase is Phase.READY and not request.is_expired(NOW)
    assert (EXECUTE in by_action) == (is_open and bool(request.confirmable))
    assert (EDIT in by_action or FEWER in str(drawn.blocks)) == is_open
    # Fifty hosts with the longest names and much to say of each have no room for it, and say so.
    assert EDIT in by_action or not is_open or len(request.parts) > 40
    if HOSTS in by_action:
        on = {option["value"] for option in by_action[HOSTS].get("initial_options", ())}
        assert on == {part.host for part in request.confirmable}


@settings(arbitrary, max_examples=15)
@given(plans("web-1").filter(lambda made: made.steps), st.booleans(), st.data())
def test_any_plan_makes_a_sound_form(made: Any, many: bool, data: st.DataObject) -> None:
    times = OBJECTS_LISTED // len(made.steps) + 1 if many else 1
    steps = tuple(step.model_copy(update={"index": n}) for n, step in enumerate(made.steps * times))
    part = HostPart("web-1", plan=made.model_copy(update={"steps": steps}))
    out = data.draw(st.sets(st.sampled_from([step.index for step in steps]), max_size=9))
    assert_sound_view(editing(part, replace(part, excluded=tuple(out)), "about"))


@arbitrary
@given(st.lists(st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True), min_size=1, max_size=300, unique=True))
def test_any_hosts_make_a_sound_form_to_start_with(names: list[str]) -> None:
    assert_sound_view(starting(names, "about"))


@arbitrary
@given(parts())
def test_any_host_makes_sound_replies(part: HostPart) -> None:
    replies = [report(part, NOW), *details(part)]
    assert_sound(*replies)
    assert_unstyled(*replies)


MENTION = re.compile(r"<[@!][^>]*>")


def leaves(message: Message) -> list[dict[str, Any]]:
    """What stands in rich text; nothing but the ends of logs does, as plain text in letters of one width."""
    found = []
    for block in message.blocks:
        for part in block["elements"] if block["type"] == "rich_text" else ():
            assert part["type"] == "rich_text_preformatted"
            found += part["elements"]
    assert all(leaf.keys() == {"type", "text"} and leaf["type"] == "text" for leaf in found)
    return found


DATE = re.compile(r"<!date\^(-?\d+)\^\{date_short_pretty\} \{time\}\|\d{1,4}-\d\d-\d\d \d\d:\d\d UTC>")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# The farthest from UTC that a time can be written, either way.
ZONES = st.timedeltas(timedelta(hours=-24, seconds=1), timedelta(hours=24, seconds=-1)).map(timezone)
EDGES = st.sampled_from([FIRST, LAST])
MOMENTS = st.datetimes(timezones=ZONES) | st.builds(datetime.replace, EDGES, tzinfo=ZONES)


@given(MOMENTS)
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))))
@example(datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))))
@example(LAST)
def test_any_time_is_shown_as_one_of_the_years_that_there_are(moment: datetime) -> None:
    found = DATE.fullmatch(date(moment))

    assert found
    assert FIRST.timestamp() <= int(found[1]) <= LAST.replace(microsecond=0).timestamp()
    if abs(moment - FIRST) > timedelta(days=1) < abs(LAST - moment):
        assert abs(int(found[1]) - moment.timestamp()) <= 1
    assert when(moment.isoformat()) == date(moment)


@given(
    st.text()
    | st.datetimes().map(datetime.isoformat)
    | EDGES.map(lambda edge: edge.replace(tzinfo=None).isoformat())
)
def test_whatever_came_as_a_time_is_shown_as_one_or_as_it_came(text: str) -> None:
    assert DATE.fullmatch(when(text)) or when(text) == code(text)


@arbitrary
@given(plans("web-1").flatmap(reports).filter(is_troubled))
def test_any_trouble_is_told_soundly(told: Report) -> None:
    drawn = trouble(told)
    assert_sound(drawn)
    assert_unstyled(drawn)
    assert weight(drawn.blocks) <= TEXT_BUDGET


@arbitrary
@given(plans("web-1").flatmap(reports).filter(is_troubled))
def test_whatever_a_host_tells_the_buttons_of_a_call_ask_for_its_own_run_back(told: Report) -> None:
    blocks = [block for block in trouble(told).blocks if block["type"] == "actions"]
    buttons = {button["action_id"]: button["value"] for block in blocks for button in block["elements"]}
    asked = questions.pressed(buttons.pop(CHECK))
    typed = [read(value) for value in buttons.values()]

    assert asked == Ask(Topic.SERVICES, told.host, told.order_id)
    assert [(one.host, one.wanted.run) for one in typed if isinstance(one, Restore)] == [
        (told.host, told.order_id)
    ] * len(typed)


@arbitrary
@given(plans("web-1").flatmap(reports).filter(is_troubled))
def test_trouble_calls_those_who_are_named_by_an_id_and_no_more_than_a_handful(told: Report) -> None:
    first, second, *_ = trouble(told).text.split("\n")
    named = [one for one in told.ping if is_called(one)][:5]
    known = {f"<!subteam^{one}>" if one.startswith("S") else f"<@{one}>" for one in named}

    assert MENTION.findall(first) == []
    called = set(MENTION.findall(second))
    assert called == known if named else called <= {mention(one) for one in (*told.agreed, told.requester)}
    assert called


@arbitrary
@given(plans("web-1").flatmap(reports).filter(is_troubled))
def test_no_line_of_a_log_leaves_its_place_or_becomes_two(told: Report) -> None:
    drawn = trouble(told)
    texts_ = [leaf["text"] for leaf in leaves(drawn)]

    assert "logged" not in "".join(texts([drawn.text, drawn.blocks])) + drawn.text
    for line in "\n".join(texts_).split("\n") if texts_ else ():
        assert line.isprintable()
        assert len(line) <= 300
        assert re.fullmatch(r"([0-9: -]{9,20})?(logged.*logged|logged.*…?.*|-)", line), line


SHELL_WORDS = re.compile(r"`docker (?:pull|tag) [a-z0-9.:/@_-]+(?: [A-Za-z0-9.:/_-]+)?`")


@arbitrary
@given(plans("web-1").flatmap(reports).filter(is_troubled))
def test_what_a_host_tells_becomes_no_command(told: Report) -> None:
    text = "\n".join(texts(trouble(told).blocks))

    assert [one for one in CODE.findall(text) if "docker " in one and not SHELL_WORDS.fullmatch(one)] == []


@arbitrary
@given(plans("web-1"))
def test_the_file_of_a_plan_names_every_object(plan: Any) -> None:
    _, text = details_file(HostPart("web-1", plan=plan))
    named = text.count("\n")
    assert named >= len(plan.steps) + sum(v.keep for v in plan.verdicts)


@arbitrary
@given(plans("web-1").flatmap(reports))
def test_the_file_of_a_run_names_every_object(told: Any) -> None:
    _, text = report_file(HostPart("web-1", report=told))
    assert text.count("\n") >= len(told.outcomes) + len(told.health)


@arbitrary
@given(st.lists(runs(), max_size=10), soughts(), st.booleans(), SIZES)
def test_any_page_of_the_history_is_sound_and_has_every_run(
    found: list[Run], sought: Sought, linked: bool, before: int
) -> None:
    links = {run.request_id: "https://example.slack.com/archives/C0/p1" for run in found} if linked else {}
    page = Page(tuple(found), Totals(before + len(found), before, before), before)
    drawn = history(page, sought, links, dict.fromkeys(Turn, "v" * 2000) if found else {})
    assert_sound(drawn)
    assert_unstyled(drawn)
    [rows] = [block["rows"] for block in drawn.blocks if block["type"] == "table"] or [[0]]
    assert len(rows) - 1 == len(found)


@arbitrary
@given(st.lists(reasons(), max_size=5), st.sampled_from([1, 300]))
def test_any_list_of_hosts_is_sound(problems: Any, times: int) -> None:
    row = HostRow("web-1", ago(seconds=5), "plan", NOW, tuple(problems))
    assert_sound(hosts([row] * times, NOW))


def inquiry(words: str) -> Inquiry:
    return replace(ASKED_WHY, object=words or "x")


@arbitrary
@given(ANSWERS, TEXTS)
def test_whatever_a_host_answers_about_itself_is_sound(told: Answer, words: str) -> None:
    drawn = answered(inquiry(words), told_by(told), NOW)
    assert_sound(drawn)
    assert_unstyled(drawn)


@arbitrary
@given(st.lists(reasons(), min_size=1, max_size=12), TEXTS, st.sampled_from(NoAnswer))
def test_whatever_keeps_an_answer_away_is_said_soundly(why: list[Reason], words: str, no: NoAnswer) -> None:
    missing = Unanswered(no, ago(days=1), words, tuple(why))
    told = {"host": "web-1", "at": NOW}
    drawn = [
        unanswered(inquiry(words), missing, NOW),
        answered(inquiry(words), NotAnswered(**told, reason=why[0]), NOW),
        answered(inquiry(words), OrderRefused(**told, reasons=tuple(why)), NOW),
    ]
    assert_sound(*drawn)
    assert_unstyled(*drawn)


@arbitrary
@given(VOLUMES_ANSWERS)
def test_s1_of_volumes_that_are_not_shown_it_is_said_how_many(told: VolumesAnswer) -> None:
    drawn = answered(ASKED_VOLUMES, told_by(told), NOW)
    body = "\n".join(b["text"]["text"] for b in drawn.blocks[1:] if b["type"] == "section")
    lines = body.split("\n") if body else []
    left = [line for line in lines if line.startswith("+")]
    hidden = int(left[0][1:].split()[0].replace(",", "")) if left else 0
    assert len(lines) - len(left) + hidden == len(told.volumes) + told.more
    assert "never removes a volume" in str(drawn.blocks)


@given(NAMES)
def test_a_name_is_one_visible_piece_of_code(name: str) -> None:
    assert CODE.fullmatch(code(name)) or code(name) == "(no name)"


@given(NAMES, st.integers(10, 120))
def test_a_shortened_name_shows_both_its_ends(name: str, most: int) -> None:
    shown = printable(name, most)
    assert len(shown) <= most
    assert shown[:4] == printable(name, 10**6)[:4]


@given(st.lists(st.text(max_size=30)), st.integers(100, 400))
def test_what_does_not_fit_is_counted(lines: list[str], room: int) -> None:
    shown = fit(lines, room, lambda left: f"+{left}")
    if shown != lines:
        assert shown[-1] == f"+{len(lines) - len(shown) + 1}"
    assert sum(len(line) + 1 for line in shown) <= room + 1


def test_what_is_pressed_elsewhere_is_no_button_of_ours() -> None:
    foreign = ("", "{}", "[1]", '{"request": 1, "set": "x"}', "[" * 9999)
    assert [pressed(value) for value in foreign] == [None] * len(foreign)


def test_hostile_names_are_shown_as_they_are() -> None:
    assert code(HOSTILE[0]) == "`&lt;!channel&gt;`"
    assert code("a`b") == "`a'b`"


def test_the_same_state_is_drawn_the_same_and_another_one_with_new_block_ids() -> None:
    once, again = (root(REQUESTS["ready-one"], NOW) for _ in range(2))
    other = root(REQUESTS["ready-several"], NOW)
    assert once == again
    assert not {b["block_id"] for b in once.blocks} & {b["block_id"] for b in other.blocks}
    assert EXECUTE in str(once.blocks)


@pytest.mark.parametrize(
    ("size", "first"),
    [(7, "0 B now on web-1, up to 7 B from "), (0, "Nothing to remove on web-1 yet.")],
)
def test_what_has_no_size_is_no_promise_of_bytes(size: int, first: str) -> None:
    later = reason(Code.WAITING, count=1, size=size, until=ago(hours=-7).isoformat())
    drawn = root(of(planned(steps=(), notices=(later,)), phase=Phase.CLOSED), NOW)

    assert drawn.text.startswith(first)
