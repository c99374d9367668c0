"""A doctor asks Redis for what is this host's own, as the worker will."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.rights import hashed, of_host
from tests.stage.redis import RedisServer, free_port
from workers.cli.doctor import examine
from workers.host import Place
from workers.transport.reach import ANSWERS, CLOSED, UNREACHABLE, reach


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("reach")) as server:
        for host in ("web-1", "web-2"):
            server.admit(of_host(host).line(hashed(host)))
        yield server


@pytest.mark.parametrize(
    ("user", "password", "found"),
    [
        ("prune-host-web-1", "web-1", ANSWERS),
        ("prune-host-web-1", "wrong", CLOSED),
        ("prune-host-web-2", "web-2", CLOSED),
        ("prune-host-web-3", "web-1", CLOSED),
    ],
)
def test_only_this_hosts_own_user_will_do(server: RedisServer, user: str, password: str, found: str) -> None:
    assert reach(server.url_of(user, password), "web-1").startswith(found)


def test_without_a_user_redis_lets_nobody_in(server: RedisServer) -> None:
    assert reach(server.address, "web-1").startswith(CLOSED)


def test_a_redis_that_is_not_there_is_no_closed_one() -> None:
    assert reach(f"redis://127.0.0.1:{free_port()}/0", "web-1").startswith(UNREACHABLE)


@pytest.mark.parametrize(
    ("found", "step"), [(f"{CLOSED}: no", "python -m bot acl web-1"), (f"{UNREACHABLE}: no", "REDIS_URL")]
)
def test_the_next_step_goes_with_what_was_found(found: str, step: str, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    place = Place(
        host="web-1",
        address=nowhere,
        policy_file=tmp_path / "policy.toml",
        state_dir=tmp_path,
        engines_dir=tmp_path,
        redis_host="",
    )
    (finding,) = (one for one in examine(place, redis=found) if one.what == "Redis")
    assert (finding.good, step in finding.next_step) == (False, True)
