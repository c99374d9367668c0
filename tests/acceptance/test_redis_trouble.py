"""Redis away, or emptied: it is said, nothing that was done is lost, nothing is shown twice."""

import os
import signal

import pytest

from tests.acceptance.small_host import litter, litter_all_kinds
from tests.stage.company import Company
from tests.stage.member import Member, until


def test_a_redis_that_is_down_is_said_and_both_find_it_again_by_themselves(
    company: Company, web: Member
) -> None:
    company.redis.kill()
    company.bot.wait_for_line("Redis cannot be read")
    answer = company.answer("ana", lambda: company.command("preview web-1"))
    root = company.root(lambda m: "Planning on web-1" in m.first_line, "the request")
    litter(web, "waited-for-redis")
    company.redis.start()

    assert "The queue (Redis) does not answer, so no host was asked." in answer
    company.root(lambda m: m.ts == root.ts and bool(m.controls), "the plan after all")
    assert web.worker.is_running


@pytest.mark.parametrize("is_hung", [False, True])
def test_s15_a_run_goes_on_without_redis_and_its_report_arrives_later(
    company: Company, web: Member, is_hung: bool
) -> None:
    litter_all_kinds(web, f"without-{is_hung}".lower())
    root, before, pids = company.ready("web-1"), len(web.reports()), (company.bot.pid, web.worker.pid)
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.becomes(root, "Pruning web-1…")
        if is_hung:
            os.kill(company.redis.pid, signal.SIGSTOP)
        else:
            company.redis.kill()
    report = until(lambda: web.reports()[before:], "the report on the host", 60)[0]
    meanwhile = company.slack.message(company.channel, root.ts).first_line
    if is_hung:
        os.kill(company.redis.pid, signal.SIGCONT)
    else:
        company.redis.start()
    ended = company.ended(root)

    assert (company.bot.pid, web.worker.pid) == pids
    assert (report.status.value, meanwhile) == ("done", "Pruning web-1…")
    assert ended.first_line.startswith("Pruned")
    assert reports_shown(company, root.ts) == 1


def test_s15_a_redis_that_is_emptied_in_a_run_loses_nothing_and_shows_nothing_twice(
    company: Company, web: Member
) -> None:
    litter_all_kinds(web, "emptied")
    root, before = company.ready("web-1"), len(web.reports())
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        company.redis.restart_empty()
    company.ended(root)
    company.redis.restart_empty()
    litter(web, "after-all-that")
    second = company.ready("web-1")
    company.confirm(second)
    company.ended(second)

    assert len(web.reports()) == before + 2
    assert [reports_shown(company, ts) for ts in (root.ts, second.ts)] == [1, 1]
    assert len(company.roots()) == 2


def reports_shown(company: Company, ts: str) -> int:
    thread = company.slack.thread(company.channel, ts)[1:]
    return sum("Found: nothing unexpected after the run." in message.plain for message in thread)
