import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.access import Denied, Why
from bot.checks import Finding
from bot.commands import UsageReply
from bot.consent import Consent
from bot.errors import SlackError
from bot.past import Page, Sought, Totals, Turn, run_of
from bot.questions import Unanswered
from bot.questions import Why as NoAnswer
from bot.render import (
    Block,
    HostRow,
    Message,
    already_settled,
    answered,
    cancelled,
    changed,
    checkup,
    closed_form,
    counted,
    details,
    details_file,
    editing,
    form_not_opened,
    goes_on_here,
    help_text,
    history,
    hosts,
    not_allowed,
    not_kept,
    not_told_in_time,
    not_yet,
    outdated,
    queue_unreachable,
    report,
    report_file,
    restorable,
    restore_plan_file,
    restore_report_file,
    root,
    starting,
    timed_out,
    trouble,
    unanswered,
    underway,
    unshown,
    usage,
)
from bot.render.receipts import asking, inquiring, not_attached
from bot.requests import Contact, HostPart, Phase, Settled, Settlement, Stage
from bot.scopes import NEXT_STEP, SCOPES
from bot.slack.answers import of_answer
from tests.unit.golden import EXAMPLES, FOLDER, assert_golden, assert_golden_views, assert_text
from tests.unit.render_values import (
    ANA,
    API_AS_ILL,
    API_CHECKED,
    API_UNCHECKED,
    API_WELL,
    ASKED_POLICY,
    ASKED_SERVICES,
    ASKED_VOLUMES,
    ASKED_WHY,
    BARE_POLICY,
    BO,
    CACHE_CHECKED,
    FROZEN,
    GONE_RUN,
    HELD,
    HOLDER,
    IN_USE,
    NO_LEDGER,
    NOW,
    OLD,
    POLICY,
    REFUSED_RUN,
    REQUESTS,
    SILENT_TROUBLE,
    STEPS,
    STOPPED_RUN,
    TROUBLED_RUN,
    ago,
    checked,
    planned,
    ran,
    run,
    told_by,
)
from tests.unit.restores_drawn import RESTORES
from tests.unit.soundness import TOKENS, outside_code, words
from tests.unit.test_render_home import HOMES
from tests.workspace.validate import validate_message, validate_view
from workers.contract import (
    HOST_TEAM,
    DiskPart,
    NotAnswered,
    ObjectAnswer,
    OrderRefused,
    PartUse,
    Person,
    Status,
    VolumesAnswer,
)
from workers.reasons import Code, reason

HOST_ROWS = (
    HostRow("web-1", NOW),
    HostRow("web-2", NOW, busy="plan", busy_since=ago(minutes=2)),
    HostRow("web-3", NOW, "execute", ago(minutes=9), holder=HOLDER),
    HostRow("db-1", ago(hours=5)),
    HostRow("db-2"),
    HostRow(
        "web-4",
        NOW,
        problems=(reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="keep_previus: no such key"),),
    ),
)
RUNS = (
    run_of(run("web-1")),
    replace(run_of(STOPPED_RUN), finished_at=ago(days=1), request_id="r-2", approvers=(ANA,)),
    replace(run_of(REFUSED_RUN), finished_at=ago(days=3), host="db-1"),
    replace(
        run_of(run("web-2", status=Status.INTERRUPTED, usage_after=None)),
        finished_at=ago(days=9),
        request_id="host-1",
        requester=Person(team=HOST_TEAM, user="root"),
        approvers=tuple(Person(team="T0HOME", user=f"U0N{n}") for n in range(5)),
    ),
)
BROUGHT_BACK = tuple(
    replace(RUNS[0], removed=0, freed=None, ran=0, status=status, back=back, wanted=4)
    for status, back in ((Status.DONE, 4), (Status.PARTIAL, 3), (Status.STOPPED, 1), (Status.REFUSED, 0))
)
NAMED_RUNS = [replace(run, order_id=f"{n}f2a" * 8) for n, run in enumerate(RUNS) if run.removed]
LINKS = {id_: f"https://example.slack.com/archives/C0OPS/p{id_[-1]}" for id_ in ("r-1", "r-2")}
SOUGHT = Sought(("web-*", "db-1"), (ANA, BO), ago(days=30), ago(days=1))
BOTH = {Turn.NEWER: "newer than that", Turn.OLDER: "older than this"}
REFUSED_ORDER = HostPart(
    "web-1",
    Stage.REFUSED,
    since=ago(minutes=1),
    ordered=True,
    reasons=(reason(Code.PLAN_EXPIRED, at=ago(minutes=2).isoformat()),),
)

