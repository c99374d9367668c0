"""Names are those of distribution/reference, and a refusal says where a text stops being one.

The grammar here is written anew from the comment and the expressions at the head of reference.go and
regexp.go, with splitDockerDomain of normalize.go, in github.com/distribution/reference at v0.6; digests as in
github.com/opencontainers/go-digest. Since v0.6 a name is limited to 255 characters without its registry;
before, with engines up to 24, that was with it, so what those list is read as well. Two deviations are meant:

- `sha256:` with 64 digits is refused. Distribution reads the repository `sha256` with an odd tag; to an
  engine, and to whoever writes it, it is an image's id.
- A text of more than 1024 characters is refused, however long its registry: no host has such a name.
"""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workers.references import BadName, ImageName, NamePattern, Pattern

ALPHANUMERIC = "[a-z0-9]+"
SEPARATOR = "(?:[._]|__|[-]+)"
COMPONENT = f"{ALPHANUMERIC}(?:{SEPARATOR}{ALPHANUMERIC})*"
REMOTE = f"{COMPONENT}(?:/{COMPONENT})*"
DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN_NAME = rf"{DOMAIN_COMPONENT}(?:\.{DOMAIN_COMPONENT})*"
DOMAIN = rf"(?:{DOMAIN_NAME}|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
TAG = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,127}"
DIGEST = "(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})"
NAME = rf"(?:{DOMAIN}/)?{REMOTE}"
ANCHORED_NAME = re.compile(rf"(?:({DOMAIN})/)?({REMOTE})")
REFERENCE = re.compile(rf"({NAME})(?::({TAG}))?(?:@({DIGEST}))?")
IDENTIFIER = re.compile("(?:sha256:)?[a-f0-9]{64}")


def normalised(text: str) -> tuple[str, str | None, str | None] | None:
    """What distribution's ParseNormalizedNamed makes of a text, or that it refuses."""
    if IDENTIFIER.fullmatch(text):
        return None
    first, slash, rest = text.partition("/")
    is_domain = slash and (any(c in ".:" for c in first) or first == "localhost" or first.lower() != first)
    domain, remainder = (first, rest) if is_domain else ("docker.io", text)
    domain = "docker.io" if domain == "index.docker.io" else domain
    if domain == "docker.io" and "/" not in remainder:
        remainder = f"library/{remainder}"
    found = REFERENCE.fullmatch(f"{domain}/{remainder}")
    if not found or len(text) > 1024:
        return None
    # What was taken for a domain and is none stays the beginning of the path, of a name without a domain.
    named = ANCHORED_NAME.fullmatch(found[1])
    if not named or len(named[2]) > 255:
        return None
    return found[1], found[2], found[3]


WORDS = st.text("az09", min_size=1, max_size=3)
SEPARATORS = st.sampled_from([".", "_", "__", "-", "---"])
COMPONENTS = st.one_of(WORDS, st.builds("{}{}{}".format, WORDS, SEPARATORS, WORDS))
LENGTHS = st.sampled_from([63, 128, 236, 237, 238, 246, 247, 248, 254, 255, 256, 300])
PATHS = st.one_of(
    st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join),
    LENGTHS.map(lambda length: "a" * length),
    LENGTHS.map(lambda length: ("a/" * length)[: length - 1] + "b"),
)
HOSTS = st.one_of(
    st.sampled_from(["docker.io", "index.docker.io", "localhost", "[fe80::1]", "Shop", "10.0.0.1", "A-b.c"]),
    st.sampled_from(["my_registry.local", "a--b__c.d", "a_b", "a.b-.c", "A_b.c", "x_y.z_" * 40 + "0"]),
    st.lists(st.text("aZ0", min_size=1, max_size=3), min_size=1, max_size=3).map(".".join),
    st.sampled_from([62, 126, 400]).map(lambda length: "a." * length + "b"),
)
DOMAINS = st.builds("{}{}/".format, HOSTS, st.sampled_from(["", ":5000", ":0"]))
TAGS = st.one_of(
    st.builds("{}{}".format, st.sampled_from("aZ0_"), st.text("aZ0_.-", max_size=4)), st.just("t" * 128)
)
HEX = st.sampled_from("0f")
DIGESTS = st.builds(
    lambda algorithm, digit: f"{algorithm[0]}:{digit * algorithm[1]}",
    st.sampled_from([("sha256", 64), ("sha384", 96), ("sha512", 128)]),
    HEX,
)
REFERENCES = st.builds(
    "{}{}{}{}".format,
    st.one_of(st.just(""), DOMAINS),
    PATHS,
    st.one_of(st.just(""), TAGS.map(":{}".format)),
    st.one_of(st.just(""), DIGESTS.map("@{}".format)),
)
# What people and engines get wrong, and what no engine should ever say.
ODD = st.sampled_from(
    [*"AZ/:@._-[]<> \n\t\\*?é界\ud800\x00", "<none>", "//", "..", "___", ":/", "sha256:", "latest", "a" * 130]
)


@st.composite
def near_references(draw: st.DrawFn) -> str:
    """A name with something put in, taken out, or cut off."""
    text = draw(REFERENCES)
    at = draw(st.integers(0, len(text)))
    until = draw(st.one_of(st.just(at), st.integers(at, len(text))))
    return text[:at] + draw(st.one_of(st.just(""), ODD)) + text[until:]


