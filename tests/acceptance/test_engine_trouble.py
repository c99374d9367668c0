"""An engine that is down, or dies in the middle of a run: said, stopped, and worked with when it returns."""

from tests.acceptance.small_host import IMAGES, WASTE
from tests.stage.company import Company, to_decide
from tests.stage.member import Member
from workers.contract import Kind, Outcome, Status
from workers.reasons import Code


def test_s14_an_engine_that_is_down_gives_no_plan_and_says_so(company: Company, web: Member) -> None:
    web.engine.kill()
    root = company.becomes(company.asked("preview web-1"), "No plan: web-1 could not make one.")
    web.engine.start()

    assert "The Docker engine does not answer" in root.plain
    assert to_decide(root) == ()
    company.ready("web-1")


def test_s4_an_engine_that_goes_away_after_the_preview_refuses_the_run(company: Company, web: Member) -> None:
    root = company.ready("web-1")
    web.engine.kill()
    company.confirm(root)
    ended = company.becomes(root, "web-1 refused, nothing was removed.")
    web.engine.start()

    assert "The Docker engine does not answer" in ended.plain
    assert web.names() >= WASTE


def test_s14_an_engine_that_dies_in_a_run_stops_it_and_it_says_what_was_done(
    company: Company, web: Member
) -> None:
    pid, root = web.worker.pid, company.ready("web-1")
    with web.gate.held("DELETE /images/") as hold:
        company.confirm(root)
        hold.wait_until_reached()
        web.engine.kill()
    ended, report = company.ended(root), web.reports()[-1]
    told = company.reply(root, "Not attempted:").plain
    web.engine.start()

    done = {kind: [o.outcome for o in report.outcomes if o.object.kind is kind] for kind in Kind}
    assert report.status is Status.STOPPED
    assert Code.ENGINE_UNREACHABLE in [why.code for why in report.stopped_by]
    assert done[Kind.CONTAINER] == [Outcome.REMOVED] * 2
    assert done[Kind.IMAGE] == [Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.NOT_ATTEMPTED]
    assert done[Kind.NETWORK] == [Outcome.NOT_ATTEMPTED] * 2
    assert ended.first_line.startswith("Stopped on web-1 after 2 stopped containers.")
    assert "attic: the run stopped before its turn" in told
    assert web.names() >= {*IMAGES, "attic", "cellar"}

    # The engine is back: the same worker plans and removes what was left.
    next_root = company.ready("web-1")
    company.confirm(next_root)
    company.becomes(next_root, "Pruned")
    assert web.names() & WASTE == set()
    assert (web.worker.pid, web.filled.lost()) == (pid, [])
