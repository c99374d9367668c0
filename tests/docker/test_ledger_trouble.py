"""A ledger that cannot be relied on: nothing is executed, nothing is lost, and it is said (S4, S14, S15)."""

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.test_recovery import a_request, three_images
from tests.docker.worker_host import WorkerHost, codes, order_for
from workers import jobs
from workers.cli.doctor import examine
from workers.errors import LedgerError
from workers.problems import problems
from workers.reasons import Code

PAGE = 4096


@contextlib.contextmanager
def no_header(file: Path) -> Iterator[None]:
    overwrite(file, 0)
    yield


@contextlib.contextmanager
def a_damaged_page(file: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        [[page]] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'orders'")
    overwrite(file, page - 1)
    yield


@contextlib.contextmanager
def read_only(file: Path) -> Iterator[None]:
    """A mount, for root heeds no permissions."""
    folder = str(file.parent)
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def overwrite(file: Path, page: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(page * PAGE)
        opened.write(b"\xa5" * PAGE)


@pytest.mark.parametrize("trouble", [no_header, a_damaged_page, read_only])
def test_s4_s15_with_a_ledger_that_cannot_be_used_nothing_is_executed_and_it_is_said(
    host: WorkerHost, trouble: "type[contextlib.AbstractContextManager[None]]"
) -> None:
    plan = three_images(host)
    assert list(problems(host.place)) == []
    with trouble(host.place.ledger_file):
        for job in (
            lambda: jobs.execute(order_for(plan), host.place, told_to_stop=lambda: False),
            lambda: jobs.plan(a_request(plan), host.place),
        ):
            with contextlib.suppress(LedgerError):
                job()
        told = list(problems(host.place))
        [found] = [one for one in examine(host.place) if one.what == "ledger"]

    assert codes(told) == [Code.LEDGER_UNUSABLE]
    assert told[0].params["file"] == str(host.place.ledger_file)
    assert not found.good
    assert len(host.tags()) == 3
