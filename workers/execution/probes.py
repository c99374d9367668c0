"""Asks a policy's probes whether the services behind them answer."""

import socket
import urllib.request
from collections.abc import Iterable
from functools import cache
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

from workers.planning.bounds import clipped
from workers.planning.policy import without_secrets
from workers.reasons import Code, Reason, reason

# Seconds: for each wait on the way, and for all of it.
TIMEOUT, ALL_OF_IT = 5.0, 10.0


def failing(probes: Iterable[str]) -> list[Reason]:
    """Return a reason for each probe that does not answer well."""
    answers = [(without_secrets(probe), _trouble(probe)) for probe in probes]
    return [reason(Code.PROBE_FAILED, probe=probe, detail=detail) for probe, detail in answers if detail]


def _trouble(probe: str) -> str:
    """Asked aside: an answer byte by byte outlasts each wait for one, and names are looked up without any."""
    told = SimpleQueue[str]()
    Thread(target=lambda: told.put(_answer(probe)), daemon=True).start()
    try:
        return told.get(timeout=ALL_OF_IT)
    except Empty:
        return f"no whole answer within {ALL_OF_IT:g} seconds"


def _answer(probe: str) -> str:
    """What is wrong with it; empty where it is a good one."""
    try:
        _ask(probe)
    except (OSError, ValueError) as error:
        return clipped(str(error) or type(error).__name__)
    except HTTPException as error:
        # What answers may be a server of anything: a banner of SSH or an alert of TLS is spelled out.
        return clipped(f"its answer is no HTTP: {error!r}")
    return ""


def _ask(probe: str) -> None:
    address = urlsplit(probe)
    if address.scheme == "tcp":
        socket.create_connection((address.hostname or "", address.port or 0), timeout=TIMEOUT).close()
        return
    # The policy's pattern admits http and https only; an answer of 400 or above raises.
    _direct().open(probe, timeout=TIMEOUT).close()


@cache
def _direct() -> urllib.request.OpenerDirector:
    """The environment's proxy would answer for a service that is down, and has no way to this host's own."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
