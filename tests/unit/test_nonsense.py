"""An engine that answers nonsense: what it garbled is kept and named, and nothing more goes for it (S4)."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.stage.recording import Answers, Replayed
from tests.unit.facts_host import a_policy
from tests.unit.newer_engine import MOUNT, as_newer, without_classic_builds
from workers import survey
from workers.contract import EngineIdentity, Kind, Plan, Store
from workers.engine import Engine
from workers.errors import EngineError
from workers.memory.follower import catch_up
from workers.memory.ledger import Ledger
from workers.memory.sightings import Sightings
from workers.planning.facts import Case, Own
from workers.planning.freed_bytes import freed_bytes
from workers.planning.planner import make_plan
from workers.reasons import Code
from workers.signing import digest
from workers.wording import sentence

RECORDING: Answers = json.loads(
    Path(__file__).with_name("recorded").joinpath("engine-20.10.json").read_text()
)
# The same host, had its engine been brought up to date since its ledger was written.
NEWER = [as_newer(RECORDING, store) for store in Store]
# Of the last one the accounting tells all images, so that no list of them is asked for.
HOSTS = (RECORDING, *NEWER, without_classic_builds(NEWER[-1]))
NAMES = ["20.10", "28.5", "28.5 containerd", "28.5 containerd, no classic builds"]
BEGAN = datetime.fromisoformat(RECORDING["at"])
LATER = BEGAN + timedelta(days=40)
POLICY = a_policy(protected_images=["waste:*"], keep_previous=0)
GONE = object()

# The last second of the last year that can be written.
LATEST = 253_402_300_799
NONSENSE = (
    *(GONE, None, True, -1, 0, 1, 1.5, LATEST, 2**63, -(2**70), "", "NON SENSE", "\ud800", "n\x00l"),
    *("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "yesterday"),
    *([], {}, [None], ["\ud800"], {"a": None}, {"\udfff": "x"}, [[]]),
)
# Null is how engines write an empty list or object here; it cannot be told from one.
MAY_BE_NULL = {"Labels", "Mounts", "RepoTags", "RepoDigests", "Names", "Parents", " Parents", "LastUsedAt"}
# What decides about an object, in its line of a list.
DECIDES = {
    "containers": {"Id", "Image", "ImageID", "State", "Labels", "Mounts", "HostConfig", "NetworkSettings"},
    "images": {"Id", "ParentId", "RepoTags", "RepoDigests", "Labels", "Size"},
    "networks": {"Id", "Name", "Scope", "Labels", "Ingress", "ConfigOnly"},
    "BuildCache": {"ID", "Type", "InUse", "LastUsedAt", "Size", "Parent", " Parents"},
}
INSIDE = {"Networks", "NetworkID", "NetworkMode", "Type", "Name"}
IDS = {"Id", "ID", "ImageID", "ParentId", "Parent"}
TIMES = {"LastUsedAt"}


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a worker that saw this host when it was recorded."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with closing(Ledger(file)) as ledger:
        looked_at(RECORDING, ledger, BEGAN)
    return file


def looked_at(answers: Answers, ledger: Ledger, now: datetime, *, local: bool = False) -> Case:
    identity = EngineIdentity.model_validate(answers["identity"])
    sightings = Sightings(ledger, identity.id)
    engine = cast("Engine", Replayed(answers))
    catch_up(engine, sightings, now)
    inventory = survey.take(engine, sightings, identity, local=local, now=now)
    memory = survey.remember(sightings, now, since=sightings.followed_since(now))
    return Case(inventory=inventory, policy=POLICY, memory=memory, own=Own(), now=now)


def planned(answers: Answers, remembered: Path, *, local: bool = False) -> Plan:
    """What the worker plans of these answers much later; its ledger is as it was.

    `local`: the engine's files may be looked at, in a folder where there are none.
    """
    file = remembered.with_name("copy.db")
    for end in ("", "-wal", "-shm"):
        file.with_name(f"copy.db{end}").unlink(missing_ok=True)
    shutil.copy(remembered, file)
    with closing(Ledger(file)) as ledger:
        case = looked_at(_moved(answers, file.parent) if local else answers, ledger, LATER, local=local)
    return make_plan(case, host="web-1", request_id="r", kinds=tuple(Kind), freed=freed_bytes)


def _moved(answers: Answers, folder: Path) -> Answers:
    """The same engine with its data in a folder of the test's; this machine may run one of its own."""
    (folder / "containers").mkdir(exist_ok=True)
    return {**answers, "identity": {**answers["identity"], "data_root": str(folder)}}


def step_ids(plan: Plan) -> set[str]:
    return {step.object.id for step in plan.steps}