MANY = ObjectAnswer(text="shop/app", found=(IN_USE, OLD.model_copy(update={"more": 3})), more=41)
NO_VOLUMES = VolumesAnswer(taken_at=ago(minutes=6), use=PartUse(part=DiskPart.VOLUMES, size=0, count=0))
INVALID = reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="keep_previus is not a key")
NO_ANSWER = reason(Code.PROBE_FAILED, probe="http://web/health", detail="connection refused")
BUSY = reason(Code.BUSY, detail="another worker runs as host web-1")


def missing(why: NoAnswer) -> Unanswered:
    return Unanswered(why, ago(hours=2), "refused", (NO_LEDGER,))


READY = REQUESTS["ready-one"]
TWO = Consent(
    needed=2, given=(BO,), who=("U0CARL", "S0DBAS"), takes_two=True, requester=READY.asked.requester
)

UNSHOWN = (
    *("not_in_channel", "channel_not_found", "is_archived", "restricted_action", "missing_scope"),
    *("token_revoked", "ratelimited"),
)


def slack_says(code: str) -> SlackError:
    status = 429 if code == "ratelimited" else 200
    return of_answer("chat.postMessage", status=status, code=code, needed="chat:write")


MESSAGES: dict[str, tuple[Message, ...]] = {
    **{f"root-{name}": (root(request, NOW),) for name, request in REQUESTS.items()},
    **{f"restore-{name}": (root(request, NOW),) for name, request in RESTORES.items()},
    "restore-approved-by-one-of-two": (root(RESTORES["ready"], NOW, replace(TWO, void=())),),
    "restore-runs": (
        restorable([replace(run, order_id=f"{n}f2a" * 8) for n, run in enumerate(RUNS)]),
        restorable([]),
    ),
    "root-approved-by-one-of-two": (root(READY, NOW, TWO),),
    "root-nobody-may": (root(READY, NOW, replace(TWO, who=(), given=(), void=(BO,))),),
    "counted": (counted(TWO),),
    "details": tuple(details(planned())),
    "report-done": (report(ran(run()), NOW),),
    "report-stopped": (report(ran(STOPPED_RUN), NOW),),
    "report-refused": (report(ran(REFUSED_RUN), NOW),),
    "report-unmeasured": (report(ran(run(usage_after=None)), NOW),),
    "report-order-refused": (report(REFUSED_ORDER, NOW),),
    "trouble": (
        trouble(TROUBLED_RUN),
        trouble(SILENT_TROUBLE),
        trouble(GONE_RUN),
        trouble(STOPPED_RUN),
    ),
    "history": (
        history(Page(RUNS, Totals(4, 17_100_000_000, 1)), Sought(), LINKS, {}),
        history(Page(RUNS[:1], Totals(2_031, 98_000_000_000), 10), SOUGHT, {}, BOTH),
        history(
            Page(RUNS[:2], Totals(12, 9_000_000_000), 10), Sought(people=(BO,)), LINKS, {Turn.NEWER: "x"}
        ),
        history(Page(BROUGHT_BACK, Totals(9, 4_000_000_000, restores=4), 3), Sought(), {}, BOTH),
        history(Page(), Sought(), {}, {}),
        history(Page(), SOUGHT, {}, {}),
        not_kept(),
    ),
    "hosts": (hosts(HOST_ROWS, NOW), hosts((), NOW)),
    "underway": (
        underway([(READY, "https://example.slack.com/archives/C0/p1"), (REQUESTS["executing"], "")], NOW),
        underway([], NOW),
        cancelled([READY, REQUESTS["ready-several"]]),
        cancelled([]),
    ),
    "help": (help_text(),),
    "why": (
        answered(ASKED_WHY, told_by(ObjectAnswer(text="shop/app:1.5.0", found=(IN_USE,))), NOW),
        answered(replace(ASKED_WHY, object="shop/app"), told_by(MANY), NOW),
        answered(
            replace(ASKED_WHY, object="shop/ap:1.5.0"),
            told_by(ObjectAnswer(text="shop/ap:1.5.0", nearest=("shop/app:1.5.0", "shop/app:1.4.0"))),
            NOW,
        ),
        answered(replace(ASKED_WHY, object="x"), told_by(ObjectAnswer(text="x")), NOW),
    ),
    "policy": (
        answered(ASKED_POLICY, told_by(POLICY), NOW),
        answered(ASKED_POLICY, told_by(BARE_POLICY), NOW),
        answered(ASKED_POLICY, NotAnswered(host="web-1", at=NOW, reason=INVALID), NOW),
    ),
    "volumes": (
        answered(ASKED_VOLUMES, told_by(HELD), NOW),
        answered(ASKED_VOLUMES, told_by(NO_VOLUMES), NOW),
    ),
    "services": (
        answered(ASKED_SERVICES, told_by(checked(API_CHECKED, CACHE_CHECKED, worse=1)), NOW, TROUBLED_RUN),
        answered(
            ASKED_SERVICES, told_by(checked(API_UNCHECKED, CACHE_CHECKED, unchecked=1)), NOW, TROUBLED_RUN
        ),
        answered(ASKED_SERVICES, told_by(checked(API_WELL, CACHE_CHECKED)), NOW, TROUBLED_RUN),
        answered(ASKED_SERVICES, told_by(checked(API_WELL, failing=(NO_ANSWER,))), NOW, TROUBLED_RUN),
        answered(ASKED_SERVICES, told_by(checked(API_AS_ILL, CACHE_CHECKED)), NOW, TROUBLED_RUN),
        answered(ASKED_SERVICES, told_by(checked(API_CHECKED, worse=9, more=30)), NOW),
        answered(ASKED_SERVICES, told_by(checked()), NOW),
        answered(
            ASKED_SERVICES,
            NotAnswered(host="web-1", at=NOW, reason=reason(Code.RUN_FORGOTTEN, run=ASKED_SERVICES.object)),
            NOW,
        ),
        unanswered(ASKED_SERVICES, Unanswered(NoAnswer.SILENT), NOW),
    ),
    "no-answer": (
        answered(ASKED_VOLUMES, NotAnswered(host="web-1", at=NOW, reason=reason(Code.DEADLINE)), NOW),
        answered(ASKED_VOLUMES, OrderRefused(host="web-1", at=NOW, reasons=(BUSY,)), NOW),
        *(
            unanswered(ASKED_WHY, Unanswered(why, ago(hours=2), "refused", (NO_LEDGER,)), NOW)
            for why in NoAnswer
        ),
        unanswered(ASKED_WHY, Unanswered(NoAnswer.SILENT), NOW),
    ),
    "asking": (
        inquiring(Contact("web-1", NOW), NOW),
        inquiring(Contact("web-1", NOW, "execute", ago(minutes=3)), NOW, HOLDER),
        inquiring(Contact("web-1", ago(hours=2)), NOW),
        inquiring(Contact("web-1"), NOW),
        asking(("web-1", "web-2"), {}),
        asking(("web-1", "web-2"), {"web-1": HOLDER}),
        asking(("web-1",), {}, in_thread=True),
        inquiring(Contact("web-1", NOW), NOW, in_thread=True),
    ),
    "answers": (
        usage(UsageReply('There is no kind called "<!here>". There are: images.')),
        already_settled(Settlement(Settled.CONFIRMED, ago(minutes=1), BO)),
        already_settled(Settlement(Settled.EXPIRED, ago(minutes=1))),
        changed(),
        changed({"web-1": "a", "web-2": "b", "web-3": "c"}, {"web-1": "a", "web-2": "d", "web-4": "e"}),
        changed({"web-1": "a"}, {"web-1": "a"}),
        not_yet(),
        timed_out(ago(minutes=1)),
        outdated(),
        queue_unreachable(),
    ),
    "denied": (
        not_allowed(Denied(Why.NO_RULES)),
        not_allowed(Denied(Why.NO_GROUP, hosts=("mail-1",))),
        not_allowed(Denied(Why.OTHER_CHANNEL, channels=("C0OPS", "C0WEB"))),
        not_allowed(Denied(Why.SHARED_CHANNEL)),
        not_allowed(Denied(Why.OTHER_TEAM)),
        not_allowed(Denied(Why.GUEST)),
        not_allowed(Denied(Why.LEFT)),
        not_allowed(Denied(Why.NOBODY)),
        not_allowed(Denied(Why.NOT_NAMED, who=("T0AWAY/U0CARL", "U0ANA", "S0DBAS"))),
        not_allowed(Denied(Why.NOT_ALONE, who=("U0ANA", "U0BO"))),
        not_allowed(Denied(Why.NOT_A_MEMBER)),
        not_allowed(Denied(Why.NOT_KNOWN, error="users.info: ratelimited"), "3f9c1a"),
        not_allowed(Denied(Why.NOT_KNOWN, error="conversations.info: channel_not_found"), "3f9c1a"),
    ),
    "checkup": (
        checkup(
            [
                Finding("Redis", is_good=True, says="answers"),
                Finding("scope files:write", False, f"missing, needed {SCOPES['files:write']}; {NEXT_STEP}"),
                Finding("host web-2", False, "gives no sign of life; is its worker running?"),
                Finding("host web-3", False, "worker 0.1.0, idle.", (FROZEN,)),
            ],
            NOW,
        ),
        checkup(
            [Finding("Redis", is_good=True, says="answers"), Finding("rules", is_good=True, says="")], NOW
        ),
    ),
    "unshown": (
        *filter(None, (unshown(slack_says(code), "3f9c1a") for code in UNSHOWN)),
        goes_on_here("3f9c1a"),
    ),
    "refused": (
        form_not_opened(slack_says("expired_trigger_id"), "3f9c1a"),
        form_not_opened(slack_says("invalid_arguments"), "3f9c1a"),
        form_not_opened(slack_says("token_revoked"), "3f9c1a"),
        not_told_in_time("3f9c1a"),
        not_attached("web-1-plan.txt", slack_says("missing_scope"), "3f9c1a"),
        not_attached("web-1-plan.txt", slack_says("file_uploads_disabled"), "3f9c1a"),
    ),
}


