"""Several drivers side by side, each with scenes of its own and a share of the cases."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from queue import Queue

from tests.faults.case import Verdict
from tests.stage.errors import StageError
from tests.stage.spawn import mortal


def side_by_side(arguments: Sequence[str], jobs: int) -> Iterator[Verdict]:
    """The verdicts of all of them as they come; they end with whoever started them.

    Raises:
        StageError: one of them ended before its last case.
    """
    told: Queue[str | None] = Queue()
    started = [_started(arguments, f"{index}/{jobs}") for index in range(jobs)]
    try:
        for job in started:
            threading.Thread(target=_listen, args=(job, told), daemon=True).start()
        ended = 0
        while ended < jobs:
            line = told.get()
            if line is None:
                ended += 1
            else:
                yield Verdict.loaded(line)
    finally:
        for job in started:
            job.terminate()
        ends = [job.wait() for job in started]
    if any(ends):
        raise StageError(f"jobs ended with {ends}")


def _started(arguments: Sequence[str], share: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.faults", *arguments, "--share", share]
    # A job that is killed outright leaves its folder to the next run, which removes it.
    return subprocess.Popen(mortal(command), stdout=subprocess.PIPE, text=True, start_new_session=True)


def _listen(job: "subprocess.Popen[str]", told: "Queue[str | None]") -> None:
    for line in job.stdout or ():
        told.put(line)
    told.put(None)
