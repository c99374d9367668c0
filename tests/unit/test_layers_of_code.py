"""Who may import whom, and what no line of the workers may say to an engine (S1, S2)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for package in ("bot", "workers")
    for path in (ROOT / package).rglob("*.py")
}
CODE = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
ENGINE = "workers.engine"

VALUES = {"workers.contract", "workers.reasons"}
BOT_MAY_IMPORT = {"workers.contract", "workers.reasons", "workers.signing", "workers.wording"}
PURE = {
    *(name for name in CODE if name.startswith(("workers.planning", "bot.render"))),
    *(f"workers.execution.{name}" for name in ("aftermath", "guards", "health")),
    *(f"workers.{name}" for name in ("allowed_calls", "contract", "errors", "phrases", "reasons")),
    *(f"workers.{name}" for name in ("name_grammar", "references", "replies", "signing", "wording")),
    *(f"workers.{name}" for name in ("memory.sightings", "cli.terminal")),
    *("bot.access", "bot.commands"),
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
    *("docker", "redis", "requests", "rq", "slack_bolt", "slack_sdk", "waitress", "websocket"),
}
OWNERS = {
    "docker": {ENGINE},
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
    assert {found for found in imports("workers.contract") if found.startswith("workers")} == {
        "workers.reasons"
    }


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
    assert ours <= PURE | {"bot.requests", "bot.state", "bot.progress"}


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_code_never_asks_for_the_time(name: str) -> None:
    called = {call.func.attr for call in calls(name) if isinstance(call.func, ast.Attribute)}

    assert called.isdisjoint({"now", "utcnow", "today"})


@pytest.mark.parametrize("package", ["bot", "workers"])
def test_settings_are_read_at_the_top_only(package: str) -> None:
    readers = {name for name in CODE if f"{package}.settings" in set(imports(name))}

    assert readers == {f"{package}.__main__"}


def test_nothing_has_a_dry_run_flag() -> None:
    names = {n.arg for tree in CODE.values() for n in ast.walk(tree) if isinstance(n, ast.arg | ast.keyword)}

    assert not {name for name in names if name and "dry" in name}


# What an engine may be told

ASKED = {
    *("version", "info", "containers", "images", "networks", "services", "df", "history", "close"),
    *("inspect_container", "inspect_image", "inspect_network"),
    # For the events alone; what is sent is on the closed list all the same.
    *("_url", "_get", "_result"),
}
REMOVALS = {"remove_container", "remove_image", "remove_network", "prune_builds"}
WAY_BACK = {"tag", "pull"}


def calls_of_the_client() -> dict[str, ast.Call]:
    """What docker-py is asked to do, by the name of its method."""
    asked = [call for call in calls(ENGINE) if isinstance(call.func, ast.Attribute)]
    return {
        call.func.attr: call
        for call in asked
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("self._client", "probe")
    }


def test_s1_s2_the_engine_is_told_nothing_but_what_is_listed_here() -> None:
    assert calls_of_the_client().keys() == ASKED | REMOVALS | WAY_BACK


def test_s1_s2_no_removal_is_forced_takes_volumes_or_parents_along() -> None:
    asked = calls_of_the_client()
    flags = {name: {k.arg: ast.unparse(k.value) for k in asked[name].keywords} for name in REMOVALS}

    assert flags["remove_container"] == {"v": "False", "link": "False", "force": "False"}
    assert flags["remove_image"] == {"noprune": "True"}
    assert flags["remove_network"] == {}


def test_s1_nobody_reaches_around_the_engine() -> None:
    workers = {name: path.read_text() for name, path in FILES.items() if name.startswith("workers")}
    forbidden = (
        "engine._client",
        "/volumes",
        "remove_volume",
        "prune_volumes",
        "prune_images",
        "prune_containers",
    )

    assert {name for name, code in workers.items() if any(text in code for text in forbidden)} == set()
