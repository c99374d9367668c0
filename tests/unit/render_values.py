"""Requests, plans and reports as hosts and people would have made them, one per state a message can show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.questions import Inquiry
from bot.requests import Asked, Halt, Holder, HostPart, Phase, Request, Settled, Settlement, Stage
from workers.contract import (
    Answer,
    Answered,
    Bytes,
    CheckedService,
    Condition,
    DiskAttribution,
    DiskPart,
    DiskUsage,
    Doing,
    EngineIdentity,
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
    Store,
    Tie,
    Topic,
    Trouble,
    Verdict,
    VolumesAnswer,
    VolumeUse,
    WorkBegun,
    Worse,
)
from workers.reasons import Code, Reason, reason

ORDER = "5e0c3d71b7a94f0e8f2a6d1c40b97e53"
NOW = datetime(2026, 11, 24, 3, 12, tzinfo=UTC)
ANA = Person(team="T0HOME", user="U0ANA")
BO = Person(team="T0HOME", user="U0BO")
ENGINE = EngineIdentity(
    id="ENGINE:WEB:1",
    version="26.1.5",
    api_version="1.45",
    storage_driver="overlay2",
    store=Store.GRAPH_DRIVER,
    data_root="/var/lib/docker",
)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def iso(**length: float) -> str:
    return ago(**length).isoformat()


def reference(kind: Kind, name: str) -> Reference:
    return Reference(kind=kind, id=f"sha256:{abs(hash_of(name)):064x}", name=name)


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode()[-12:], "big")


def step(index: int, kind: Kind, name: str, size: int, why: Reason, **more: object) -> Step:
    made = Step(
        index=index,
        object=reference(kind, name),
        reasons=(why,),
        fingerprint={},
        expected=Bytes(low=size, high=size),
    )
    return made.model_copy(update=more)


STEPS = (
    step(
        0,
        Kind.CONTAINER,
        "import-2026-10",
        40_100_000,
        reason(Code.STOPPED, since=iso(days=19), exit_code=0),
        leaves=("import-data",),
    ),
    step(
        1,
        Kind.IMAGE,
        "shop/app:1.4.0",
        4_100_000_000,
        reason(Code.SUPERSEDED, repository="shop/app", kept=2),
        restorable=Restorable.YES,
    ),
    step(2, Kind.IMAGE, "shop/app:1.3.9", 8_060_000_000, reason(Code.UNUSED, since=iso(days=31))),
    step(3, Kind.IMAGE, "<untagged> 3f9c1a2b3c4d", 161_000_000, reason(Code.UNTAGGED, since=iso(days=44))),
    step(
        4,
        Kind.NETWORK,
        "shop_old",
        0,
        reason(Code.NETWORK_UNUSED, since=iso(days=12)),
        restorable=Restorable.RECREATED,
    ),
    step(5, Kind.BUILD_CACHE, "RUN npm ci", 612_000_000, reason(Code.CACHE_UNUSED, since=iso(days=9))),
)
KEPT = (
    Verdict(
        object=reference(Kind.CONTAINER, "api"),
        keep=True,
        reasons=(reason(Code.NOT_STOPPED, state="running"),),
    ),
    Verdict(
        object=reference(Kind.IMAGE, "shop/app:1.5.0"),
        keep=True,
        reasons=(reason(Code.IN_USE, container="api", state="running"),),
        size=412_000_000,
    ),
    Verdict(
        object=reference(Kind.IMAGE, "shop/app:1.4.9"),
        keep=True,
        reasons=(reason(Code.PREVIOUS_VERSION, repository="shop/app", position=1, keep=1),),
        size=410_000_000,
    ),
    Verdict(
        object=reference(Kind.IMAGE, "postgres:16"),
        keep=True,
        reasons=(
            reason(
                Code.PROTECTED_REFERENCE, pattern="postgres:16", reference="docker.io/library/postgres:16"
            ),
            reason(Code.IN_USE, container="db", state="running"),
        ),
        size=431_000_000,
    ),
    Verdict(
        object=reference(Kind.IMAGE, "shop/worker:2.0"),
        keep=True,
        reasons=(
            reason(
                Code.YOUNG, since=iso(hours=3), until=(NOW + timedelta(hours=21)).isoformat(), evidence="pull"
            ),
        ),
        size=512_000_000,
    ),
)


def usage(at: datetime, *, images: int, free: int) -> DiskUsage:
    return DiskUsage(
        taken_at=at,
        containers=96_000_000,
        images=images,
        build_cache=700_000_000,
        volumes=18_400_000_000,
        filesystems=(
            Filesystem(
                path="/var/lib/docker",
                total=100_000_000_000,
                free=free,
                inodes=6_553_600,
                inodes_free=5_912_004,
            ),
        ),
    )


BEFORE = usage(ago(minutes=4), images=41_300_000_000, free=21_400_000_000)
AFTER = usage(ago(minutes=1), images=28_979_000_000, free=33_700_000_000).model_copy(
    update={"containers": 55_900_000, "build_cache": 88_000_000}
)


REST = Bytes(low=11_904_000_000, high=11_904_000_000)
DISK = DiskAttribution(
    parts=(
        PartUse(part=DiskPart.IMAGES, size=41_300_000_000, count=8),
        PartUse(part=DiskPart.WRITABLE_LAYERS, size=96_000_000, count=6),
        PartUse(part=DiskPart.LOGS, size=6_200_000_000, count=6, unsized=1),
        PartUse(part=DiskPart.VOLUMES, size=18_400_000_000, count=3),
        PartUse(part=DiskPart.BUILD_CACHE, size=700_000_000, count=2),
    ),
    filesystems=(FilesystemUse(filesystem=BEFORE.filesystems[0], holds=tuple(DiskPart), rest=REST),),
    logs=(LogUse(container="api", size=6_190_000_000), LogUse(container="import-2026-10", size=10_000_000)),
    volumes=(
        VolumeUse(
            name="shop-db",
            size=16_000_000_000,
            created_at=ago(days=412),
            last_used_at=ago(minutes=6),
            users=("db",),
        ),
        VolumeUse(name="import-data", size=2_400_000_000, created_at=ago(days=64), last_used_at=ago(days=19)),
        VolumeUse(name="9f" * 32, size=None),
    ),
)


def plan(host: str = "web-1", *, steps: tuple[Step, ...] = STEPS, **more: object) -> Plan:
    made = Plan(
        request_id="r-1",
        host=host,
        engine=ENGINE,
        policy_digest="sha256:" + "ab" * 32,
        made_at=ago(minutes=6),
        expires_at=NOW + timedelta(minutes=54),
        kinds=tuple(Kind),
        steps=steps,
        verdicts=KEPT,
        usage=BEFORE,
        disk=DISK,
    )
    return made.model_copy(update=more)


def outcomes(*ends: tuple[Outcome, Reason | None]) -> tuple[StepOutcome, ...]:
    return tuple(
        StepOutcome(index=s.index, object=s.object, outcome=how, reason=why, expected=s.expected)
        for s, (how, why) in zip(STEPS, ends, strict=True)
    )


ALL_REMOVED = outcomes(*[(Outcome.REMOVED, None)] * len(STEPS))
HEALTHY = tuple(
    HealthLine(name=name, critical=critical, before="healthy", after="healthy", change=HealthChange.SAME)
    for name, critical in (("api", True), ("db", True), ("cache", False), ("worker", False), ("mail", False))
)


def run(host: str = "web-1", *, status: Status = Status.DONE, **more: object) -> Report:
    made = Report(
        request_id="r-1",
        order_id=ORDER,
        host=host,
        engine=ENGINE,
        plan_digest="sha256:" + "cd" * 32,
        requester=ANA,
        approver=BO,
        started_at=ago(minutes=4),
        finished_at=ago(minutes=3, seconds=18),
        status=status,
        outcomes=ALL_REMOVED,
        expected=plan().expected(),
        usage_before=BEFORE,
        usage_after=AFTER,
        health=HEALTHY,
    )
    return made.model_copy(update=more)


ASKED = Asked("r-1", "preview", "C0OPS", ANA, ("web-1",), ago(minutes=7))
CONFIRMED = Settlement(Settled.CONFIRMED, ago(minutes=5), BO, "set")


def request(
    *parts: HostPart, phase: Phase, settlement: Settlement | None = None, hosts: tuple[str, ...] = ()
) -> Request:
    asked = replace(ASKED, hosts=hosts or tuple(part.host for part in parts))
    return Request(asked, parts, settlement, phase)


def planned(host: str = "web-1", *, steps: tuple[Step, ...] = STEPS, **more: object) -> HostPart:
    made = plan(host, steps=steps, **more)
    return HostPart(host, Stage.PLANNED, since=ago(minutes=6), plan=made, last_seen=NOW)


def ran(report: Report) -> HostPart:
    part = planned(report.host)
    done = len(report.outcomes)
    return replace(
        part,
        stage=Stage.FINISHED,
        ordered=True,
        report=report,
        since=report.finished_at,
        steps=done,
        steps_done=done,
        freed_so_far=report.gone,
    )


NOT_DOCKER = reason(Code.ENGINE_NOT_DOCKER, engine="Podman Engine 4.3.1", ours="1.41 to 1.51")
PODMAN = ENGINE.model_copy(update={"version": "4.3.1", "read_only": NOT_DOCKER})
NO_LEDGER = reason(
    Code.LEDGER_UNUSABLE, file="/var/lib/safe-prune/ledger.db", detail="attempt to write a readonly database"
)
SILENT = HostPart("web-3", Stage.SILENT, since=ago(minutes=5), last_seen=ago(hours=2))
SMALL = STEPS[1:2]

HOLDER = Holder((BO,), ago(minutes=9), "sha256:" + "7f3a" * 16)

STOPPED_RUN = run(
    status=Status.STOPPED,
    stopped_by=(reason(Code.HEALTH_REGRESSED, container="api", before="healthy", after="unhealthy"),),
    outcomes=outcomes(
        (Outcome.REMOVED, None),
        (Outcome.REMOVED, None),
        (Outcome.REFUSED, reason(Code.BECAME_USED, container="api-canary")),
        (Outcome.FAILED, reason(Code.ENGINE_ERROR, detail="500: layer does not exist")),
        (Outcome.NOT_ATTEMPTED, reason(Code.RUN_STOPPED)),
        (Outcome.NOT_ATTEMPTED, reason(Code.RUN_STOPPED)),
    ),
    usage_after=usage(ago(minutes=1), images=37_200_000_000, free=25_500_000_000),
    health=(
        HealthLine(
            name="api", critical=True, before="healthy", after="unhealthy", change=HealthChange.REGRESSED
        ),
        *HEALTHY[1:4],
        HealthLine(
            name="mail", critical=False, before="healthy", after="starting", change=HealthChange.NOT_RECHECKED
        ),
    ),
    findings=(reason(Code.FREED_LESS, expected=4_140_100_000, freed=4_100_000_000),),
)
CALLED = ("S0ONCALL", "U0ANA")
API_LOG = (
    LogLine(text="listening on :8080", at=ago(hours=7)),
    LogLine(text="GET /health 200 in 3 ms", at=ago(minutes=4, seconds=2)),
    LogLine(text="<!channel> dial tcp: lookup `db`: no such host", at=ago(minutes=3, seconds=31)),
)
API_WORSE = Worse(
    name="api",
    before=Condition(state="running", health="healthy", restarts=1, since=ago(days=8)),
    now=Condition(
        state="running", health="unhealthy", restarts=1, since=ago(minutes=3, seconds=31), earlier=True
    ),
    seen_at=ago(minutes=3, seconds=20),
    ties={1: (Tie.REPOSITORY,), 4: (Tie.NETWORK, Tie.PROJECT)},
    log=LogTail(lines=API_LOG),
)
CACHE_WORSE = Worse(
    name="cache",
    before=Condition(state="running", since=ago(days=8)),
    now=Condition(state="exited", exit_code=137, since=ago(minutes=3, seconds=30)),
    seen_at=ago(minutes=3, seconds=20),
    ties={4: (Tie.NETWORK,)},
    log=LogTail(unread="log of 0f3a: configured logging driver does not support reading"),
)


def gone(index: int, seconds: float, /, **facts: object) -> Removed:
    """A step of the plan that was removed so many seconds before now."""
    of = STEPS[index]
    made = Removed(index=index, object=of.object, at=ago(seconds=seconds), restorable=of.restorable)
    return made.model_copy(update=facts)


APP = f"docker.io/shop/app@sha256:{'1f' * 32}"
WENT = (
    gone(0, 219),
    gone(1, 216, names=("shop/app:1.4.0",), pull=APP),
    gone(2, 214, names=("shop/app:1.3.9",), pull=APP, restorable=Restorable.NOT_PROBED),
    gone(4, 212),
    gone(5, 211, restorable=Restorable.RECREATED),
)
TROUBLED_RUN = run(
    status=Status.PARTIAL,
    health=(
        STOPPED_RUN.health[0],
        HEALTHY[1],
        HealthLine(
            name="cache", critical=False, before="running", after="exited", change=HealthChange.REGRESSED
        ),
        *HEALTHY[3:],
    ),
    findings=(
        reason(Code.HEALTH_REGRESSED, container="api", before="healthy", after="unhealthy"),
        reason(Code.HEALTH_REGRESSED, container="cache", before="running", after="exited"),
    ),
    ping=CALLED,
    trouble=Trouble(worse=(API_WORSE, CACHE_WORSE), removed=WENT, more=3),
)
# The same with nobody named, no log allowed, and nothing tied; and as an older worker tells it.
SILENT_TROUBLE = STOPPED_RUN.model_copy(
    update={
        "trouble": Trouble(worse=(API_WORSE.model_copy(update={"ties": {}, "log": None}),), removed=WENT[:1]),
    }
)
GONE_RUN = run(
    status=Status.STOPPED,
    health=(HealthLine(name="api", critical=True, before="healthy", after="gone", change=HealthChange.GONE),),
    trouble=Trouble(worse=(API_WORSE.model_copy(update={"ties": {}, "now": None, "log": None}),)),
)
REFUSED_RUN = run(
    status=Status.REFUSED,
    stopped_by=(
        reason(Code.CRITICAL_NOT_RUNNING, container="db", state="exited"),
        reason(Code.CRITICAL_MATCHES_NOTHING, entry="compose:shop/pay"),
    ),
    outcomes=outcomes(*[(Outcome.NOT_ATTEMPTED, reason(Code.RUN_STOPPED))] * len(STEPS)),
    usage_after=BEFORE,
    health=(),
)


def work(host: str, doing: Doing, **about: object) -> WorkBegun:
    return WorkBegun(host=host, at=ago(seconds=30), order_id=ORDER, doing=doing, **about)


def at_work(host: str, doing: Doing, **about: object) -> HostPart:
    return replace(
        planned(host),
        stage=Stage.EXECUTING,
        since=ago(minutes=2),
        ordered=True,
        steps=6,
        steps_done=6,
        freed_so_far=Bytes(low=13_000_000_000, high=13_000_000_000),
        told_at=ago(seconds=30),
        work=work(host, doing, **about),
    )


REQUESTS: dict[str, Request] = {
    "planning": request(
        HostPart("web-1", Stage.PLANNING, since=ago(minutes=2), last_seen=NOW),
        HostPart("web-2", Stage.ASKED, since=ago(seconds=20), last_seen=NOW),
        planned("web-3", steps=SMALL),
        phase=Phase.PLANNING,
    ),
    "behind-a-run": request(
        HostPart("web-1", Stage.ASKED, since=ago(minutes=2), last_seen=NOW, holder=HOLDER),
        HostPart(
            "web-2", Stage.ASKED, since=ago(minutes=2), last_seen=NOW, holder=Holder(since=ago(minutes=3))
        ),
        HostPart("web-3", Stage.SILENT, since=ago(minutes=20), last_seen=NOW, holder=HOLDER),
        phase=Phase.PLANNING,
    ),
    "ordered-behind-a-run": request(
        replace(planned(), stage=Stage.ORDERED, ordered=True, since=ago(minutes=2), holder=HOLDER),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "ready-one": request(
        planned(notices=(reason(Code.NOTHING_CRITICAL), reason(Code.UNRESTORABLE_COUNT, count=2))),
        phase=Phase.READY,
    ),
    "ready-full-disk": request(
        planned(
            notices=(
                reason(
                    Code.DISK_STAYS_FULL,
                    path="/var/lib/docker",
                    share=97,
                    freed=13_023_100_000,
                    used=480_000_000_000,
                    after=94,
                    biggest="volume 200000000000 pgdata\nrest 150000000000\nlog 50000000000 api",
                ),
                reason(
                    Code.INODES_STAY_SCARCE, path="/var/lib/docker", share=91, used=5_963_776, total=6_553_600
                ),
            )
        ),
        phase=Phase.READY,
    ),
    "ready-several": request(planned("web-2", steps=SMALL), planned("web-1"), SILENT, phase=Phase.READY),
    "ready-edited": request(
        replace(planned("web-1"), excluded=(0, 1)),
        replace(planned("web-2", steps=SMALL), is_left_out=True),
        SILENT,
        phase=Phase.READY,
    ),
    "ready-nothing-chosen": request(replace(planned(), is_left_out=True), phase=Phase.READY),
    "ready-fifty": request(
        *(planned(f"web-{n}", steps=STEPS[n % 3 : 3 + n % 4]) for n in range(1, 48)),
        replace(planned("web-48"), is_left_out=True),
        planned("web-49", steps=()),
        replace(SILENT, host="web-50"),
        phase=Phase.READY,
    ),
    "finished-without-one": request(
        ran(run()), replace(planned("web-2"), is_left_out=True), phase=Phase.FINISHED
    ),
    "ready-past-its-time": request(planned(expires_at=ago(minutes=1)), phase=Phase.READY),
    "executing": request(
        replace(
            planned(),
            stage=Stage.EXECUTING,
            since=ago(seconds=45),
            ordered=True,
            steps=6,
            steps_done=2,
            freed_so_far=Bytes(low=4_140_100_000, high=4_140_100_000),
            told_at=ago(seconds=3),
            work=work("web-1", Doing.REMOVING, kind=Kind.IMAGE, count=3),
            done_of_kind=1,
        ),
        replace(planned("web-2"), stage=Stage.ORDERED, ordered=True),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "executing-one": request(at_work("web-1", Doing.MEASURING), phase=Phase.EXECUTING, settlement=CONFIRMED),
    "executing-stopped": request(
        replace(
            at_work("web-1", Doing.REMOVING, kind=Kind.IMAGE, count=3),
            steps_done=2,
            done_of_kind=1,
            freed_so_far=Bytes(low=4_140_100_000, high=4_140_100_000),
            halt=Halt(ANA, ago(seconds=2)),
        ),
        replace(planned("web-2"), stage=Stage.ORDERED, ordered=True, since=ago(seconds=9)),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "executing-stopped-late": request(
        replace(at_work("web-1", Doing.SETTLING, seconds=120), halt=Halt(ANA, ago(seconds=2))),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "executing-stages": request(
        replace(
            planned("web-1"),
            stage=Stage.ORDERED,
            ordered=True,
            work=work("web-1", Doing.HOLDING_STILL, seconds=10),
        ),
        at_work("web-2", Doing.SETTLING, seconds=120),
        ran(run("web-3")),
        replace(planned("web-4"), stage=Stage.REFUSED, ordered=True, reasons=(NO_LEDGER,)),
        replace(planned("web-5"), is_left_out=True),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "finished-one": request(ran(run()), phase=Phase.FINISHED, settlement=CONFIRMED),
    "finished-stopped": request(ran(STOPPED_RUN), phase=Phase.FINISHED, settlement=CONFIRMED),
    "finished-refused": request(ran(REFUSED_RUN), phase=Phase.FINISHED, settlement=CONFIRMED),
    "finished-several": request(
        ran(run("web-1")),
        ran(run("web-2")),
        replace(
            planned("web-3"), stage=Stage.LOST, ordered=True, steps=6, steps_done=2, last_seen=ago(minutes=3)
        ),
        phase=Phase.FINISHED,
        settlement=CONFIRMED,
    ),
    "finished-not-executed": request(
        replace(planned(), stage=Stage.NOT_EXECUTED, ordered=True, last_seen=NOW),
        phase=Phase.FINISHED,
        settlement=CONFIRMED,
    ),
    "executing-no-ledger": request(
        replace(planned(), stage=Stage.EXECUTING, ordered=True, steps=6, steps_done=2, trouble=NO_LEDGER),
        HostPart("web-2", Stage.PLAN_FAILED, since=ago(minutes=1), reasons=(NO_LEDGER,)),
        phase=Phase.EXECUTING,
        settlement=CONFIRMED,
    ),
    "ready-clock-off": request(
        planned(),
        replace(planned("web-2"), withheld=reason(Code.CLOCK_OFF, off=40, way="behind")),
        phase=Phase.READY,
    ),
    "cancelled": request(
        planned(), phase=Phase.CLOSED, settlement=Settlement(Settled.CANCELLED, ago(minutes=1), BO)
    ),
    "timed-out": request(
        planned(), phase=Phase.CLOSED, settlement=Settlement(Settled.EXPIRED, ago(minutes=1))
    ),
    "replaced": request(
        planned(), phase=Phase.CLOSED, settlement=Settlement(Settled.SUPERSEDED, ago(minutes=1), ANA)
    ),
    "nothing-to-remove": request(planned(steps=()), phase=Phase.CLOSED),
    "only-read": request(planned(engine=PODMAN, notices=(NOT_DOCKER,)), phase=Phase.CLOSED),
    "nothing-yet": request(
        planned(
            steps=(),
            notices=(
                reason(
                    Code.WAITING, count=14, size=18_400_000_000, until=(NOW + timedelta(hours=7)).isoformat()
                ),
            ),
        ),
        phase=Phase.CLOSED,
    ),
    "no-plan": request(
        HostPart(
            "web-1",
            Stage.PLAN_FAILED,
            since=ago(minutes=1),
            reasons=(reason(Code.ENGINE_UNREACHABLE, detail="connection refused: /var/run/docker.sock"),),
        ),
        phase=Phase.CLOSED,
    ),
    "not-answering": request(SILENT, phase=Phase.CLOSED),
    "unreachable": request(
        HostPart("web-1", Stage.UNREACHABLE, since=ago(minutes=1), error="connection refused"),
        phase=Phase.CLOSED,
    ),
}


# What hosts answer about themselves

ASKED_WHY = Inquiry(
    "q-1", Topic.OBJECT, "web-1", "shop/app:1.5.0", ago(seconds=3), ANA, "C0OPS", sent_at=ago(seconds=2)
)
ASKED_POLICY = replace(ASKED_WHY, topic=Topic.POLICY, object="")
ASKED_VOLUMES = replace(ASKED_WHY, topic=Topic.VOLUMES, object="")


# How services are after the run that has called people to them

ASKED_SERVICES = replace(ASKED_WHY, topic=Topic.SERVICES, object=ORDER, thread="1795489722.000100")
API_CHECKED = CheckedService(
    line=TROUBLED_RUN.health[0],
    was="unhealthy",
    before=API_WORSE.before,
    then=API_WORSE.now,
    now=API_WORSE.now,
)
CACHE_CHECKED = CheckedService(
    line=HealthLine(
        name="cache", critical=False, before="running", after="running", change=HealthChange.SAME
    ),
    was="exited",
    before=CACHE_WORSE.before,
    then=CACHE_WORSE.now,
    now=Condition(state="running", since=ago(minutes=1)),
    replaced=True,
)
API_WELL = API_CHECKED.model_copy(
    update={
        "line": API_CHECKED.line.model_copy(update={"after": "healthy", "change": HealthChange.SAME}),
        "then": None,
        "was": "gone",
        "now": Condition(state="running", health="healthy", since=ago(minutes=1)),
    }
)
API_AS_ILL = API_CHECKED.model_copy(
    update={
        "line": API_CHECKED.line.model_copy(update={"before": "unhealthy", "change": HealthChange.SAME}),
        "before": API_WORSE.now,
        "then": None,
        "was": "gone",
    }
)
API_UNCHECKED = API_WELL.model_copy(
    update={
        "line": API_CHECKED.line.model_copy(
            update={"after": "starting", "change": HealthChange.NOT_RECHECKED}
        ),
        "now": Condition(state="running", health="starting", since=ago(seconds=9)),
    }
)


def checked(*services: CheckedService, **facts: object) -> ServicesAnswer:
    times = {"checked_at": ago(minutes=3), "taken_at": ago(seconds=2)}
    return ServicesAnswer(run=ORDER, services=services, **times, **facts)


def explained(name: str, *reasons: Reason, keep: bool = True, **facts: str | int) -> ObjectExplanation:
    of = reference(Kind.IMAGE, name)
    known = {key.replace("_", " "): value for key, value in facts.items()}
    return ObjectExplanation(kind=of.kind, id=of.id, name=name, keep=keep, reasons=reasons, facts=known)


def told_by(answer: Answer) -> Answered:
    return Answered(host="web-1", at=NOW, request_id="q-1", reply_to="C0OPS", answer=answer)


IN_USE = explained(
    "shop/app:1.5.0",
    reason(Code.IN_USE, container="api", state="running"),
    reason(Code.CURRENT_VERSION, repository="shop/app"),
    names="shop/app:1.5.0",
    a_version_of="docker.io/shop/app",
    size=412_000_000,
    built=iso(days=9),
    on_this_host_since=iso(days=8),
    known_from="pull",
    last_used=iso(minutes=6),
    used_by="api",
    restorable="not probed",
)
OLD = explained("shop/app:1.4.0", reason(Code.SUPERSEDED, repository="shop/app", kept=2), keep=False)
FROZEN = reason(Code.FROZEN, by="T0HOME/U0BO", at=iso(hours=1), why="disk swap")
POLICY = PolicyAnswer(
    file="/etc/safe-prune/policy.toml",
    digest="sha256:" + "ab" * 32,
    protected_images=Names(first=("postgres:16", "registry.example/base/*")),
    protected_labels=Names(first=("safe-prune.keep=true",)),
    protected_networks=Names(first=("shop_*",)),
    protected_containers=Names(),
    critical_containers=Names(first=("edge-proxy", "compose:shop/web", "compose:shop/db"), more=2),
    probes=Names(first=("https://shop.example/health?…",)),
    approvers=Names(first=("T0HOME/U0ANA", "T0HOME/U0BO")),
    kinds=tuple(Kind),
    keep_previous=2,
    image_grace=86_400,
    image_unused_for=30 * 86_400,
    container_grace=7 * 86_400,
    network_grace=7 * 86_400,
    cache_grace=86_400,
    writable_limit=1_000_000,
    build_cache_keep_bytes=5_000_000_000,
    unrestorable_images="flag",
    probe_registry=False,
    max_objects=1000,
    max_bytes=50_000_000_000,
    max_share=0.9,
    quiet_for=120,
    steady_for=5,
    settle=None,
    ping=Names(first=("S0ONCALL", "U0ANA")),
    show_logs=20,
    frozen=FROZEN,
    protections=(
        ProtectionFromSlack(
            kind=Kind.IMAGE, pattern="shop/app:1.3.*", by="T0HOME/U0ANA", until=NOW + timedelta(days=20)
        ),
    ),
)
BARE_POLICY = POLICY.model_copy(
    update={
        **dict.fromkeys(("protected_images", "protected_networks", "critical_containers", "probes"), Names()),
        "approvers": None,
        "frozen": None,
        "protections": (),
        "keep_previous": 0,
        "settle": 30,
        "max_bytes": None,
        "build_cache_keep_bytes": 0,
        "ping": Names(),
        "show_logs": 0,
        "kinds": (Kind.IMAGE,),
    }
)
HELD = VolumesAnswer(
    taken_at=ago(minutes=6),
    use=PartUse(part=DiskPart.VOLUMES, size=18_400_000_000, count=203, unsized=1),
    volumes=tuple(ListedVolume.model_validate(one.model_dump()) for one in DISK.volumes),
    more=200,
)
