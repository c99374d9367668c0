"""`preview`: makes a plan, shows every object with its reasons, and removes nothing."""

import argparse
import json
import uuid
from datetime import UTC, datetime

from workers.cli import terminal
from workers.cli.output import Out
from workers.cli.refusal import Exit
from workers.contract import Kind, Plan
from workers.host import Place, at_hand
from workers.signing import digest


def run(options: argparse.Namespace, place: Place, out: Out) -> Exit:
    """Make a plan, keep it in the ledger and show it."""
    with at_hand(place) as host:
        plan = host.plan(kinds=options.only or tuple(Kind), request_id=request_id())
        show_plan(plan, out, as_json=options.json)
    return Exit.DONE


def show_plan(plan: Plan, out: Out, *, as_json: bool) -> None:
    """Show a plan, for people or for programs."""
    if as_json:
        out(json.dumps({"digest": digest(plan), "plan": plan.model_dump(mode="json")}, indent=2))
        return
    for line in terminal.plan_lines(plan, now=datetime.now(UTC)):
        out(line)


def request_id() -> str:
    """Name a request that came from nowhere else."""
    return f"host-{uuid.uuid4().hex}"
