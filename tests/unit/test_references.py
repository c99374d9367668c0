"""Names mean one thing however they are spelled, and nothing that merely looks like them."""

import contextlib
import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workers.errors import WorkerError
from workers.references import BadName, ImageName, NamePattern, Pattern, listed_names, repository_of

DIGEST = "sha256:" + "0123456789abcdef" * 4

WORDS = st.text("a0z", min_size=1, max_size=4)
SEPARATORS = st.sampled_from(["_", "__", "-", "--"])
PARTS = st.one_of(WORDS, st.builds("{}{}{}".format, WORDS, SEPARATORS, WORDS))
REGISTRIES = st.sampled_from(
    [
        "docker.io",
        "index.docker.io",
        "a.z",
        "a0.zz:5000",
        "localhost",
        "localhost:80",
        "a:1",
        "Zz",
        "[fe80::1]:5000",
        "my_host.lan",
    ]
)
TAGS = st.builds("{}{}".format, st.sampled_from("aZ0_"), st.text("aZ0_.-", max_size=4))
DIGESTS = st.text("0f", min_size=64, max_size=64).map("sha256:{}".format)
SIGNS = st.text("aB0:/@.*?[]!-_ <>\n", max_size=24)


@st.composite
def spellings(draw: st.DrawFn) -> str:
    """A name as somebody may write it: with or without registry, tag and digest."""
    path = "/".join(draw(st.lists(PARTS, min_size=1, max_size=3)))
    registry = draw(st.one_of(st.just(""), REGISTRIES.map("{}/".format)))
    tag = draw(st.one_of(st.just(""), TAGS.map(":{}".format)))
    digest = draw(st.one_of(st.just(""), DIGESTS.map("@{}".format)))
    return registry + path + tag + digest


NAMES = spellings().map(ImageName.parse)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("postgres:16", "docker.io/library/postgres:16"),
        ("postgres", "docker.io/library/postgres:latest"),
        ("library/postgres:16", "docker.io/library/postgres:16"),
        ("docker.io/postgres:16", "docker.io/library/postgres:16"),
        ("index.docker.io/postgres:16", "docker.io/library/postgres:16"),
        ("index.docker.io/shop/api:1", "docker.io/shop/api:1"),
        ("shop/api", "docker.io/shop/api:latest"),
        ("registry.example/app/web:1", "registry.example/app/web:1"),
        ("host:5000/app:tag", "host:5000/app:tag"),
        ("host:5000/app", "host:5000/app:latest"),
        ("host:5000", "docker.io/library/host:5000"),
        ("localhost/app:1", "localhost/app:1"),
        ("Shop/api:1", "Shop/api:1"),
        ("my_host.lan/team/app", "my_host.lan/team/app:latest"),
        ("a--b__c.d/x-y.z_1:V.0_9-RC", "a--b__c.d/x-y.z_1:V.0_9-RC"),
        ("docker.io/my_host.lan/app:1", "docker.io/my_host.lan/app:1"),
        ("my_host/app:1", "docker.io/my_host/app:1"),
        (f"app@{DIGEST}", f"docker.io/library/app@{DIGEST}"),
        (f"host:5000/app:1@{DIGEST}", f"host:5000/app:1@{DIGEST}"),
    ],
)
def test_a_name_is_normalised_to_its_full_spelling(text: str, full: str) -> None:
    assert full == ImageName.parse(text).full()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "App:1",
        "shop/Api",
        "app:",
        "app@",
        "app:1:2",
        "app:tag/with",
        "/app",
        "app/",
        "a//b",
        "-app",
        "app..x",
        "app:1\n",
        "app@sha256:0123",
        "app@sha256:" + "0" * 63,
        "app@sha256:" + "A" * 64,
        "<none>:<none>",
        "shop/api:<none>",
        DIGEST,
        DIGEST.removeprefix("sha256:"),
        "a" * 300,
        "app:" + "t" * 129,
        "my_host.lan:5000/app",
        "My_host.lan/app",
        "my_host..lan/app",
        "my_host.lan/" + "a" * 250,
    ],
)
def test_what_is_no_name_is_an_error_with_the_value(text: str) -> None:
    with pytest.raises(BadName, match=re.escape(repr(text))):
        ImageName.parse(text)


