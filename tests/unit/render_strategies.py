"""Arbitrary requests: any number of hosts and objects, names that try to be mark-up, sizes from 0 to huge."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import TypeVar

from hypothesis import strategies as st

from bot.past import Run, Sought
from bot.requests import Asked, Halt, Holder, HostPart, Phase, Request, Settled, Settlement, Stage
from tests.unit.render_values import AFTER, ANA, BEFORE, BO, NOW, ago, plan, run
from workers.contract import (
    LONGEST_WORK,
    Bytes,
    CheckedService,
    Condition,
    DiskAttribution,
    DiskPart,
    Doing,
    Filesystem,
    FilesystemUse,
    HealthChange,
    HealthLine,
    Kind,
    ListedVolume,
    LogLine,
    LogTail,
    LogUse,
    Names,
    ObjectAnswer,
    ObjectExplanation,
    Outcome,
    PartUse,
    Person,
    Plan,
    PolicyAnswer,
    ProtectionFromSlack,
    Reference,
    Removed,
    Report,
    Restorable,
    ServicesAnswer,
    Status,
    Step,
    StepOutcome,
    Tie,
    Trouble,
    Verdict,
    VolumesAnswer,
    VolumeUse,
    WorkBegun,
    Worse,
)
from workers.phrases import CLAUSES
from workers.reasons import Reason

T = TypeVar("T")
HOSTILE = (
    "<!channel>",
    "<@U0EVIL>",
    "<http://evil.example|shop/app:1.0>",
    "`; rm`*bold*_it_~no~",
    "a&b<c>d",
    "@here #general",
    "``` ```",
    "\u202egnp.exe\n\n> quote",
    "x" * 400,
    "&" * 300,
    "<" * 300,
    "日本語" * 40,
    "",
    " ",
)
NAMES = st.sampled_from(HOSTILE) | st.text(max_size=30)
SIZES = st.sampled_from([0, 1, 999, 10**6, 38_200_000_000, 10**18]) | st.integers(0, 10**13)
ORDERED = (
    Stage.ORDERED,
    Stage.EXECUTING,
    Stage.FINISHED,
    Stage.LOST,
    Stage.NOT_EXECUTED,
    Stage.WITHDRAWN,
)
MAY_BE_ORDERED = (Stage.REFUSED, Stage.UNREACHABLE)
COUNTS = st.sampled_from([0, 1, 2, 7, 40, 300])


TIMES = st.just(ago(days=31).isoformat())
HOLDERS = st.lists(
    st.builds("{} {} {}".format, st.sampled_from(["log", "volume", "rest", "?"]), SIZES, NAMES), max_size=40
).map("\n".join)
# What else than any name may fill a place in a clause.
PLACES = {
    "when": TIMES,
    "since": TIMES,
    "until": TIMES,
    "holders": HOLDERS,
    "person": st.just("T0HOME/U0ANA"),
}


@st.composite
def reasons(draw: st.DrawFn) -> Reason:
    """A reason with any of its own values, or without them."""
    code = draw(st.sampled_from(sorted(CLAUSES)))
    places = [(name, spec or "") for _, name, spec, _ in Formatter().parse(CLAUSES[code]) if name]
    values = {name: st.one_of(NAMES, SIZES, PLACES.get(spec, NAMES)) for name, spec in places}
    return Reason(code=code, params=draw(st.fixed_dictionaries({}, optional=values)))


@st.composite
def bytes_(draw: st.DrawFn) -> Bytes:
    low = draw(SIZES)
    return Bytes(low=low, high=low + draw(st.sampled_from([0, 1, 10**9])))


@st.composite
def steps(draw: st.DrawFn) -> Step:
    return Step(
        index=0,
        object=draw(objects()),
        reasons=tuple(draw(st.lists(reasons(), min_size=1, max_size=6))),
        fingerprint={},
        expected=draw(bytes_()),
        leaves=tuple(draw(st.lists(NAMES, max_size=5))),
        restorable=draw(st.sampled_from(Restorable)),
    )


@st.composite
def objects(draw: st.DrawFn) -> Reference:
    return Reference(kind=draw(st.sampled_from(Kind)), id=draw(NAMES), name=draw(NAMES))


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    why = tuple(draw(st.lists(reasons(), min_size=1, max_size=6)))
    return Verdict(object=draw(objects()), keep=True, reasons=why, size=draw(st.none() | SIZES))


SOME_SIZES = st.none() | SIZES
MOMENTS = st.sampled_from([None, ago(days=400), ago(seconds=1), NOW + timedelta(days=1)])
PART_USES = st.builds(PartUse, part=st.sampled_from(DiskPart), size=SOME_SIZES, count=COUNTS, unsized=COUNTS)
VOLUMES = st.builds(
    VolumeUse,
    name=NAMES,
    size=SOME_SIZES,
    created_at=MOMENTS,
    last_used_at=MOMENTS,
    users=st.lists(NAMES, max_size=5).map(tuple),
)
FILESYSTEMS = st.builds(
    Filesystem, path=NAMES, total=SIZES, free=SIZES, inodes=SIZES, inodes_free=SIZES, reserved=SIZES
)


@st.composite
def disks(draw: st.DrawFn) -> DiskAttribution:
    """Any parts, more filesystems than hosts have, and names that try to be mark-up."""
    holds = tuple(draw(st.lists(st.sampled_from(DiskPart), max_size=5)))
    uses = st.builds(FilesystemUse, filesystem=FILESYSTEMS, holds=st.just(holds), rest=bytes_())
    return DiskAttribution(
        parts=tuple(draw(st.lists(PART_USES, max_size=5))),
        filesystems=tuple(draw(st.lists(uses, max_size=3)) * draw(st.sampled_from([1, 1, 7]))),
        logs=tuple(draw(st.lists(st.builds(LogUse, container=NAMES, size=SIZES), max_size=6))),
        volumes=tuple(draw(st.lists(VOLUMES, max_size=6))),
    )


@st.composite
def plans(draw: st.DrawFn, host: str) -> Plan:
    """Few different objects, many times over: what is long is long by number, and drawn quickly."""
    few = draw(st.lists(steps(), max_size=4))
    many = [s.model_copy(update={"index": n}) for n, s in enumerate(few * draw(COUNTS))]
    return plan(
        host,
        steps=tuple(many),
        verdicts=tuple(draw(st.lists(verdicts(), max_size=3)) * draw(COUNTS)),
        notices=tuple(draw(st.lists(reasons(), max_size=6))),
        disk=draw(st.none() | disks()),
        complete=draw(st.booleans()),
        expires_at=NOW + timedelta(minutes=draw(st.sampled_from([-5, 50]))),
    )


@st.composite
def reports(draw: st.DrawFn, of: Plan) -> Report:
    hows = draw(st.lists(st.tuples(st.sampled_from(Outcome), st.none() | reasons()), min_size=1, max_size=5))
    ends = [hows[n % len(hows)] for n in range(len(of.steps))]
    few = draw(st.lists(health(), max_size=4))
    return run(
        of.host,
        status=draw(st.sampled_from(Status)),
        outcomes=tuple(
            StepOutcome(index=s.index, object=s.object, outcome=how, reason=why, expected=s.expected)
            for s, (how, why) in zip(of.steps, ends, strict=True)
        ),
        stopped_by=tuple(draw(st.lists(reasons(), max_size=12))),
        findings=tuple(draw(st.lists(reasons(), max_size=12))),
        health=tuple(few * draw(COUNTS)),
        expected=of.expected(),
        usage_before=draw(st.sampled_from([None, BEFORE, AFTER])),
        usage_after=draw(st.sampled_from([None, BEFORE, AFTER])),
        requester=Person(team="T", user=draw(NAMES)),
        ping=tuple(draw(st.lists(PINGED, max_size=9))),
        trouble=draw(st.none() | troubles([line.name for line in few])),
    )


# A host's policy takes ids alone, and whoever tells in a host's name tells what they like.
PINGED = NAMES | st.sampled_from(["U0ANA", "S0ONCALL", "C0OPS", "!channel", "S" * 400])
LATER = st.sampled_from([ago(days=400), ago(seconds=1), NOW])
CONDITIONS = st.builds(
    Condition,
    state=NAMES | st.sampled_from(["running", "exited"]),
    health=NAMES | st.sampled_from(["", "unhealthy"]),
    restarts=COUNTS,
    exit_code=st.none() | st.integers(),
    since=MOMENTS,
    earlier=st.booleans(),
)
LOG_TEXTS = NAMES.map(lambda text: f"logged {text} logged")
LOGS = st.builds(
    LogTail,
    lines=st.tuples(
        st.lists(st.builds(LogLine, text=LOG_TEXTS, at=MOMENTS), max_size=4), st.sampled_from([0, 1, 30])
    ).map(lambda drawn: tuple(drawn[0] * drawn[1])),
    cut=st.booleans(),
    unread=st.just("") | NAMES,
)


@st.composite
def troubles(draw: st.DrawFn, names: list[str]) -> Trouble:
    """More services (of these names and of others), objects and lines than a worker tells of."""
    ties = st.dictionaries(st.integers(0, 3), st.lists(st.sampled_from(Tie)).map(tuple))
    worse = st.builds(
        Worse,
        name=NAMES | st.sampled_from([*names, "x"]),
        before=CONDITIONS,
        now=st.none() | CONDITIONS,
        seen_at=LATER,
        ties=ties,
        log=st.none() | LOGS,
    )
    removed = st.builds(
        Removed,
        index=st.integers(0, 3),
        object=objects(),
        at=LATER,
        names=st.lists(NAMES | st.just("shop/app:1"), max_size=3).map(tuple),
        pull=NAMES | st.just(f"shop/app@sha256:{'ab' * 32}"),
        restorable=st.sampled_from(Restorable),
    )
    return Trouble(
        worse=tuple(draw(st.lists(worse, max_size=3)) * draw(st.sampled_from([1, 1, 9]))),
        removed=tuple(draw(st.lists(removed, max_size=3)) * draw(st.sampled_from([1, 1, 30]))),
        more=draw(COUNTS),
    )


@st.composite
def health(draw: st.DrawFn) -> HealthLine:
    return HealthLine(
        name=draw(NAMES),
        critical=draw(st.booleans()),
        before=draw(NAMES),
        after=draw(NAMES),
        change=draw(st.sampled_from(HealthChange)),
    )


@st.composite
def parts(draw: st.DrawFn, host: str = "web-1") -> HostPart:
    stage = draw(st.sampled_from(Stage))
    made = draw(plans(host) if stage is Stage.FINISHED else st.none() | plans(host))
    told = draw(reports(made)) if made and stage is Stage.FINISHED else None
    return HostPart(
        host,
        stage,
        since=draw(st.sampled_from([None, ago(seconds=3), ago(hours=2)])),
        plan=made,
        ordered=stage in ORDERED or (stage in MAY_BE_ORDERED and draw(st.booleans())),
        report=told,
        reasons=tuple(draw(st.lists(reasons(), max_size=12))),
        # Why an order was withdrawn is said by the bot itself; all else is somebody else's words.
        error=TOO_FEW if stage is Stage.WITHDRAWN else draw(NAMES),
        steps=draw(COUNTS),
        steps_done=draw(COUNTS),
        freed_so_far=draw(bytes_()),
        told_at=draw(st.sampled_from([None, NOW])),
        work=draw(st.none() | works()),
        halt=draw(st.none() | HALTS),
        last_seen=draw(st.sampled_from([None, NOW, ago(hours=2)])),
        excluded=tuple(s.index for s in made.steps if draw(st.booleans())) if made else (),
        is_left_out=draw(st.booleans()),
        holder=draw(
            st.sampled_from([None, Holder(), Holder((ANA, BO), ago(minutes=9), "sha256:" + "ab" * 32)])
        ),
    )


TOO_FEW = f"0 of 1 approvals count, no longer that of {BO.user}"
HALTS = st.builds(Halt, by=st.builds(Person, team=st.just("T"), user=NAMES), at=st.just(NOW))


@st.composite
def works(draw: st.DrawFn) -> WorkBegun:
    return WorkBegun(
        host="web-1",
        at=draw(st.sampled_from([NOW, datetime.max.replace(tzinfo=UTC)])),
        order_id="5e0c3d71b7a94f0e8f2a6d1c40b97e53",
        doing=draw(st.sampled_from(Doing)),
        seconds=draw(st.sampled_from([0, 10, LONGEST_WORK])),
        kind=draw(st.none() | st.sampled_from(Kind)),
        count=draw(COUNTS),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A few different hosts, up to some hundreds of them, with names up to the longest."""
    few = [draw(parts(f"h{n}")) for n in range(draw(st.integers(1, 3)))]
    count, longer = draw(st.sampled_from([(0, ""), (0, ""), (12, ""), (50, "-" + "x" * 58), (120, "-y")]))
    hosts = [called(few[n % len(few)], f"h{n}{longer}") for n in range(count or len(few))]
    settlement = draw(st.none() | settlements())
    phase = draw(st.sampled_from(Phase))
    if phase not in (Phase.EXECUTING, Phase.FINISHED):
        hosts = [_unordered(part) if part.ordered else part for part in hosts]
    if phase is Phase.READY and not any(part.confirmable for part in hosts):
        phase = Phase.CLOSED
    asked = Asked("r-1", "preview", "C0", ANA, tuple(part.host for part in hosts), ago(minutes=7))
    return Request(asked, tuple(hosts), settlement, phase)


