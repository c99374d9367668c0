"""Nothing but the calls of a guarded run reaches an engine, however a URL is spelled (S1, S2)."""

import json
import posixpath
import re
from urllib.parse import parse_qsl, quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workers.allowed_calls import MOST_LOG_LINES, MOST_RECORDS, is_allowed
from workers.execution.run import BATCH
from workers.planning import policy

HEX = "0123456789abcdef" * 4
RECORD = "abcde01234abcde01234abcde"
DIGEST = f"sha256:{HEX}"
OTHER = "zyxwv98765zyxwv98765zyxwv"


def by_records(*ids: str) -> str:
    """The filter of a call that removes build cache records by their ids."""
    return quote(json.dumps({"id": [f"^(?:{'|'.join(ids)})$"], "until": ["86400s"]}))


def numbered(count: int) -> list[str]:
    return [f"{number:025}" for number in range(count)]


ONE_RECORD = by_records(RECORD)

READS = (
    "/version",
    "/v1.24/version",
    "/v1.41/info",
    "/v1.41/events?since=1&until=2",
    "/v1.41/system/df",
    "/v1.41/services",
    "/v1.41/networks",
    f"/v1.41/networks/{HEX}",
    "/v1.41/images/json?only_ids=0&all=1",
    f"/v1.41/images/{DIGEST}/json",
    f"/v1.41/images/{DIGEST}/history",
    "/v1.41/images/registry.example:5000/shop/api:1.6.0/json",
    f"/v1.41/distribution/registry.example:5000/shop/api%40{DIGEST}/json",
    "/v1.41/containers/json?limit=-1&all=1",
    f"/v1.51/containers/{HEX}/json",
    f"/v1.41/containers/{HEX}/logs?stdout=1&stderr=1&timestamps=1&tail=1",
    f"/v1.51/containers/{HEX}/logs?tail={MOST_LOG_LINES}&stdout=1&timestamps=1&stderr=1",
    f"/v1.41/images/{DIGEST}/get",
)
REMOVALS = (
    f"/v1.41/containers/{HEX}?v=False&link=False&force=False",
    f"/v1.41/networks/{HEX}",
    f"/v1.41/images/{DIGEST}?force=False&noprune=True",
    "/v1.41/images/registry.example:5000/shop/api:1.6.0?force=False&noprune=True",
    f"/v1.51/images/docker.io/library/app:1%40{DIGEST}?force=False&noprune=True",
)
POSTS = (
    f"/v1.41/images/{DIGEST}/tag?tag=1&repo=docker.io%2Flibrary%2Fapp&force=0",
    f"/v1.41/images/create?tag={quote(DIGEST)}&fromImage=registry.example%3A5000%2Fshop%2Fapi",
    f"/v1.41/build/prune?filters={ONE_RECORD}&all=True",
    f"/v1.41/build/prune?filters={by_records(RECORD, OTHER)}&all=True",
    f"/v1.41/build/prune?filters={by_records(*numbered(MOST_RECORDS))}&all=True",
)
CHANGES = [*(("DELETE", url) for url in REMOVALS), *(("POST", url) for url in POSTS)]
LOAD = "/v1.41/images/load?quiet=1"


