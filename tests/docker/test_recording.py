"""The recorded answers that tests garble are still what an engine says."""

import json
from pathlib import Path

import pytest

from tests.stage import recording
from tests.stage.engine import DisposableEngine
from tests.stage.kinds import OWN

RECORDED = Path(__file__).parents[1] / "unit" / "recorded" / "engine-20.10.json"


def test_an_engine_of_the_recorded_version_answers_in_the_recorded_shape(engine: DisposableEngine) -> None:
    if engine.kind.root != OWN:
        pytest.skip("recorded was the machine's own")
    recorded = json.loads(RECORDED.read_text())
    recording.furnish(engine)
    fresh = recording.record(engine)

    assert fresh["identity"]["version"].split(".")[:2] == recorded["identity"]["version"].split(".")[:2]
    assert set(recording.shape(fresh)) == set(recording.shape(recorded))
    assert str(engine.folder) not in RECORDED.read_text()
