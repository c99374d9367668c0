"""The plan of a restore: everything that was removed comes back or says why not, and nobody loses a tag."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.restore_values import (
    HEAD,
    KEPT_FOR,
    SIZE,
    described,
    digest_of,
    image_id,
    network,
    network_id,
    planned,
    removal,
    removed_image,
    removed_network,
    run_plan,
    wanted,
)
from workers.contract import (
    Bytes,
    FromArchive,
    FromDescription,
    FromRegistry,
    Kind,
    LayerGroup,
    NetworkDescription,
    RestorePlan,
)
from workers.planning.restorable import Answer, Answers
from workers.reasons import Code, Reason, reason
from workers.references import ImageName
from workers.restore.past import Removal
from workers.restore.planning import Present, digests, make_plan, needed, network_refusal
from workers.signing import digest

TAGS = [f"registry.example/{name}:{tag}" for name in ("app", "web") for tag in (1, 2)]
SUBNETS = ["", "10.0.0.0/24", "10.0.0.128/25", "10.1.0.0/16", "fd00::/64"]
REPOSITORIES = ["registry.example/app", "mirror.example/app"]
NUMBERS = st.integers(0, 4)
APP = ImageName.parse("app:1").full()


def away(plan: RestorePlan) -> dict[str, Code]:
    return {one.object.id: one.reason.code for one in plan.away}


def of(number: int, repository: str = "registry.example/app") -> ImageName:
    return ImageName.parse(f"{repository}@{digest_of(number)}")


# One object


def test_an_image_comes_from_every_registry_that_gives_it_under_all_its_free_tags() -> None:
    image = removed_image(1, *TAGS, repositories=REPOSITORIES)
    taken, own = ImageName.parse(TAGS[0]).full(), ImageName.parse(TAGS[1]).full()
    present = Present(images={image_id(2)}, tags={taken: image_id(2), own: image_id(1)})
    [step] = planned(image, present=present).steps

    assert [source.repository for source in step.sources if isinstance(source, FromRegistry)] == REPOSITORIES
    assert (step.tags, [(one.name, one.image) for one in step.taken]) == (
        tuple(TAGS[2:]),
        [(TAGS[0], image_id(2))],
    )


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({}, Code.NOT_GIVEN_BACK),
        ({of(1): Answer(given=False)}, Code.NOT_GIVEN_BACK),
        ({of(1): Answer(given=False, silence="refused")}, Code.REGISTRY_SILENT),
    ],
)
def test_s4_what_no_registry_says_to_give_back_is_not_restorable(answers: Answers, why: Code) -> None:
    plan = planned(removed_image(1, "app:1"), answers=answers)

    assert (plan.steps, away(plan), plan.applicable) == ((), {image_id(1): why}, False)


def test_an_image_that_was_never_in_a_registry_has_no_source() -> None:
    assert away(planned(removed_image(1, "app:1", repositories=()))) == {image_id(1): Code.NO_SOURCE}


def test_where_no_registry_was_asked_the_plan_says_so() -> None:
    unasked, asked = (
        planned(removed_image(1, "app:1"), answers=answers, present=Present(free=10 * SIZE))
        for answers in (None, {of(1): Answer(given=True)})
    )

    assert [why.code for why in unasked.notices] == [Code.REGISTRIES_NOT_ASKED]
    assert asked.notices == ()


def test_a_name_by_digest_among_the_tags_is_no_tag() -> None:
    image = removed_image(1, "registry.example/app:1", f"registry.example/app@{digest_of(1)}")

    assert planned(image).steps[0].tags == ("registry.example/app:1",)


@pytest.mark.parametrize(
    ("present", "why"),
    [
        ({network_id(7): network("front", "10.0.0.0/24")}, Code.ALREADY_THERE),
        ({network_id(7): network("front", "10.0.0.0/24", EnableIPv4=True)}, Code.ALREADY_THERE),
        ({network_id(1): network("other")}, Code.ALREADY_THERE),
        ({network_id(7): network("front", "10.9.0.0/24")}, Code.NAME_TAKEN),
        ({network_id(7): network("other", "10.0.0.64/26")}, Code.ADDRESSES_TAKEN),
    ],
)
def test_a_network_whose_place_is_taken_stays_away(present: dict[str, NetworkDescription], why: Code) -> None:
    plan = planned(removed_network(1, described("front", "10.0.0.0/24")), present=Present(networks=present))

    assert (plan.steps, away(plan)) == ((), {network_id(1): why})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Scope": "swarm"}, Code.SWARM),
        ({"Ingress": True}, Code.SWARM),
        ({"Labels": {"com.docker.swarm.service.id": "1"}}, Code.SWARM),
        ({"ConfigOnly": True}, Code.CONFIG_ONLY),
        ({"Name": "bridge"}, Code.PREDEFINED),
        ({"ConfigFrom": {"Network": "base"}}, Code.UNREADABLE),
        ({"Scope": 3}, Code.UNREADABLE),
    ],
)
def test_networks_that_are_not_this_hosts_alone_are_never_made(changed: dict[str, Any], why: Code) -> None:
    plan = planned(removed_network(1, {**described("front"), **changed}))

    assert away(plan) == {network_id(1): why}


def test_containers_are_shown_and_build_cache_comes_with_builds() -> None:
    kept = {"Name": "/job", "Image": "app:1", "ImageID": image_id(1), "EnvironmentNames": ["LANG", "KEY"]}
    container = removal(Kind.CONTAINER, 2, "c" * 64, "job", json.dumps(kept))
    record = removal(Kind.BUILD_CACHE, 3, "r" * 25, "RUN make", "{}")
    plan = planned(removed_image(1, "app:1"), container, record)
    commands = {one.object.id: one.command for one in plan.away}

    assert away(plan) == {"c" * 64: Code.ONLY_SHOWN, "r" * 25: Code.COMES_WITH_BUILDS}
    # The image sets LANG itself.
    assert commands["c" * 64] == "docker create --name job --env KEY=FILL_IN app:1"


@pytest.mark.parametrize(
    ("ran", "told"),
    [
        ({}, [reason(Code.COMMANDS_NOT_KEPT, count=1)]),
        ({"Entrypoint": None, "Cmd": ["serve"]}, []),
        ({"Entrypoint": None, "Cmd": None}, []),
    ],
)
def test_a_plan_says_where_what_a_container_ran_was_not_kept(ran: dict[str, Any], told: list[Reason]) -> None:
    kept = {"Name": "/job", "Image": "app:1", "ImageID": image_id(1), **ran}
    present = Present(images={image_id(1)}, tags={APP: image_id(1)})
    plan = planned(removal(Kind.CONTAINER, 9, "c" * 64, "job", json.dumps(kept)), present=present)

    assert [why for why in plan.notices if why.code is Code.COMMANDS_NOT_KEPT] == told


@pytest.mark.parametrize(
    ("others", "present", "why"),
    [
        ((), Present(), Code.ONLY_SHOWN_WITHOUT_IMAGE),
        ((), Present(images={image_id(1)}, tags={APP: image_id(1)}), Code.ONLY_SHOWN),
        ((removed_image(1, "app:1"),), Present(), Code.ONLY_SHOWN),
        ((replace(removed_image(1, "app:1"), way_back=""),), Present(), Code.ONLY_SHOWN_WITHOUT_IMAGE),
        ((removed_image(2, "app:1"),), Present(images={image_id(2)}), Code.ONLY_SHOWN_WITHOUT_IMAGE),
    ],
)
def test_a_command_says_whether_its_image_is_there_or_comes(
    others: tuple[Removal, ...], present: Present, why: Code
) -> None:
    kept = {"Name": "/job", "Image": "app:1", "ImageID": image_id(1)}
    container = removal(Kind.CONTAINER, 9, "c" * 64, "job", json.dumps(kept))
    plan = planned(container, *others, present=present)
    [shown] = (one for one in plan.away if one.object.kind is Kind.CONTAINER)

    assert shown.reason.code is why
    assert shown.command == "docker create --name job app:1"
    assert shown.reason.params == ({} if why is Code.ONLY_SHOWN else {"image": "app:1"})


@pytest.mark.parametrize(
    ("others", "present"),
    [
        ((), Present(images={image_id(1)})),
        ((), Present(images={image_id(1), image_id(2)}, tags={APP: image_id(2)})),
        ((removed_image(1, "app:1"),), Present(images={image_id(2)}, tags={APP: image_id(2)})),
    ],
)
def test_a_command_names_an_image_by_its_id_whose_name_is_not_its_own(
    others: tuple[Removal, ...], present: Present
) -> None:
    kept = {"Name": "/job", "Image": "app:1", "ImageID": image_id(1)}
    plan = planned(removal(Kind.CONTAINER, 9, "c" * 64, "job", json.dumps(kept)), *others, present=present)
    [shown] = (one for one in plan.away if one.object.kind is Kind.CONTAINER)

    assert shown.reason.code is Code.ONLY_SHOWN
    assert shown.command == f"docker create --name job {image_id(1)}"


def test_of_what_is_forgotten_its_name_is_known_and_whether_it_is_here() -> None:
    gone, here = (replace(removed_image(n, f"app:{n}"), way_back="") for n in (1, 2))
    plan = planned(gone, here, present=Present(images={image_id(2)}))
    [forgotten, _] = plan.away

    assert away(plan) == {image_id(1): Code.WAY_BACK_FORGOTTEN, image_id(2): Code.ALREADY_THERE}
    assert (forgotten.object.name, forgotten.reason.params["kept"]) == ("app:1", KEPT_FOR.total_seconds())


def test_what_was_kept_and_cannot_be_read_is_said() -> None:
    image = replace(removed_image(1, "app:1"), way_back='{"RepoTags": ["Not A Name"]}')
    broken = replace(removed_image(2, "app:2"), way_back="{")

    assert set(away(planned(image, broken)).values()) == {Code.UNREADABLE}


# Bytes


BASE, OWN, OTHER = (Bytes(low=size, high=size) for size in (100, 20, 3))
GROUPS = (
    LayerGroup(size=BASE),
    LayerGroup(size=OWN, lies_on=0, held_by=(1,)),
    LayerGroup(size=OTHER, lies_on=0, held_by=(2,)),
)


def test_layers_that_several_images_hold_are_needed_once() -> None:
    assert needed(run_plan(*GROUPS), {1}, ()).low == 120
    assert needed(run_plan(*GROUPS), {1, 2}, ()).low == 123
    assert needed(run_plan(*GROUPS), (), ()) == Bytes()


def test_what_is_here_takes_no_room() -> None:
    images = [removed_image(n, f"app:{n}") for n in (1, 2)]
    plan = planned(*images, groups=GROUPS, present=Present(images={image_id(1)}, free=103))
    [_, step] = sorted(plan.steps, key=lambda one: len(one.sources))

    assert (plan.needs, step.needs) == (Bytes(low=103, high=SIZE), Bytes(low=103, high=SIZE))
    assert (plan.fits, [why.code for why in plan.notices]) == (
        True,
        [Code.REGISTRIES_NOT_ASKED, Code.MAY_NOT_FIT],
    )


@pytest.mark.parametrize(
    ("free", "fits", "said"),
    [
        (None, True, [Code.ROOM_UNKNOWN]),
        (119, False, [Code.NO_ROOM]),
        (120, True, [Code.MAY_NOT_FIT]),
        (2 * SIZE - 1, True, [Code.MAY_NOT_FIT]),
        (2 * SIZE, True, []),
    ],
)
def test_whether_the_bytes_are_there(free: int | None, fits: bool, said: list[Code]) -> None:
    answers = {of(1): Answer(given=True)}
    image = removed_image(1, "app:1")
    plan = planned(image, groups=GROUPS, present=Present(free=free), answers=answers)

    assert (plan.fits, plan.applicable, [why.code for why in plan.notices]) == (fits, fits, said)


# Any plan


@st.composite
def removals(draw: st.DrawFn) -> list[Removal]:
    found: list[Removal] = []
    for number in draw(st.lists(NUMBERS, unique=True)):
        tags = draw(st.lists(st.sampled_from(TAGS), unique=True, max_size=3))
        known = draw(st.lists(st.sampled_from(REPOSITORIES), unique=True))
        found.append(removed_image(number, *tags, at=len(found), repositories=known))
    for number in draw(st.lists(NUMBERS, unique=True)):
        raw = described(draw(st.sampled_from(["front", "back", "bridge"])), draw(st.sampled_from(SUBNETS)))
        found.append(removed_network(number, raw, at=len(found)))
    for number in draw(st.lists(NUMBERS, unique=True, max_size=1)):
        found.append(removal(Kind.CONTAINER, len(found), f"{number + 50:064x}", "job", '{"Name": "/job"}'))
        found.append(removal(Kind.BUILD_CACHE, len(found), f"{number:025}", "RUN", "{}"))
    if draw(st.booleans()):
        found = [replace(one, way_back=draw(st.sampled_from([one.way_back, ""]))) for one in found]
    return found


@st.composite
def hosts(draw: st.DrawFn) -> Present:
    here = draw(st.sets(NUMBERS.map(image_id)))
    owners = st.sampled_from(sorted(here)) if here else st.nothing()
    tags = st.dictionaries(st.sampled_from([ImageName.parse(tag).full() for tag in TAGS]), owners)
    made = st.builds(network, st.sampled_from(["front", "back", "other"]), st.sampled_from(SUBNETS))
    return Present(
        images=here,
        tags=draw(tags),
        networks=draw(st.dictionaries(NUMBERS.map(network_id), made)),
        free=draw(st.none() | st.integers(0, 5 * SIZE)),
    )


ANSWERS = st.none() | st.dictionaries(
    st.builds(of, NUMBERS, st.sampled_from(REPOSITORIES)),
    st.sampled_from([Answer(given=True), Answer(given=False), Answer(given=False, silence="away")]),
)


def done(plan: RestorePlan, host: Present) -> Present:
    """The host after all of the plan, done as the execution does it: each step after a fresh look."""
    images, tags, made = set(host.images), dict(host.tags), dict(host.networks)
    for step in plan.steps:
        if step.object.kind is Kind.IMAGE:
            images.add(step.object.id)
            for tag in step.tags:
                tags.setdefault(ImageName.parse(tag).full(), step.object.id)
        for source in step.sources:
            fresh = f"{len(made) + 900:064x}"
            if isinstance(source, FromDescription) and not network_refusal(
                step.object.id, source.network, made
            ):
                made[fresh] = source.network
    return replace(host, images=images, tags=tags, networks=made)


@given(removals(), hosts(), ANSWERS)
def test_whatever_was_removed_comes_back_or_says_why_not(
    found: list[Removal], host: Present, answers: Answers | None
) -> None:
    plan = planned(*found, present=host, answers=answers)
    told = [*(step.object for step in plan.steps), *(one.object for one in plan.away)]

    assert sorted(one.id for one in told) == sorted(one.step.object.id for one in found)
    assert [step.index for step in plan.steps] == list(range(len(plan.steps)))
    assert {step.object.kind for step in plan.steps} <= {Kind.IMAGE, Kind.NETWORK}
    assert digest(plan) == digest(planned(*found, present=host, answers=answers))


@given(removals(), hosts(), ANSWERS)
def test_no_tag_is_taken_from_another_image(
    found: list[Removal], host: Present, answers: Answers | None
) -> None:
    plan = planned(*found, present=host, answers=answers)
    after = done(plan, host)

    for step in plan.steps:
        assert all(ImageName.parse(tag).full() not in host.tags for tag in step.tags)
        assert all(host.tags[ImageName.parse(one.name).full()] == one.image for one in step.taken)
        assert all(one.image != step.object.id for one in step.taken)
    assert {name: after.tags[name] for name in host.tags} == dict(host.tags)
    assert set(host.images) <= set(after.images)
    assert {id_: after.networks[id_] for id_ in host.networks} == dict(host.networks)


@given(removals(), hosts(), ANSWERS)
def test_an_image_comes_only_from_where_it_is_given(
    found: list[Removal], host: Present, answers: Answers | None
) -> None:
    plan = planned(*found, present=host, answers=answers)
    for step in (s for s in plan.steps if s.object.kind is Kind.IMAGE):
        assert bool(step.sources) == (step.object.id not in host.images)
        for source in step.sources:
            assert isinstance(source, FromRegistry)
            name = ImageName.parse(f"{source.repository}@{source.digest}")
            assert answers is None or answers[name].given
            assert name in digests(found, host)


@given(removals(), hosts(), ANSWERS)
def test_what_was_restored_needs_nothing_the_second_time(
    found: list[Removal], host: Present, answers: Answers | None
) -> None:
    after = done(planned(*found, present=host, answers=answers), host)

    assert planned(*found, present=after, answers=answers).steps == ()


@given(removals(), hosts())
def test_networks_never_share_a_name_or_an_address(found: list[Removal], host: Present) -> None:
    for step in planned(*found, present=host).steps:
        for source in step.sources:
            if isinstance(source, FromDescription):
                assert source.network.name not in {one.name for one in host.networks.values()}
                assert network_refusal(step.object.id, source.network, host.networks) is None


def test_a_restore_of_an_unusual_run_says_so() -> None:
    usual = wanted(removed_image(1, "app:1"))
    unusual = replace(usual, plan=usual.plan.model_copy(update={"unusual": True}))

    assert [make_plan(HEAD, one, Present(), None).unusual for one in (usual, unusual)] == [False, True]


# The archive

COPY = FromArchive(file="1.tar.zst", size=9, sha256="ab")
IN_ARCHIVE = Present(archived={image_id(1): COPY})


def kinds_of(plan: RestorePlan) -> list[list[str]]:
    return [[source.source for source in step.sources] for step in plan.steps]


def test_an_image_without_a_registry_comes_from_the_archive() -> None:
    plan = planned(removed_image(1, "app:1", repositories=()), present=IN_ARCHIVE)

    assert (plan.steps[0].sources, plan.away, plan.notices) == ((COPY,), (), (reason(Code.ROOM_UNKNOWN),))


def test_another_image_does_not() -> None:
    plan = planned(removed_image(2, "app:1", repositories=()), present=IN_ARCHIVE)

    assert (plan.steps, plan.away[0].reason.code) == ((), Code.NO_SOURCE)


def test_what_is_certain_comes_first() -> None:
    digest = ImageName.parse(f"registry.example/app@{digest_of(1)}")
    unasked = planned(removed_image(1, "app:1"), present=IN_ARCHIVE)
    given = planned(removed_image(1, "app:1"), present=IN_ARCHIVE, answers={digest: Answer(given=True)})
    silent = planned(
        removed_image(1, "app:1"), present=IN_ARCHIVE, answers={digest: Answer(given=False, silence="away")}
    )

    assert kinds_of(unasked) == [["archive", "registry"]]
    assert kinds_of(given) == [["registry", "archive"]]
    assert kinds_of(silent) == [["archive"]]
    assert Code.REGISTRIES_NOT_ASKED not in [why.code for why in unasked.notices]


def test_an_image_that_is_here_comes_from_nowhere() -> None:
    here = replace(IN_ARCHIVE, images={image_id(1)})

    assert kinds_of(planned(removed_image(1, "app:1"), present=here)) == [[]]
