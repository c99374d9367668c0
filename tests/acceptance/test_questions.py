"""People ask a host about itself: real bot, worker, engine, and the least rights in Redis."""

from tests.acceptance.small_host import litter
from tests.stage.company import Company
from tests.stage.member import Member


def asked(company: Company, text: str, words: str, *, user: str = "dee") -> str:
    """What the host answers, read by who asked alone."""
    before = {message.ts for message in company.slack.ephemerals(user)}
    company.command(text, user=user)

    def found() -> str:
        told = [m.plain for m in company.slack.ephemerals(user) if m.ts not in before]
        return next((plain for plain in told if words in plain), "")

    return str(company.slack.wait_for(found, 60, what=f"an answer to {text!r} that says {words!r}"))


def plans(web: Member) -> list[object]:
    with web.ledger() as ledger:
        return ledger.rows("SELECT digest, expires_at FROM plans ORDER BY digest")


def test_s1_s13_a_host_is_asked_about_itself_and_nothing_changes(company: Company, web: Member) -> None:
    litter(web, "asked-about")
    root = company.ready("web-1")
    before, there, tags = plans(web), web.names(), web.tags()

    why = asked(company, "why web-1 shop/web:2", "shop/web:2 stays")
    here = web.cli("explain", "shop/web:2").stdout
    assert "because container web uses it (running)" in why
    assert "because container web uses it (running)" in here
    assert here.count("because ") == why.count("because ")
    assert "shop/web:1" in asked(company, "why web-1 shop/web", "may be meant by")
    assert "shop/web:2" in asked(company, "why web-1 shop/wob:2", "most alike are")

    policy = asked(company, "policy web-1", "What may go on web-1")
    assert "base/*" in policy
    assert "Critical containers" in policy

    volumes = asked(company, "volumes web-1", "precious")
    assert "never removes a volume" in volumes

    assert (plans(web), web.names(), web.tags()) == (before, there, tags)
    assert [message.ts for message in company.roots()] == [root.ts]
    assert company.root(lambda message: bool(message.controls), "the plan with its buttons").ts == root.ts


def test_an_invalid_policy_is_told_as_a_preview_tells_it(company: Company, web: Member) -> None:
    file = web.policy
    whole = file.read_text()
    file.write_text(whole + "keep_previus = 2\n")
    try:
        told = asked(company, "policy web-1", "could not tell about its policy")
    finally:
        file.write_text(whole)
    assert "keep_previus is not a key" in told


def test_an_unknown_host_gets_the_nearest_names_and_many_hosts_the_usage(company: Company) -> None:
    ask = company.answer
    assert "There are: web-1" in ask("dee", lambda: company.command("volumes wob-1", user="dee"))
    assert "takes one host" in ask("dee", lambda: company.command("policy web-*", user="dee"))
