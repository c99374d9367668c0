"""What is kept of an object before it goes, as JSON: enough for its way back, and no secret (pure).

A container's environment, command and values of labels may hold secrets. Of an environment only the names are
ever kept; of the other two, what the policy lets be kept (`keep_commands`). The labels of images and networks
are kept whole.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from workers.contract import FromArchive
from workers.planning.facts import PROJECT
from workers.planning.stock import Archived

Raw = Mapping[str, Any]

IMAGE = ("Id", "RepoTags", "RepoDigests", "Created", "Size", "RootFS", "Metadata")
PLATFORM = ("Os", "OsVersion", "Architecture", "Variant")
SETTINGS = (
    *("RestartPolicy", "NetworkMode", "PortBindings", "Privileged", "ReadonlyRootfs", "CapAdd", "CapDrop"),
    *("Memory", "NanoCpus", "CpuShares", "PidsLimit", "ExtraHosts", "Dns", "Tmpfs", "Devices", "GroupAdd"),
    *("PidMode", "IpcMode", "UsernsMode", "Init", "Runtime", "AutoRemove"),
)
CONFIG = ("User", "WorkingDir", "Hostname", "Tty", "OpenStdin", "StopSignal")
COMMAND = ("Entrypoint", "Cmd")
MOUNT = ("Type", "Name", "Source", "Destination", "RW")
# What compose writes into labels itself holds no secret, and tells whose a container was.
COMPOSE_LABELS = "com.docker.compose."


def of_image(inspected: Raw) -> str:
    """Keep what names an image and its content."""
    config = inspected.get("Config") or {}
    kept = {
        "Labels": config.get("Labels") or {},
        "EnvironmentNames": _names(config.get("Env")),
        **_some(inspected, (*IMAGE, *PLATFORM)),
    }
    return _spelled(kept)


def with_archive(way_back: str, archived: Archived) -> str:
    """Name where an image was saved."""
    told = {"File": archived.file, "Size": archived.size, "Sha256": archived.sha256}
    return _spelled({**json.loads(way_back), "Archive": told})


def archived_as(kept: Raw) -> FromArchive | None:
    """The copy of an image that was kept; None where there is none."""
    told = kept.get("Archive")
    return FromArchive(file=told["File"], size=told["Size"], sha256=told["Sha256"]) if told else None


def of_network(inspected: Raw) -> str:
    """Keep its full description."""
    return _spelled(inspected)


def of_container(inspected: Raw, *, commands: bool) -> str:
    """Keep what would make it again, but its environment; `commands`: with what it ran and its labels."""
    config, state = inspected["Config"], inspected["State"]
    labels = config.get("Labels") or {}
    kept = {
        "Id": inspected.get("Id"),
        "Name": inspected["Name"],
        "Image": config.get("Image"),
        "ImageID": inspected["Image"],
        "Project": labels.get(PROJECT),
        "Created": inspected.get("Created"),
        "ExitCode": state.get("ExitCode"),
        "FinishedAt": state.get("FinishedAt"),
        "Networks": sorted((inspected.get("NetworkSettings") or {}).get("Networks") or {}),
        "Mounts": [{key: mount.get(key) for key in MOUNT} for mount in inspected["Mounts"]],
        "EnvironmentNames": _names(config.get("Env")),
        "LabelNames": sorted(labels),
        "Labels": _labels(labels, commands=commands),
        "LogDriver": (inspected["HostConfig"].get("LogConfig") or {}).get("Type"),
        **_some(inspected["HostConfig"], SETTINGS),
        **_some(config, (*CONFIG, *(COMMAND if commands else ()))),
    }
    return _spelled(kept)


def _names(environment: Iterable[str] | None) -> list[str]:
    return sorted({str(line).partition("=")[0] for line in environment or ()})


def _labels(labels: Mapping[str, str], *, commands: bool) -> Mapping[str, str]:
    return {name: value for name, value in labels.items() if commands or name.startswith(COMPOSE_LABELS)}


def _some(raw: Raw, names: Iterable[str]) -> dict[str, Any]:
    return {name: raw.get(name) for name in names}


def _spelled(kept: Raw) -> str:
    return json.dumps(kept, sort_keys=True)
