"""Every function that makes a message or a form, with whatever hosts and people may be called."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Steps
from hypothesis import strategies as st

from bot import render
from bot.access import Denied
from bot.access import Why as WhyDenied
from bot.checks import Finding
from bot.commands import UsageReply
from bot.consent import Consent
from bot.decisions import Decided, State, Verb
from bot.past import Page, Totals, Turn
from bot.questions import Unanswered
from bot.questions import Why as WhyUnanswered
from bot.render import checking, inquiries, policy, receipts
from bot.render.blocks import Block, Message
from bot.requests import Contact, Holder
from bot.slack.answers import of_answer
from tests.unit.render_strategies import (
    ANSWERS,
    HALTS,
    NAMES,
    OBJECT_ANSWERS,
    POLICY_ANSWERS,
    SERVICES_ANSWERS,
    SIZES,
    TEXTS,
    VOLUMES_ANSWERS,
    parts,
    plans,
    reasons,
    reports,
    requests,
    runs,
    settlements,
    soughts,
)
from tests.unit.render_values import ANA, ASKED_SERVICES, ASKED_WHY, BO, NOW, ago, told_by
from tests.unit.restores_drawn import restores
from tests.unit.soundness import (
    assert_prose_unstyled,
    assert_sound,
    assert_sound_view,
    assert_unstyled,
    has_buttons,
)
from workers.contract import Kind, NotAnswered, OrderRefused, Person

# To shrink a request of hundreds of hosts takes minutes.
arbitrary = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Steps.explicit, Steps.reuse, Steps.generate],
)
Drawn = Message | list[Message] | Block
# What others are made with; each of those is tried.
TOOLS = {"blocks.message", "answers.said"}
# Words alone, where Slack takes nothing else.
BARE = {"receipts.without_details"}
# None where there is nothing to say.
SOMETIMES = {"unshown.unshown"}
# The tabs have a file of their own: test_render_home.
TABS = {"home.home", "home.shut_home", "home.undrawn_home", "home.unsaid_home"}
# Words of somebody else's, which name things in their own way.
PROSE = {
    "answers.form_not_opened",
    "answers.not_taken",
    "answers.usage",
    "checkup.checkup",
    "decisions.decision",
    "receipts.not_attached",
    "unshown.unshown",
}
MAY_HAVE_BUTTONS = {
    "root.root",
    "checking.checked",
    "inquiries.answered",
    "inquiries.explained",
    "history.history",
    "trouble.trouble",
}

HOST = st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True)
HOSTS = st.lists(HOST, min_size=1, max_size=300, unique=True).map(tuple)
FEW_HOSTS = st.lists(HOST, min_size=1, max_size=3, unique=True).map(tuple)
MOMENTS = st.sampled_from([None, NOW, ago(seconds=5), ago(hours=2), NOW + timedelta(days=1)])
ERRORS = TEXTS | st.sampled_from(["connection refused", "x_y_z: *bold* `code`\nsecond line", "&<>" * 999])
WHO = st.lists(TEXTS | st.sampled_from(["U0ANA", "S0DBAS", "T0AWAY/U0CARL"]), max_size=300).map(tuple)
PEOPLE = st.lists(
    st.builds(Person, team=st.just("T0HOME"), user=NAMES) | st.sampled_from([ANA, BO]), max_size=12
).map(tuple)
CHANNELS = st.lists(st.from_regex(r"C[A-Z0-9]{8,10}", fullmatch=True), max_size=300).map(tuple)
DENIED = st.builds(Denied, st.sampled_from(WhyDenied), WHO, CHANNELS, HOSTS, ERRORS)
CONSENTS = st.builds(
    Consent,
    needed=st.integers(1, 9),
    given=PEOPLE,
    who=WHO,
    takes_two=st.booleans(),
    requester=st.just(ANA),
    is_asker_entitled=st.booleans(),
    void=PEOPLE,
)
FINDING = st.builds(Finding, NAMES, st.booleans(), ERRORS | NAMES, st.lists(reasons(), max_size=3).map(tuple))
CONTACTS = st.builds(
    Contact,
    HOST,
    MOMENTS,
    st.sampled_from(["", "plan", "execute"]),
    MOMENTS,
    NAMES,
    st.lists(reasons(), max_size=4).map(tuple),
)
HOLDERS = st.builds(Holder, PEOPLE, MOMENTS, st.sampled_from(["", "sha256:" + "ab" * 32]) | NAMES)
SETS = st.dictionaries(HOST, st.sampled_from(["a", "b"]), max_size=40)
LINKS = st.sampled_from(["", "https://example.slack.com/archives/C0/p1"])


MARKS = st.just("3f9c1a")
CODES = st.sampled_from(["missing_scope", "not_in_channel", "is_archived", "token_revoked", "invalid_blocks"])
REFUSALS = st.builds(
    lambda code, needed: of_answer("chat.postMessage", status=200, code=code, needed=needed),
    CODES | ERRORS,
    ERRORS,
)


@st.composite
def decided(draw: st.DrawFn) -> list[Decided]:
    """One decision at any number of hosts, in whatever state at each."""
    one = Decided(
        *("d1", "web-1", draw(st.sampled_from(Verb)), NOW, draw(st.sampled_from([ANA, BO])), "C0OPS"),
        why=draw(TEXTS)[:300],
        kind=draw(st.sampled_from([Kind.IMAGE, Kind.CONTAINER, Kind.NETWORK])),
        pattern=draw(TEXTS),
        until=draw(MOMENTS),
    )
    states = draw(st.lists(st.sampled_from(State), min_size=1, max_size=4))
    why = tuple(draw(st.lists(reasons(), max_size=4)))
    return [
        replace(one, host=host, state=states[n % len(states)], reasons=why)
        for n, host in enumerate(draw(HOSTS))
    ]


@st.composite
def many(draw: st.DrawFn, few: st.SearchStrategy[Any]) -> list[Any]:
    return draw(st.lists(few, max_size=3)) * draw(st.sampled_from([1, 1, 7, 100]))


@st.composite
def unanswered(draw: st.DrawFn) -> Message:
    why = tuple(draw(st.lists(reasons(), min_size=1, max_size=12)))
    missing = Unanswered(draw(st.sampled_from(WhyUnanswered)), draw(MOMENTS), draw(ERRORS), why)
    return render.unanswered(replace(ASKED_WHY, object=draw(TEXTS)), missing, NOW)


@st.composite
def answered(draw: st.DrawFn) -> Message:
    told = {"host": "web-1", "at": NOW}
    event = draw(
        ANSWERS.map(told_by)
        | reasons().map(lambda why: NotAnswered(**told, reason=why))
        | st.lists(reasons(), min_size=1).map(lambda why: OrderRefused(**told, reasons=tuple(why)))
    )
    return render.answered(replace(ASKED_WHY, object=draw(TEXTS)), event, NOW)


@st.composite
def editing(draw: st.DrawFn) -> Block:
    part = draw(parts().filter(lambda part: part.plan is None or bool(part.plan.steps)))
    steps = [step.index for step in part.plan.steps] if part.plan else []
    out = draw(st.sets(st.sampled_from(steps), max_size=9)) if steps else set()
    tried = replace(part, excluded=tuple(out), is_left_out=draw(st.booleans()))
    step = st.sampled_from(part.plan.steps) if part.plan else st.nothing()
    follow = draw(st.lists(st.tuples(step, step), max_size=20)) if part.plan else []
    return render.editing(part, tried, "about", follow)


@st.composite
def page_of_history(draw: st.DrawFn) -> Message:
    found = draw(st.lists(runs(), max_size=10))
    links = dict.fromkeys((run.request_id for run in found), draw(LINKS))
    page = Page(tuple(found), Totals(len(found), draw(SIZES), draw(SIZES)), draw(SIZES))
    return render.history(page, draw(soughts()), links, dict.fromkeys(Turn, "v" * 2000) if found else {})


def no_host(word: str) -> UsageReply:
    return UsageReply(f'No host is called "{word}".')


def drawn(make: Callable[..., Drawn], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Drawn]:
    return st.builds(make, *arguments)


NOWS = st.just(NOW)
MADE: dict[str, st.SearchStrategy[Any]] = {
    "answers.already_settled": drawn(render.already_settled, settlements()),
    "answers.changed": drawn(render.changed, SETS, SETS),
    "answers.counted": drawn(render.counted, CONSENTS),
    "answers.elsewhere": drawn(render.elsewhere, st.just("C0OPS")),
    "answers.form_not_opened": drawn(render.form_not_opened, REFUSALS, MARKS),
    "answers.help_text": drawn(render.help_text),
    "answers.not_allowed": drawn(render.not_allowed, DENIED, MARKS),
    "answers.not_ours": drawn(render.not_ours),
    "answers.not_taken": drawn(render.not_taken, (ERRORS | NAMES).map("Nothing is called {}.".format)),
    "answers.not_told_in_time": drawn(render.not_told_in_time, MARKS),
    "answers.not_yet": drawn(render.not_yet),
    "answers.outdated": drawn(render.outdated),
    "answers.queue_unreachable": drawn(render.queue_unreachable),
    "answers.stopped_before": drawn(render.stopped_before),
    "answers.timed_out": drawn(render.timed_out, NOWS),
    "answers.too_late_to_choose": drawn(render.too_late_to_choose),
    "answers.usage": drawn(render.usage, (ERRORS | NAMES).map(no_host)),
    "answers.waited_too_long": drawn(render.waited_too_long),
    "checking.checked": drawn(
        checking.checked,
        st.just(ASKED_SERVICES),
        SERVICES_ANSWERS,
        st.none() | plans("web-1").flatmap(reports),
    ),
    "checkup.checkup": drawn(render.checkup, many(FINDING), st.just(NOW)),
    "decisions.already_stopped": drawn(render.already_stopped, HALTS),
    "decisions.deciding": drawn(render.deciding, decided()),
    "decisions.decision": drawn(render.decision, decided()),
    "decisions.not_protected": drawn(render.not_protected, TEXTS, HOSTS),
    "decisions.nothing_runs": drawn(render.nothing_runs, HOSTS),
    "decisions.protections": drawn(render.protections, decided(), NOWS),
    "details.details": drawn(render.details, parts()),
    "editing.editing": editing(),
    "forms.closed_form": drawn(lambda denied: render.closed_form(render.not_allowed(denied)), DENIED),
    "history.history": page_of_history(),
    "history.not_kept": drawn(render.not_kept),
    "hosts.hosts": drawn(
        render.hosts,
        many(
            st.builds(
                render.HostRow,
                *(HOST, MOMENTS, st.sampled_from(["", "plan", "execute", "restore"]), MOMENTS),
                st.lists(reasons(), max_size=5).map(tuple),
                st.none() | HOLDERS,
            )
        ),
        NOWS,
    ),
    "inquiries.answered": answered(),
    "inquiries.explained": drawn(
        lambda words, told: inquiries.explained(replace(ASKED_WHY, object=words), told, NOW, NOW),
        TEXTS,
        OBJECT_ANSWERS,
    ),
    "inquiries.unanswered": unanswered(),
    "inquiries.volumes": drawn(inquiries.volumes, HOST, VOLUMES_ANSWERS),
    "policy.policy": drawn(policy.policy, HOST, POLICY_ANSWERS, NOWS, NOWS),
    "receipts.asking": drawn(receipts.asking, HOSTS, st.dictionaries(HOST, HOLDERS, max_size=8)),
    "receipts.failed": drawn(receipts.failed, MARKS),
    "receipts.inquiring": drawn(receipts.inquiring, CONTACTS, NOWS, st.none() | HOLDERS),
    "receipts.looking_up": drawn(receipts.looking_up),
    "receipts.not_attached": drawn(receipts.not_attached, NAMES, REFUSALS, MARKS),
    "receipts.not_noted": drawn(receipts.not_noted, ERRORS),
    "receipts.not_readable": drawn(receipts.not_readable),
    "receipts.taken": drawn(receipts.taken),
    "report.report": drawn(render.report, parts(), NOWS),
    "restorable.restorable": drawn(render.restorable, st.lists(runs(), max_size=10)),
    "root.root": drawn(render.root, requests() | restores(), NOWS, st.none() | CONSENTS),
    "starting.starting": drawn(render.starting, HOSTS, st.just("about")),
    "trouble.trouble": drawn(render.trouble, plans("web-1").flatmap(reports).filter(render.is_troubled)),
    "underway.cancelled": drawn(render.cancelled, many(requests())),
    "unshown.goes_on_here": drawn(render.goes_on_here, MARKS),
    "unshown.unshown": drawn(render.unshown, REFUSALS, MARKS).filter(bool),
    "underway.underway": drawn(render.underway, many(st.tuples(requests() | restores(), LINKS)), NOWS),
}


def makers() -> Iterator[str]:
    """Whatever returns a message; and a form, where others may use it."""
    for found in pkgutil.iter_modules(render.__path__):
        module = importlib.import_module(f"bot.render.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                returns = get_type_hints(function)["return"]
                is_form = returns == Block and getattr(render, name, None) is function
                if returns in (Message, list[Message]) or is_form:
                    yield f"{found.name}.{name}"


def test_every_maker_is_tried() -> None:
    assert set(makers()) == set(MADE) - SOMETIMES | TOOLS | TABS | BARE


@pytest.mark.parametrize("name", MADE)
def test_whatever_is_made_is_sound(name: str) -> None:
    @arbitrary
    @given(MADE[name])
    def is_sound(made: Drawn) -> None:
        if isinstance(made, dict):
            assert_sound_view(made)
            return
        messages = made if isinstance(made, list) else [made]
        assert_sound(*messages)
        (assert_prose_unstyled if name in PROSE else assert_unstyled)(*messages)
        assert name in MAY_HAVE_BUTTONS or not any(map(has_buttons, messages))

    is_sound()
