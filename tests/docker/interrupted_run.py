"""A worker's process that stands still in the middle of a run, to be killed there.

python -m tests.docker.interrupted_run ADDRESS FOLDER ORDER WHEN KIND NTH
"""

import signal
import sys
from contextlib import closing
from pathlib import Path

from tests.docker.worker_host import Busy
from workers.contract import ExecutionOrder
from workers.host import Host, Place
from workers.memory.ledger import Ledger


def main(address: str, folder: str, order_json: str, when: str, kind: str, nth: str) -> None:
    """Execute the order, and stand still before or after the nth removal of that kind."""
    seen: list[str] = []

    def stand_still(at: str, id_: str) -> None:
        seen.extend([id_] if at == kind else [])
        if at == kind and len(seen) == int(nth):
            sys.stdout.write(f"{id_}\n")
            sys.stdout.flush()
            signal.pause()

    place = Place("web-1", address, Path(folder, "policy.toml"), Path(folder, "state"))
    order = ExecutionOrder.model_validate_json(order_json)
    with closing(Ledger(place.ledger_file)) as ledger:
        engine = Busy(address, **{when: stand_still})
        Host(place, ledger, engine).execute(order, told_to_stop=lambda: False)


if __name__ == "__main__":
    main(*sys.argv[1:])
