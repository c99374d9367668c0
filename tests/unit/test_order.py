"""What has to go before what: nothing goes while something that would have kept it is still there."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.facts_drawn import cases
from tests.unit.facts_host import (
    a_case,
    a_container,
    a_network,
    a_record,
    an_id,
    an_image,
    an_image_id,
    record_id,
    seen,
)
from workers.contract import Kind
from workers.planning import images, networks
from workers.planning.facts import ONE_OFF, PROJECT, Case
from workers.planning.judgement import judge
from workers.planning.order import closure, needs, sequence

LETTERS = st.sampled_from("abcdef")
NEEDS = st.dictionaries(LETTERS, st.frozensets(LETTERS, max_size=3))


def needed(case: Case) -> Mapping[str, frozenset[str]]:
    """What each object that goes needs."""
    return needs(case, frozenset(v.object.id for v in judge(case, tuple(Kind)) if not v.keep))


def acyclic(needed: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {id_: frozenset(n for n in others if n < id_) for id_, others in needed.items()}


def test_an_image_needs_its_containers_and_its_children() -> None:
    child = an_image("app:1", parent=an_image_id("base:1"))
    found = needed(a_case(an_image("base:1"), child, a_container("user", of="app:1")))

    assert found[child.id] == {an_id("user")}
    assert found[child.parent] == {child.id}


def test_s9_an_image_needs_every_container_of_its_repository() -> None:
    found = needed(a_case(an_image("app:1"), an_image("other:1"), a_container("user", of="app:2")))

    assert (found[an_image_id("app:1")], found[an_image_id("other:1")]) == ({an_id("user")}, frozenset())


def test_s9_a_repository_is_known_by_the_names_an_image_had() -> None:
    memory = seen({"was app:1": 90}, named={"was app:1": {"docker.io/library/app:1": 60}})
    before = an_image(id=an_image_id("was app:1"))
    found = needed(a_case(before, a_container("user", of="app:2"), memory=memory))

    assert found[before.id] == {an_id("user")}


def test_s9_a_container_is_of_a_repository_by_its_image_even_if_it_was_made_by_id() -> None:
    by_id = a_container("user", image_id=an_image_id("app:2"), references=())
    found = needed(a_case(an_image("app:1"), an_image("app:2"), by_id))

    assert found[an_image_id("app:1")] == {by_id.id}


def test_a_network_needs_what_is_attached_and_the_runs_of_its_project() -> None:
    network = a_network("shop_default", labels={PROJECT: "shop"})
    job = a_container("job", labels={PROJECT: "shop", ONE_OFF: "True"})
    guest, other = a_container("guest", networks=frozenset({"shop_default"})), a_container("other")

    assert needed(a_case(network, job, guest, other))[network.id] == {job.id, guest.id}


def test_a_record_of_the_build_cache_needs_its_children() -> None:
    found = needed(a_case(a_record("leaf", "root"), a_record("root")))

    assert (found[record_id("root")], found[record_id("leaf")]) == ({record_id("leaf")}, frozenset())


@given(cases(), st.data())
def test_s9_what_goes_although_containers_stay_would_have_gone_without_them(
    case: Case, data: st.DataObject
) -> None:
    """Whatever a person takes out of a plan, or a guard refuses: the rest is judged no differently."""
    going = frozenset(v.object.id for v in judge(case, tuple(Kind)) if not v.keep)
    leaving = frozenset(c.id for c in case.inventory.containers if c.id in going)
    staying = frozenset(data.draw(st.sets(st.sampled_from(sorted(leaving))))) if leaving else frozenset()
    found = needs(case, going)

    rest = [*images.judge(case, leaving - staying), *networks.judge(case, leaving - staying)]
    kept = {v.object.id for v in rest if v.keep} & going
    assert all(closure(id_, found) & staying for id_ in kept)


@given(cases())
def test_needs_are_among_what_goes(case: Case) -> None:
    going = frozenset(v.object.id for v in judge(case, tuple(Kind)) if not v.keep)

    assert all(found <= going for found in needs(case, going).values())


@given(NEEDS, st.permutations("abcdef"))
def test_whatever_one_needs_comes_before_it(drawn: dict[str, frozenset[str]], ids: list[str]) -> None:
    found = acyclic(drawn)
    ordered = sequence(ids, found)

    assert sorted(ordered) == sorted(ids)
    assert all(ordered.index(need) < ordered.index(id_) for id_ in ids for need in found.get(id_, ()))


@given(NEEDS, st.permutations("abcdef"))
def test_even_a_circle_ends(found: dict[str, frozenset[str]], ids: list[str]) -> None:
    assert sorted(sequence(ids, found)) == sorted(ids)


@given(NEEDS, LETTERS)
def test_a_closure_is_closed_and_no_larger_than_it_must_be(
    found: dict[str, frozenset[str]], start: str
) -> None:
    closed = closure(start, found)

    assert start in closed
    assert all(found.get(id_, frozenset()) <= closed for id_ in closed)
    assert closed == {start}.union(
        *(closure(n, found) for n in found.get(start, ()) if n != start), closed & {start}
    )
