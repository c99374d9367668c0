import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import (
    Cancel,
    Command,
    Execute,
    Help,
    History,
    Hosts,
    Preview,
    Status,
    UsageReply,
    parse,
    resolve,
)
from bot.questions import Ask
from workers.contract import Kind, Topic

HOSTS = ("db-1", "web-1", "web-2")
SCRAPS = st.lists(
    st.sampled_from(
        [
            "preview",
            "execute",
            "hosts",
            "history",
            "status",
            "cancel",
            "help",
            "--only",
            "—only",
            "images",
            "web-*",
            "[",
            "*",
            ",",
            "=",
            "-",
        ]
    )
    | st.text(max_size=20)
).map(" ".join)


def said(text: str) -> str:
    command = parse(text)
    assert isinstance(command, UsageReply), command
    return command.text


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Help()),
        ("   ", Help()),
        ("help", Help()),
        ("help me", Help()),
        ("preview --help", Help()),
        ("execute -h", Help()),
        ("hosts", Hosts()),
        ("history", History()),
        ("history web-1", History(("web-1",))),
        ("status", Status()),
        ("status web-1,web-2", Status(("web-1", "web-2"))),
        ("Cancel", Cancel()),
        ("cancel web-* web-1 web-1", Cancel(("web-*", "web-1"))),
        ("preview", Preview()),
        ("preview web-1 db-*", Preview(("web-1", "db-*"))),
        ("preview web-1 web-1", Preview(("web-1",))),
        ("preview --only images,containers", Preview((), (Kind.CONTAINER, Kind.IMAGE))),
        ("preview --only cache web-1", Preview(("web-1",), (Kind.BUILD_CACHE,))),
        ("preview --only image --only network", Preview((), (Kind.IMAGE, Kind.NETWORK))),
        ("execute web-1", Execute(("web-1",))),
        ("execute * --only networks", Execute(("*",), (Kind.NETWORK,))),
    ],
)
def test_what_is_typed_becomes_one_command(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "preview web-1 --only images,networks",
        "PREVIEW Web-1 --ONLY Images,Networks",
        "preview web-1 —only images,networks",
        "preview web-1 \u2013only images,networks",
        "preview web-1 -only images,networks",
        "preview web\u20111 --only=images, networks",
        "preview “web-1” --only \u2018images\u2019 , networks",
        "preview `web-1`, --only images,,networks,",
        "preview\tweb-1\n--only images,networks",
        "preview <http://web-1|web-1> --only images,networks",
    ],
)
def test_what_phones_and_people_make_of_it_is_understood(text: str) -> None:
    assert parse(text) == Preview(("web-1",), (Kind.IMAGE, Kind.NETWORK))


def test_an_unknown_word_gets_the_nearest_command_first() -> None:
    assert said("previw web-1").startswith('There is no command "previw". There are: /prune preview, ')
    assert said("hist").startswith('There is no command "hist". There are: /prune history, ')


def test_a_word_like_no_command_gets_them_in_their_order() -> None:
    assert said("web-1").endswith(
        "/prune preview, /prune execute, /prune hosts, /prune history, /prune status, /prune cancel,"
        " /prune doctor, /prune why, /prune policy,"
        " /prune volumes, /prune stop, /prune freeze, /prune unfreeze, /prune protect, /prune unprotect,"
        " /prune protections, /prune restore, /prune help."
    )


def test_an_unknown_option_gets_the_valid_one() -> None:
    assert said("preview --force") == (
        'There is no option "--force". There is: --only containers,images,networks,build-cache.'
    )


def test_an_unknown_kind_gets_the_nearest_first() -> None:
    assert said("preview --only imges") == (
        'There is no kind called "imges". There are: images, containers, networks, build-cache.'
    )


@pytest.mark.parametrize(
    "text",
    ["preview --only volumes", "execute web-1 --volumes", "execute web-1 —only images,volume", "volumes"],
)
def test_s1_asking_for_volumes_is_answered_with_never(text: str) -> None:
    assert said(text).startswith("Volumes are never removed")


def test_execute_without_a_host_asks_where() -> None:
    assert said("execute").startswith("Execute needs to know where")
    assert said("execute --only images").startswith("Execute needs to know where")


@pytest.mark.parametrize("text", ["preview --only", "preview --only --only", "preview --only="])
def test_only_without_kinds_asks_for_them(text: str) -> None:
    assert said(text).startswith("--only needs kinds") or said(text).startswith("There is no kind")


def test_kinds_without_commas_are_not_taken_for_hosts() -> None:
    assert said("preview --only images networks") == "Join kinds with commas: --only images,networks."


def test_what_takes_no_option_or_nothing_more_says_so() -> None:
    assert said("hosts web-1").startswith("/prune hosts takes nothing more")
    assert said("status --all").startswith("/prune status takes no option")
    assert said("cancel web-1 --now").startswith("/prune cancel takes no option")


@given(SCRAPS)
def test_any_text_yields_a_command_or_a_short_answer(text: str) -> None:
    command = parse(text)
    assert isinstance(command, Command)
    if isinstance(command, UsageReply):
        assert 0 < len(command.text) < 1000


