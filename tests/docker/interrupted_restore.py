"""A worker's process that stands still in the middle of a restore, to be killed there.

python -m tests.docker.interrupted_restore ADDRESS FOLDER ORDER before|after
"""

import signal
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from workers.contract import RestoreOrder
from workers.engine import Engine
from workers.host import Host, Place
from workers.memory.ledger import Ledger
from workers.restore.restorer import Restorer


class Halting(Engine):
    """An engine at which a pull is the last thing that happens."""

    when = ""

    def pull(self, repository: str, digest: str, *, within: timedelta) -> None:
        if self.when == "after":
            super().pull(repository, digest, within=within)
        sys.stdout.write(f"{digest}\n")
        sys.stdout.flush()
        signal.pause()


def main(address: str, folder: str, order_json: str, when: str) -> None:
    """Execute the order, and stand still before or after the first pull."""
    place = Place("web-1", address, Path(folder, "policy.toml"), Path(folder, "state"))
    order = RestoreOrder.model_validate_json(order_json)
    with closing(Ledger(place.ledger_file)) as ledger:
        engine = Halting(address)
        engine.when = when
        Restorer(Host(place, ledger, engine)).restore(order, told_to_stop=lambda: False)


if __name__ == "__main__":
    main(*sys.argv[1:])
