"""What registries answered, as a judgement reads it: only a digest that is given back is a way back."""

from dataclasses import replace

import pytest

from tests.unit.facts_host import a_case, a_container, a_plan, a_policy, an_image, going, names, running, why
from workers.contract import Kind, Restorable, Store
from workers.planning.facts import Case
from workers.planning.judgement import worth_asking
from workers.planning.restorable import Answer, Answers, restorable
from workers.reasons import Code, reason
from workers.references import ImageName

ONE, OTHER = f"app@sha256:{'1' * 64}", f"mirror.example/app@sha256:{'2' * 64}"
GIVEN, GONE, SILENT = (
    Answer(given=True),
    Answer(given=False),
    Answer(given=False, silence="no answer in 10 s"),
)
IMAGE = an_image("app:1", "mirror.example/app:1", digests=names(ONE, OTHER))
ALL = tuple(Kind)


def answers(**told: Answer) -> Answers:
    known = {"one": ONE, "other": OTHER}
    return {ImageName.parse(known[key]): answer for key, answer in told.items()}


def asked(*things: object, told: Answers, **keys: object) -> Case:
    return replace(a_case(*things, policy=a_policy(**keys)), answers=told)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", Store)
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (answers(), Restorable.NOT_PROBED),
        (answers(one=GIVEN, other=GONE), Restorable.YES),
        (answers(one=SILENT, other=GIVEN), Restorable.YES),
        (answers(one=GONE, other=GONE), Restorable.NO),
        (answers(one=SILENT), Restorable.NO),
        (answers(one=GONE), Restorable.NO),
    ],
)
def test_one_registry_that_gives_it_back_is_enough_and_nothing_less_is(
    store: Store, told: Answers, expected: Restorable
) -> None:
    assert restorable(IMAGE, store, told) is expected


@pytest.mark.parametrize(
    ("told", "goes"), [(answers(one=GIVEN), True), (answers(one=GONE), False), (answers(), False)]
)
def test_s4_where_they_are_kept_only_what_is_given_back_goes(told: Answers, goes: bool) -> None:
    case = asked(IMAGE, told=told, unrestorable_images="keep")

    assert going(case) == ({"app:1"} if goes else set())
    assert goes or why(case, "app:1") == [Code.NOT_RESTORABLE]


@pytest.mark.parametrize("unrestorable", ["keep", "flag"])
def test_registries_are_asked_about_what_would_go_and_nothing_else(unrestorable: str) -> None:
    policy = a_policy(unrestorable_images=unrestorable)
    used = an_image("used:1", digests=names(f"used@sha256:{'3' * 64}"))
    case = a_case(IMAGE, used, running("web", of="used:1"), policy=policy)

    assert worth_asking(case, ALL) == names(ONE, OTHER)
    assert worth_asking(case, (Kind.CONTAINER,)) == ()


def test_what_a_leaving_container_frees_is_asked_about() -> None:
    case = a_case(IMAGE, a_container(of="app:1"), policy=a_policy(unrestorable_images="keep"))

    assert worth_asking(case, ALL) == names(ONE, OTHER)


def test_a_plan_marks_and_counts_by_the_answers() -> None:
    plan = a_plan(asked(IMAGE, an_image("own:1"), told=answers(one=GIVEN)))

    assert {s.object.name: s.restorable for s in plan.steps} == {
        "app:1": Restorable.YES,
        "own:1": Restorable.NO,
    }
    assert reason(Code.UNRESTORABLE_COUNT, count=1) in plan.notices


def test_a_plan_names_the_registry_that_left_questions_open() -> None:
    plan = a_plan(asked(IMAGE, told=answers(one=GONE, other=SILENT)))

    silent = [n for n in plan.notices if n.code is Code.REGISTRY_SILENT]
    assert silent == [
        reason(Code.REGISTRY_SILENT, registry="mirror.example", count=1, detail="no answer in 10 s")
    ]