JUNK = st.one_of(st.lists(ODD, max_size=4).map("".join), st.text(max_size=8))
TEXTS = st.one_of(REFERENCES, near_references(), near_references(), JUNK)


def read(text: str) -> tuple[str, str | None, str | None] | None:
    try:
        name = ImageName.parse(text)
    except BadName:
        return None
    # That `latest` is meant where nothing is said is for whoever asks an engine, not for its grammar.
    is_added = name.tag == "latest" and not text.partition("@")[0].endswith(":latest")
    return f"{name.registry}/{name.repository}", None if is_added else name.tag, name.digest


@given(TEXTS)
def test_a_text_is_a_name_exactly_where_distribution_says_so(text: str) -> None:
    assert read(text) == normalised(text)


@pytest.mark.parametrize("registry", ["", "registry.example:5000/", "a." * 126 + "b/"])
def test_a_repository_of_255_characters_is_read_in_every_registry(registry: str) -> None:
    text = f"{registry}shop/{'a' * 250}:1"

    assert ImageName.parse(text).familiar() == text
    assert ImageName.parse(ImageName.parse(text).full()).full() == ImageName.parse(text).full()


@given(REFERENCES)
def test_most_of_what_the_grammar_makes_is_read(text: str) -> None:
    found = normalised(text)
    assume(found is not None)

    assert ImageName.parse(text).full().startswith(found[0] if found else "")


def position(text: str, parse: object = ImageName.parse) -> int | None:
    """How many characters are before the first wrong one; None for what is right."""
    try:
        parse(text)  # type: ignore[operator]
    except BadName as error:
        return error.at
    return None


@given(TEXTS)
def test_a_refusal_says_where_and_nothing_before_that_is_wrong(text: str) -> None:
    at = position(text)
    assume(at is not None and not IDENTIFIER.fullmatch(text))
    assert at is not None
    before = position(text[:at])

    assert 0 <= at <= len(text)
    # What comes before is a name by itself, or would be one if it went on: `A` alone can be but a registry.
    assert before in (None, at) or IDENTIFIER.fullmatch(text[:at]) or position(f"{text[:at]}/a") is None


@given(TEXTS)
def test_a_refusal_shows_the_text_and_the_character(text: str) -> None:
    assume(position(text) is not None)
    with pytest.raises(BadName) as refused:
        ImageName.parse(text)
    at, said = refused.value.at, str(refused.value)
    shown = f"{text[at]!r} at character {at + 1}" if at < len(text) else "it ends too early"

    assert (said.startswith(repr(text)), said.endswith(shown)) == (True, True)
    assert said.encode()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("App:1", 0),
        ("shop/Api", 5),
        ("app:", 4),
        ("app@", 4),
        ("app:1:2", 5),
        ("app:tag/with", 3),
        ("/app", 0),
        ("app/", 4),
        ("a//b", 2),
        ("-app", 0),
        ("app..x", 3),
        ("app:1\n", 5),
        ("app:-1", 4),
        ("app@md5:00", 4),
        ("app@sha256:0123", 15),
        ("app@sha256:012X", 14),
        ("app@sha256:" + "0" * 65, 75),
        ("<none>:<none>", 0),
        ("shop/api:<none>", 9),
        ("host:port/app", 4),
        ("a" * 300, 255 - len("library/")),
        ("docker.io/" + "a" * 300, len("docker.io/") + 255 - len("library/")),
        ("shop/" + "a" * 300, 255),
        ("registry.example:5000/" + "a" * 256, len("registry.example:5000/") + 255),
        ("a." * 510 + "b/app:1", 1024),
        ("app:" + "t" * 129, 132),
        ("sha256:" + "0" * 64, 0),
        ("äpp", 0),
        ("app:1 ", 5),
        ("my_host.lan:5000/app", 11),
        ("my_host..lan/app", 7),
        ("My_host.lan/app", 2),
        ("my_host.lan/" + "a" * 250, 255),
    ],
)
def test_the_place_of_what_is_wrong(text: str, at: int) -> None:
    assert position(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("Shop/api", 0),
        ("shop/Api*", 5),
        ("app[", 3),
        ("app[]", 3),
        ("app[z-a]", 4),
        ("app:v[z-a]", 6),
        ("app:[1", 4),
        ("{a,b}", 0),
        ("app/", 4),
        ("app..x", 3),
        ("app@sha256:01*", 13),
        ("app@*", 4),
        ("app:1 app:2", 5),
        ("my_host.lan:5000/app", 11),
    ],
)
def test_the_place_of_what_is_wrong_in_a_pattern(text: str, at: int) -> None:
    assert position(text, Pattern.parse) == at


@pytest.mark.parametrize(("text", "at"), [("", 0), ("web 1", 3), ("web[z-a]", 4), ("web/1", 3), ("web\n", 3)])
def test_the_place_of_what_is_wrong_in_a_plain_name(text: str, at: int) -> None:
    assert position(text, NamePattern.parse) == at


@given(TEXTS)
def test_a_refused_pattern_says_where(text: str) -> None:
    at = position(text, Pattern.parse)

    assert at is None or 0 <= at <= len(text)
