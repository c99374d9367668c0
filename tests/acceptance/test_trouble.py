"""A service that falls has a face: one message that calls people, whatever becomes of the bot meanwhile."""

from collections.abc import Iterator

import pytest

from bot.render import CHECK, EXECUTE, RESTORE_RUN
from tests.acceptance.small_host import IDLE, litter, litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member, until
from tests.workspace import Message
from tests.workspace.people import id_for
from workers.contract import Kind, Outcome, Status

SECOND = 10**9
CY, ADMINS = id_for("U", "cy"), id_for("S", "docker-admins")
# What a program may log, and no process of ours may.
SECRET = "hunter2-is-the-password"
LINE = f"<!channel> ``` {SECRET}"
POLICY = 'settle = "2s"\nsteady_for = "0s"\nquiet_for = "0s"\n'


@pytest.fixture
def loud(company: Company, web: Member) -> Iterator[str]:
    """A service that logs, and whose own check a test can break by one file."""
    client = web.engine.client
    client.create_container(
        "shop/web:2",
        ["sh", "-c", f"echo '{LINE}'; touch /well; {IDLE}"],
        name="loud",
        stop_signal="SIGKILL",
        host_config=client.create_host_config(network_mode="none"),
        healthcheck={"test": ["CMD-SHELL", "test -e /well"], "interval": SECOND // 5, "retries": 1},
    )
    client.start("loud")
    until(lambda: client.inspect_container("loud")["State"]["Health"]["Status"] == "healthy", "its check")
    yield "loud"
    client.remove_container("loud", force=True)


def policy(web: Member, more: str = "") -> None:
    before = web.policy.read_text().partition("# of a test\n")[0]
    web.policy.write_text(f"{before}# of a test\n{more}")


def break_check(web: Member, name: str) -> None:
    """From outside, as whatever a service needs is taken from it."""
    in_it(web, name, "rm", "/well")


def mend_check(web: Member, name: str) -> None:
    in_it(web, name, "touch", "/well")
    client = web.engine.client
    until(lambda: client.inspect_container(name)["State"]["Health"]["Status"] == "healthy", "its check")


def in_it(web: Member, name: str, *words: str) -> None:
    client = web.engine.client
    client.exec_start(client.exec_create(name, list(words))["Id"])


def fallen(company: Company, web: Member, loud: str) -> Message:
    """The root of a run in which the service's check breaks after a removal."""
    litter_all_kinds(web, f"loud-{len(web.reports())}")
    root = company.ready("web-1")
    with web.gate.held("DELETE /networks/", answered=True) as hold:
        company.confirm(root)
        hold.wait_until_reached()
        break_check(web, loud)
    return root


def calls(company: Company) -> list[Message]:
    return [one for one in company.slack.messages(company.channel) if one.broadcast]


def call(company: Company) -> Message:
    found = company.slack.wait_for(lambda: next(iter(calls(company)), None), 60, what="a call")
    assert found is not None
    return found


def test_whom_the_policy_names_is_called_once_though_the_bot_dies_and_comes_back(
    company: Company, web: Member, loud: str
) -> None:
    policy(web, f'ping = ["{ADMINS}", "{CY}"]\nshow_logs = 20\n')
    root = fallen(company, web, loud)
    called = call(company)
    company.kill_bot()
    company.start_bot()
    ended = company.ended(root)
    # Whoever asks again hears of it when all that was under way has been carried on.
    litter(web, "after-the-call")
    company.ready("web-1")

    assert called.first_line == "loud on web-1 was healthy before this run and is unhealthy now."
    assert "For @docker-admins and @cy, whom the policy of web-1 names." in called.plain
    assert called.thread_ts == root.ts
    assert "1 of 3 services does not run as before: loud." in ended.first_line
    assert [one.ts for one in calls(company)] == [called.ts]
    assert web.reports()[-1].status is Status.PARTIAL


def test_the_end_of_a_log_is_shown_where_the_policy_says_so_and_is_in_no_log_of_ours(
    company: Company, web: Member, loud: str
) -> None:
    policy(web, "show_logs = 20\n")
    root = fallen(company, web, loud)
    called = call(company)
    company.ended(root)

    assert f"{LINE}" in called.plain
    assert "For @bo and @ana, who confirmed and asked" in called.plain
    for process in (company.bot, web.worker):
        assert SECRET not in process.log.read_text()


def test_without_a_word_in_the_policy_no_log_is_asked_for(company: Company, web: Member, loud: str) -> None:
    policy(web)
    before = len(web.gate.calls)
    root = fallen(company, web, loud)
    called = call(company)
    company.ended(root)

    assert [one for one in web.gate.calls[before:] if "/logs" in one] == []
    assert "No log is shown: the policy of web-1 says so (show_logs)." in called.plain
    assert SECRET not in "".join(one.plain for one in company.replies(root))


def test_from_the_fall_to_the_way_back_all_stands_in_one_thread(
    company: Company, web: Member, loud: str
) -> None:
    policy(web)
    root = fallen(company, web, loud)
    called = call(company)
    company.ended(root)
    before = company.roots()
    # Whoever may look may have it looked at again; so does dee, who may not execute.
    company.slack.click("dee", called, CHECK)
    still = reply(company, root, "Not well yet on web-1: loud.")
    assert "healthy before the run" in still.plain
    assert "unhealthy at the post-check" in still.plain
    assert "unhealthy now, its check fails since" in still.plain
    company.slack.click("ana", still, RESTORE_RUN)
    asked = reply(company, root, "Bring back", with_buttons=True)
    gone = {
        one.object.name
        for one in web.reports()[-1].outcomes
        if one.outcome is Outcome.REMOVED and one.object.kind is Kind.NETWORK
    }
    assert gone
    assert gone.isdisjoint(networks(web))
    company.slack.click("bo", asked, EXECUTE)
    ended = reply(company, root, "Brought back")

    assert ended.ts == asked.ts
    assert gone <= networks(web)
    mend_check(web, loud)
    company.slack.click("dee", called, CHECK)
    well = reply(company, root, "All is well again on web-1: loud runs as before that run.")
    assert "healthy now, running since" in well.plain
    assert [one.ts for one in company.roots()] == [one.ts for one in before]


def reply(company: Company, root: Message, words: str, *, with_buttons: bool = False) -> Message:
    """What stands in the thread and begins so."""

    def found() -> Message | None:
        told = (one for one in company.replies(root) if one.first_line.startswith(words))
        return next((one for one in told if one.controls or not with_buttons), None)

    shown = company.slack.wait_for(found, 60, what=repr(words))
    assert shown is not None
    return shown


def networks(web: Member) -> set[str]:
    return {network["Name"] for network in web.engine.client.networks()}
