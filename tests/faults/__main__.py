"""The driver of the fault matrix; `tests/faults/run --help` says how it is used."""

import argparse
import itertools
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.faults.case import Verdict, played
from tests.faults.cells import ALL, REACHABLE, WHEN, Cell, Work
from tests.faults.jobs import side_by_side
from tests.faults.scene import Scene
from tests.faults.table import summary
from tests.stage.errors import NotReady, StageError
from tests.stage.folder import fresh_folder

MOST_CASES_OF_A_SCENE = 60
DESCRIPTION = """\
Plays cells of the fault matrix, VICTIM:FAULT:MOMENT or VICTIM:FAULT:MOMENT:WORK, with real processes and
real parts: one host of its own, its worker, the bot, Redis, and a Slack workspace on localhost. Each case
asks for a plan, confirms it, holds the request at the moment, lets the victim fail there, has it come back,
waits for the end, and judges engine, ledger, history and thread. WORK is restore, or archive for a run that
saves images before they go. Needs root, and what `deploy/setup --tests` sets up. Everything it starts is gone
at its end, after Ctrl-C as well. Prints a line for each case, and at the end the table for
deploy/SECURITY.md. Exit code 1 if any case failed.
"""
EXAMPLES = """
examples:
  tests/faults/run                                         every reachable cell once
  tests/faults/run --cases 300 --seed 1                    all of them twice at least, and some more
  tests/faults/run --cell redis:older:mid-stage --seed 7   one case again, as its line says
  tests/faults/run --only :restore                         those of a restore alone
"""


def main(arguments: Sequence[str]) -> int:
    """Play what was asked for; 1 if anything was not as it must be."""
    options = parser().parse_args(arguments)
    if options.list:
        _list()
        return 0
    # Everything that was started is stopped on the way out, also where a shell has had SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if options.share:
        return _play_a_share(options)
    begun, verdicts, is_whole = time.monotonic(), list[Verdict](), True
    try:
        for verdict in side_by_side(arguments, options.jobs) if options.jobs > 1 else _verdicts(options):
            verdicts.append(verdict)
            print(verdict, flush=True)
    except (KeyboardInterrupt, StageError) as end:
        print(f"not played to the end: {type(end).__name__} {end}", file=sys.stderr)
        is_whole = False
    print(f"\n{summary(verdicts, seconds=time.monotonic() - begun)}")
    is_good = is_whole and verdicts and not any(verdict.faults for verdict in verdicts)
    return 0 if is_good else 1


def _play_a_share(options: argparse.Namespace) -> int:
    """As one of several jobs: a verdict in a line, for the one who started them."""
    with suppress(KeyboardInterrupt):
        for verdict in _verdicts(options):
            print(verdict.dumped(), flush=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """What can be typed."""
    moments = "\n".join(f"  {moment:15} {words}" for moment, words in WHEN.items())
    top = argparse.ArgumentParser(
        prog="tests/faults/run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=DESCRIPTION,
        epilog=f"moments:\n{moments}\n{EXAMPLES}",
    )
    top.add_argument("--cases", type=int, metavar="N", help="how many; by default each chosen cell once")
    top.add_argument("--seed", type=int, default=1, metavar="S", help="of the first case; the next has S + 1")
    top.add_argument("--cell", action="append", type=_cell, metavar="CELL", help="only this one, or these")
    top.add_argument("--only", default="", metavar="TEXT", help="only cells whose names hold this text")
    top.add_argument("--jobs", type=int, default=1, metavar="N", help="so many scenes side by side")
    top.add_argument("--share", type=_share, help=argparse.SUPPRESS)
    top.add_argument("--logs", type=Path, metavar="DIR", help="keep the processes' logs of failed cases here")
    top.add_argument("--list", action="store_true", help="list all cells, and why some cannot happen")
    return top


def _cell(name: str) -> Cell:
    try:
        cell = Cell.named(name)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name!r} is no cell; --list shows them") from None
    if cell.why_not:
        raise argparse.ArgumentTypeError(f"{name} cannot happen: {cell.why_not}")
    return cell


def _share(text: str) -> tuple[int, int]:
    index, _, of = text.partition("/")
    return int(index), int(of)


def _list() -> None:
    for cell in ALL:
        print(f"{cell!s:34} {cell.why_not}".rstrip())


def _verdicts(options: argparse.Namespace) -> Iterator[Verdict]:
    index, of = options.share or (0, 1)
    cases = list(_cases(options))[index::of]
    for has_archive in (False, True):
        alike = [case for case in cases if (case[0].work is not Work.RUN) is has_archive]
        for start in range(0, len(alike), MOST_CASES_OF_A_SCENE):
            yield from _in_scenes(
                alike[start : start + MOST_CASES_OF_A_SCENE], options.logs, has_archive=has_archive
            )


def _cases(options: argparse.Namespace) -> Iterator[tuple[Cell, int]]:
    """Rounds through all chosen cells, each in an order of its own, so that none is left out."""
    chosen = [cell for cell in options.cell or REACHABLE if options.only in str(cell)]
    count = len(chosen) if options.cases is None else options.cases
    rng = random.Random(options.seed)
    rounds = (cell for _ in itertools.count() for cell in rng.sample(chosen, len(chosen)))
    return zip(itertools.islice(rounds, count), itertools.count(options.seed), strict=False)


def _in_scenes(
    cases: Sequence[tuple[Cell, int]], logs: Path | None, *, has_archive: bool
) -> Iterator[Verdict]:
    """Play them in one scene, and in a fresh one after each that failed."""
    left = list(cases)
    while left:
        with ExitStack() as stack:
            scene = _scene(stack, has_archive=has_archive)
            while left:
                cell, seed = left.pop(0)
                verdict = played(scene, cell, seed)
                yield verdict
                if verdict.faults:
                    _keep(scene, verdict, logs)
                    break


def _scene(stack: ExitStack, *, has_archive: bool) -> Scene:
    """A machine at work may once be too slow for an engine to start in time."""

    def begun() -> Scene:
        folder = stack.enter_context(fresh_folder()) / "1"
        return stack.enter_context(Scene(folder, has_archive=has_archive))

    for _ in range(2):
        with suppress(NotReady):
            return begun()
    return begun()


def _keep(scene: Scene, verdict: Verdict, logs: Path | None) -> None:
    if logs is None:
        return
    place = logs / f"{str(verdict.cell).replace(':', '-')}-{verdict.seed}"
    place.mkdir(parents=True, exist_ok=True)
    for log in (scene.bot.log, scene.web.worker.log, scene.redis.log, scene.web.engine.log):
        (place / log.name).write_bytes(log.read_bytes())
    (place / "thread.txt").write_text(scene.slack.transcript(scene.channel))
    (place / "verdict.txt").write_text(f"{verdict}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
