"""An image that only builds begin from looks unused to an engine; it stays while it is built upon."""

import pytest

from tests.docker.test_follower import kept_for
from tests.docker.worker_host import WorkerHost
from tests.stage.images import build_with_cache
from workers.contract import Store
from workers.reasons import Code


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="elsewhere records do not tell what they lie on")
def test_s9_a_base_stays_while_builds_begin_from_it_also_when_their_cache_is_gone(
    host: WorkerHost,
) -> None:
    base, waste = host.image("base:1"), host.image("waste:1")
    build_with_cache(host.engine, "FROM base:1\nRUN echo 1 > /one\nRUN echo 2 > /two", "app:1")
    host.policy(image_unused_for='"14d"')
    first = host.plan()
    host.engine.client.remove_image("app:1", noprune=True)
    host.engine.client.prune_builds(all=True)
    again = host.plan()

    for plan in (first, again):
        assert kept_for(plan, base) == [Code.BUILT_UPON, Code.CURRENT_VERSION]
        assert waste in {step.object.id for step in plan.steps}
    host.policy(image_unused_for='"0s"')
    assert base in {step.object.id for step in host.plan().steps}
