"""A probe that fails is named with its reason, and without what is secret in its address."""

import socket
from collections.abc import Iterator

import pytest

from workers.execution.probes import failing
from workers.reasons import Code


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine at which nobody listens, and which nobody else is given meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def test_s5_a_probe_that_nobody_answers_is_named_with_the_reason(closed_port: int) -> None:
    probe = f"http://127.0.0.1:{closed_port}/health"

    (found,) = failing([probe])
    assert (found.code, found.params["probe"]) == (Code.PROBE_FAILED, probe)
    assert "refused" in str(found.params["detail"])


def test_s12_what_may_be_secret_in_its_address_is_not_told(closed_port: int) -> None:
    (found,) = failing([f"http://127.0.0.1:{closed_port}/health?key=hunter2"])

    assert found.params["probe"] == f"http://127.0.0.1:{closed_port}/health?…"
    assert "hunter2" not in found.model_dump_json()
