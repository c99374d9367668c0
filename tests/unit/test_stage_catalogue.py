"""The hosts of the stage are described without contradiction."""

from itertools import chain

import pytest

from tests.stage.catalogue import Catalogue, Life
from tests.stage.fates import TRAITS
from tests.stage.hazard_host import HAZARDS, hazards_on
from tests.stage.web_host import CALM, WEB

CATALOGUES = pytest.mark.parametrize(
    "catalogue", [WEB, CALM, HAZARDS, hazards_on(TRAITS)], ids=["web", "calm", "hazards", "all hazards"]
)


@CATALOGUES
def test_every_container_has_its_image(catalogue: Catalogue) -> None:
    known = {one.name for one in catalogue.images}
    known |= {one.result(number) for one in catalogue.builds for number in one.first_times}

    assert {name for one in catalogue.containers for name in (one.image, *one.mounted)} <= known


@CATALOGUES
def test_what_a_container_is_made_of_is_a_name_of_its_image(catalogue: Catalogue) -> None:
    named = {image.name: image.references for image in catalogue.images}

    assert all(one.made_of in named[one.image] for one in catalogue.containers if one.made_of)


@CATALOGUES
def test_names_are_given_once(catalogue: Catalogue) -> None:
    references = list(chain.from_iterable(image.references for image in catalogue.images))
    containers = [one.name for one in catalogue.containers]

    assert sorted(references) == sorted(set(references))
    assert sorted(containers) == sorted(set(containers))


@CATALOGUES
def test_every_container_has_its_network(catalogue: Catalogue) -> None:
    known = {"none"} | {one.name for one in catalogue.networks}
    known |= {f"container:{one.name}" for one in catalogue.containers}

    assert {one.network for one in catalogue.containers} <= known
    assert {one.second_network for one in catalogue.containers} <= {None, *known}


@CATALOGUES
def test_nothing_that_stays_stands_on_waste(catalogue: Catalogue) -> None:
    waste = {image.name for image in catalogue.images if image.fate == "waste"}
    waste |= {network.name for network in catalogue.networks if network.fate == "waste"}
    kept = [one for one in catalogue.containers if one.fate == "kept"]

    assert not waste & {name for one in kept for name in (one.image, *one.mounted, one.network)}


@CATALOGUES
def test_only_what_ran_has_an_end(catalogue: Catalogue) -> None:
    assert all((one.stopped is not None) == (one.life is Life.EXITED) for one in catalogue.containers)
    assert all(one.stopped <= one.created for one in catalogue.containers if one.stopped is not None)
