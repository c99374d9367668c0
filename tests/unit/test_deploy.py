"""The files people deploy with agree with the code and with each other."""

import configparser
import re
import shlex
import tomllib
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from bot.commands import READERS
from bot.rights import of_bot, of_host
from bot.scopes import SCOPES
from bot.settings import SECRETS, BotSettings
from bot.slack.listeners import COMMAND, HOME_OPENED
from tests.faults.cells import REACHABLE, Cell, Fault, Moment, Victim, Work
from tests.service.attacks import TABLE
from tests.workspace.manifest import validate_manifest
from workers.engine import READ_TIMEOUT
from workers.settings import WorkerSettings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SERVICES = {"bot": "python -m bot", "worker": "python -m workers"}
SETTINGS: dict[str, type[BaseSettings]] = {"bot": BotSettings, "worker": WorkerSettings}
CONTAINERS = ("redis", "bot", "worker")
LOCKED_IN = {
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "yes",
    "ProtectSystem": "strict",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "UMask": "0077",
}


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "systemd" / f"safe-prune-{name}.service")
    return parser["Service"]


def compose() -> dict[str, Any]:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert isinstance(services, dict)
    return services


def redis_conf() -> set[str]:
    return set((DEPLOY / "redis.conf").read_text().splitlines())


def manifest() -> Any:
    return yaml.safe_load((DEPLOY / "slack-manifest.yaml").read_text())