def _unordered(part: HostPart) -> HostPart:
    return replace(part, ordered=False, report=None, stage=Stage.PLANNED if part.plan else Stage.ASKED)


def called(part: HostPart, host: str) -> HostPart:
    """The same of a host of another name."""
    return replace(
        part,
        host=host,
        plan=part.plan and part.plan.model_copy(update={"host": host}),
        report=part.report and part.report.model_copy(update={"host": host}),
    )


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    return Settlement(draw(st.sampled_from(Settled)), ago(minutes=1), draw(st.sampled_from([None, ANA, BO])))


# What is past

PEOPLE = st.builds(Person, team=NAMES, user=NAMES | st.sampled_from(["U0ANA", "W0BO", "U" * 400]))


@st.composite
def runs(draw: st.DrawFn) -> Run:
    return Run(
        host=draw(st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True)),
        request_id=draw(NAMES),
        finished_at=draw(st.sampled_from([ago(days=400), NOW, datetime(1, 1, 1, tzinfo=UTC)])),
        status=draw(st.sampled_from(Status)),
        removed=draw(COUNTS),
        freed=draw(st.none() | SIZES | st.just(-(10**12))),
        ran=draw(COUNTS),
        running=draw(COUNTS),
        unchecked=draw(COUNTS),
        requester=draw(PEOPLE),
        approvers=tuple(draw(st.lists(PEOPLE, min_size=1, max_size=10))),
        number=draw(SIZES),
        back=draw(st.none() | COUNTS),
        wanted=draw(COUNTS),
    )