@dataclass(frozen=True)
class Garbled:
    """Answers of a host with one place changed. `before` is what stood there."""

    host: Answers = field(repr=False)
    answers: Answers = field(repr=False)
    path: tuple[str | int, ...]
    before: Any = field(repr=False)
    after: Any

    @property
    def line(self) -> Any:
        """The line of a list that was changed, as it was."""
        line: Any = self.host
        for part in self.path[: 3 if self.path[0] == "usage" else 2]:
            line = line[part]
        return line

    @property
    def field_of_line(self) -> str:
        """The field of its line that was changed, or in which something was."""
        rest = self.path[3 if self.path[0] == "usage" else 2 :]
        return str(rest[0]) if rest else ""

    @property
    def decides(self) -> bool:
        """Whether the changed value is one that decides about its object."""
        known, key = deciding_fields(self.host, self.path), self.path[-1]
        return self.field_of_line in known and (key in known | INSIDE or isinstance(key, int))

    @property
    def is_unmistakable(self) -> bool:
        """Whether the value can be told from one that an engine might say."""
        key = str(self.path[-1])
        if self.after is GONE:
            return self.field_of_line == key and key not in {"LastUsedAt", "Parent", " Parents"}
        if type(self.after) is not type(self.before):
            return not (self.after is None and key in MAY_BE_NULL) and self.before is not None
        if key in IDS:
            return bool(self.after)
        if isinstance(self.after, int) and not isinstance(self.after, bool):
            return key == "Size" and not 0 <= self.after < 2**63
        return key in TIMES and self.after != self.before


def deciding_fields(host: Answers, path: tuple[str | int, ...]) -> set[str]:
    """What decides in the lines of the section to which a place belongs."""
    section = str(path[1] if path[0] == "usage" and len(path) > 1 else path[0])
    if host is HOSTS[-1] and section in ("Images", "images"):
        # A parent that is in no line only has the list asked for after all.
        return DECIDES["images"] - {"ParentId"} if section == "Images" else set()
    return DECIDES.get(section, set())


def places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield path
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*path, key))


Places = list[tuple[str | int, ...]]


def listed(host: Answers) -> Places:
    sections = ("containers", "images", "networks", "usage")
    return [place for section in sections for place in places(host[section], (section,))]


# How many events come, and which object is asked about, is not an engine's answer.


def inspected(host: Answers) -> Places:
    found = (
        place for section in ("container", "image", "history") for place in places(host[section], (section,))
    )
    return [place for place in found if len(place) > 1]


def events(host: Answers) -> Places:
    return [place for place in places(host["events"], ("events",)) if len(place) > 1]


def deciding(host: Answers) -> Places:
    return [place for place in listed(host) if {str(part) for part in place} & deciding_fields(host, place)]


def garbled_at(host: Answers, path: tuple[str | int, ...], after: Any) -> Garbled:
    answers = copy.deepcopy(host)
    inner: Any = answers
    for part in path[:-1]:
        inner = inner[part]
    before = inner[path[-1]]
    if after is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = copy.deepcopy(after)
    return Garbled(host, answers, path, before, after)


def garbled(*choices: Callable[[Answers], Places]) -> st.SearchStrategy[Garbled]:
    places_of = [(host, st.sampled_from(chosen(host))) for host in HOSTS for chosen in choices]
    drawn = [
        st.builds(garbled_at, st.just(host), paths, st.sampled_from(NONSENSE)) for host, paths in places_of
    ]
    # A section that is gone altogether is no answer of an engine, but a fault of the recording.
    return st.one_of(drawn).filter(lambda found: found.after is not GONE or len(found.path) > 1)


@pytest.mark.parametrize("host", HOSTS, ids=NAMES)
def test_the_recorded_host_has_something_to_plan_of_every_kind(remembered: Path, host: Answers) -> None:
    plan = planned(host, remembered)

    assert (plan.complete, plan.applicable) == (True, True)
    assert {step.object.kind for step in plan.steps} == set(Kind)


def test_the_host_means_the_same_in_the_shape_of_a_newer_engine(remembered: Path) -> None:
    before, after = (planned(host, remembered) for host in HOSTS[:2])
    [mounted] = [v for v in after.verdicts if v.object.name == MOUNT["Name"]]
    # Which image the mounted name had once, nobody tells; what those are built on is held with them.
    codes = {v.object.id: {one.code for one in v.reasons} for v in after.verdicts}
    held = step_ids(before) - step_ids(after)

    assert step_ids(after) < step_ids(before)
    assert mounted.object.id in held
    assert all(codes[id_] & {Code.IN_USE, Code.PARENT} for id_ in held)


@pytest.mark.parametrize("local", [False, True], ids=["away", "local"])
@given(found=garbled(deciding, listed, inspected, events))
def test_s4_whatever_an_engine_answers_there_is_a_plan_or_a_plain_error(
    remembered: Path, local: bool, found: Garbled
) -> None:
    try:
        plan = planned(found.answers, remembered, local=local)
    except EngineError:
        return
    again = Plan.model_validate_json(plan.model_dump_json())
    assert (again, digest(again)) == (plan, digest(plan))
    assert all(sentence(one).encode() for one in plan.notices)
    assert plan.complete or plan.notices[0].code is Code.NOT_ALL_READ


