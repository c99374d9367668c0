"""What of a run comes back: its ways back, against what the host has now and what registries say (pure)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from workers.contract import (
    Bytes,
    EngineIdentity,
    FromArchive,
    FromDescription,
    FromRegistry,
    HostName,
    Kind,
    NetworkDescription,
    Plan,
    RestorePlan,
    RestoreStep,
    Source,
    StaysAway,
    TakenTag,
)
from workers.planning.fields import Fields
from workers.planning.restorable import Answers
from workers.reasons import Code, Reason, reason
from workers.references import BadName, ImageName
from workers.restore import commands, images, networks
from workers.restore.images import KeptImage
from workers.restore.past import PastRun, Removal

LIFE = timedelta(minutes=60)
# Networks take no time, and what is started by hand meanwhile may need them.
ORDER = (Kind.NETWORK, Kind.IMAGE, Kind.CONTAINER, Kind.BUILD_CACHE)


@dataclass(frozen=True)
class Present:
    """What the host has now: images by id, what each tag (in full) names, networks by id.

    `archived` are the images that lie in its archive, by id; `free` are bytes on the disk under the engine's
    images, None where they cannot be read.
    """

    images: Collection[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, NetworkDescription] = field(default_factory=dict)
    containers: Collection[str] = ()
    archived: Mapping[str, FromArchive] = field(default_factory=dict)
    free: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What somebody wants back of a run; `kept_for` is how long ways back are kept."""

    run: PastRun
    plan: Plan
    removals: tuple[Removal, ...]
    kept_for: timedelta


@dataclass(frozen=True)
class Head:
    """Who plans, where, and when."""

    request_id: str
    host: HostName
    engine: EngineIdentity
    now: datetime


def digests(removals: Iterable[Removal], present: Present) -> list[ImageName]:
    """What registries are to be asked about: images that are not here."""
    wanted = [one for one in removals if one.step.object.kind is Kind.IMAGE and one.way_back]
    away = [one for one in wanted if one.step.object.id not in present.images]
    return list(dict.fromkeys(name for one in away for name in images.read(one.way_back).digests))


def make_plan(head: Head, wanted: Wanted, present: Present, answers: Answers | None) -> RestorePlan:
    """Plan a restore; `answers` are what registries said, None where none was asked."""
    planner = _Planner(wanted, present, answers)
    found = list(planner.judged(_in_order(wanted.removals)))
    steps = _numbered(one for one in found if isinstance(one, RestoreStep))
    plan = RestorePlan(
        request_id=head.request_id,
        host=head.host,
        engine=head.engine,
        run=wanted.run.order.id,
        run_plan_digest=wanted.run.order.plan_digest,
        run_at=wanted.run.at,
        made_at=head.now,
        expires_at=head.now + LIFE,
        steps=steps,
        away=tuple(one for one in found if isinstance(one, StaysAway)),
        needs=needed(wanted.plan, _indexes(wanted, steps), _sizes(steps)),
        free=present.free,
        unusual=wanted.plan.unusual,
    )
    notices = (*_notices(plan, present), *_untold(plan, wanted.removals))
    return plan.model_copy(update={"notices": notices})


def _in_order(removals: Iterable[Removal]) -> list[Removal]:
    return sorted(removals, key=lambda one: (ORDER.index(one.step.object.kind), one.step.index))


def _numbered(steps: Iterable[RestoreStep]) -> tuple[RestoreStep, ...]:
    return tuple(step.model_copy(update={"index": index}) for index, step in enumerate(steps))


