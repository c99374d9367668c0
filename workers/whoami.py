"""Who works at this machine's command line, as the kernel knows them; the environment is not asked."""

import os
import pwd
from pathlib import Path

from workers.contract import HOST_TEAM, Person

LOGIN_UID = Path("/proc/self/loginuid")
NOBODY_LOGGED_IN = 2**32 - 1


def whoami() -> Person:
    """Who logged in, also where they became root since; where nobody did, whose process this is."""
    uid = _login_uid()
    return Person(team=HOST_TEAM, user=_name(os.getuid() if uid is None else uid))


def _login_uid() -> int | None:
    try:
        uid = int(LOGIN_UID.read_text())
    except (OSError, ValueError):
        return None
    return None if uid == NOBODY_LOGGED_IN else uid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
