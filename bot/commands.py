"""What people type after ``/prune``, made into exactly one command or one answer to them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fnmatch import fnmatchcase

from bot import decisions, lookback, questions, wanted
from bot.copied import DASHES, MARKS
from bot.decisions import Decision
from bot.decisions import UsageReply as UsageReply
from bot.lookback import MENTION
from bot.lookback import History as History
from bot.questions import Ask
from bot.wanted import Restore as Restore
from workers.contract import Kind
from workers.wording import listing


@dataclass(frozen=True)
class Preview:
    """Ask hosts for their plans; no hosts means all, no kinds means what each policy allows."""

    hosts: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] | None = None


@dataclass(frozen=True)
class Execute:
    """Ask for a confirmation at once; the hosts are named."""

    hosts: tuple[str, ...]
    kinds: tuple[Kind, ...] | None = None


@dataclass(frozen=True)
class Hosts:
    """Show every admitted host."""


@dataclass(frozen=True)
class Status:
    """Show what is under way in this channel, on some hosts or on all."""

    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cancel:
    """Take back plans that nobody has decided on; without a host, those that one has asked for."""

    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Doctor:
    """Look at everything the bot needs."""


@dataclass(frozen=True)
class Help:
    """Show what can be typed."""


Command = (
    Preview
    | Execute
    | Restore
    | Hosts
    | History
    | Status
    | Cancel
    | Doctor
    | Help
    | UsageReply
    | Decision
    | Ask
)

KIND_WORDS = {
    "container": Kind.CONTAINER,
    "containers": Kind.CONTAINER,
    "image": Kind.IMAGE,
    "images": Kind.IMAGE,
    "network": Kind.NETWORK,
    "networks": Kind.NETWORK,
    "cache": Kind.BUILD_CACHE,
    "build-cache": Kind.BUILD_CACHE,
    "build_cache": Kind.BUILD_CACHE,
    "buildcache": Kind.BUILD_CACHE,
}
KIND_NAMES = ("containers", "images", "networks", "build-cache")
VOLUME_WORDS = frozenset({"volume", "volumes", "--volume", "--volumes"})
HISTORY, RESTORE = "history", "restore"
HELP_WORDS = frozenset({"--help", "--h", "-?", "?"})

VOLUMES_STAY = (
    "Volumes are never removed, whatever is typed here."
    " /prune volumes web-1 lists those of a host, for review by hand."
)
NAME_THE_HOSTS = "Execute needs to know where: /prune execute web-1, or a pattern such as web-*."
TOO_LONG = "That is {:,} characters long, {:,} are read at most. A pattern such as web-* names many hosts."
ONLY_WHAT = f"--only needs kinds, joined by commas: {', '.join(KIND_NAMES)}."
NO_HOSTS = "No host is admitted yet. Where the bot runs, python -m bot hosts add NAME admits one."
# An answer is due within three seconds, whatever is typed and however many hosts there are.
LONGEST = 4_000
LONGEST_PATTERN = 100
MOST_PATTERNS = 100
SHOWN = 12
WORD = 40
LIKELY = 0.5

QUOTES = dict.fromkeys(map(ord, MARKS), "")
OPTION = re.compile(r"(?:^|(?<=\s))[-\u2010-\u2015\u2212]+(?=[^\W\d_])")
LINK = re.compile(r"<[^<>|]*\|([^<>]*)>")


def parse(text: str) -> Command:
    """Read one line; whatever it says, there is an answer."""
    if len(text) > LONGEST:
        return UsageReply(TOO_LONG.format(len(text), LONGEST))
    words = _words(text)
    if not words or words[0] in HELP_WORDS:
        return Help()
    reader = READERS.get(words[0])
    if words[0] in decisions.READERS and not HELP_WORDS & set(words[1:]):
        return decisions.read(_words(text, as_typed=True)) or Help()
    if words[0] in questions.READERS and not HELP_WORDS & set(words[1:2]):
        return questions.read(LINK.sub(r"\1", text)) or Help()
    if words[0] == RESTORE and not HELP_WORDS & set(words[1:2]):
        return wanted.read(LINK.sub(r"\1", text))
    if reader is None:
        return _unknown_command(words[0])
    if HELP_WORDS & set(words[1:]):
        return Help()
    # A person's name is not to be told from a host's once it is in small letters, or is a link's.
    return reader(_words(MENTION.sub(r"\1", text), as_typed=True)[1:] if words[0] == HISTORY else words[1:])


def resolve(patterns: Sequence[str], admitted: Iterable[str]) -> tuple[str, ...] | UsageReply:
    """Find the hosts that patterns name, all of them where there is no pattern."""
    hosts = tuple(sorted(admitted))
    if not hosts:
        return UsageReply(NO_HOSTS)
    if sum(map(_is_pattern, patterns)) > MOST_PATTERNS:
        return UsageReply(f"At most {MOST_PATTERNS} patterns can be given at once.")
    unmatched = [pattern for pattern in patterns if not _matches([pattern], hosts)]
    if unmatched:
        return UsageReply(f"No host is called {_quoted(unmatched)}. {_offer(hosts, unmatched[0])}")
    return _matches(patterns or ["*"], hosts)


def _words(text: str, *, as_typed: bool = False) -> list[str]:
    # A long run of spaces or commas would be searched from each of its places again.
    spaced = " ".join(LINK.sub(r"\1", text).split())
    plain = OPTION.sub("--", spaced).translate(DASHES).translate(QUOTES)
    joined = re.sub(r" ?,[ ,]*", ",", plain if as_typed else plain.lower())
    return re.sub(r",*(?<!\w)(--[a-z]+),*", r" \1 ", joined).strip(", \t\n").split()


def _read_targets(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[Kind, ...] | None] | UsageReply:
    """Part hosts from options; the same for previews and executions."""
    hosts: list[str] = []
    kinds: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--only":
            named = _split(rest.pop(0).removeprefix("=")) if rest else []
            if not named:
                return UsageReply(ONLY_WHAT)
            kinds += named
        elif word.startswith("-"):
            return _unknown_option(word)
        else:
            hosts += _split(word)
    return _targets(hosts, kinds)


def _targets(
    hosts: Sequence[str], kinds: Sequence[str]
) -> tuple[tuple[str, ...], tuple[Kind, ...] | None] | UsageReply:
    if VOLUME_WORDS & {*hosts, *kinds}:
        return UsageReply(VOLUMES_STAY)
    unknown = [kind for kind in kinds if kind not in KIND_WORDS]
    if unknown:
        return UsageReply(f"There is no kind called {_quoted(unknown)}. {_offer(KIND_NAMES, unknown[0])}")
    if kinds and (strays := [host for host in hosts if host in KIND_WORDS]):
        return UsageReply(f"Join kinds with commas: --only {','.join([*kinds, *strays][:SHOWN])}.")
    named = {KIND_WORDS[kind] for kind in kinds}
    return tuple(dict.fromkeys(hosts)), tuple(kind for kind in Kind if kind in named) or None


def _split(word: str) -> list[str]:
    return [part for part in word.split(",") if part]


def _read_preview(words: Sequence[str]) -> Command:
    targets = _read_targets(words)
    return targets if isinstance(targets, UsageReply) else Preview(*targets)


def _read_execute(words: Sequence[str]) -> Command:
    targets = _read_targets(words)
    if isinstance(targets, UsageReply):
        return targets
    return Execute(*targets) if targets[0] else UsageReply(NAME_THE_HOSTS)


def _read_hosts(words: Sequence[str]) -> Command:
    return UsageReply("/prune hosts takes nothing more; it shows all of them.") if words else Hosts()


def _read_doctor(words: Sequence[str]) -> Command:
    return UsageReply("/prune doctor takes nothing more; it looks at everything.") if words else Doctor()


def _read_status(words: Sequence[str]) -> Command:
    hosts = _only_hosts("status", words)
    return hosts if isinstance(hosts, UsageReply) else Status(hosts)


def _read_cancel(words: Sequence[str]) -> Command:
    hosts = _only_hosts("cancel", words)
    return hosts if isinstance(hosts, UsageReply) else Cancel(hosts)


def _only_hosts(command: str, words: Sequence[str]) -> tuple[str, ...] | UsageReply:
    hosts = _split(",".join(words))
    if any(host.startswith("-") for host in hosts):
        return UsageReply(f"/prune {command} takes no option, only hosts: /prune {command} web-1.")
    return tuple(dict.fromkeys(hosts))


READERS: dict[str, Callable[[Sequence[str]], Command]] = {
    "preview": _read_preview,
    "execute": _read_execute,
    "hosts": _read_hosts,
    HISTORY: lookback.read,
    "status": _read_status,
    "cancel": _read_cancel,
    "doctor": _read_doctor,
    **dict.fromkeys((*questions.READERS, *decisions.READERS, RESTORE), lambda _: Help()),
    "help": lambda _: Help(),
}


def _unknown_command(word: str) -> UsageReply:
    if word in VOLUME_WORDS:
        return UsageReply(VOLUMES_STAY)
    offers = [f"/prune {name}" for name in _nearest(READERS, word)]
    return UsageReply(f"There is no command {_quoted([word])}. There are: {', '.join(offers)}.")


def _unknown_option(word: str) -> UsageReply:
    if word in VOLUME_WORDS:
        return UsageReply(VOLUMES_STAY)
    return UsageReply(f"There is no option {_quoted([word])}. There is: --only {','.join(KIND_NAMES)}.")


def _matches(patterns: Sequence[str], hosts: Sequence[str]) -> tuple[str, ...]:
    named = {pattern for pattern in patterns if not _is_pattern(pattern)}
    globs = [p for p in patterns if _is_pattern(p) and len(p) <= LONGEST_PATTERN]
    return tuple(h for h in hosts if h in named or any(fnmatchcase(h, pattern) for pattern in globs))


def _is_pattern(word: str) -> bool:
    return any(character in word for character in "*?[")


def _nearest(names: Iterable[str], word: str) -> list[str]:
    """Put first what was likely meant; the rest keeps its order."""
    likeness = {name: SequenceMatcher(None, word[:WORD], name).ratio() for name in names}
    return sorted(likeness, key=lambda name: -likeness[name] if likeness[name] >= LIKELY else 0)


def _offer(names: Sequence[str], word: str) -> str:
    nearest = _nearest(names, word)
    more = f" and {len(nearest) - SHOWN} more" if len(nearest) > SHOWN else ""
    return f"There are: {', '.join(nearest[:SHOWN])}{more}."


def _quoted(words: Sequence[str]) -> str:
    printed = ["".join(c if c.isprintable() else "\ufffd" for c in word[: WORD + 1]) for word in words[:3]]
    shown = [f'"{word[:WORD]}…"' if len(word) > WORD else f'"{word}"' for word in printed]
    return listing([*shown, f"{len(words) - 3} more"] if len(words) > 3 else shown)
