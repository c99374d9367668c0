"""Short marks: what a person is told of trouble bears one, and the line in the log bears the same (pure)."""

import hashlib

LENGTH = 6


def mark(of: str) -> str:
    """The mark of a request or of an act, by its id; what has more words belongs to that of the first."""
    return hashlib.sha256(of.partition(" ")[0].encode()).hexdigest()[:LENGTH]
