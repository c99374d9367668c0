"""Which engines are spoken with, and on which nothing may be removed."""

from typing import Any

import pytest

from workers.engine_versions import speech
from workers.errors import EngineError
from workers.reasons import Code
from workers.wording import sentence


def told(
    newest: str, oldest: str = "1.24", *, version: str = "27.1.0", name: str = "Engine"
) -> dict[str, Any]:
    return {
        "Version": version,
        "ApiVersion": newest,
        "MinAPIVersion": oldest,
        "Components": [{"Name": name, "Version": version}, {"Name": "containerd", "Version": "1.7"}],
    }


@pytest.mark.parametrize(
    ("newest", "oldest", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.45", "1.24", "1.45"),
        ("1.51", "1.24", "1.51"),
        ("1.55", "1.40", "1.51"),
        ("1.60", "1.51", "1.51"),
    ],
)
def test_what_was_tried_is_spoken_with_in_the_newest_version_both_know(
    newest: str, oldest: str, spoken: str
) -> None:
    found = speech(told(newest, oldest))

    assert (found.api_version, found.read_only) == (spoken, None)


@pytest.mark.parametrize(
    ("engine", "spoken", "code"),
    [
        (told("1.40", "1.12", version="19.03.15"), "1.40", Code.ENGINE_TOO_OLD),
        (told("1.60", "1.52", version="31.0.0"), "1.52", Code.ENGINE_TOO_NEW),
        (told("1.41", version="4.3.1", name="Podman Engine"), "1.41", Code.ENGINE_NOT_DOCKER),
    ],
)
def test_s4_what_was_not_tried_is_only_read_and_both_versions_are_named(
    engine: dict[str, Any], spoken: str, code: Code
) -> None:
    found = speech(engine)

    assert found.read_only is not None
    assert (found.api_version, found.read_only.code) == (spoken, code)
    said = sentence(found.read_only)
    assert (engine["Version"] in said, "1.41 to 1.51" in said) == (True, True)


def test_versions_are_compared_as_numbers() -> None:
    assert speech(told("1.9", "1.6")).read_only is not None
    assert speech(told("1.100", "1.41")).api_version == "1.51"


def test_an_engine_without_components_or_an_oldest_version_is_docker() -> None:
    found = speech({"Version": "20.10.24", "ApiVersion": "1.41"})

    assert (found.api_version, found.read_only) == ("1.41", None)


@pytest.mark.parametrize("nonsense", [{}, {"ApiVersion": ""}, {"ApiVersion": None}, told("one")])
def test_s4_an_engine_that_tells_no_version_is_not_understood(nonsense: dict[str, Any]) -> None:
    with pytest.raises(EngineError):
        speech(nonsense)
