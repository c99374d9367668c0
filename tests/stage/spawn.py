"""What the stage's children have in common: they do not outlive the one who started them."""

from collections.abc import Sequence


def mortal(command: Sequence[str]) -> list[str]:
    """The command, to be killed by the kernel when the thread that starts it ends, whatever ends that."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *command]
