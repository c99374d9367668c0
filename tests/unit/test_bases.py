"""An image that only builds begin from is found by the records on it, and stays while they are young."""

import pytest

from tests.unit.facts_host import (
    NOW,
    a_case,
    a_policy,
    a_record,
    an_image,
    an_image_id,
    days,
    going,
    why,
)
from workers.contract import Store
from workers.memory.sightings import Sighting
from workers.planning.bases import BASE, built_upon
from workers.planning.facts import Memory
from workers.planning.histories import HistoryStep
from workers.planning.inventory import CacheRecord, Image
from workers.reasons import Code

FROM = {"description": "from local ", "size": 0, "shared": True}


def layered(tag: str, *steps: tuple[str, int, str]) -> Image:
    """An image of steps, each with its layer, its bytes and its command."""
    history = tuple(HistoryStep(size, command) for _, size, command in reversed(steps))
    layers = tuple(f"sha256:{layer * 64}" for layer, _, _ in steps)
    return an_image(tag, layers=layers, history=history, size=sum(size for _, size, _ in steps))


ROOT, OS = ("a", 500, "ADD rootfs"), ("b", 70, "RUN setup")
STEP = ("c", 7, "RUN echo 1 # buildkit")
BASE_1, APP = layered("base:1", ROOT, OS), layered("app:1", ROOT, OS, STEP)
OTHER = layered("other:1", ("d", 500, "ADD rootfs"), ("e", 70, "RUN setup"))
STEPS = a_record("step", "os", size=7, shared=True, description="mount / from exec RUN echo 1", used=3)
CACHE = (a_record("root", used=20, **FROM), a_record("os", "root", used=20, **FROM), STEPS)


def found(images: tuple[Image, ...], cache: tuple[CacheRecord, ...]) -> dict[str, float]:
    told = built_upon(images, cache, Store.GRAPH_DRIVER)
    return {image.shown: (NOW - told[image.id]).days for image in images if image.id in told}


def test_a_build_began_from_the_image_on_whose_last_layer_its_first_step_lies() -> None:
    root_only = layered("root:1", ROOT)

    assert found((BASE_1, APP, OTHER, root_only), CACHE) == {"base:1": 3}


def test_an_image_with_the_layers_of_a_base_and_no_more_cannot_be_told_from_it() -> None:
    assert found((BASE_1, APP, layered("labelled:1", ROOT, OS)), CACHE) == {"base:1": 3, "labelled:1": 3}


def test_what_a_build_made_is_not_what_it_began_from() -> None:
    more = a_record("more", "step", size=9, shared=True, description="mount / from exec RUN echo 2")
    longer = layered("app:2", ROOT, OS, STEP, ("f", 9, "RUN echo 2 # buildkit"))

    assert set(found((BASE_1, APP, longer), (*CACHE, more))) == {"base:1"}


def test_of_several_images_a_record_could_be_none_is_taken_for_a_base() -> None:
    gone = tuple(r for r in CACHE if r.shared and r is not STEPS)

    assert found((BASE_1, OTHER), gone) == {}
    # Nothing else has such a layer, so it is known without any step.
    assert found((BASE_1,), gone) == {"base:1": 20}


def test_without_shared_records_or_on_a_containerd_store_nothing_is_told() -> None:
    assert found((BASE_1, APP), ()) == {}
    assert built_upon((BASE_1, APP), CACHE, Store.CONTAINERD) == {}


@pytest.mark.parametrize("ago", [13.99, 14.01])
def test_s9_a_base_stays_while_its_builds_are_young_with_the_way_back_of_its_repository(ago: float) -> None:
    base, before, oldest = (an_image(f"base:{n}", arrived=40 + n) for n in (2, 3, 4))
    sighting = {(BASE, an_image_id("base:2")): Sighting(days(40), NOW, days(ago))}
    case = a_case(base, before, oldest, policy=a_policy(keep_previous=1), memory=Memory(sightings=sighting))
    young = ago < 14

    assert (Code.BUILT_UPON in why(case, "base:2")) is young
    assert going(case) == ({"base:4"} if young else {"base:2", "base:3", "base:4"})


def test_what_the_cache_tells_counts_as_what_the_ledger_remembers_does() -> None:
    case = a_case(an_image("base:1"), built_upon={an_image_id("base:1"): days(1)})

    assert why(case, "base:1")[0] is Code.BUILT_UPON
