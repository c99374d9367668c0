"""A worker that looked at a host in earlier days: what the engine forgets is in its ledger."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from docker import APIClient

from tests.stage import images
from tests.stage.catalogue import Past, days
from tests.stage.engine import DisposableEngine
from workers import survey
from workers.engine import Engine
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings

BETWEEN_REBUILDS = days(10)


@dataclass(frozen=True)
class Onlooker:
    """Takes inventories as a worker does, and dates them back."""

    engine: DisposableEngine
    ledger_file: Path

    def look(self, ago: timedelta) -> None:
        self.ledger_file.parent.mkdir(exist_ok=True)
        with closing(Ledger(self.ledger_file)) as ledger, closing(Engine(self.engine.url)) as engine:
            identity = engine.identity()
            sightings = Sightings(ledger, identity.id)
            survey.take(engine, sightings, identity, local=True, now=datetime.now(UTC) - ago)
            # The stage rewrites the engine's own times later; only what a ledger alone knows is to last.
            for image in sightings.layers():
                sightings.forget_layers(image)


def live_through(past: Past, onlooker: Onlooker, image_ids: Mapping[str, str]) -> None:
    """Let it happen: tags move to new builds, jobs run and remove themselves, and a worker sees it."""
    client = onlooker.engine.client
    ago = past.jobs_ran + BETWEEN_REBUILDS * len(past.rebuilt)
    for tag, image in past.rebuilt:
        onlooker.look(ago)
        images.add_tags(client, image_ids[image], [tag])
        ago -= BETWEEN_REBUILDS
    jobs = [_run(client, image_ids[image]) for image in past.ran]
    onlooker.look(past.jobs_ran)
    for job in jobs:
        client.remove_container(job, force=True)


def _run(client: APIClient, image: str) -> str:
    network = client.create_host_config(network_mode="none")
    made = client.create_container(image, ["tail", "-f", "/dev/null"], host_config=network)
    client.start(made["Id"])
    return str(made["Id"])
