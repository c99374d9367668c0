"""The recorded answers that tests garble are still what an engine says."""

import json
from pathlib import Path

import pytest

from tests.stage import recording
from tests.stage.engine import DisposableEngine
from tests.stage.kinds import OWN
from workers.contract import Store

RECORDED = Path(__file__).parents[1] / "unit" / "recorded" / "engine-20.10.json"


@pytest.mark.only_on(Store.GRAPH_DRIVER, because="the recorded engine has no containerd store")
def test_an_engine_of_the_recorded_version_answers_in_the_recorded_shape(engine: DisposableEngine) -> None:
    recorded = json.loads(RECORDED.read_text())
    recording.furnish(engine)
    fresh = recording.record(engine)
    versions = [one["identity"]["version"].split(".")[:2] for one in (fresh, recorded)]
    if engine.kind.root != OWN:
        pytest.skip(f"this engine is {versions[0]}, recorded was one of {versions[1]}")

    assert versions[0] == versions[1]
    assert set(recording.shape(fresh)) == set(recording.shape(recorded))
    assert str(engine.folder) not in RECORDED.read_text()
