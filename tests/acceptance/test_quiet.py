"""A deployment under way turns a cleanup away, in words; the preview says so before anybody confirms."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.small_host import WASTE, small_host
from tests.stage.company import Company

POLICY = 'settle = "1s"\nsteady_for = "0s"\n'


@pytest.fixture
def busy_company(stage_place: Callable[[], Path]) -> Iterator[Company]:
    with Company(stage_place(), {"web-1": small_host}, policy=POLICY) as company:
        yield company
        assert company.slack.violations == ()


def test_a_tag_after_the_preview_postpones_and_says_until_when(busy_company: Company) -> None:
    company, web = busy_company, busy_company.members["web-1"]
    root = company.ready("web-1")

    web.engine.client.tag("shop/web:2", "shop/web", "next")
    company.confirm(root)
    refused = company.becomes(root, "web-1 refused, nothing was removed.")

    assert "Image shop/web:next was tagged" in refused.plain
    assert "this host must be quiet for 2 min" in refused.plain
    assert "once refused, ask for a new preview" in refused.plain
    assert web.names() >= WASTE
    assert web.reports() == []


def test_the_next_preview_says_so_before_anybody_confirms(busy_company: Company) -> None:
    company, web = busy_company, busy_company.members["web-1"]
    web.engine.client.tag("shop/web:2", "shop/web", "next")

    assert "Image shop/web:next was tagged" in company.ready("web-1").plain
