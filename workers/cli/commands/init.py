"""`init`: writes a commented policy.toml from what runs here."""

import argparse
from contextlib import closing
from pathlib import Path

from workers.cli import initial
from workers.cli.doctor import arrival
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.engine import Engine
from workers.errors import UsageError
from workers.host import Place
from workers.memory.reserve import Reserve
from workers.planning import answers


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Write the file, unless there is one, and say whether arrival can be read; or print it alone."""
    with closing(Engine(place.address)) as engine:
        listed = [answers.container(raw, None, writable=None) for raw in engine.containers()]
        known = arrival(place, engine.identity())
    text = initial.policy_text(listed)
    if options.print:
        out(text)
        return Exit.DONE
    write_new(place.policy_file, text, out)
    Reserve(place.state_dir).keep()
    out(" ".join(filter(None, (f"{known.what.capitalize()}: {known.found}.", known.next_step))))
    out(f"Wrote {place.policy_file}. Read it, then show a plan with: python -m workers preview")
    return Exit.DONE


def write_new(path: Path, text: str, out: Out) -> None:
    """Write the file; at most one folder is made for it, and told: where more is missing, the path is wrong.

    Raises:
        UsageError: there is one, or it cannot be written.
    """
    try:
        if not path.parent.exists():
            path.parent.mkdir()
            out(f"Made the folder {path.parent}.")
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} exists and was left as it is; --print shows what would be written"
        ) from None
    except FileNotFoundError:
        raise UsageError(
            f"{path} cannot be written: there is no folder {path.parent.parent};"
            " correct PRUNE_POLICY, or make the folder"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from None
