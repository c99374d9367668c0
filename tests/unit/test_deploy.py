"""The files people deploy with agree with the code and with each other."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack.identity import REQUIRED_SCOPES
from workers.engine import READ_TIMEOUT

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SERVICES = {"bot": "python -m bot", "worker": "python -m workers"}


def unit(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "systemd" / f"safe-prune-{name}.service")
    return parser["Service"]


def compose() -> dict[str, Any]:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert isinstance(services, dict)
    return services


def test_the_procfile_starts_bot_and_worker() -> None:
    lines = (DEPLOY.parent / "Procfile").read_text().splitlines()

    assert dict(line.split(": ") for line in lines) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_and_its_child_is_left_to_end(name: str) -> None:
    service = unit(name)

    assert (service["Restart"], service["KillMode"]) == ("always", "mixed")
    assert service["ExecStart"].endswith(SERVICES[name])


def test_a_worker_is_given_longer_than_the_engine_may_take() -> None:
    minutes = [
        int(unit("worker")["TimeoutStopSec"].removesuffix("min")),
        int(compose()["worker"]["stop_grace_period"].removesuffix("m")),
    ]

    assert all(60 * wait > READ_TIMEOUT for wait in minutes)


def test_the_bot_reaches_no_docker_socket() -> None:
    assert "docker.sock" not in str(compose()["bot"])


def test_every_part_is_known_as_our_own() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()

    assert re.findall(r"safe-prune\.role=(\w+)", dockerfile) == ["bot", "worker"]
    assert compose()["redis"]["labels"] == {"safe-prune.role": "redis"}


def test_redis_neither_forgets_nor_evicts() -> None:
    lines = (DEPLOY / "redis.conf").read_text().splitlines()

    assert {"appendonly yes", "maxmemory-policy noeviction"} <= set(lines)


def test_the_manifest_asks_for_the_scopes_the_bot_needs() -> None:
    manifest = yaml.safe_load((DEPLOY / "slack-manifest.yaml").read_text())

    assert manifest["oauth_config"]["scopes"]["bot"] == list(REQUIRED_SCOPES)
    assert [c["command"] for c in manifest["features"]["slash_commands"]] == ["/prune"]
    assert manifest["settings"]["socket_mode_enabled"] is True