def assignments(lines: Iterable[str]) -> dict[str, str]:
    found = (re.fullmatch(r"#?([A-Z_]+)=(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def example(name: str) -> dict[str, str]:
    return assignments((DEPLOY / f"{name}.env.example").read_text().splitlines())


@pytest.mark.parametrize("name", SERVICES)
def test_an_address_in_an_example_is_taken_whole_by_the_shell(name: str) -> None:
    text = (DEPLOY / f"{name}.env.example").read_text()
    addresses = re.findall(r"'?rediss://\S+", text)

    assert addresses
    assert [shlex.split(one, comments=True) for one in addresses] == [[one.strip("'")] for one in addresses]
    assert [one for one in addresses if "&" in one and not re.fullmatch(r"'[^']+'", one)] == []


def test_the_procfile_starts_bot_and_worker() -> None:
    lines = (DEPLOY.parent / "Procfile").read_text().splitlines()

    assert dict(line.split(": ") for line in lines) == SERVICES


# systemd


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_and_its_child_is_left_to_end(name: str) -> None:
    service = unit(name)

    assert (service["Restart"], service["KillMode"]) == ("always", "mixed")
    assert service["ExecStart"].endswith(SERVICES[name])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_locked_in(name: str) -> None:
    service = unit(name)

    assert {key: service.get(key) for key in LOCKED_IN} == LOCKED_IN
    assert service["MemoryMax"]


def test_only_the_worker_is_root() -> None:
    assert {name: unit(name)["User"] for name in SERVICES} == {"bot": "safe-prune-bot", "worker": "root"}


def test_a_run_that_is_out_of_memory_does_not_take_its_worker_along() -> None:
    assert unit("worker")["OOMPolicy"] == "continue"


def test_a_drawing_that_is_out_of_memory_ends_alone() -> None:
    assert unit("bot")["OOMPolicy"] == "continue"


def test_the_rules_that_the_example_names_are_mounted_for_the_bot_alone() -> None:
    (example,) = re.findall(r"^#PRUNE_RULES=(.+)/rules.toml$", (DEPLOY / "bot.env.example").read_text(), re.M)
    (mounted,) = (one for one in compose()["bot"]["volumes"] if one.endswith(f":{example}:ro"))

    # The folder of that name on the machine is the worker's, and holds its password.
    assert "./rules" in mounted
    assert "/etc/safe-prune" not in mounted.removesuffix(f":{example}:ro")


def test_the_worker_may_look_at_logs_and_not_into_volumes() -> None:
    hidden = unit("worker")["InaccessiblePaths"].split()

    assert "-/var/lib/docker/volumes" in hidden
    assert not [path for path in hidden if "containers" in path]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_where_its_settings_say(name: str) -> None:
    assert example(name)["PRUNE_STATE_DIR"] == f"/var/lib/{unit(name)['StateDirectory']}"
    assert unit(name)["EnvironmentFile"] == f"/etc/safe-prune/{name}.env"


def test_bot_and_worker_on_one_machine_share_no_folder() -> None:
    assert example("bot")["PRUNE_STATE_DIR"] != example("worker")["PRUNE_STATE_DIR"]


def test_a_worker_is_given_longer_than_the_engine_may_take() -> None:
    minutes = [
        int(unit("worker")["TimeoutStopSec"].removesuffix("min")),
        int(compose()["worker"]["stop_grace_period"].removesuffix("m")),
    ]

    # A removal that times out is followed by a look at what became of it.
    assert all(60 * wait >= 2 * READ_TIMEOUT for wait in minutes)


@pytest.mark.parametrize("name", SERVICES)
def test_an_example_names_settings_that_there_are(name: str) -> None:
    fields = SETTINGS[name].model_fields.items()
    known = {field.upper() for field, _ in fields}
    in_files = {f"{field.upper()}_FILE" for field, what in fields if what.annotation is SecretStr}

    # The client that pulls reads it by itself; tests/docker/test_restore.py has a registry with a login.
    assert set(example(name)) <= known | in_files | {"DOCKER_CONFIG"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_example_has_a_password_in_an_address(name: str) -> None:
    user, password = (
        urlsplit(example(name)["REDIS_URL"]).username,
        urlsplit(example(name)["REDIS_URL"]).password,
    )

    assert (user, password) == ({"bot": of_bot().user, "worker": of_host("NAME").user}[name], None)
    assert example(name)["PRUNE_REDIS_PASSWORD_FILE"].startswith("/etc/safe-prune/")


# Containers


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_is_locked_in_and_comes_back(name: str) -> None:
    service = compose()[name]

    assert service["restart"] == "unless-stopped"
    assert (service["read_only"], service["init"]) == (True, True)
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert not {"privileged", "cap_add", "network_mode", "pid", "ports"} & set(service)


def test_only_the_worker_reaches_the_docker_socket() -> None:
    reaching = [name for name, service in compose().items() if "docker.sock" in str(service)]

    assert reaching == ["worker"]


def test_the_worker_reads_of_the_engine_s_data_its_image_records_alone() -> None:
    mounted = [volume for volume in compose()["worker"]["volumes"] if "DOCKER_DATA_ROOT" in volume]

    assert len(mounted) == 1
    assert mounted[0].endswith("/image:ro")


def test_s11_workers_of_one_machine_share_their_locks_in_containers_too() -> None:
    shared = example("worker")["PRUNE_ENGINES_DIR"]

    assert f"{shared}:{shared}" in compose()["worker"]["volumes"]
    assert shared.startswith(f"/var/lib/{unit('worker')['StateDirectory']}/")


def test_redis_has_no_way_out_of_its_network() -> None:
    networks = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["networks"]

    assert compose()["redis"]["networks"] == ["queue"]
    assert networks["queue"] == {"internal": True}


def test_every_part_is_known_as_our_own() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()

    assert re.findall(r"safe-prune\.role=(\w+)", dockerfile) == ["bot", "worker"]
    assert {name: compose()[name]["labels"] for name in CONTAINERS} == {
        name: {"safe-prune.role": name} for name in CONTAINERS
    }


def test_a_worker_can_tell_its_own_container_by_its_name() -> None:
    assert "hostname" not in compose()["worker"]


def test_the_images_install_by_hash_and_the_bot_is_not_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    bot = dockerfile.partition(" AS bot\n")[2].partition("\nFROM ")[0]

    assert "--require-hashes --only-binary=:all: --requirement /requirements.lock" in dockerfile
    assert "\nUSER 10001:10001\n" in bot


def test_the_lock_holds_what_the_project_needs_and_hashes_for_all() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    entries = re.split(r"(?m)^(?=\w)", (DEPLOY / "requirements.lock").read_text())[1:]
    wanted = [*project["dependencies"], *extras["bot"], *extras["worker"]]

    assert {re.split(r"[<>=]", text)[0] for text in wanted} <= {entry.partition("==")[0] for entry in entries}
    assert all("--hash=sha256:" in entry for entry in entries)


# What is written for people


def test_the_attack_table_that_is_shown_is_the_one_that_is_played() -> None:
    text = (DEPLOY / "SECURITY.md").read_text()
    table = text.partition("\n| attack |")[2].partition("\n\n")[0]
    rows = re.findall(r"(?m)^\| (.+?) \|", table)
    played = [attack.name for attack in TABLE] + ["the password in a command line"]

    assert rows == played
    assert f"Of {len(played)} attacks {len(played)} succeed against RQ and 0 against Safe Prune." in text


def test_the_fault_matrices_that_are_shown_have_every_cell_that_can_happen() -> None:
    text = (DEPLOY / "SECURITY.md").read_text()
    tables = re.findall(r"(?m)^\| \| \| (.+) \|\n\|[-|]+\n((?:\|.*\n?)+)", text)
    shown = {
        Cell(Victim(victim), Fault(fault), Moment(moment.replace(" ", "-")), work)
        for work, (moments, rows) in zip(Work, tables, strict=True)
        for victim, fault, *row in (re.findall(r"[^|\s]+", line) for line in rows.splitlines())
        for moment, played in zip(moments.split(" | "), row, strict=True)
        if played != "-"
    }

    assert shown == set(REACHABLE)


def test_what_slack_refuses_is_in_the_table_that_is_shown_as_it_is_played() -> None:
    text = (DEPLOY / "WHAT-IF.md").read_text()
    table = text.partition("\n| what Slack has against it |")[2].partition("\n\n")[0]
    named = re.findall(r"`(test_\w+)`", table)
    service = DEPLOY.parent / "tests" / "service"
    defined = {
        file: set(re.findall(r"(?m)^def (test_\w+)", (service / file).read_text()))
        for file in ("test_slack_refusals.py", "test_bot_running.py")
    }

    assert len(named) == len(set(named))
    assert set(named) >= defined["test_slack_refusals.py"]
    assert set(named) <= set().union(*defined.values())


def test_what_a_secret_is_called_in_the_document_is_what_the_bot_calls_it() -> None:
    text = (DEPLOY / "SECURITY.md").read_text()

    assert all(f"`{name}`" in text for name in SECRETS if name.startswith("SLACK_"))
    assert f"`{of_bot().user}`" in text
    assert f"`{of_host('NAME').user}`" in text


# Redis and Slack


def test_redis_neither_forgets_nor_evicts_and_knows_who_may_what() -> None:
    wanted = {"appendonly yes", "maxmemory-policy noeviction", "aclfile /run/secrets/redis-users"}

    assert wanted <= redis_conf()


def test_each_container_has_the_secret_that_it_needs_and_no_other() -> None:
    secrets = {name: compose()[name]["secrets"] for name in CONTAINERS}
    files = {name: compose()[name]["environment"]["PRUNE_REDIS_PASSWORD_FILE"] for name in SERVICES}

    assert secrets == {"redis": ["redis-users"], "bot": ["redis-bot"], "worker": ["redis-worker"]}
    assert files == {"bot": "/run/secrets/redis-bot", "worker": "/run/secrets/redis-worker"}


def test_the_manifest_asks_for_the_scopes_the_bot_needs_and_no_other() -> None:
    assert manifest()["oauth_config"] == {"scopes": {"bot": [*SCOPES]}}


def test_the_manifest_gives_each_scope_its_reason() -> None:
    lines = (DEPLOY / "slack-manifest.yaml").read_text().splitlines()
    above = {line.strip(): before.strip() for before, line in pairwise(lines)}

    assert {scope: above[f"- {scope}"] for scope in SCOPES} == {s: f"# {why}" for s, why in SCOPES.items()}


def test_the_manifest_brings_the_command_and_the_buttons() -> None:
    settings = manifest()["settings"]

    assert [command["command"] for command in manifest()["features"]["slash_commands"]] == [COMMAND]
    assert (settings["socket_mode_enabled"], settings["interactivity"]) == (True, {"is_enabled": True})


def test_the_manifest_is_one_that_slack_takes() -> None:
    assert validate_manifest(manifest()) == ()


def test_the_manifest_brings_the_home_tab_and_tells_when_it_is_opened() -> None:
    assert manifest()["features"]["app_home"] == {"home_tab_enabled": True}
    assert manifest()["settings"]["event_subscriptions"] == {"bot_events": [HOME_OPENED]}


def test_the_manifest_hints_at_every_command_and_at_no_other() -> None:
    hint = manifest()["features"]["slash_commands"][0]["usage_hint"]

    assert sorted(part.split()[0] for part in hint.split("|")) == sorted(READERS)


def test_the_one_token_is_not_renewed_behind_our_back() -> None:
    assert manifest()["settings"]["token_rotation_enabled"] is False


def test_left_alone_a_bot_and_a_worker_of_one_machine_keep_to_folders_of_their_own() -> None:
    folders = {name: SETTINGS[name].model_fields["prune_state_dir"].default for name in SERVICES}

    assert folders["bot"] == Path(example("bot")["PRUNE_STATE_DIR"])
    assert folders["bot"] != folders["worker"]
