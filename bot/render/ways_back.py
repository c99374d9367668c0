"""How to get back what a run removed, as words that somebody can act on.

They end up in a shell: a command is made of names that could be read, and of nothing else that a host tells.
"""

from bot.render.blocks import code
from workers.contract import Kind, Removed, Restorable
from workers.references import BadName, ImageName
from workers.wording import listing

# Longer than a command of names can be, so that none is shortened.
COMMAND = 900
UNKNOWN = "none known"
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


def _name(text: str) -> ImageName | None:
    """A name that a shell takes for one word, or none."""
    try:
        return ImageName.parse(text)
    except BadName:
        return None