@st.composite
def soughts(draw: st.DrawFn) -> Sought:
    return Sought(
        hosts=tuple(draw(st.lists(NAMES, max_size=9))),
        people=draw(st.none() | st.lists(PEOPLE, min_size=1, max_size=10).map(tuple)),
        since=draw(st.none() | st.just(ago(days=9))),
        until=draw(st.none() | st.just(NOW)),
    )


# What hosts answer about themselves

TEXTS = NAMES | st.sampled_from([letter * 300 for letter in "&<`*"])
MORE = st.sampled_from([0, 1, 40, 10**6])
FACTS = st.dictionaries(
    st.sampled_from(["size", "state", "last used", "used by", "names", "exit code", "built"]),
    TEXTS | SIZES | st.just(ago(days=3).isoformat()),
)
EXPLANATIONS = st.builds(
    ObjectExplanation,
    kind=st.sampled_from([*Kind, "volume"]),
    id=TEXTS,
    name=TEXTS,
    keep=st.booleans(),
    reasons=st.lists(reasons(), max_size=10).map(tuple),
    facts=FACTS,
    more=MORE,
)


def many(few: st.SearchStrategy[T], most: int) -> st.SearchStrategy[tuple[T, ...]]:
    """A few different values, up to so many in all."""
    times = st.sampled_from([0, 1, 7, most])
    return st.tuples(st.lists(few, max_size=3), times).map(lambda drawn: tuple((drawn[0] * drawn[1])[:most]))


