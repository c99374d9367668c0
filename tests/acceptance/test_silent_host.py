"""A host whose worker does not run: the request ends by itself, and says so (S14)."""

import pytest

from tests.acceptance.conftest import Silence
from tests.stage.company import to_decide


@pytest.mark.slow
def test_s14_a_request_to_a_silent_host_ends_and_what_it_asked_is_not_done_later(silence: Silence) -> None:
    company, web = silence.company, silence.company.members["web-1"]
    root = company.becomes(silence.root, "No plan: web-1 is not answering.", seconds=100)
    hosts = company.answer("ana", lambda: company.command("hosts"))

    assert "web-1 is not answering since" in root.plain
    assert "Start its worker and ask again." in root.plain
    assert "not answering" in hosts
    assert to_decide(root) == ()
    web.worker.start()
    company.pruned("web-1")
    assert len(web.reports()) == 1
