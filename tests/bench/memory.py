"""Resident memory of bot and worker, idle after one preview; run by hand: python -m tests.bench.memory."""
# ruff: noqa: T201  a bench prints

from functools import partial
from pathlib import Path

from tests.bench.machine import machine
from tests.stage import hosts
from tests.stage.company import Company
from tests.stage.folder import fresh_folder


def megabytes(pid: int) -> tuple[float, float]:
    """Proportional and resident set of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Pss"] / 1024, sizes["Rss"] / 1024


def main() -> None:
    fill = partial(hosts.web_host, name="web-1", scale=0.1)
    with fresh_folder() as folder, Company(folder, {"web-1": fill}) as company:
        company.reply(company.ready("web-1"), "Plan of web-1")
        rows = (("bot", company.bot.pid, 100), ("worker", company.members["web-1"].worker.pid, 80))
        print(machine())
        print(f"{'MiB, idle':<12}{'PSS':>8}{'RSS':>8}{'target':>10}")
        for name, pid, target in rows:
            pss, rss = megabytes(pid)
            print(f"{name:<12}{pss:>8.1f}{rss:>8.1f}{f'<= {target}':>10}")


if __name__ == "__main__":
    main()