@pytest.mark.parametrize(("method", "url"), [*(("GET", url) for url in READS), *CHANGES])
def test_what_a_guarded_run_needs_is_allowed(method: str, url: str) -> None:
    assert is_allowed(method, url)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("DELETE", "/v1.41/volumes/shop-db-data"),
        ("DELETE", "/volumes/shop-db-data?noprune=1"),
        ("POST", "/v1.41/volumes/prune"),
        ("POST", "/volumes/create"),
        ("DELETE", f"/v1.41/containers/{HEX}?v=1"),
        ("DELETE", f"/v1.41/containers/{HEX}?v=0&v=1"),
        ("DELETE", f"/v1.41/containers/{HEX}?%76=true"),
        ("DELETE", f"//volumes/containers/{HEX}"),
        ("DELETE", f"//volumes/images/{DIGEST}?noprune=1"),
        ("DELETE", "/v1.41/../volumes/data?noprune=1"),
        ("DELETE", "/v1.41/images/../volumes/data?noprune=1"),
        ("DELETE", "/v1.41/images/%2e%2e/volumes/data?noprune=1"),
        ("DELETE", "/v1.41/images/..%2fvolumes%2fdata?noprune=1"),
        ("DELETE", "/v1.41/images/%252e%252e/volumes/data?noprune=1"),
        ("DELETE", "/v1.41/images/x/../../volumes/data?noprune=1"),
        ("DELETE", "/v1.41//volumes/data?noprune=1"),
        ("DELETE", "/v1.41/%76olumes/data?noprune=1"),
        ("DELETE", "http://other/volumes/data?noprune=1"),
        ("DELETE", "/v1.41/images/../volumes/data:1?noprune=1"),
        ("DELETE", "/v1.41/images/x/../../volumes/data:1?noprune=1"),
        ("DELETE", "/v1.41/images/%2e%2e/volumes/data:1?noprune=1"),
        ("DELETE", "/v1.41/images//volumes/data:1?noprune=1"),
    ],
)
def test_s1_no_call_removes_a_volume(method: str, url: str) -> None:
    assert not is_allowed(method, url)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/v1.41/containers/prune"),
        ("POST", "/v1.41/images/prune"),
        ("POST", "/v1.41/networks/prune"),
        ("POST", "/v1.41/system/prune"),
        ("POST", "/v1.41/build/prune"),
        ("POST", "/v1.41/build/prune?all=1"),
        ("POST", "/v1.41/build/prune?filters="),
        ("POST", "/v1.41/build/prune?filters={}"),
        ("POST", "/v1.41/build/prune?filters=[]"),
        ("POST", '/v1.41/build/prune?filters={"id":[]}'),
        ("POST", '/v1.41/build/prune?filters={"id":[""]}'),
        ("POST", '/v1.41/build/prune?filters={"id":[".*"]}'),
        ("POST", f'/v1.41/build/prune?filters={{"id":["{RECORD}","{RECORD}"]}}'),
        ("POST", f'/v1.41/build/prune?filters={{"id":["{RECORD}|."]}}'),
        ("POST", f'/v1.41/build/prune?filters={{"id":{{"^(?:{RECORD})$":true}}}}'),
        ("POST", f'/v1.41/build/prune?filters={{"id":["^(?:{RECORD})$"],"type":["regular"]}}'),
        ("POST", f'/v1.41/build/prune?filters={{"id":["^(?:{RECORD})$","^(?:{OTHER})$"]}}'),
        *(
            ("POST", f"/v1.41/build/prune?filters={quote(json.dumps({'id': [text]}))}")
            for text in (
                RECORD,
                f"{RECORD}|{OTHER}",
                f"^{RECORD}|{OTHER}$",
                f"(?:{RECORD}|{OTHER})",
                f"^(?:{RECORD}|{OTHER})",
                f"(?:{RECORD}|{OTHER})$",
                f"^(?:{RECORD}|)$",
                f"^(?:|{RECORD})$",
                f"^(?:{RECORD}||{OTHER})$",
                "^(?:)$",
                f"^(?:{RECORD[:-1]})$",
                f"^(?:{RECORD}a)$",
                f"^(?:{RECORD[:-1]}.)$",
                f"^(?:{RECORD}|.*)$",
                f"^(?:{RECORD})|(?:{OTHER})$",
                f"^(?:{RECORD})?$",
                f"^(?:{RECORD})$\n",
                f"^(?i:{RECORD})$",
            )
        ),
        ("POST", f"/v1.41/build/prune?filters={by_records(*numbered(MOST_RECORDS + 1))}"),
        ("POST", f"/v1.41/build/prune?filters={ONE_RECORD}&filters={{}}"),
        ("POST", f"/v1.41/build/prune?filters={{}}&filters={ONE_RECORD}"),
        ("POST", f"/v1.41/build/prune?filters={ONE_RECORD}&keep-storage=0"),
        ("POST", f"/v1.41/build/prune;?filters={ONE_RECORD}"),
    ],
)
def test_s2_no_call_removes_more_than_was_named(method: str, url: str) -> None:
    assert not is_allowed(method, url)


