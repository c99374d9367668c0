"""A recording of a 20.10 engine in the shape in which 28.5 would tell of the same host.

Made by hand of what was seen of 28.5 with either store; `test_recording` has nothing to compare it with.
"""

import copy
from collections.abc import Mapping
from typing import Any

from tests.stage.recording import Answers
from workers.contract import Store

GONE_SINCE = {"VirtualSize", "Container", "ContainerConfig", "BuilderSize"}
NONE = ["<none>:<none>"], ["<none>@<none>"]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
# Here `web` also reads the files of an image, which no older engine lets it.
MOUNT = {"Type": "image", "Name": "app:1", "Source": "app:1", "Destination": "/read", "Mode": "", "RW": False}


def as_newer(recorded: Answers, store: Store) -> Answers:
    """What an engine with this store tells of the recorded host."""
    answers = copy.deepcopy(recorded)
    answers["identity"] |= {"version": "28.5.2", "api_version": "1.51", "store": store.value}
    users = [raw["ImageID"] for raw in answers["containers"]]
    answers["images"] = [
        _listed(raw, store) | {"Containers": users.count(raw["Id"])} for raw in answers["images"]
    ]
    answers["image"] = {id_: _image(raw, store) for id_, raw in answers["image"].items()}
    answers["usage"] = _usage(answers["usage"], store)
    for raw in (*answers["containers"], *answers["usage"]["Containers"]):
        raw["Mounts"] += [MOUNT] if raw["Names"] == ["/web"] else []
    if store is Store.CONTAINERD:
        answers["identity"]["storage_driver"] = "overlayfs"
        for raw in (*answers["containers"], *answers["container"].values()):
            raw["ImageManifestDescriptor"] = _descriptor(raw.get("ImageID", raw["Image"]))
    return answers


def without_classic_builds(newer: Answers) -> Answers:
    """The same had BuildKit built all of it: no image has a parent, so the accounting leaves none out."""
    answers, listed = copy.deepcopy(newer), {raw["Id"] for raw in newer["usage"]["Images"]}
    answers["images"] = [raw for raw in answers["images"] if raw["Id"] in listed]
    for raw in (*answers["images"], *answers["usage"]["Images"]):
        raw["ParentId"] = ""
    return answers


def _listed(raw: Mapping[str, Any], store: Store) -> Answers:
    """An image in a list: where it has no names that is empty; a containerd store makes digests of its id."""
    names = [] if raw["RepoTags"] == NONE[0] else raw["RepoTags"]
    digests = [] if raw["RepoDigests"] in (None, NONE[1]) else raw["RepoDigests"]
    plain = _without(raw) | {"RepoTags": names, "RepoDigests": digests}
    if store is Store.GRAPH_DRIVER:
        return plain
    repositories = sorted({name.rpartition(":")[0] for name in names})
    return plain | {
        "RepoDigests": [f"{repository}@{raw['Id']}" for repository in repositories],
        "Descriptor": _descriptor(raw["Id"]),
    }


def _image(raw: Mapping[str, Any], store: Store) -> Answers:
    """An inspection; a containerd store writes down when an image came."""
    plain = _without(raw)
    if store is Store.GRAPH_DRIVER:
        return plain
    came = plain["Metadata"]["LastTagTime"]
    came = "2026-11-29T10:48:24.5Z" if came.startswith("0001") else came
    return plain | {"Descriptor": _descriptor(raw["Id"]), "Metadata": {"LastTagTime": came}}


def _usage(raw: Mapping[str, Any], store: Store) -> Answers:
    images = [_listed(line, store) for line in raw["Images"]]
    for line in images:
        line |= {key: line[key] or None for key in ("RepoTags", "RepoDigests")}
    return _without(raw) | {"Images": images, "BuildCache": [_record(line) for line in raw["BuildCache"]]}


def _record(raw: Mapping[str, Any]) -> Answers:
    """A record of the build cache: its parents are a list, left out where there are none."""
    rest = {key: value for key, value in raw.items() if key != "Parent"}
    return rest | ({" Parents": [raw["Parent"]]} if raw["Parent"] else {})


def _descriptor(digest: str) -> Answers:
    return {"mediaType": MANIFEST, "digest": digest, "size": 525}


def _without(raw: Mapping[str, Any]) -> Answers:
    return {key: value for key, value in raw.items() if key not in GONE_SINCE}
