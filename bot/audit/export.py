"""The acts as a file for auditors: CSV or lines of JSON (pure)."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.acts import Act

COLUMNS = ("number", "at", "who", "what", "request", "host", "order", "plan", "detail")
# A spreadsheet takes a cell that begins so for a formula, also after a line break inside it, and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def chosen(acts: Sequence[Act], *, since: datetime | None, host: str) -> tuple[Act, ...]:
    """The acts since then, and of one host: those about it, and of every request that concerned it."""
    about = {act.request_id for act in acts if act.host == host or host in _hosts(act)} - {""}
    return tuple(
        act
        for act in acts
        if (since is None or act.at >= since)
        and (not host or act.host == host or (not act.host and act.request_id in about))
    )


def _hosts(act: Act) -> Sequence[object]:
    hosts = act.detail.get("hosts")
    return hosts if isinstance(hosts, list) else ()


def csv_lines(acts: Iterable[Act]) -> Iterator[str]:
    """A head and a row for each act; no cell can be taken for a formula."""
    yield _row(COLUMNS)
    for act in acts:
        yield _row([_cell(value) for value in _values(act).values()])


def json_lines(acts: Iterable[Act]) -> Iterator[str]:
    """One object for each act."""
    for act in acts:
        values = {**_values(act), "detail": act.detail}
        yield json.dumps(values, ensure_ascii=False) + "\n"


def _values(act: Act) -> dict[str, str | int]:
    detail = json.dumps(act.detail, ensure_ascii=False, sort_keys=True)
    at = act.at.isoformat(timespec="milliseconds")
    about = (act.request_id, act.host, act.order_id, act.plan_digest)
    return dict(zip(COLUMNS, (act.number, at, act.who, str(act.what), *about, detail), strict=True))


def _cell(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class _OneLine:
    """Where the csv module writes a row to."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _row(values: Iterable[object]) -> str:
    line = _OneLine()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.text