def test_a_bad_name_is_an_error_of_the_worker_and_of_a_setting() -> None:
    assert issubclass(BadName, WorkerError)
    assert issubclass(BadName, ValueError)


@given(st.one_of(SIGNS, st.text(max_size=40)))
def test_any_text_is_a_name_or_an_error(text: str) -> None:
    with contextlib.suppress(BadName):
        ImageName.parse(text)


@given(NAMES)
def test_every_spelling_of_a_name_reads_back_as_the_same_name(name: ImageName) -> None:
    assert name == ImageName.parse(name.full())
    assert name == ImageName.parse(name.familiar())


@given(spellings())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = ImageName.parse(text).full()
    assert once == ImageName.parse(once).full()


@pytest.mark.parametrize(
    ("text", "familiar"),
    [
        ("docker.io/library/postgres:16", "postgres:16"),
        ("docker.io/shop/api:1", "shop/api:1"),
        ("docker.io/library/shop/api:1", "library/shop/api:1"),
        ("registry.example/app:1", "registry.example/app:1"),
        ("docker.io/a.b/c:1", "docker.io/a.b/c:1"),
        ("docker.io/library/a.b:1", "a.b:1"),
        ("my_host.lan/app:1", "my_host.lan/app:1"),
        ("docker.io/my_host.lan/app:1", "docker.io/my_host.lan/app:1"),
    ],
)
def test_people_see_the_shortest_spelling_that_still_means_the_same(text: str, familiar: str) -> None:
    assert familiar == ImageName.parse(text).familiar()


def test_versions_of_one_repository_share_it() -> None:
    spelled = ["postgres:16", f"docker.io/library/postgres@{DIGEST}", "library/postgres"]
    assert {"docker.io/library/postgres"} == {repository_of(ImageName.parse(text)) for text in spelled}


def test_a_repository_alone_has_no_tag() -> None:
    assert ImageName("docker.io", "shop/api") == ImageName.parse_repository("shop/api")


@pytest.mark.parametrize("text", ["shop/api:1", f"shop/api@{DIGEST}", "Shop"])
def test_a_repository_with_more_than_that_is_an_error(text: str) -> None:
    with pytest.raises(BadName, match="without tag and digest"):
        ImageName.parse_repository(text)


@pytest.mark.parametrize("listed", [None, [], ["<none>:<none>"], ["<none>@<none>"]])
def test_what_engines_list_for_no_name_is_no_name(listed: list[str] | None) -> None:
    assert listed_names(listed) == ()