OBJECT_ANSWERS = st.builds(
    ObjectAnswer,
    text=TEXTS,
    found=many(EXPLANATIONS, 20),
    more=MORE,
    nearest=st.lists(TEXTS, max_size=3).map(tuple),
)
VOLUMES_ANSWERS = st.builds(
    VolumesAnswer,
    taken_at=st.just(NOW),
    use=PART_USES,
    volumes=many(
        st.builds(
            ListedVolume,
            name=TEXTS,
            size=SOME_SIZES,
            created_at=MOMENTS,
            last_used_at=MOMENTS,
            users=st.lists(TEXTS, max_size=5).map(tuple),
            more=MORE,
        ),
        100,
    ),
    more=MORE,
)
LISTS = st.builds(Names, first=many(TEXTS, 40), more=MORE)
SPANS = st.sampled_from([0, 1, 59, 86_400, 30 * 86_400, 36_500 * 86_400])
POLICY_ANSWERS = st.builds(
    PolicyAnswer,
    file=TEXTS,
    digest=st.just("sha256:" + "ab" * 32),
    **dict.fromkeys(
        (
            *("protected_images", "protected_labels", "protected_networks", "protected_containers"),
            *("critical_containers", "probes"),
        ),
        LISTS,
    ),
    approvers=st.none() | LISTS,
    ping=LISTS,
    show_logs=COUNTS,
    kinds=st.lists(st.sampled_from(Kind)).map(tuple),
    **dict.fromkeys(
        (
            *("image_grace", "image_unused_for", "container_grace", "network_grace", "cache_grace"),
            *("quiet_for", "steady_for"),
        ),
        SPANS,
    ),
    **dict.fromkeys(("writable_limit", "build_cache_keep_bytes"), SIZES),
    keep_previous=COUNTS,
    max_objects=COUNTS,
    max_bytes=SOME_SIZES,
    max_share=st.floats(0.001, 1),
    settle=st.none() | SPANS,
    frozen=st.none() | reasons(),
    protections=many(
        st.builds(
            ProtectionFromSlack,
            kind=st.sampled_from([Kind.IMAGE, Kind.NETWORK, Kind.CONTAINER]),
            pattern=TEXTS,
            by=TEXTS,
            until=MOMENTS,
        ),
        40,
    ),
    more=MORE,
)
SERVICES_ANSWERS = st.builds(
    ServicesAnswer,
    run=TEXTS,
    checked_at=st.just(NOW),
    taken_at=st.just(NOW),
    services=many(
        st.builds(
            CheckedService,
            line=health(),
            was=TEXTS,
            before=CONDITIONS,
            then=st.none() | CONDITIONS,
            now=st.none() | CONDITIONS,
            replaced=st.booleans(),
        ),
        20,
    ),
    worse=MORE,
    unchecked=MORE,
    more=MORE,
    failing=st.lists(reasons(), max_size=10).map(tuple),
)
ANSWERS = OBJECT_ANSWERS | VOLUMES_ANSWERS | POLICY_ANSWERS | SERVICES_ANSWERS