class _Planner:
    """Judges one object after the other; each comes back or says why not."""

    def __init__(self, wanted: Wanted, present: Present, answers: Answers | None) -> None:
        self._wanted, self._present, self._answers = wanted, present, answers
        kept = [images.read(r.way_back) for r in wanted.run.removals if r.step.object.kind is Kind.IMAGE]
        ids = [r.step.object.id for r in wanted.run.removals if r.step.object.kind is Kind.IMAGE]
        self._variables = {id_: image.variables for id_, image in zip(ids, kept, strict=True)}
        self._sizes = {v.object.id: v.size for v in wanted.plan.verdicts}
        # What is here once the steps so far are done: images by id, and what each tag names.
        self._images, self._tags = set(present.images), dict(present.tags)

    def judged(self, removals: Iterable[Removal]) -> Iterator[RestoreStep | StaysAway]:
        """Each in its turn: images come before the containers that need them."""
        for removal in removals:
            found = self._of(removal)
            if isinstance(found, RestoreStep) and found.object.kind is Kind.IMAGE:
                self._images.add(found.object.id)
                self._tags |= {ImageName.parse(tag).full(): found.object.id for tag in found.tags}
            yield found

    def _of(self, removal: Removal) -> RestoreStep | StaysAway:
        """The step that brings it back, or why there is none."""
        match removal.step.object.kind:
            case Kind.BUILD_CACHE:
                return _away(removal, reason(Code.COMES_WITH_BUILDS))
            case Kind.IMAGE if removal.way_back:
                return self._image(removal, images.read(removal.way_back))
            case Kind.NETWORK if removal.way_back:
                return self._network(removal)
            case Kind.CONTAINER if removal.way_back:
                return self._container(removal)
        return self._forgotten(removal)

    def _forgotten(self, removal: Removal) -> StaysAway:
        """What is still known of it: its name and id, and whether it is here."""
        if self._is_here(removal):
            return _away(removal, reason(Code.ALREADY_THERE))
        kept = int(self._wanted.kept_for.total_seconds())
        since = self._wanted.run.at.isoformat()
        return _away(removal, reason(Code.WAY_BACK_FORGOTTEN, since=since, kept=kept))

    def _is_here(self, removal: Removal) -> bool:
        here = (*self._present.images, *self._present.networks, *self._present.containers)
        return removal.step.object.id in here

    def _image(self, removal: Removal, kept: KeptImage) -> RestoreStep | StaysAway:
        if kept.unread:
            return _away(removal, reason(Code.UNREADABLE, what=kept.unread))
        id_ = removal.step.object.id
        is_here = id_ in self._present.images
        tags, taken = _tags(id_, kept, self._present.tags)
        if is_here and not tags:
            return _away(removal, reason(Code.ALREADY_THERE), taken)
        archived = self._present.archived.get(id_)
        found = () if is_here else images.sources(kept, self._answers, archived)
        if not is_here and not found:
            return _away(removal, images.why_not(kept, self._answers))
        needs = Bytes() if is_here else self._needs(removal, kept)
        return RestoreStep(
            index=0, object=removal.step.object, sources=found, tags=tags, taken=taken, needs=needs
        )

    def _needs(self, removal: Removal, kept: KeptImage) -> Bytes:
        """At most all of its layers, at least those that nothing else had when it went."""
        low = needed(self._wanted.plan, {removal.step.index}, ()).low
        # A list tells all that lies on the disk; an inspection leaves out what is unpacked, on one store.
        return Bytes(low=low, high=max(low, kept.size, self._sizes.get(removal.step.object.id) or 0))

    def _network(self, removal: Removal) -> RestoreStep | StaysAway:
        raw = networks.read(removal.way_back)
        if why := networks.never(raw):
            return _away(removal, why)
        network = networks.described(raw)
        if why := network_refusal(removal.step.object.id, network, self._present.networks):
            return _away(removal, why)
        source = FromDescription(network=network)
        return RestoreStep(index=0, object=removal.step.object, sources=(source,))

    def _container(self, removal: Removal) -> StaysAway:
        if self._is_here(removal):
            return _away(removal, reason(Code.ALREADY_THERE))
        fields = Fields(networks.read(removal.way_back))
        id_, name = fields.text("ImageID"), fields.text("Image")
        # A name that is another image's, or nobody's, would make another container.
        by_id = id_ in self._images and not self._names(name, id_)
        command = commands.create_command(removal.way_back, self._variables.get(id_, ()), by_id=by_id)
        why = reason(Code.ONLY_SHOWN)
        if id_ and id_ not in self._images:
            why = reason(Code.ONLY_SHOWN_WITHOUT_IMAGE, image=name or id_)
        return StaysAway(object=removal.step.object, reason=why, command=command)

    def _names(self, text: str, image_id: str) -> bool:
        try:
            return self._tags.get(ImageName.parse(text).full()) == image_id
        except BadName:
            return False


