"""The names of keys in Redis.

A host's rights follow from them (bot/rights.py): it writes what it tells, reads what it is told, and has jobs
and workers of RQ under names of its own. No `:` and no `_` is in a host's name, so none of its keys begins
like another host's.
"""


def told_by(host: str, what: str) -> str:
    """A key that the host writes and the bot reads."""
    return f"prune:from:{host}:{what}"


def told_to(host: str, what: str) -> str:
    """A key that the bot writes and the host can only read."""
    return f"prune:to:{host}:{what}"


def rq_name(host: str, name: str) -> str:
    """The name of a job or a worker of RQ's that is this host's."""
    return f"{host}_{name}"


def events_key(host: str) -> str:
    """The stream of a host's events; entries have the fields ledger, first, seq and event (JSON).

    `first`: the host holds no event below this number any more, for a bot had recorded those.
    """
    return told_by(host, "events")


def stop_key(host: str, order_id: str) -> str:
    """A sealed stop (JSON, as a job's arguments) of one order, which the host reads beside its run."""
    return told_to(host, f"stop:{order_id}")


def freeze_key(host: str) -> str:
    """The newest sealed freeze (likewise): one in the queue would wait for the run under way to end."""
    return told_to(host, "freeze")


def beat_key(host: str) -> str:
    """The host's last sign of life (JSON), which expires."""
    return told_by(host, "beat")


def acknowledged_key(host: str) -> str:
    """The highest contiguous sequence number the bot has recorded, as `ledger:seq`."""
    return told_to(host, "acknowledged")
