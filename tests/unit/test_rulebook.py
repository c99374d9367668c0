"""The rules file: what is understood, and that everything else is refused by name."""

from pathlib import Path

import pytest

from bot.doctor import rules_findings
from bot.errors import SettingsError
from bot.rulebook import ALWAYS, Rulebook, parse, simple
from bot.settings import BotSettings

WHOLE = """
guests = ["UGUEST"]
shared_channels = ["CSHARED"]

[group.databases]
hosts = ["db-*"]
four_eyes = "always"
approvals = 2

[[group.databases.allow]]
channels = ["CDBA"]
preview = ["SDBAS"]
execute = ["SDBAS"]
approve = ["SDBAS", "T0AWAY/UBOSS"]

[group.rest]
hosts = ["*"]
four_eyes = "10GB"

[[group.rest.allow]]
channels = ["COPS", "CSHARED"]
execute = ["UANA", "UBO"]
"""


def read(text: str) -> Rulebook:
    return parse(text, "rules.toml")


def test_a_whole_file_is_read() -> None:
    book = read(WHOLE)
    databases, rest = book.group["databases"], book.group["rest"]

    assert (databases.four_eyes, databases.approvals, rest.four_eyes) == (ALWAYS, 2, 10_000_000_000)
    assert (rest.allow[0].preview, rest.allow[0].approvers) == (None, ("UANA", "UBO"))
    assert book.user_groups == ("SDBAS",)
    assert book.channels == ("CDBA", "COPS", "CSHARED")


def test_the_first_group_that_covers_a_host_decides_about_it() -> None:
    book = read(WHOLE)
    assert book.group_of("db-1") is book.group["databases"]
    assert book.group_of("web-1") is book.group["rest"]


def test_a_host_that_no_group_covers_has_none() -> None:
    assert read(WHOLE.replace('["*"]', '["web-*"]')).group_of("mail-1") is None


GROUP = '[group.web]\nhosts = ["web-*"]\n{}\n[[group.web.allow]]\nchannels = ["COPS"]\n{}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[group.web", "not TOML"),
        pytest.param(f"a = {'9' * 5000}", "not TOML", id="many digits"),
        ('guest = ["U1"]', "guest is not a key of this file; you may have meant guests"),
        (
            GROUP.format("aprovals = 2", ""),
            "group.web.aprovals is not a key of this file; you may have meant",
        ),
        (
            GROUP.format("", 'aprove = ["U1"]'),
            "group.web.allow[0].aprove is not a key of this file; you may have",
        ),
        (GROUP.format("", "zzzz = 1"), "the keys are approve, channels, execute, preview"),
        (GROUP.format("", 'execute = ["@ana"]'), "group.web.allow[0].execute[0]: '@ana' is not a user id"),
        (GROUP.format("", 'execute = "UANA"'), "group.web.allow[0].execute"),
        (GROUP.format('four_eyes = "sometimes"', ""), 'group.web.four_eyes: expected "always", "never"'),
        (GROUP.format("four_eyes = true", ""), 'group.web.four_eyes: expected "always", "never"'),
        (GROUP.format("approvals = 0", ""), "group.web.approvals"),
        (GROUP.format("approvals = true", ""), "group.web.approvals"),
        ('[group.web]\nhosts = ["web-1"]', "group.web.allow is missing"),
        (GROUP.format("", "").replace('["web-*"]', "[]"), "group.web.hosts"),
        (GROUP.format("", "").replace("web-*", "Web 1"), "group.web.hosts[0]: 'Web 1' is not a host's name"),
        (
            GROUP.format("", "").replace("COPS", "#ops"),
            "group.web.allow[0].channels[0]: '#ops' is not a channel",
        ),
        ('guests = ["S0GROUP"]', "guests[0]: 'S0GROUP' is not a user id"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_key(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "allow", "said"),
    [
        ("approvals = 3", 'execute = ["U1", "U2"]', "group.web.approvals: 3 are needed, and in COPS only 2"),
        ("approvals = 2", 'execute = ["U1", "U1"]', "group.web.approvals: 2 are needed, and in COPS only 1"),
        (
            'four_eyes = "always"',
            'preview = []\nexecute = ["U1"]',
            "group.web.four_eyes: whoever asks cannot",
        ),
        ("approvals = 2", 'preview = []\nexecute = ["U1", "U2"]', "group.web.approvals: whoever asks cannot"),
        # Who may only look is not the first of two people.
        ('four_eyes = "always"', 'execute = ["U1"]', "group.web.four_eyes: whoever asks cannot"),
        (
            'four_eyes = "always"',
            'preview = ["U3"]\nexecute = ["U1"]',
            "group.web.four_eyes: whoever asks cannot",
        ),
    ],
)
def test_what_nobody_could_ever_satisfy_is_refused_by_its_key(rules: str, allow: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(GROUP.format(rules, allow))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "allow"),
    [
        ("approvals = 3", 'execute = ["S1"]'),
        ("approvals = 3", ""),
        ('four_eyes = "always"', 'execute = ["U1", "U2"]'),
        ('four_eyes = "always"', 'preview = []\nexecute = ["U1", "U2"]'),
        ('four_eyes = "always"', 'preview = ["U3"]\nexecute = ["U1"]\napprove = ["U2"]'),
        ('four_eyes = "always"', 'preview = ["U3"]\nexecute = []\napprove = ["U1", "U2"]'),
    ],
)
def test_what_somebody_can_satisfy_is_taken(rules: str, allow: str) -> None:
    assert read(GROUP.format(rules, allow)).group["web"].covers("web-1")


