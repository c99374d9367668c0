"""What an engine said is told apart from silence, whoever tells it."""

import pytest

from workers.errors import AnswerLost, Conflict, EngineError, EngineUnreachable, NotFound, trouble_with
from workers.reasons import Code, reason

SILENT = (EngineUnreachable, AnswerLost)


@pytest.mark.parametrize("kind", [EngineError, EngineUnreachable, AnswerLost, NotFound, Conflict])
def test_silence_is_one_thing_and_an_answer_another(kind: type[EngineError]) -> None:
    code = Code.ENGINE_UNREACHABLE if kind in SILENT else Code.ENGINE_ERROR

    assert trouble_with(kind("list images: no luck")) == reason(code, detail="list images: no luck")