def test_a_containerd_store_lists_digests_among_the_tags() -> None:
    names = listed_names(["app:1", f"app@{DIGEST}"])
    assert (names[1].tag, names[1].digest) == (None, DIGEST)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("postgres:16", "docker.io/library/postgres:16"),
        ("docker.io/library/postgres:16", "postgres:16"),
        ("index.docker.io/postgres:16", "postgres:16"),
        ("library/postgres", "postgres:9"),
        ("shop/api", "shop/api:1"),
        ("shop/api", f"shop/api@{DIGEST}"),
        ("shop/api:*", f"shop/api@{DIGEST}"),
        ("shop/api:1.*", "shop/api:1.9"),
        ("shop/api:v[0-9]", "shop/api:v3"),
        ("shop/api:[!v]*", "shop/api:3"),
        ("Registry.Example/app", "registry.example/app:1"),
        ("registry.example/app/*", "registry.example/app/web:1"),
        ("registry.example/app/*", "registry.example/app/team/web:1"),
        ("registry.example/*", "registry.example/web:1"),
        ("registry.*/app/web", "registry.example/app/web:1"),
        ("*:5000/app", "host:5000/app:1"),
        ("*/api", "registry.example/shop/api:1"),
        ("*/api", "api:1"),
        ("**/api", "shop/api:1"),
        ("shop/*-api", "shop/new-api:1"),
        ("web-?", "web-1:9"),
        ("web-[a-c]", "web-b:9"),
        ("a-z*", "a-zoo:1"),
        (f"shop/api@{DIGEST}", f"shop/api@{DIGEST}"),
        (f"shop/api:1@{DIGEST}", f"shop/api@{DIGEST}"),
        (f"*@{DIGEST}", f"registry.example/a/b@{DIGEST}"),
        ("shop/api:1", f"shop/api:1@{DIGEST}"),
        ("host:5000/app", "host:5000/app:1"),
        ("my_host.lan/app", "my_host.lan/app:1"),
        ("my_host.lan/*", "my_host.lan/team/app:1"),
        ("my_*.lan/app", "my_host.lan/app:1"),
        ("*/app", "my_host.lan/app:1"),
        ("docker.io/my_host.lan/app", "my_host.lan/app:1"),
        ("my_host.lan/app", "docker.io/my_host.lan/app:1"),
    ],
)
def test_s8_a_pattern_matches_what_it_names_in_every_spelling(pattern: str, name: str) -> None:
    assert Pattern.parse(pattern).matches(ImageName.parse(name))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("app:1", "myapp:1"),
        ("app:1", "app:10"),
        ("app:1", "app:1-rc"),
        ("app:1", "registry.example/app:1"),
        ("app:1", "team/app:1"),
        ("app:1", "app-web:1"),
        ("app", "app/web:1"),
        ("app.web:1", "app-web:1"),
        ("shop/api", "registry.example/shop/api:1"),
        ("shop/api:1", f"shop/api@{DIGEST}"),
        ("shop/api:1.*", f"shop/api@{DIGEST}"),
        ("web-*", "web-team/app:1"),
        ("web-*", "web-1.example/app:1"),
        ("web-*", "team/web-1:1"),
        ("registry.example/*", "registry.example.org/web:1"),
        ("registry.example/*", "my-registry.example/web:1"),
        ("registry.example/app/*", "registry.example/app:1"),
        ("registry.example/app/*", "registry.example/application/web:1"),
        ("web-?", "web-10:1"),
        ("web-[a-c]", "web-d:1"),
        ("app:v*", "app:V1"),
        (f"app@{DIGEST}", "app:1"),
        (f"app@{DIGEST}", "app@sha256:" + "0" * 64),
        (f"app@{DIGEST}", f"other@{DIGEST}"),
        ("host:5000/app", "host:5001/app:1"),
        ("host:5000/app", "host/app:5000"),
        ("my_host.lan/app", "my-host.lan/app:1"),
        ("my_host.lan/app", "registry.example/my_host.lan/app:1"),
        ("registry.example/app", "my_host.lan/app:1"),
        ("docker.io/app", "my_host.lan/app:1"),
    ],
)
def test_s8_look_alikes_do_not_match(pattern: str, name: str) -> None:
    assert not Pattern.parse(pattern).matches(ImageName.parse(name))


@given(NAMES)
def test_s8_a_name_is_a_pattern_that_matches_itself(name: ImageName) -> None:
    assume(name.registry == name.registry.lower() and "[" not in name.registry)
    assert Pattern.parse(name.full()).matches(name)
    assert Pattern.parse(name.familiar()).matches(name)


@given(NAMES, NAMES)
def test_s8_a_literal_pattern_matches_no_other_repository_and_no_other_tag(
    a: ImageName, b: ImageName
) -> None:
    assume(a.registry == a.registry.lower() and "[" not in a.registry and a.digest is None)
    assume((repository_of(a), a.tag) != (repository_of(b), b.tag))
    assert not Pattern.parse(a.full()).matches(b)