def test_the_two_settings_make_one_group_of_all_hosts() -> None:
    book = simple(["COPS"], ["UANA"])
    group = book.group_of("any-host")

    assert group is not None
    assert (group.approvals, group.four_eyes, group.allow[0].approvers) == (1, None, ("UANA",))
    assert simple([], ["UANA"]).group == {}


@pytest.mark.parametrize(
    ("channels", "approvers"),
    [(["#ops"], []), (["ops"], []), ([], ["@ana"]), ([], ["ana"]), (["COPS"], ["T1/"]), ([], ["UANA UBO"])],
)
def test_settings_that_name_nobody_are_an_error_that_shows_them(
    channels: list[str], approvers: list[str]
) -> None:
    with pytest.raises(SettingsError, match="is not a"):
        simple(channels, approvers)


def troubles(book: Rulebook, *hosts: str) -> list[str]:
    return [finding.says for finding in rules_findings(book, hosts) if not finding.is_good]


def test_the_doctor_names_what_the_rules_do_not_reach() -> None:
    assert troubles(read(WHOLE), "db-1", "web-1") == []
    assert troubles(read(WHOLE), "web-1") == ["group.databases.hosts: db-* is the name of no admitted host"]
    shadowed = WHOLE.replace('hosts = ["db-*"]', 'hosts = ["*"]')
    assert troubles(read(shadowed), "web-1") == [
        "group.rest decides about no host: groups above it cover all of its hosts"
    ]
    narrow = WHOLE.replace('hosts = ["*"]', 'hosts = ["web-*"]')
    assert troubles(read(narrow), "db-1", "web-1", "mail-1") == [
        "no group covers mail-1, so nobody may do anything there"
    ]


def test_the_doctor_says_where_nobody_may() -> None:
    assert "commands are taken nowhere" in troubles(simple([], []), "web-1")[0]
    assert "nobody is named who may execute" in troubles(simple(["COPS"], []), "web-1")[0]


def test_rules_in_two_places_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(WHOLE)
    for name, value in (("SLACK_BOT_TOKEN", "xoxb"), ("REDIS_URL", "redis://r"), ("PRUNE_RULES", str(file))):
        monkeypatch.setenv(name, value)
    assert BotSettings.load().rules() == read(WHOLE)

    monkeypatch.setenv("PRUNE_APPROVERS", "UANA")
    with pytest.raises(SettingsError, match="PRUNE_RULES says who may do what"):
        BotSettings.load().rules()


def test_s4_rules_that_cannot_be_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SLACK_BOT_TOKEN", "xoxb"), ("REDIS_URL", "redis://r")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRUNE_RULES", str(tmp_path / "missing.toml"))
    with pytest.raises(SettingsError, match="cannot be read"):
        BotSettings.load().rules()


ALLOW = '[[group.web.allow]]\nchannels = ["COPS"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GROUP.format("approvals = '2'", ""),
            "group.web.approvals: expected a whole number such as 2, without quotes",
        ),
        (GROUP.format("approvals = 0", ""), "group.web.approvals: expected a number from 1 to 10"),
        (f'[group.web]\nhosts = "web-*"\n{ALLOW}', 'group.web.hosts: expected a list, such as ["…"]'),
        (
            '[group.web]\nhosts = ["web-*"]\n[group.web.allow]\nchannels = ["COPS"]\n',
            "group.web.allow: expected a list of tables, each begun by [[group.web.allow]]",
        ),
        ('[group]\nhosts = ["web-*"]\n', "group.hosts: expected a table, begun by [group.hosts]"),
        (
            GROUP.format("", "aprove = ['U1']"),
            "group.web.allow[0].aprove is not a key of this file; you may have meant approve",
        ),
        ("[group.web]\nhosts = []\n" + ALLOW, "group.web.hosts: at least one is needed"),
    ],
)
def test_what_is_wrong_is_said_once_and_in_plain_words(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert str(refused.value) == f"the rules rules.toml cannot be used: {said}"