@pytest.mark.parametrize(
    "url",
    [
        f"/v1.41/images/{DIGEST}",
        f"/v1.41/images/{DIGEST}?noprune=0",
        f"/v1.41/images/{DIGEST}?noprune=no",
        f"/v1.41/images/{DIGEST}?noprune=none",
        f"/v1.41/images/{DIGEST}?noprune=%20false",
        f"/v1.41/images/{DIGEST}?noprune=0&noprune=1",
        f"/v1.41/images/{DIGEST}?noprune=1&noprune=0",
        f"/v1.41/images/{DIGEST}?noprune=1&force=1",
        f"/v1.41/images/{DIGEST}?noprune=1;force=1",
        f"/v1.41/images/{DIGEST}?noprune=1&force=0&force=1",
        f"/v1.41/images/{DIGEST}?noprune=1&platforms=x",
        f"/v1.41/containers/{HEX}?force=1",
        f"/v1.41/containers/{HEX}?force=y",
        f"/v1.41/containers/{HEX}?link=1",
        f"/v1.41/containers/{HEX[:12]}",
        "/v1.41/containers/web",
        "/v1.41/networks/front",
        f"/v1.41/networks/{HEX}?force=1",
        "/v1.41/images/app?noprune=1",
        "/v1.41/images/sha256:0123?noprune=1",
        f"/v1.41/images/app@{DIGEST}?noprune=1",
    ],
)
def test_s2_no_removal_is_forced_or_takes_parents_along(url: str) -> None:
    assert not is_allowed("DELETE", url)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", f"/v1.41/containers/{HEX}/exec"),
        ("POST", f"/v1.41/containers/{HEX}/stop"),
        ("POST", "/v1.41/containers/create"),
        ("PUT", f"/v1.41/containers/{HEX}/archive"),
        ("GET", f"/v1.41/containers/{HEX}/export"),
        ("GET", f"/v1.41/containers/{HEX}/archive?path=/"),
        ("POST", f"/v1.41/images/create?fromSrc=-&tag={DIGEST}"),
        ("POST", "/v1.41/images/create?fromImage=app&tag=latest"),
        ("POST", "/v1.41/images/create?fromImage=app&tag=sha256:abc"),
        ("POST", "/v1.41/images/app:1/tag?repo=app&tag=2"),
        ("POST", f"/v1.41/images/{DIGEST}/tag?repo=app&tag=2&force=1"),
        ("HEAD", "/_ping"),
        ("delete", f"/v1.41/networks/{HEX}"),
    ],
)
def test_nothing_else_is_sent(method: str, url: str) -> None:
    assert not is_allowed(method, url)


# Saving and loading an image

SAVE = f"/v1.41/images/{DIGEST}/get"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/v1.41/images/get"),
        ("GET", f"/v1.41/images/get?names={DIGEST}"),
        ("GET", "/v1.41/images/app:1/get"),
        ("GET", f"/v1.41/images/app:1@{DIGEST}/get"),
        ("GET", f"/v1.41/images/{DIGEST[:-1]}/get"),
        ("GET", f"/v1.41/images/{HEX}/get"),
        ("GET", f"{SAVE}?names=app"),
        ("GET", f"{SAVE}?platform=x"),
        ("GET", f"{SAVE}/"),
        ("GET", f"/v1.41/images/../{DIGEST}/get"),
        ("GET", f"/v1.41/volumes/{DIGEST}/get"),
        *((method, SAVE) for method in ("POST", "PUT", "DELETE", "HEAD")),
    ],
)
def test_an_image_is_saved_alone_and_by_its_id(method: str, url: str) -> None:
    assert is_allowed("GET", SAVE)
    assert not is_allowed(method, url)
    assert not is_allowed(method, url, streams=True)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/v1.41/images/load"),
        ("POST", "/v1.41/images/load?quiet=0"),
        ("POST", "/v1.41/images/load?quiet=1&quiet=1"),
        ("POST", "/v1.41/images/load?quiet=1&platform=x"),
        ("POST", "/v1.41/images/load;?quiet=1"),
        ("POST", "/v1.41/images//load?quiet=1"),
        ("POST", "/v1.41/images/x/../load?quiet=1"),
        ("POST", "/v1.41/build?quiet=1"),
        ("POST", "/v1.41/images/create?quiet=1"),
        ("POST", "/v1.41/images/create?fromSrc=-&repo=app"),
        *((method, LOAD) for method in ("GET", "PUT", "DELETE", "HEAD")),
        *CHANGES,
        *(("GET", url) for url in READS),
    ],
)
def test_a_body_in_pieces_is_that_of_a_load_and_nothing_else(method: str, url: str) -> None:
    assert is_allowed("POST", LOAD, streams=True)
    assert not is_allowed(method, url, streams=True)


def test_a_load_has_its_body_in_pieces_and_no_other() -> None:
    assert not is_allowed("POST", LOAD)
    assert not is_allowed("POST", LOAD, b"tar")
    assert not is_allowed("POST", LOAD, b"tar", streams=True)


TAIL = f"/v1.41/containers/{HEX}/logs?stdout=1&stderr=1&timestamps=1&tail="


