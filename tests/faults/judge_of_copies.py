"""The verdicts on what gives back: a restore, and a run that saves images before they go."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from tests.faults.judge import Judge
from tests.faults.play import LOAD
from tests.faults.scene import HOST
from tests.stage.company import to_decide
from workers.reasons import Code

NETWORK = "POST /networks/create"
THERE = ("restored", "already_there")
SAID = {
    "done": f"on {HOST}.",
    "partial": f"Not everything came back on {HOST}: ",
    "stopped": f"Stopped on {HOST}: ",
    "failed": f"Not everything came back on {HOST}: ",
    "interrupted": f"Interrupted on {HOST}: ",
}
UNBEGUN = ("nothing was brought back", "not known yet")


class RestoreJudge(Judge):
    """Looks at a restore, and has what is left brought back by another one."""

    end = f"file {HOST}-restored-"

    def faults(self) -> Iterator[str]:
        """What is not as it must be; nothing if all is."""
        report = self._report()
        yield from self._rights()
        yield from self._protected()
        yield from self._calls()
        if report is not None:
            yield from self._engine_agrees(report)
        yield from self._runs(report)
        yield from self._thread(report)
        yield from self._rest()

    def _calls(self) -> Iterator[str]:
        """Each object at most once, each tag at most once, and nothing else."""
        kinds = Counter(step["object"]["kind"] for step in self.steps.values())
        most = {LOAD: kinds["image"], NETWORK: kinds["network"]}
        ids = {step["object"]["id"] for step in self.steps.values()}
        done = Counter(call for call, status in self.play.removals if 200 <= status < 300)
        for call, count in done.items():
            start = next((start for start in most if call.startswith(start)), "")
            is_tag = "/tag?" in call and unquote(call).split("/")[2] in ids
            if not start and not is_tag:
                yield f"asked of the engine: {call}"
            elif count > (most[start] if start else 1):
                yield f"done {count} times: {call}"

    def _engine_agrees(self, report: dict[str, Any]) -> Iterator[str]:
        client = self.scene.web.engine.client
        there = {image["Id"] for image in client.images(all=True)}
        there |= {network["Name"] for network in client.networks()}
        tags = {_full(tag): id_ for tag, id_ in self.scene.web.tags().items()}
        for outcome in report["outcomes"]:
            object_, how = outcome["object"], outcome["outcome"]
            name = object_["id"] if object_["kind"] == "image" else object_["name"]
            is_unknown = (outcome.get("reason") or {}).get("code") == Code.STATE_UNKNOWN
            if not is_unknown and (name in there) != (how in THERE):
                yield f"{object_['name']} is said to be {how}, and is {'' if name in there else 'not '}there"
            for tag in outcome["tags"]:
                if tags.get(_full(tag)) != object_["id"]:
                    yield f"{object_['name']} is said to have got the tag {tag}"

    def _runs(self, report: dict[str, Any] | None) -> Iterator[str]:
        here = [json.loads(one) for one in self.records.restored(self.play.request_id)]
        there = [json.loads(one) for one in self.records.ledger_reports(self.play.order_id)]
        if here != there:
            yield f"the bot has {len(here)} reports, the ledger {len(there)}, or they are not the same"
        if self.records.open_runs():
            yield "a restore is open in the ledger"
        if report is None and self.play.removals:
            yield "the engine was asked to bring something back, and there is no report"

    def _is_true(self, line: str, report: dict[str, Any] | None) -> bool:
        if report is None:
            return any(words in line for words in UNBEGUN)
        return SAID.get(report["status"], "nothing") in line

    def _rest(self) -> Iterator[str]:
        """What did not come back does so with the next restore, and nothing comes twice."""
        root = self.scene.restore()
        if to_decide(root):
            self.scene.confirm(root)
            self.scene.becomes(root, "Brought back ")
        client = self.scene.web.engine.client
        there = {image["Id"] for image in client.images(all=True)}
        names = Counter(network["Name"] for network in client.networks())
        tags = {_full(tag): id_ for tag, id_ in self.scene.web.tags().items()}
        for step in self.steps.values():
            object_ = step["object"]
            if object_["kind"] == "network" and names[object_["name"]] != 1:
                yield f"there are {names[object_['name']]} networks {object_['name']} in the end"
            elif object_["kind"] == "image" and object_["id"] not in there:
                yield f"{object_['name']} is not back in the end"
            lacking = (tag for tag in step["tags"] if tags.get(_full(tag)) != object_["id"])
            yield from (f"{tag} is not back in the end" for tag in lacking)


class ArchiveJudge(Judge):
    """Looks at a run that saves images: what is gone has a good copy, and nothing half written is left."""

    def faults(self) -> Iterator[str]:
        """What is not as it must be; nothing if all is."""
        yield from super().faults()
        files = {path.name: path for path in self.scene.archive.rglob("*") if path.is_file()}
        yield from (f"left over in the archive: {name}" for name in files if name.endswith(".part"))
        for step in self.steps.values():
            if step["object"]["kind"] == "image" and self._is_gone(step["object"]["id"]):
                name = f"{step['object']['id'].removeprefix('sha256:')}.tar.zst"
                if name not in files or subprocess.run(["zstd", "-tq", files[name]], check=False).returncode:
                    yield f"{step['object']['name']} is gone, and has no good copy"

    def _is_gone(self, id_: str) -> bool:
        return id_ not in {image["Id"] for image in self.scene.web.engine.client.images(all=True)}


def _full(tag: str) -> str:
    return tag.removeprefix("docker.io/").removeprefix("library/")
