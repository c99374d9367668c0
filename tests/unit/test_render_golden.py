from dataclasses import replace

import pytest

from bot.access import Denied, Why
from bot.commands import UsageReply
from bot.render import (
    HostRow,
    Message,
    already_settled,
    changed,
    details,
    details_file,
    help_text,
    history,
    history_row,
    hosts,
    invite_me,
    not_allowed,
    not_yet,
    outdated,
    queue_unreachable,
    report,
    report_file,
    root,
    timed_out,
    usage,
)
from bot.requests import HostPart, Phase, Settled, Settlement, Stage
from tests.unit.golden import FOLDER, assert_golden, assert_text
from tests.unit.render_values import (
    BO,
    NOW,
    REFUSED_RUN,
    REQUESTS,
    STOPPED_RUN,
    ago,
    planned,
    ran,
    run,
)
from tests.workspace.validate import validate_message
from workers.contract import Status
from workers.reasons import Code, reason

HOST_ROWS = (
    HostRow("web-1", NOW, version="26.1.5"),
    HostRow("web-2", NOW, busy="plan", busy_since=ago(minutes=2), version="28.5.2"),
    HostRow("db-1", ago(hours=5), version="26.1.5"),
    HostRow("db-2"),
    HostRow(
        "web-4",
        NOW,
        problems=(reason(Code.POLICY_INVALID, file="/etc/policy.toml", detail="keep_previus: no such key"),),
    ),
)
HISTORY_ROWS = (
    history_row(run("web-1")),
    replace(history_row(STOPPED_RUN), at=ago(days=1)),
    replace(history_row(REFUSED_RUN), at=ago(days=3), host="db-1"),
    replace(history_row(run("web-2", status=Status.INTERRUPTED, usage_after=None)), at=ago(days=9)),
)
REFUSED_ORDER = HostPart(
    "web-1",
    Stage.REFUSED,
    since=ago(minutes=1),
    ordered=True,
    reasons=(reason(Code.PLAN_EXPIRED, at=ago(minutes=2).isoformat()),),
)

MESSAGES: dict[str, tuple[Message, ...]] = {
    **{f"root-{name}": (root(request, NOW),) for name, request in REQUESTS.items()},
    "details": tuple(details(planned())),
    "report-done": (report(ran(run()), NOW),),
    "report-stopped": (report(ran(STOPPED_RUN), NOW),),
    "report-refused": (report(ran(REFUSED_RUN), NOW),),
    "report-unmeasured": (report(ran(run(usage_after=None)), NOW),),
    "report-order-refused": (report(REFUSED_ORDER, NOW),),
    "history": (history(HISTORY_ROWS, None), history((), "web-1")),
    "hosts": (hosts(HOST_ROWS, NOW), hosts((), NOW)),
    "help": (help_text(),),
    "answers": (
        usage(UsageReply('There is no kind called "<!here>". There are: images.')),
        already_settled(Settlement(Settled.CONFIRMED, ago(minutes=1), BO)),
        already_settled(Settlement(Settled.EXPIRED, ago(minutes=1))),
        changed(),
        not_yet(),
        timed_out(ago(minutes=1)),
        outdated(),
        queue_unreachable(),
        invite_me(),
    ),
    "denied": (
        not_allowed(Denied(Why.NO_CHANNELS)),
        not_allowed(Denied(Why.OTHER_CHANNEL, channels=("C0OPS", "C0WEB"))),
        not_allowed(Denied(Why.OTHER_TEAM)),
        not_allowed(Denied(Why.NO_APPROVERS)),
        not_allowed(Denied(Why.NOT_APPROVER, approvers=("T0AWAY/U0CARL", "U0ANA"))),
        not_allowed(Denied(Why.NOT_ALONE, approvers=("U0ANA", "U0BO"))),
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_read_as_recorded(name: str) -> None:
    assert_golden(name, *MESSAGES[name])


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_recorded_message(name: str) -> None:
    assert [()] * len(MESSAGES[name]) == [validate_message(list(m.blocks)) for m in MESSAGES[name]]


def test_the_complete_lists_read_as_recorded() -> None:
    for part, file in ((planned(), details_file), (ran(STOPPED_RUN), report_file)):
        assert_text(*file(part))


def test_no_recorded_message_is_left_over() -> None:
    expected = {f"{name}.{kind}" for name in MESSAGES for kind in ("json", "txt")}
    files = {details_file(planned())[0], report_file(ran(STOPPED_RUN))[0]}
    assert expected | files == {path.name for path in FOLDER.iterdir()}


def test_every_phase_is_recorded() -> None:
    assert {request.phase for request in REQUESTS.values()} == set(Phase)
