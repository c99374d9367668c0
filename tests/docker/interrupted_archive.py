"""A worker's process that stands still while it saves or loads an image, to be killed there.

python -m tests.docker.interrupted_archive ADDRESS FOLDER ORDER save|load
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from workers.contract import ExecutionOrder, RestoreOrder
from workers.engine import Engine
from workers.host import Host, Place
from workers.memory.ledger import Ledger
from workers.restore.restorer import Restorer


def _half(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """One piece, and no more."""
    yield next(pieces)
    sys.stdout.write("half\n")
    sys.stdout.flush()
    signal.pause()


class Halting(Engine):
    """An engine that sends and takes one piece of an image."""

    def saved(self, image_id: str, *, within: timedelta) -> Iterator[bytes]:
        return _half(super().saved(image_id, within=within))

    def load(self, pieces: Iterator[bytes], *, within: timedelta) -> None:
        super().load(_half(pieces), within=within)


def main(address: str, folder: str, order_json: str, what: str) -> None:
    """Execute the order, be it of a run or of a restore."""
    place = Place("web-1", address, Path(folder, "policy.toml"), Path(folder, "state"))
    with closing(Ledger(place.ledger_file)) as ledger:
        host = Host(place, ledger, Halting(address))
        if what == "save":
            order = ExecutionOrder.model_validate_json(order_json)
            host.execute(order, told_to_stop=lambda: False)
        else:
            back = RestoreOrder.model_validate_json(order_json)
            Restorer(host).restore(back, told_to_stop=lambda: False)


if __name__ == "__main__":
    main(*sys.argv[1:])
