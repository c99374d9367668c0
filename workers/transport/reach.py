"""Whether Redis lets this host do its work there: an answer to a ping alone says too little of that."""

from contextlib import closing

import redis

from workers.contract import beat_key
from workers.transport.connection import Patience, connect, said

ANSWERS = "answers, and lets this host in"
CLOSED = "not open to this host"
UNREACHABLE = "not reachable"


def reach(url: str, host: str) -> str:
    """Read what is the host's own; `url` holds the password, and no part of it is in what is returned."""
    try:
        with closing(connect(url, Patience(0))) as client:
            client.get(beat_key(host))
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        return f"{CLOSED}: {said(error)}"
    except redis.RedisError as error:
        return f"{UNREACHABLE}: {said(error)}"
    return ANSWERS
