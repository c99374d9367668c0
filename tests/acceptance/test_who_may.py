"""Who may execute, and where: nobody else is let in, and everybody is told who may (S12)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_host import NO_WAITING, WASTE, small_host
from tests.stage.company import CANCEL, Company
from tests.workspace import Message


@pytest.fixture(scope="module")
def company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    with Company(stage_place(), {"web-1": small_host}, policy=NO_WAITING, approvers=("bo",)) as company:
        yield company
        assert company.members["web-1"].names() >= WASTE
        assert company.members["web-1"].reports() == []
        assert company.slack.violations == ()


@pytest.fixture(scope="module")
def root(company: Company) -> Message:
    return company.ready("web-1")


@pytest.mark.parametrize("user", ["ana", "cy"])
def test_s12_a_press_by_somebody_else_does_nothing_and_says_who_may(
    company: Company, root: Message, user: str
) -> None:
    answer = company.answer(user, lambda: company.confirm(root, user=user))
    assert "Only @bo may do this. Nothing was begun." in answer
    assert company.slack.message("ops", root.ts).controls == root.controls


@pytest.mark.parametrize("user", ["ana", "cy"])
def test_s12_so_does_the_command(company: Company, root: Message, user: str) -> None:
    answer = company.answer(user, lambda: company.command("execute web-1", user=user))
    assert "Only @bo may do this. Nothing was begun." in answer


@pytest.mark.parametrize("typed", ["preview web-1", "execute web-1", "hosts", "history"])
def test_s12_another_channel_is_told_where(company: Company, typed: str) -> None:
    answer = company.answer("bo", lambda: company.command(typed, user="bo", channel="elsewhere"))
    assert "Safe Prune is not used in this channel." in answer
    assert "#ops" in answer
    assert (company.slack.messages("elsewhere"), company.queued("web-1")) == ((), 0)


def test_s12_cancelling_is_for_whoever_asked_and_for_approvers(company: Company, root: Message) -> None:
    assert "Only @bo may do this." in company.answer("cy", lambda: company.slack.click("cy", root, CANCEL))
    company.slack.click("ana", root, CANCEL)
    company.becomes(root, "Cancelled, nothing was removed on web-1.")