def network_refusal(
    id_: str, network: NetworkDescription, present: Mapping[str, NetworkDescription]
) -> Reason | None:
    """Why a network is not made again: it is there, be it made anew by somebody, or its place is taken."""
    for other_id, other in present.items():
        if other_id == id_ or networks.is_same(other, network):
            return reason(Code.ALREADY_THERE)
        if other.name == network.name:
            return reason(Code.NAME_TAKEN, network=other_id)
    return networks.overlap(network, present.values())


def _tags(
    id_: str, kept: KeptImage, present: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[TakenTag, ...]]:
    """The tags that are nobody's now, and those that another image took."""
    now = {name.familiar(): present.get(name.full(), "") for name in kept.tags}
    free = tuple(name for name, image in now.items() if not image)
    taken = tuple(TakenTag(name=name, image=image) for name, image in now.items() if image not in ("", id_))
    return free, taken


def needed(plan: Plan, indexes: Collection[int], sizes: Iterable[Bytes]) -> Bytes:
    """What images of a run take together: a layer that several hold once, at most all that each holds."""
    held = [not set(indexes).isdisjoint(group.held_by) for group in plan.layers]
    for position in reversed(range(len(plan.layers))):
        below = plan.layers[position].lies_on
        if held[position] and below is not None:
            held[below] = True
    groups = sum((g.size for g, is_held in zip(plan.layers, held, strict=True) if is_held), Bytes())
    return Bytes(low=groups.low, high=max(groups.high, sum(one.high for one in sizes)))


def _sizes(steps: Iterable[RestoreStep]) -> list[Bytes]:
    return [step.needs for step in steps]


def _indexes(wanted: Wanted, steps: Sequence[RestoreStep]) -> set[int]:
    """The run's own steps of the images that have to come from elsewhere."""
    away = {step.object.id for step in steps if step.object.kind is Kind.IMAGE and step.sources}
    return {one.step.index for one in wanted.removals if one.step.object.id in away}


def _notices(plan: RestorePlan, present: Present) -> Iterator[Reason]:
    # Where a copy comes first, registries are asked for nothing unless that is damaged.
    unasked = sum(_is_unasked(source) for step in plan.steps for source in step.sources[:1])
    if unasked:
        yield reason(Code.REGISTRIES_NOT_ASKED, count=unasked)
    if not plan.needs.high:
        return
    # What is fetched lies beside what is made of it until that is whole: at most as much again, of one image.
    most = plan.needs.high + max(step.needs.high for step in plan.steps)
    if present.free is None:
        yield reason(Code.ROOM_UNKNOWN)
    elif not plan.fits:
        yield reason(Code.NO_ROOM, needed=plan.needs.low, free=present.free)
    elif most > present.free:
        yield reason(Code.MAY_NOT_FIT, needed=most, free=present.free)


def _untold(plan: RestorePlan, removals: Iterable[Removal]) -> Iterator[Reason]:
    """A command that ends with its image looks whole, also where what the container ran is missing."""
    shown = {one.object.id for one in plan.away if one.command}
    untold = [r for r in removals if r.step.object.id in shown and not commands.is_told(r.way_back)]
    if untold:
        yield reason(Code.COMMANDS_NOT_KEPT, count=len(untold))


def _is_unasked(source: Source) -> bool:
    return isinstance(source, FromRegistry) and not source.asked


def _away(removal: Removal, why: Reason, taken: tuple[TakenTag, ...] = ()) -> StaysAway:
    return StaysAway(object=removal.step.object, reason=why, taken=taken)
