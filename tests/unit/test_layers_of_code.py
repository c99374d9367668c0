"""Who may import whom, and what no line of the workers may say to an engine (S1, S2)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("bot", "workers")
    for path in (ROOT / package).rglob("*.py")
}
CODE = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
ENGINE = "workers.engine"

CONTRACT = {name for name in CODE if name.startswith("workers.contract")}
VALUES = CONTRACT | {"workers.reasons"}
BOT_MAY_IMPORT = {
    f"workers.{name}"
    for name in (
        "audit_lines",
        "contract",
        "credentials",
        "exclusions",
        "explaining",
        "reasons",
        "references",
        "signing",
        "whereabouts",
        "whoami",
        "wording",
    )
}
PURE = {
    *(name for name in CODE if name.startswith(("workers.planning", "workers.contract", "bot.render"))),
    *(
        f"workers.execution.{name}"
        for name in ("aftermath", "guards", "health", "log_lines", "pace", "progress", "start", "trouble")
    ),
    *(f"workers.{name}" for name in ("allowed_calls", "allowed_networks", "engine_versions", "errors")),
    *(f"workers.{name}" for name in ("name_grammar", "phrases", "reasons", "references", "replies")),
    *(
        f"workers.restore.{name}"
        for name in ("asked", "commands", "guards", "images", "kept", "networks", "past", "planning")
    ),
    *(f"workers.{name}" for name in ("exclusions", "explaining", "signing", "whereabouts", "wording")),
    *(
        f"workers.{name}"
        for name in (
            "audit_lines",
            "memory.sightings",
            "cli.record",
            "cli.refusal",
            "cli.restoring",
            "cli.terminal",
        )
    ),
    *(f"bot.audit.{name}" for name in ("compare", "export", "findings", "numbering", "own", "runs")),
    *(
        "bot.access",
        "bot.checks",
        "bot.acts",
        "bot.commands",
        "bot.consent",
        "bot.copied",
        "bot.decisions",
        "bot.edits",
        "bot.facts",
        "bot.holders",
        "bot.lookback",
        "bot.marks",
        "bot.measured",
        "bot.outside",
        "bot.past",
        "bot.questions",
        "bot.rulebook",
        "bot.rulebook_faults",
        "bot.scopes",
        "bot.starts",
        "bot.wanted",
    ),
}
WITH_EFFECTS = {
    *(
        "asyncio",
        "fcntl",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "select",
    ),
    *("shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "uuid"),
    *("docker", "matplotlib", "redis", "requests", "rq", "slack_bolt", "slack_sdk", "waitress", "websocket"),
    "zstandard",
}
OWNERS = {
    "docker": {ENGINE},
    "zstandard": {"workers.archive.shelf"},
    # It would stay in the bot's memory for good (S14: the report never waits for it).
    "matplotlib": {"bot.drawing"},
    "rq": {"bot.dispatch", "workers.transport.queue"},
    "slack_bolt": {"bot.slack"},
    "slack_sdk": {"bot.slack", "bot.__main__", "bot.doctor"},
    "websocket": {"bot.slack"},
    "waitress": {"bot.slack"},
}


def imports(name: str) -> Iterator[str]:
    """The modules that a module imports, in full."""
    for node in ast.walk(CODE[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in CODE else node.module


def calls(name: str) -> list[ast.Call]:
    return [node for node in ast.walk(CODE[name]) if isinstance(node, ast.Call)]


def importers(top: str) -> set[str]:
    return {name for name in CODE if any(found.split(".")[0] == top for found in imports(name))}


def is_in(module: str, places: set[str]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def test_the_contract_is_made_of_values_only() -> None:
    allowed = sys.stdlib_module_names | {"pydantic", "workers"}

    assert {found.split(".")[0] for name in VALUES for found in imports(name)} <= allowed
    used = {found for name in CONTRACT for found in imports(name) if found.startswith("workers")}
    assert used <= VALUES


def test_nothing_of_the_bot_draws_in_its_own_process() -> None:
    assert {name for name in CODE if "bot.drawing" in set(imports(name))} == set()
    assert {used for used in imports("bot.drawing") if used.startswith("bot")} == set()


def test_the_bot_knows_of_workers_only_what_both_share() -> None:
    found = {(n, f) for n in CODE if n.startswith("bot") for f in imports(n) if f.startswith("workers")}

    assert {used for _, used in found} <= BOT_MAY_IMPORT


def test_workers_know_nothing_of_the_bot() -> None:
    assert {name for name in importers("bot") if name.startswith("workers")} == set()


@pytest.mark.parametrize("package", sorted(OWNERS))
def test_a_foreign_package_has_its_owners(package: str) -> None:
    assert {name for name in importers(package) if not is_in(name, OWNERS[package])} == set()


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_code_imports_nothing_that_acts(name: str) -> None:
    ours = {found for found in imports(name) if found.startswith(("bot", "workers"))}

    assert {found for found in imports(name) if found.split(".")[0] in WITH_EFFECTS} == set()
    assert ours <= PURE | {"bot.errors", "bot.requests", "bot.state", "bot.progress"}


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_code_never_asks_for_the_time(name: str) -> None:
    called = {call.func.attr for call in calls(name) if isinstance(call.func, ast.Attribute)}

    assert called.isdisjoint({"now", "utcnow", "today"})


@pytest.mark.parametrize("package", ["bot", "workers"])
def test_settings_are_read_at_the_top_only(package: str) -> None:
    readers = {name for name in CODE if f"{package}.settings" in set(imports(name))}

    assert readers == {f"{package}.__main__"}


def test_s12_the_bot_has_nothing_of_rq_that_runs_or_unpickles_what_it_reads() -> None:
    found = {(name, used) for name in importers("rq") for used in imports(name) if used.startswith("rq")}
    named = {
        alias.name
        for node in ast.walk(CODE["bot.dispatch"])
        if isinstance(node, ast.ImportFrom) and node.module == "rq"
        for alias in node.names
    }

    assert {used for name, used in found if name.startswith("bot")} == {"rq"}
    assert named == {"Queue"}


def test_nothing_has_a_dry_run_flag() -> None:
    names = {n.arg for tree in CODE.values() for n in ast.walk(tree) if isinstance(n, ast.arg | ast.keyword)}

    assert not {name for name in names if name and "dry" in name}


def test_who_was_at_a_command_line_is_found_and_spelled_in_one_place() -> None:
    def saying(*words: str) -> set[str]:
        return {name for name, path in FILES.items() if any(word in path.read_text() for word in words)}

    assert saying('"cli:', "'cli:") == {"workers.contract.values"}
    assert saying("getuser", "getpwuid", "getlogin", "LOGNAME") == {"workers.whoami"}


# What an engine may be told

LINES, READS, CALLS = "workers.engine_lines", "workers.engine_reads", "workers.engine_calls"
# How docker-py and our own lines are used; each with the methods that the engine module may call.
HANDS = {
    "self._client": {"close", "inspect_distribution", "pull"},
    "self._reads": {"get", "get_lines", "get_part", "get_pieces"},
    "self._calls": {"delete", "post", "post_json", "post_pieces"},
    "self._lines": {"close"},
}


def asked_of(hand: str) -> list[tuple[str, ast.Call]]:
    """What the engine module asks of one of its hands."""
    return [
        (call.func.attr, call)
        for call in calls(ENGINE)
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == hand
    ]


ASKED = ("", "_for_part", "_for_pieces", "_with_pieces")


def sent_by(name: str) -> list[str]:
    """The methods of the calls that a module sends over a line."""
    return [
        ast.unparse(c.args[0])
        for c in calls(name)
        if ast.unparse(c.func).endswith(tuple(f"line.ask{how}" for how in ASKED))
    ]


@pytest.mark.parametrize("hand", sorted(HANDS))
def test_s1_s2_the_engine_is_told_nothing_but_what_is_listed_here(hand: str) -> None:
    assert {method for method, _ in asked_of(hand)} == HANDS[hand]


def test_s1_s2_what_is_sent_was_found_on_the_closed_list() -> None:
    over_http = {name for name in CODE if name.startswith("workers") and "http.client" in imports(name)}
    senders = [
        n for n in ast.walk(CODE[LINES]) if isinstance(n, ast.FunctionDef) and ".request(" in ast.unparse(n)
    ]

    # Probes go elsewhere; they catch what is no HTTP.
    assert over_http == {LINES, READS, ENGINE, "workers.execution.probes"}
    assert not any("Connection" in ast.unparse(call.func) for n in (ENGINE, READS) for call in calls(n))
    assert {ast.unparse(first_line(sender)) for sender in senders} == {
        "require_allowed(method, url, body)",
        "require_allowed(method, url, streams=True)",
    }
    assert len(senders) == 2
    assert (set(sent_by(READS)), sent_by(CALLS)) == ({"'GET'"}, ["'POST'", "method"])


def first_line(function: ast.FunctionDef) -> ast.stmt:
    """What a function does first."""
    return next(line for line in function.body if not isinstance(getattr(line, "value", None), ast.Constant))


def test_s1_s2_no_removal_is_forced_takes_volumes_or_parents_along() -> None:
    flags = {
        ast.unparse(call.args[0]): {k.arg: ast.unparse(k.value) for k in call.keywords}
        for method, call in asked_of("self._calls")
        if method == "delete"
    }

    assert sorted(flags.values(), key=len) == [
        {},
        {"force": "False", "noprune": "True"},
        {"v": "False", "link": "False", "force": "False"},
    ]


def test_s1_nobody_reaches_around_the_engine() -> None:
    workers = {name: path.read_text() for name, path in FILES.items() if name.startswith("workers")}
    forbidden = (
        "engine._client",
        "engine._reads",
        "engine._calls",
        "engine._lines",
        "/volumes",
        "remove_volume",
        "prune_volumes",
        "prune_images",
        "prune_containers",
    )

    assert {name for name, code in workers.items() if any(text in code for text in forbidden)} == set()