@pytest.mark.parametrize(
    "url",
    [
        f"/v1.41/containers/{HEX}/logs",
        TAIL.removesuffix("&tail="),
        *(
            f"{TAIL}{lines}"
            for lines in ("", "0", "all", "-1", "+5", "05", " 5", "51", "1000", "5.0", "%D9%A5")
        ),
        f"{TAIL}5&follow=1",
        f"{TAIL}5&follow=0",
        f"{TAIL}5;follow=1",
        f"{TAIL}5&tail=all",
        f"{TAIL}5&since=0",
        f"{TAIL}5&details=1",
        f"{TAIL}5".replace("stdout=1", "stdout=true"),
        f"{TAIL}5".replace(HEX, "web"),
        f"{TAIL}5".replace(HEX, HEX[:12]),
        f"{TAIL}5".replace("/logs", "/../logs"),
        f"{TAIL}5".replace("/logs", "/attach"),
    ],
)
def test_of_a_log_nothing_but_its_end_is_asked_for_and_it_is_not_followed(url: str) -> None:
    assert is_allowed("GET", f"{TAIL}5")
    assert not is_allowed("GET", url)


@pytest.mark.parametrize("method", ["POST", "DELETE", "HEAD"])
def test_the_end_of_a_log_is_read_and_nothing_else(method: str) -> None:
    assert not is_allowed(method, f"{TAIL}5")


def test_a_policy_lets_no_more_of_a_log_be_shown_than_is_allowed() -> None:
    assert policy.MOST_LOG_LINES == MOST_LOG_LINES


# The same for whatever a URL may look like: an allowed one, with something foreign put into it.

FOREIGN = (
    *(
        "/",
        "//",
        "/../",
        "/./",
        "..",
        "%2F",
        "%2e%2e",
        "%252e",
        "\\",
        ";",
        "?",
        "&",
        "=",
        "#",
        "%00",
        "\n",
        "@",
    ),
    *(
        "volumes",
        "/volumes/",
        "VOLUMES",
        "%76olumes",
        "prune",
        "/prune",
        "v1.41",
        "/v1.41",
        "http://x",
        "//x",
    ),
    *("&force=1", ";force=1", "&v=1", "&noprune=0", "noprune=0&", ";noprune=0", "&filters={}", "filters={}&"),
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    method, url = draw(st.sampled_from([*CHANGES, ("POST", LOAD)]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(url)))
        upto = draw(st.sampled_from([at, at, at + 1, at + 4]))
        url = url[:at] + draw(st.sampled_from(FOREIGN)) + url[upto:]
    return draw(st.sampled_from([method, "DELETE", "POST"])), url


def served_path(url: str) -> list[str]:
    """The parts of a path as an engine sees them: decoded once, cleaned, without the version."""
    path = posixpath.normpath("/" + unquote(re.split(r"[?#]", url)[0]).lower().lstrip("/"))
    return [part for part in re.sub(r"^/v[0-9.]+(?=/)", "", path).split("/") if part]


def readings(url: str, flag: str) -> set[bool]:
    """What engines may make of a flag: older ones split at a semicolon too, and the first one counts."""
    query = url.partition("?")[2].partition("#")[0]
    values = [
        value
        for pairs in (parse_qsl(query, True), parse_qsl(query.replace(";", "&"), True))
        for name, value in pairs
        if name == flag
    ]
    return {value.strip().lower() not in ("", "0", "no", "false", "none") for value in values} or {False}


@given(spellings())
@example(("DELETE", f"//volumes/networks/{HEX}"))
@example(("DELETE", f"/v1.41/images/{DIGEST}?noprune=0&noprune=1"))
def test_s1_s2_whatever_is_allowed_means_one_unforced_removal(spelling: tuple[str, str]) -> None:
    method, url = spelling
    if is_allowed(method, url):
        kind, *rest = served_path(url)
        assert kind in ("containers", "images", "networks", "build")
        assert "volumes" not in (kind, *rest) or kind == "images"
        assert rest[-1:] != ["prune"] or kind == "build" or method == "DELETE"
        assert [readings(url, flag) for flag in ("force", "v", "link")] == [{False}] * 3
        if (method, kind) == ("DELETE", "images"):
            assert readings(url, "noprune") == {True}
        if kind == "build":
            [text] = json.loads(dict(parse_qsl(url.partition("?")[2]))["filters"])["id"]
            named = re.fullmatch(r"\^\(\?:([a-z0-9|]+)\)\$", text)
            assert named is not None
            assert {*named[1].split("|")} <= {RECORD, OTHER, *numbered(MOST_RECORDS)}


@given(spellings())
@example(("POST", LOAD))
def test_whatever_may_stream_is_a_load(spelling: tuple[str, str]) -> None:
    method, url = spelling
    if is_allowed(method, url, streams=True):
        assert (method, served_path(url)) == ("POST", ["images", "load"])


def test_a_run_asks_for_no_more_records_than_are_allowed() -> None:
    assert BATCH == MOST_RECORDS