FILES = (
    (planned(), details_file),
    (ran(STOPPED_RUN), report_file),
    (RESTORES["ready"].parts[0], restore_plan_file),
    (RESTORES["interrupted"].parts[0], restore_report_file),
)
VIEWS: dict[str, tuple[Block, ...]] = {
    "form-start": (starting(("db-1", "web-1", "web-2"), "about"),),
    "form-edit": (
        editing(planned(), planned(), "about"),
        editing(planned(), replace(planned(), excluded=(0, 1)), "about", [(STEPS[1], STEPS[0])]),
        editing(replace(planned(), is_left_out=True), replace(planned(), is_left_out=True), "about"),
    ),
    "form-closed": (closed_form(changed()),),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_read_as_recorded(name: str) -> None:
    assert_golden(name, *MESSAGES[name])


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_recorded_message(name: str) -> None:
    assert [()] * len(MESSAGES[name]) == [validate_message(list(m.blocks)) for m in MESSAGES[name]]


@pytest.mark.parametrize("name", VIEWS)
def test_views_read_as_recorded(name: str) -> None:
    assert_golden_views(name, *VIEWS[name])


@pytest.mark.parametrize("name", VIEWS)
def test_slack_takes_every_recorded_view(name: str) -> None:
    assert [()] * len(VIEWS[name]) == [validate_view(view) for view in VIEWS[name]]


TITLE = re.compile(r"(?:[A-Z0-9]\S*|of|[a-z]+-\d+)(?: (?:[A-Z0-9]\S*|of|[a-z]+-\d+))*")
APOLOGY = r"\b(?:sorry|please|oops|unfortunately|apolog\w+|are you sure)\b"
TONE = re.compile(rf"{APOLOGY}|!(?:\s|$)|:[a-z_]+:|[\u2600-\u27bf]", re.IGNORECASE)


def labels(value: object) -> Iterator[str]:
    """What stands on buttons, those of dialogs included."""
    if isinstance(value, dict):
        yield from [value["text"]["text"]] if value.get("type") == "button" else ()
        yield from (value[key]["text"] for key in ("confirm", "deny") if "deny" in value)
        value = list(value.values())
    for inner in value if isinstance(value, list | tuple) else ():
        yield from labels(inner)


@pytest.mark.parametrize("name", MESSAGES)
def test_buttons_are_in_title_case_and_nothing_apologises_or_shouts(name: str) -> None:
    for message in MESSAGES[name]:
        assert all(TITLE.fullmatch(label) for label in labels(message.blocks)), list(labels(message.blocks))
        said = " ".join(TOKENS.sub("", outside_code(text)) for text in words(message.blocks))
        assert not TONE.search(said), said


def test_the_complete_lists_read_as_recorded() -> None:
    for part, file in FILES:
        assert_text(*file(part))


def test_no_recorded_message_is_left_over() -> None:
    names = {*MESSAGES, *VIEWS, *HOMES}
    files = {file(part)[0] for part, file in FILES}
    events = {"execution-finished.json", "execution-finished-before-trouble.json"}
    audit = {"audit-verify.txt", "audit-export.csv", "audit-export.jsonl", "host-audit.txt"}
    assert {f"{name}.txt" for name in names} | files | events | audit == {
        path.name for path in FOLDER.iterdir()
    }
    assert {f"{name}.json" for name in names} == {path.name for path in EXAMPLES.glob("*.json")}


def test_every_phase_is_recorded() -> None:
    assert {request.phase for request in REQUESTS.values()} == set(Phase)