@given(SCRAPS, st.lists(st.text(max_size=20)))
def test_any_pattern_names_only_admitted_hosts_or_gets_an_answer(text: str, admitted: list[str]) -> None:
    found = resolve(text.split(), admitted)
    assert isinstance(found, UsageReply) or (found and set(found) <= set(admitted))


@given(SCRAPS)
def test_s13_execute_never_means_hosts_that_were_not_named(text: str) -> None:
    command = parse(f"execute {text}")
    assert not isinstance(command, Execute) or command.hosts


def test_no_pattern_means_every_admitted_host() -> None:
    assert resolve((), {"web-2", "db-1", "web-1"}) == HOSTS


def test_names_and_globs_find_their_hosts_once() -> None:
    assert resolve(["web-*", "web-1", "db-?"], HOSTS) == HOSTS


def test_a_name_is_never_a_part_of_another() -> None:
    assert isinstance(resolve(["web"], HOSTS), UsageReply)


def test_an_unknown_host_gets_the_nearest_first_and_nothing_is_resolved() -> None:
    assert resolve(["db-1", "wep-2"], HOSTS) == UsageReply(
        'No host is called "wep-2". There are: web-2, web-1, db-1.'
    )


def test_many_hosts_are_offered_in_part() -> None:
    reply = resolve(["x"], [f"web-{n}" for n in range(40)])
    assert isinstance(reply, UsageReply)
    assert reply.text.endswith(" and 28 more.")


def test_without_any_admitted_host_the_answer_says_how_to_admit_one() -> None:
    assert "hosts add" in str(resolve(["web-1"], ()))


@pytest.mark.parametrize("text", ["preview " + "web-1 " * 10_000, "x" * 8000, " " * 60_000 + "hosts"])
def test_what_is_far_too_long_is_not_read(text: str) -> None:
    assert "characters long" in said(text)


def test_more_patterns_than_anybody_types_are_not_searched_for() -> None:
    reply = resolve([f"*{n}*" for n in range(101)], HOSTS)

    assert isinstance(reply, UsageReply)
    assert "At most 100 patterns" in reply.text


def test_what_cannot_be_printed_is_not_said_again() -> None:
    reply = resolve(["\x00\x1b[31m\u202e"], HOSTS)

    assert isinstance(reply, UsageReply)
    assert reply.text.isprintable()


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("why web-1 app:2", Ask(Topic.OBJECT, "web-1", "app:2")),
        ("WHY Web-1 `App_Data`", Ask(Topic.OBJECT, "web-1", "App_Data")),
        ("why web\u20111 \u201capp:2\u201d", Ask(Topic.OBJECT, "web-1", "app:2")),
        ("why web-1 RUN npm ci --omit=dev", Ask(Topic.OBJECT, "web-1", "RUN npm ci --omit=dev")),
        ("why web-1 <http://reg.example|reg.example>/app:2", Ask(Topic.OBJECT, "web-1", "reg.example/app:2")),
        ("why web-1 &lt;untagged&gt;", Ask(Topic.OBJECT, "web-1", "<untagged>")),
        ("why web-1 sha256:0123", Ask(Topic.OBJECT, "web-1", "sha256:0123")),
        ("policy web-1", Ask(Topic.POLICY, "web-1")),
        ("  policy   WEB-1 ", Ask(Topic.POLICY, "web-1")),
        ("volumes web-1", Ask(Topic.VOLUMES, "web-1")),
        ("why --help", Help()),
        ("policy -h", Help()),
        ("volumes ?", Help()),
    ],
)
def test_a_question_names_one_host_and_an_object_as_it_was_typed(text: str, ask: Command) -> None:
    assert parse(text) == ask


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("why", "Say where and what"),
        ("why web-1", "Say where and what"),
        ("why web-1 ``", "Say where and what"),
        ("why web-* app:2", "takes one host: /prune why web-1 app:2"),
        ("why web-1,web-2 app:2", "takes one host"),
        (f"why web-1 {'x' * 513}", "at most 512 characters"),
        ("policy", "takes one host: /prune policy web-1."),
        ("policy web-1 web-2", "takes one host"),
        ("policy *", "takes one host"),
        ("policy --all", "takes one host"),
        ("volumes", "Volumes are never removed"),
        ("volumes web-1 db-1", "takes one host"),
        ("volumes web-[12]", "takes one host"),
    ],
)
def test_a_question_to_many_hosts_or_to_none_is_refused_with_how_to_ask(text: str, words: str) -> None:
    assert words in said(text)


@given(st.lists(st.sampled_from(["why", "policy", "volumes", "web-1", "`", "*", ",", "--"]) | st.text()))
def test_whatever_is_asked_has_an_answer(words: list[str]) -> None:
    for verb in ("why", "policy", "volumes"):
        found = parse(" ".join([verb, *words]))
        assert isinstance(found, Ask | UsageReply | Help)
        if isinstance(found, Ask):
            assert bool(found.object) == (found.topic is Topic.OBJECT)
