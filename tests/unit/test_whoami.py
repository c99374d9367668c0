"""Who is at the command line: by the kernel, whatever the environment says."""

import os
import pwd
from pathlib import Path

import pytest

from workers import whoami as module
from workers.whoami import whoami

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("login", "user"),
    [
        ("0", "root"),
        (str(module.NOBODY_LOGGED_IN), ME),
        ("", ME),
        (None, ME),
        ("3999999999", "3999999999"),
    ],
)
def test_it_is_who_logged_in_or_else_whose_process_it_is(
    login: str | None, user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "loginuid"
    if login is not None:
        file.write_text(login)
    monkeypatch.setattr(module, "LOGIN_UID", file)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")

    assert whoami().spelled == f"cli:{user}"