@given(NAMES, PARTS)
def test_s8_a_longer_or_shorter_name_is_another_name(name: ImageName, more: str) -> None:
    literal = Pattern.parse("app:1")
    assert not literal.matches(ImageName.parse(f"app:1{more}"))
    assert not literal.matches(ImageName.parse(f"{more}app:1"))
    assert not literal.matches(ImageName.parse(f"{more}/app:1"))


@pytest.mark.parametrize("everything", ["*", "**", "*:*", "**/*"])
@given(name=NAMES)
def test_a_star_alone_means_every_image(everything: str, name: ImageName) -> None:
    assert Pattern.parse(everything).matches(name)


def means(patterns: list[str], parts: list[str]) -> bool:
    """What a pattern's parts mean, by definition: every way to spread them over a name's is tried."""
    if not patterns or not parts:
        return not patterns and not parts
    first, *rest = patterns
    if first in ("*", "**"):
        return any(means(rest, parts[taken:]) for taken in range(1, len(parts) + 1))
    return fnmatchcase(parts[0], first) and means(rest, parts[1:])


@given(
    st.lists(st.sampled_from(["*", "**", "a", "b", "a*", "?", "[ab]"]), min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "b", "ab", "c"]), min_size=1, max_size=6),
)
def test_s8_a_pattern_means_what_its_definition_says(patterns: list[str], parts: list[str]) -> None:
    name = ImageName("r.io", "/".join(parts))

    assert Pattern.parse("/".join(["r.io", *patterns])).matches(name) == means(patterns, parts)
    assert Pattern.parse("/".join(patterns)).matches(name) == means(patterns, ["r.io", *parts])


@pytest.mark.parametrize("end", ["x", "a*x", "**/x"])
def test_s8_a_glob_of_many_stars_compares_each_part_with_each_once(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, pattern = ImageName("r.io", "/".join(["a"] * 100)), Pattern.parse("*/" * 50 + end)
    left = iter(range(len(pattern.parts) * 101))

    def counted(text: str, glob: str) -> bool:
        assert next(left, None) is not None, "more than each with each"
        return fnmatchcase(text, glob)

    monkeypatch.setattr("workers.references.fnmatchcase", counted)

    assert not pattern.matches(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "app ",
        "app:1 app:2",
        "app:",
        "app@",
        "App",
        "Shop/api",
        "shop/Api*",
        "app[",
        "app[]",
        "app[z-a]",
        "app[^a]",
        "app]",
        "app[a-",
        "app:[1",
        "{a,b}",
        "!app",
        "app\\*",
        "/app",
        "app/",
        "a//b",
        "app..x",
        "app@sha256:01*",
        "app@*",
        "<none>:<none>",
        DIGEST,
        "app:1\n",
        "*\n",
        "a" * 2000,
    ],
)
def test_a_pattern_that_means_nothing_is_an_error_with_the_value_and_what_is_expected(text: str) -> None:
    with pytest.raises(BadName, match="expected") as caught:
        Pattern.parse(text)
    assert repr(text) in str(caught.value)


@given(SIGNS, NAMES)
def test_any_text_is_a_pattern_or_an_error(text: str, name: ImageName) -> None:
    with contextlib.suppress(BadName):
        Pattern.parse(text).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("web", "web", True),
        ("web", "/web", True),
        ("web", "web-1", False),
        ("web", "my-web", False),
        ("web-*", "web-1", True),
        ("web-*", "web", False),
        ("web-?", "web-10", False),
        ("web-[0-3]", "web-2", True),
        ("web-[!0-3]", "web-2", False),
        ("*", "anything_at.all", True),
        ("Web", "web", False),
    ],
)
def test_s8_names_of_containers_and_networks_match_whole(pattern: str, name: str, expected: bool) -> None:
    assert expected == NamePattern.parse(pattern).matches(name)


@pytest.mark.parametrize("text", ["", " ", "web 1", "web[", "web[z-a]", "web/1", "{a,b}", "web\n"])
def test_a_bad_name_pattern_is_an_error_with_the_value(text: str) -> None:
    with pytest.raises(BadName, match=re.escape(repr(text))):
        NamePattern.parse(text)
