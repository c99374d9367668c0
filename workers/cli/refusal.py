"""Why a command did not do what it was asked for: a sentence for people, reasons for programs."""

import json
from dataclasses import dataclass
from enum import IntEnum

from workers.contract import Plan, RestorePlan
from workers.errors import (
    EngineError,
    LedgerError,
    PolicyError,
    RefusedError,
    SettingsError,
    UsageError,
    WorkerError,
    trouble_with,
)
from workers.reasons import Code, Reason, reason
from workers.restore.guards import why_not
from workers.wording import sentence

NOTHING_REMOVED = "Nothing was removed."
NOTHING_DONE = "Nothing was changed."
CHANGING = ("execute", "restore")


class Exit(IntEnum):
    """How a command ends for whoever called it."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    PARTIAL = 4
    # As shells have it of whatever Ctrl-C ends.
    INTERRUPTED = 130


@dataclass(frozen=True)
class Refusal:
    """Why not; `reasons` may be none where the sentence says all."""

    ending: Exit
    said: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()

    def as_json(self) -> str:
        """Write it for programs."""
        reasons = [{**why.model_dump(mode="json"), "sentence": sentence(why)} for why in self.reasons]
        ended = self.ending.name.lower()
        return json.dumps({"ended": ended, "said": " ".join(self.said), "reasons": reasons}, indent=2)


class NotDone(WorkerError):
    """A command ends here, and nothing went wrong."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(*why.said)
        self.why = why


def of_error(error: WorkerError, *, address: str) -> Refusal:
    """Say what an error ended; `address` is where the engine was looked for."""
    match error:
        case RefusedError():
            return Refusal(Exit.REFUSED, tuple(map(sentence, error.reasons)), error.reasons)
        case PolicyError():
            why = reason(Code.POLICY_INVALID, file=error.path, detail=error.detail)
            return Refusal(Exit.REFUSED, (f"{error}. {NOTHING_REMOVED}",), (why,))
        case LedgerError():
            step = "To see what is wrong: python -m workers doctor"
            return Refusal(Exit.REFUSED, (f"{error}. {NOTHING_REMOVED} {step}",))
        case EngineError():
            why = trouble_with(error)
            step = (
                f"Check DOCKER_HOST ({address}) and the engine."
                if why.code is Code.ENGINE_UNREACHABLE
                else "Look at the engine's log."
            )
            return Refusal(Exit.FAILED, (f"{error}. {step}",), (why,))
        case UsageError() | SettingsError():
            return Refusal(Exit.USAGE, (str(error),))
    return Refusal(Exit.FAILED, (str(error),))


def of_plan(plan: Plan, *, unusual_too: bool) -> Refusal | None:
    """Say why a plan is not executed, whoever confirms it; nothing where it may be."""
    if plan.engine.read_only is not None:
        return _refused(sentence(plan.engine.read_only), plan.engine.read_only)
    if not plan.complete:
        said = "Not everything on the host could be read, so its plan cannot be executed."
        return _refused(said, *_noticed(plan, Code.NOT_ALL_READ, Code.MORE_NOT_READ))
    if plan.unusual and not unusual_too:
        said = (
            "This plan removes an unusual share of the host's images."
            " Look at it again; to execute it all the same, add --unusual."
        )
        return _refused(said, *_noticed(plan, Code.UNUSUAL_SHARE))
    if not plan.applicable:
        return Refusal(Exit.DONE, ("The plan holds nothing to remove.",), (reason(Code.NOTHING_TO_DO),))
    return None


def broken_off(why: str) -> Refusal:
    """A run ended in the middle: what went is known to the engine, and found out by whoever recovers."""
    return Refusal(
        Exit.FAILED,
        (
            f"{why}. The run broke off and objects may be gone already; the ledger has what was asked for.",
            "To have each looked at and reported: python -m workers recover. So does a starting worker.",
        ),
    )


def unsaid(why: str, command: str | None) -> str:
    """The output took no more; what a command did before that is not undone by it."""
    return f"The output cannot be written ({why}). {_state_after(command)}"


def interrupted(command: str | None) -> str:
    """Ctrl-C, where nothing is left to be ended in order."""
    return f"Interrupted. {_state_after(command)}"


def _state_after(command: str | None) -> str:
    if command in CHANGING:
        return "What it did until then is on record; see: python -m workers audit"
    return NOTHING_REMOVED


def no_terminal() -> Refusal:
    """Nobody is there to be asked."""
    return Refusal(
        Exit.REFUSED,
        (
            "There is no terminal to ask at, so nothing was removed.",
            "Show a plan with: python -m workers preview, then: python -m workers execute --confirm DIGEST",
        ),
    )


def not_confirmed() -> Refusal:
    """Whoever was asked did not say yes."""
    return Refusal(Exit.REFUSED, (f"Not confirmed. {NOTHING_REMOVED}",))


def of_restore_plan(plan: RestorePlan) -> Refusal | None:
    """Say why the plan of a restore is not executed, whoever confirms it; nothing where it may be."""
    why = why_not(plan)
    if why is None:
        return None
    ending = Exit.DONE if why.code is Code.NOTHING_TO_RESTORE else Exit.REFUSED
    return Refusal(ending, (f"{sentence(why)} {NOTHING_DONE}",), (why,))


def not_confirmed_restore() -> Refusal:
    """Whoever was asked did not say yes."""
    return Refusal(Exit.REFUSED, (f"Not confirmed. {NOTHING_DONE}",))


def _refused(said: str, *reasons: Reason) -> Refusal:
    return Refusal(Exit.REFUSED, (f"{said} {NOTHING_REMOVED}",), reasons)


def _noticed(plan: Plan, *codes: Code) -> tuple[Reason, ...]:
    return tuple(notice for notice in plan.notices if notice.code in codes)
