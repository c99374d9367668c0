"""A host's policy in sentences: what stays, what may go when, and who may say so."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.render.blocks import (
    SECTION,
    TEXT_BUDGET,
    Message,
    called,
    code,
    context,
    date,
    mention,
    message,
    paragraphs,
    slack_voice,
)
from workers.contract import Kind, Names, PolicyAnswer, ProtectionFromSlack
from workers.wording import NOUNS, amount, listing, plural, sentence, short, size, span

ROOM = TEXT_BUDGET - SECTION
SHOWN = 15
NAME = 80
UNRESTORABLE = {
    "flag": "Images that no registry is known to give back are planned, marked and counted.",
    "keep": "Images that no registry is known to give back stay.",
}


def policy(host: str, told: PolicyAnswer, at: datetime, now: datetime) -> Message:
    """The policy as the host reads it now."""
    lines = [line for part in (_standing, _protected, _watched, _times, _limits) for line in part(told, now)]
    file = f"{code(told.file)} as it was {date(at)}, digest {code(short(told.digest))}"
    blocks = [*paragraphs(lines, room=ROOM, more=_more), context(f"{file}: previews name the same.")]
    return message(_title(host, told), blocks)


def _title(host: str, told: PolicyAnswer) -> str:
    if told.frozen:
        return f"{code(host)} is frozen: nothing is removed there until it is unfrozen"
    return f"What may go on {code(host)}, and what stays"


def _more(left: int) -> str:
    return f"+{amount(left, 'more line')}; the file on the host has all of it."


def _standing(told: PolicyAnswer, now: datetime) -> Iterator[str]:
    """What people said from Slack or at the host, which holds beside the file."""
    if told.frozen:
        yield f"*Frozen*: {sentence(told.frozen, slack_voice(now))}"
    if told.protections:
        yield "*Protected from Slack*:"
        yield from (f"• {_protection(one)}" for one in told.protections[:SHOWN])
        yield from (f"• {left}" for left in _left(told.protections, told.more))
    else:
        yield "Nothing is protected from Slack."


def _protection(one: ProtectionFromSlack) -> str:
    until = f" until {date(one.until)}" if one.until else ""
    return f"{plural(one.kind)} {code(one.pattern, NAME)} by {_person(one.by)}{until}"


def _protected(told: PolicyAnswer, _: datetime) -> Iterator[str]:
    images = _names(told.protected_images)
    yield f"*Images that never go*: {images}." if images else "No image is protected by its name."
    for what, names in (
        ("Containers that never go", told.protected_containers),
        ("Networks that never go", told.protected_networks),
        ("Labels whose bearer never goes", told.protected_labels),
    ):
        if found := _names(names):
            yield f"*{what}*: {found}."
    yield _way_back(told.keep_previous)


def _way_back(keep: int) -> str:
    if not keep:
        return "*Way back*: no version before the one in use is kept for its own sake."
    versions = "the version before" if keep == 1 else f"the {keep:,} versions before"
    return f"*Way back*: of every repository in use {versions} and all newer ones stay."


def _watched(told: PolicyAnswer, _: datetime) -> Iterator[str]:
    critical, probes = _names(told.critical_containers), _names(told.probes)
    if critical:
        yield f"*Critical containers*, up before, during and after a cleanup: {critical}."
    else:
        yield "*Critical containers*: none is named, so nothing guards this host."
    if probes:
        yield f"*Probes* that must answer: {probes}."
    settle = f"for {span(told.settle)}" if told.settle is not None else "as long as the health checks take"
    yield f"They hold still for {span(told.steady_for)} first. Health is watched {settle} after the end."


def _times(told: PolicyAnswer, _: datetime) -> Iterator[str]:
    yield (
        f"*An image* may go when no container used it for {span(told.image_unused_for)} and it has been here"
        f" for {span(told.image_grace)}."
    )
    yield (
        f"*A container* may go when it has been stopped for {span(told.container_grace)}, is not meant to"
        f" come back, and holds at most {size(told.writable_limit)} of its own."
    )
    yield f"*A network* may go when no container used it for {span(told.network_grace)}."
    newest = f"; the newest {size(told.build_cache_keep_bytes)} stay" if told.build_cache_keep_bytes else ""
    yield f"*Build cache* may go when no build used it for {span(told.cache_grace)}{newest}."
    yield f"Nobody may have pulled, loaded, tagged or created anything for {span(told.quiet_for)}."


def _limits(told: PolicyAnswer, _: datetime) -> Iterator[str]:
    kinds = listing(plural(NOUNS[kind]) for kind in Kind if kind in told.kinds)
    yield f"*A plan* may hold {kinds or 'nothing'}, never a volume; {_most(told)}."
    share = f"{100 * told.max_share:g} %"
    yield f"Over {share} of the images it is unusual: somebody other than who asked confirms it."
    asked = "asked about it" if told.probe_registry else "not asked about it"
    yield f"{_unrestorable(told)} Registries are {asked}."
    yield _approvers(told.approvers)
    yield from _trouble(told)


def _unrestorable(told: PolicyAnswer) -> str:
    if told.archive_max_bytes is None:
        return UNRESTORABLE[told.unrestorable_images]
    most = size(told.archive_max_bytes)
    return f"Images that no registry is known to give back are saved first, up to {most}, or stay."


def _trouble(told: PolicyAnswer) -> Iterator[str]:
    """What happens when a service is worse after a run."""
    named = [*map(called, told.ping.first[:SHOWN]), *_left(told.ping.first, told.ping.more)]
    whom = listing(named) or "who confirmed and who asked, for the policy names nobody"
    lines = amount(told.show_logs, "line")
    logs = f"the last {lines} of its log are shown" if told.show_logs else "no line of its log is read"
    yield f"*When a service is worse after a run* this pings {whom}; {logs}."


def _most(told: PolicyAnswer) -> str:
    room = f" and {size(told.max_bytes)}" if told.max_bytes is not None else ""
    return f"at most {amount(told.max_objects, 'object')}{room}"


def _approvers(approvers: Names | None) -> str:
    if approvers is None:
        return "*Approvers*: whoever the bot's rules let approve; this host names none of its own."
    people = [*map(_person, approvers.first[:SHOWN]), *_left(approvers.first, approvers.more)]
    return f"*Approvers* this host accepts: {listing(people) or 'nobody'}."


def _person(text: str) -> str:
    """Whoever is named by more letters than an id has is nobody whom Slack knows."""
    return mention(text) if len(text) <= NAME else code(text, NAME)


def _names(names: Names) -> str:
    shown = (code(name, NAME) for name in names.first[:SHOWN])
    return listing([*shown, *_left(names.first, names.more)])


def _left(first: Sequence[object], more: int) -> Iterable[str]:
    left = len(first[SHOWN:]) + more
    return [f"{left:,} more"] if left else []