@given(found=garbled(deciding))
def test_s4_an_object_with_a_field_that_cannot_be_read_is_kept_and_nothing_else_goes_for_it(
    remembered: Path, found: Garbled
) -> None:
    assume(found.decides and found.is_unmistakable)
    plan = planned(found.answers, remembered)

    assert found.line.get("Id", found.line.get("ID")) not in step_ids(plan)
    assert not plan.applicable or step_ids(plan) <= step_ids(planned(found.host, remembered))


@pytest.mark.parametrize("host", HOSTS, ids=NAMES)
@pytest.mark.parametrize("section", ["containers", "images"])
def test_s4_what_has_no_id_to_ask_by_is_not_taken_for_gone(
    remembered: Path, host: Answers, section: str
) -> None:
    where = ("usage", "Images") if host is HOSTS[-1] and section == "images" else (section,)
    for index in range(len(host[section])):
        plan = planned(garbled_at(host, (*where, index, "Id"), "NON SENSE").answers, remembered)

        assert (plan.complete, plan.notices[0].code) == (False, Code.NOT_ALL_READ)


@pytest.mark.parametrize(("host", "lists"), [*zip(HOSTS, (1, 1, 1, 0), strict=True)], ids=NAMES)
def test_a_list_of_images_is_asked_for_where_the_accounting_does_not_tell_all(
    remembered: Path, host: Answers, lists: int
) -> None:
    told = sorted(v.object.id for v in planned(host, remembered).verdicts if v.object.kind is Kind.IMAGE)
    without_a_list = {**host, "images": None}

    assert told == sorted(raw["Id"] for raw in host["images"])
    if lists:
        with pytest.raises(EngineError, match=r"^list images: "):
            planned(without_a_list, remembered)
    else:
        assert step_ids(planned(without_a_list, remembered)) == step_ids(planned(host, remembered))


@pytest.mark.parametrize("nonsense", ["n\x00l", "NON SENSE"])
def test_s4_a_container_with_an_id_that_is_in_no_path_is_kept_where_the_engines_files_are_read(
    remembered: Path, nonsense: str
) -> None:
    # Only one that runs gets so far: who stopped is asked about by its id, and there is none of this one.
    index = next(i for i, raw in enumerate(RECORDING["containers"]) if raw["State"] == "running")
    plan = planned(
        garbled_at(RECORDING, ("containers", index, "Id"), nonsense).answers, remembered, local=True
    )

    assert (plan.complete, plan.notices[0].code) == (False, Code.NOT_ALL_READ)


@pytest.mark.parametrize("section", ["containers", "images", "networks", "services", "usage"])
@pytest.mark.parametrize("nonsense", [None, True, 7, "NON SENSE"])
def test_s4_an_answer_that_is_no_list_is_an_error_that_says_which(
    remembered: Path, section: str, nonsense: Any
) -> None:
    with pytest.raises(
        EngineError, match=rf"^({'disk usage' if section == 'usage' else f'list {section}'}): "
    ):
        planned({**RECORDING, section: nonsense}, remembered)


@pytest.mark.parametrize("part", ["BuildCache", "Volumes", "Containers"])
def test_s4_a_part_of_the_accounting_that_is_no_list_is_an_error_that_says_which(
    remembered: Path, part: str
) -> None:
    answers = {**RECORDING, "usage": {**RECORDING["usage"], part: {"a": 1}}}

    with pytest.raises(EngineError, match=f"disk usage: {part} is "):
        planned(answers, remembered)


@pytest.mark.parametrize("section", ["containers", "images", "networks"])
def test_s4_two_different_objects_of_one_id_are_not_known_and_the_same_one_twice_is_one(
    remembered: Path, section: str
) -> None:
    first = RECORDING[section][0]
    twice = planned({**RECORDING, section: [*RECORDING[section], first]}, remembered)
    other = planned(
        {**RECORDING, section: [*RECORDING[section], {**first, "Labels": {"a": "b"}}]}, remembered
    )

    assert step_ids(twice) == step_ids(planned(RECORDING, remembered))
    assert (other.complete, other.notices[0].code) == (False, Code.NOT_ALL_READ)
    assert first["Id"] not in step_ids(other)


def test_s4_the_plan_names_what_could_not_be_read_and_what_of_it(remembered: Path) -> None:
    index = next(i for i, raw in enumerate(RECORDING["containers"]) if raw["Names"] == ["/spent"])
    plan = planned(garbled_at(RECORDING, ("containers", index, "ImageID"), 5).answers, remembered)
    [verdict] = [v for v in plan.verdicts if v.object.name == "spent"]

    assert sentence(plan.notices[0]).startswith(
        "The container spent could not be read (ImageID: 5 instead of a text), so nothing can be confirmed."
    )
    assert (verdict.keep, verdict.reasons[0].code) == (True, Code.UNREADABLE)
