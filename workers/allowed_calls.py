"""Which calls may reach an engine at all: the safety rules S1 and S2, kept where no code can go around them.

The list is closed. Whatever is not on it (volumes, bulk prunes, force, exec, export, a whole log) is never
sent, and what could be read in two ways is not on it.
"""

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

from workers import allowed_networks
from workers.errors import EngineError

HEX = r"[0-9a-f]{64}"
# A part never begins with a dot, so no path climbs out of where it seems to be.
PART = r"[A-Za-z0-9\[][A-Za-z0-9._:\[\]-]*"
NAME = rf"{PART}(?:/{PART})*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
READS = re.compile(
    rf"/version|/_ping|/info|/events|/system/df|/services|/networks|/networks/{HEX}"
    rf"|/images/json|/images/{NAME}(?:@sha256:{HEX})?/(?:json|history)|/distribution/{NAME}@sha256:{HEX}/json"
    rf"|/containers/json|/containers/{HEX}/json"
)
CONTAINER = re.compile(rf"/containers/{HEX}")
# `sha256:` and fewer digits would be the beginning of any id; a name without a tag could be one as well.
IMAGE = re.compile(rf"/images/(?:sha256:{HEX}|(?!sha256:){NAME}:{TAG}(?:@sha256:{HEX})?)")
NETWORK = re.compile(rf"/networks/{HEX}")
TAGGING = re.compile(rf"/images/sha256:{HEX}/tag")
RECORD = r"[a-z0-9]{25}"
# The engine reads it as an expression: only full ids, from beginning to end, and no more than a run asks for.
MOST_RECORDS = 20
CACHE_RECORDS = re.compile(rf"\^\(\?:{RECORD}(?:\|{RECORD}){{0,{MOST_RECORDS - 1}}}\)\$")
DIGEST = re.compile(rf"sha256:{HEX}")
SAVED = re.compile(rf"/images/sha256:{HEX}/get")
LOADING = "/images/load"
LOGS = re.compile(rf"/containers/{HEX}/logs")
MOST_LOG_LINES = 50
LOG_LINES = frozenset(map(str, range(1, MOST_LOG_LINES + 1)))
YES, NO = frozenset({"1", "True", "true"}), frozenset({"0", "False", "false"})
Query = Mapping[str, str]


class ForbiddenCall(EngineError):
    """A call that is not on the closed list was about to be sent; it was not."""


def require_allowed(method: str, url: str, body: bytes = b"", *, streams: bool = False) -> None:
    """Let a call pass, or say that it is not on the list; `streams`: its body comes in pieces.

    Raises:
        ForbiddenCall: it must not be sent.
    """
    if not is_allowed(method, url, body, streams=streams):
        what = f"{method} {url} with a body" if body or streams else f"{method} {url}"
        raise ForbiddenCall(f"{what} is not on the list of allowed calls")


def is_allowed(method: str, url: str, body: bytes = b"", *, streams: bool = False) -> bool:
    """Whether a call is one that a guarded run or a restore needs. Two alone have a body: a network's is
    read here, that of an image's archive `streams`.

    Source of the list: the measured least privilege of docker-engine.md, section 7.
    """
    address, _, asked = url.partition("?")
    query = _query(asked)
    if query is None or re.fullmatch(r"[!-~]+", url) is None:
        return False
    path = re.sub(r"^/v1\.[0-9]+(?=/)", "", unquote(address))
    if streams or path == LOADING:
        return streams and not body and _is_loading(method, path, query)
    if body or path == allowed_networks.PATH:
        return _is_network(method, path, query, body)
    match method:
        case "GET":
            return _is_read(path, query)
        case "DELETE":
            return _is_single_removal(path, query)
        case "POST":
            return _is_tagging(path, query) or _is_pull(path, query) or _is_by_record(path, query)
    return False


def _query(text: str) -> Query | None:
    """Read a query that all engines read alike: of a name said twice some take the first, some the last,
    and older ones end a value at a semicolon too.
    """
    pairs = parse_qsl(text, keep_blank_values=True)
    query = dict(pairs)
    return None if ";" in text or "#" in text or len(query) < len(pairs) else query


def _is_read(path: str, query: Query) -> bool:
    return READS.fullmatch(path) is not None or _is_log_tail(path, query) or _is_saving(path, query)


def _is_saving(path: str, query: Query) -> bool:
    """One image, by its full id: saved so it carries no name, and loaded again takes none from another."""
    return SAVED.fullmatch(path) is not None and not query


def _is_loading(method: str, path: str, query: Query) -> bool:
    return method == "POST" and path == LOADING and query == {"quiet": "1"}


def _is_log_tail(path: str, query: Query) -> bool:
    """The end of a log alone, and never one that goes on: it may hold anything."""
    asked = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": query.get("tail", "")}
    return LOGS.fullmatch(path) is not None and query == asked and asked["tail"] in LOG_LINES


def _is_single_removal(path: str, query: Query) -> bool:
    if CONTAINER.fullmatch(path):
        return _says_no(query, "v", "link", "force")
    if IMAGE.fullmatch(path):
        # Without noprune the engine takes untagged parents along (S2).
        others = {name: value for name, value in query.items() if name != "noprune"}
        return query.get("noprune") in YES and _says_no(others, "force")
    return NETWORK.fullmatch(path) is not None and not query


def _says_no(query: Query, *flags: str) -> bool:
    return all(name in flags and value in NO for name, value in query.items())


def _is_by_record(path: str, query: Query) -> bool:
    """`/build/prune` removes everything unless its id filter holds full ids and nothing else."""
    if path != "/build/prune" or not query.keys() <= {"filters", "all"}:
        return False
    try:
        filters = json.loads(query["filters"])
        return set(filters) <= {"id", "until"} and len(filters["id"]) == 1 and _are_records(filters["id"][0])
    except (KeyError, ValueError, TypeError):
        return False


def _are_records(text: object) -> bool:
    return isinstance(text, str) and CACHE_RECORDS.fullmatch(text) is not None


def _is_pull(path: str, query: Query) -> bool:
    """Bringing an image back is by digest, so that nothing else can arrive."""
    return (
        path == "/images/create"
        and query.keys() == {"fromImage", "tag"}
        and DIGEST.fullmatch(query["tag"]) is not None
    )


def _is_network(method: str, path: str, query: Query, body: bytes) -> bool:
    """Bringing a network back; an engine would read flags from a body before those of the URL."""
    is_here = method == "POST" and path == allowed_networks.PATH and not query
    return is_here and allowed_networks.is_network(body)


def _is_tagging(path: str, query: Query) -> bool:
    others = {name: value for name, value in query.items() if name not in ("repo", "tag")}
    return TAGGING.fullmatch(path) is not None and _says_no(others, "force")
