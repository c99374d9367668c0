"""How to get back what a run removed, as words that somebody can act on, and as buttons.

The words end up in a shell: a command is made of names that could be read, and of nothing else that a host
tells.
"""

from collections.abc import Iterator

from bot import questions
from bot.questions import Ask
from bot.render.blocks import Block, code, plain
from bot.wanted import Restore, Wanted, read
from workers.contract import Kind, Removed, Report, Restorable, Topic
from workers.references import BadName, ImageName
from workers.wording import listing

# Longer than a command of names can be, so that none is shortened.
COMMAND = 900
UNKNOWN = "none known"
RESTORE_USED, RESTORE_RUN = "prune_restore_used", "prune_restore_run"
CHECK = "prune_check"
COMES_BACK = frozenset({Kind.IMAGE, Kind.NETWORK})
# As Slack takes the value of a button.
VALUE = 2000
RESTORE = "python -m workers restore"
MADE_AGAIN = {
    Kind.NETWORK: "it can be made again, the ledger on {host} has its settings",
    Kind.BUILD_CACHE: "the next build makes it again",
}


def way_back(gone: Removed, host: str) -> str:
    """How one object comes back, as far as the ledger of its host tells."""
    if gone.restorable is Restorable.RECREATED:
        return MADE_AGAIN.get(gone.object.kind, UNKNOWN).format(host=host)
    if gone.restorable is Restorable.ARCHIVED:
        return f"{code(RESTORE)} on {host} brings it back from its archive"
    source = _name(gone.pull)
    if source is None or source.digest is None:
        return UNKNOWN
    tags = [name.familiar() for name in map(_name, gone.names) if name and name.tag and not name.digest]
    pull = f"docker pull {source.familiar()}"
    commands = [pull, *(f"docker tag {source.familiar()} {tag}" for tag in tags)]
    doubt = "" if gone.restorable is Restorable.YES else ", if its registry still has it"
    return f"{listing(code(one, COMMAND) for one in commands)}{doubt}"


def call_buttons(run: Report) -> list[Block]:
    """What can be asked of the host of a troubled run by a press: how its services are now, and a restore.

    A press has the host plan that as if it were typed, of what the services had used, and of the whole run;
    nothing comes back before the plan is confirmed.
    """
    elements = [*_check(run), *_restores(run)]
    return [{"type": "actions", "elements": elements}] if elements else []


def can_restore(run: Report) -> bool:
    """Whether a press would ask for anything of what the run removed."""
    return any(True for _ in _restores(run))


def _check(run: Report) -> Iterator[Block]:
    value = f"{run.host} {run.order_id}"
    if questions.pressed(value) == Ask(Topic.SERVICES, run.host, run.order_id):
        yield _button(CHECK, "Check Again", value)


def _restores(run: Report) -> Iterator[Block]:
    gone, worse = (run.trouble.removed, run.trouble.worse) if run.trouble else ((), ())
    back = [one for one in gone if one.object.kind in COMES_BACK and way_back(one, run.host) != UNKNOWN]
    used = [one for one in back if any(fallen.ties.get(one.index) for fallen in worse)]
    typed = _typed(run, Wanted(run.order_id, tuple(map(_called, used))))
    if 0 < len(used) < len(back) and typed:
        yield _button(RESTORE_USED, f"Restore What {'It' if len(worse) == 1 else 'They'} Used", typed)
    if back and (typed := _typed(run, Wanted(run.order_id))):
        yield _button(RESTORE_RUN, "Restore All of This Run", typed)


def _button(action: str, text: str, typed: str) -> Block:
    return {"type": "button", "action_id": action, "text": plain(text), "value": typed}


def _called(gone: Removed) -> str:
    """An image by a tag it had or by its id, for one without any is called as others are."""
    named = gone.object.name if gone.object.kind is Kind.NETWORK else gone.object.id
    return next(iter(gone.names), named)


def _typed(run: Report, wanted: Wanted) -> str:
    """What somebody would type; nothing where that would be read as anything else."""
    typed = wanted.words(run.host).removeprefix("/prune ")
    is_read = read(typed) == Restore(run.host, wanted)
    return typed if is_read and len(typed) <= VALUE else ""


def _name(text: str) -> ImageName | None:
    """A name that a shell takes for one word, or none."""
    try:
        return ImageName.parse(text)
    except BadName:
        return None
