"""A policy file that cannot be used: said with file, key and what is expected; nothing is removed (S4)."""

from collections.abc import Iterator

import pytest

from tests.acceptance.small_host import WASTE
from tests.stage.company import Company, to_decide
from tests.stage.member import Member, until

GOOD = 'protected_images = []\ncritical_containers = ["web"]\n'
BROKEN = [
    (None, "there is no such file; python -m workers init writes one"),
    ("protected_images = [", "not TOML"),
    (GOOD + "keep_prevoius = 2\n", "keep_prevoius"),
    (GOOD + 'keep_previous = "two"\n', "keep_previous"),
    (GOOD + 'image_grace = "soon"\n', 'image_grace: expected a duration such as "30s"'),
    ('protected_images = ["[a-"]\ncritical_containers = []\n', "protected_images.0"),
    ("protected_images = []\n", "critical_containers"),
    (GOOD + 'kinds = ["volumes"]\n', "kinds"),
]


@pytest.fixture(params=BROKEN, ids=lambda row: row[1].split(" ")[0].strip(":"))
def broken(request: pytest.FixtureRequest) -> tuple[str | None, str]:
    """A file's text, and what is said of it."""
    row: tuple[str | None, str] = request.param
    return row


@pytest.fixture(autouse=True)
def mended(web: Member) -> Iterator[None]:
    """Afterwards the file is whole again, and nothing was removed."""
    text = web.policy.read_text()
    yield
    web.policy.write_text(text)
    assert (web.names() >= WASTE, web.reports()) == (True, [])


def write(web: Member, text: str | None) -> None:
    if text is None:
        web.policy.unlink()
    else:
        web.policy.write_text(text)


def test_s4_a_preview_is_answered_with_file_key_and_what_is_expected(
    company: Company, web: Member, broken: tuple[str | None, str]
) -> None:
    text, said = broken
    write(web, text)
    root = company.becomes(company.asked("preview web-1"), "No plan: web-1 could not make one.")

    assert f"The policy file {web.policy} cannot be used" in root.plain
    assert said in root.plain
    assert to_decide(root) == ()


def test_s4_one_that_breaks_before_the_click_refuses_the_run(company: Company, web: Member) -> None:
    root = company.ready("web-1")
    write(web, GOOD + "surprise = true\n")
    company.confirm(root)
    ended = company.becomes(root, "web-1 refused, nothing was removed.")

    assert f"The policy file {web.policy} cannot be used (surprise" in ended.plain


def test_s4_a_worker_starts_without_one_and_works_as_soon_as_it_is_there(
    company: Company, web: Member
) -> None:
    text = web.policy.read_text()
    web.worker.stop()
    write(web, None)
    web.worker.start()
    company.becomes(company.asked("preview web-1"), "No plan: web-1 could not make one.")

    def is_told() -> bool:
        # The next sign of life tells it, which may come after the answer.
        return "there is no such file" in company.answer("ana", lambda: company.command("hosts"))

    until(is_told, "the trouble among the hosts")
    web.policy.write_text(text)
    company.ready("web-1")


def test_s4_a_folder_in_its_place_is_said_to_be_unreadable(company: Company, web: Member) -> None:
    text = web.policy.read_text()
    web.policy.unlink()
    web.policy.mkdir()
    root = company.becomes(company.asked("preview web-1"), "No plan: web-1 could not make one.")
    web.policy.rmdir()
    web.policy.write_text(text)

    assert "cannot be read" in root.plain
