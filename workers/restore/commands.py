"""The command that would create a container like one that was removed, for a person to finish (pure).

What is a secret, or may be one, was never kept: a variable stands there with its name and a place for its
value, and what the container ran only where the policy let it be kept.
"""

import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from workers.planning.fields import Fields

VALUE = "FILL_IN"
# Every engine sets these, whatever an image says.
ALWAYS_SET = frozenset({"PATH", "HOSTNAME", "HOME", "TERM"})
USUAL_NETWORKS = ("", "default", "bridge")
SHORT_ID = 12
FLAGS = (
    *(("--privileged", "Privileged"), ("--read-only", "ReadonlyRootfs"), ("--init", "Init")),
    *(("--tty", "Tty"), ("--interactive", "OpenStdin"), ("--rm", "AutoRemove")),
)
LISTS = (
    *(("--cap-add", "CapAdd"), ("--cap-drop", "CapDrop"), ("--add-host", "ExtraHosts")),
    *(("--dns", "Dns"), ("--group-add", "GroupAdd")),
)


def create_command(text: str, variables_of_image: Collection[str] = (), *, by_id: bool = False) -> str:
    """Write the command by what was kept; those variables that the image sets itself are left to it.

    `by_id`: the image's name is not to be trusted.
    """
    try:
        kept: Any = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(kept, Mapping) or not kept:
        return ""
    fields, known = Fields(kept), ALWAYS_SET | set(variables_of_image)
    words = [
        "docker",
        "create",
        *_options(kept, fields, known),
        _image(fields, by_id=by_id),
        *_command(fields),
    ]
    return " ".join(_quoted(word) for word in words if word)


def is_told(text: str) -> bool:
    """Whether what the container ran was kept, be it nothing but what its image runs."""
    try:
        kept: Any = json.loads(text)
    except ValueError:
        return False
    return isinstance(kept, Mapping) and not {"Entrypoint", "Cmd"}.isdisjoint(kept)


def _quoted(word: str) -> str:
    """A word as shells read it, in printable letters only: others wrote it, and terminals show it."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_spelled, word))}'"


def _spelled(letter: str) -> str:
    r"""A letter between ``$'`` and ``'``; what is not printable by its bytes, each of three octal digits.

    Those take in no digit that follows, as ``\x`` would. No argument of a program can hold a NUL: it is left
    out. A surrogate alone stands as three bytes that are no UTF-8.
    """
    if letter in ("'", "\\"):
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogatepass") if byte)


def _image(fields: Fields, *, by_id: bool) -> str:
    return ("" if by_id else fields.text("Image")) or fields.text("ImageID")


def _command(fields: Fields) -> tuple[str, ...]:
    # An entrypoint on the command line is one word; what follows it comes before the arguments.
    return (*fields.texts("Entrypoint")[1:], *fields.texts("Cmd"))


def _options(kept: Mapping[str, Any], fields: Fields, known: Collection[str]) -> Iterator[str]:
    yield from _valued("--name", fields.text("Name").lstrip("/"))
    yield from _identity(fields)
    yield from _restart(fields.inside("RestartPolicy"))
    yield from _network(fields)
    yield from _ports(kept.get("PortBindings"), fields)
    for mount in fields.each("Mounts"):
        yield from _mount(mount)
    for name in fields.texts("EnvironmentNames"):
        if name not in known:
            yield from ("--env", f"{name}={VALUE}")
    yield from _labels(fields)
    yield from _limits(fields)
    yield from _flags(fields)


def _identity(fields: Fields) -> Iterator[str]:
    yield from _valued("--user", fields.text("User"))
    yield from _valued("--workdir", fields.text("WorkingDir"))
    hostname = fields.text("Hostname")
    # The default is the start of the id, which a new one has of its own.
    if not fields.text("Id").startswith(hostname) or len(hostname) != SHORT_ID:
        yield from _valued("--hostname", hostname)
    yield from _valued("--stop-signal", fields.text("StopSignal"))
    yield from _valued("--entrypoint", next(iter(fields.texts("Entrypoint")), ""))


def _restart(policy: Fields) -> Iterator[str]:
    name, tries = policy.text("Name"), policy.number("MaximumRetryCount")
    if name not in ("", "no"):
        yield from ("--restart", f"{name}:{tries}" if tries else name)


def _network(fields: Fields) -> Iterator[str]:
    mode = fields.text("NetworkMode")
    if mode not in USUAL_NETWORKS:
        yield from ("--network", mode)


def _ports(ports: object, fields: Fields) -> Iterator[str]:
    for port in ports if isinstance(ports, Mapping) else ():
        for binding in fields.inside("PortBindings").each(port):
            address, at = binding.text("HostIp"), binding.text("HostPort")
            yield from ("--publish", ":".join(filter(None, (address, at, port))))


def _mount(mount: Fields) -> Iterator[str]:
    type_, target = mount.text("Type"), mount.text("Destination")
    source = mount.text("Name") if type_ == "volume" else mount.text("Source")
    if type_ in ("volume", "bind") and source and target:
        read_only = "" if mount.flag("RW", unknown=True) else ",readonly"
        yield from ("--mount", f"type={type_},source={source},target={target}{read_only}")


def _labels(fields: Fields) -> Iterator[str]:
    values = fields.labels("Labels")
    for name in fields.texts("LabelNames"):
        yield from ("--label", f"{name}={values.get(name, VALUE)}")


def _limits(fields: Fields) -> Iterator[str]:
    for option, key in (("--memory", "Memory"), ("--cpu-shares", "CpuShares"), ("--pids-limit", "PidsLimit")):
        if amount := _number(fields, key):
            yield from (option, str(amount))
    if cpus := _number(fields, "NanoCpus"):
        yield from ("--cpus", f"{cpus / 1e9:g}")
    yield from _valued("--log-driver", fields.text("LogDriver").replace("json-file", ""))


def _flags(fields: Fields) -> Iterator[str]:
    """What is said by being there, and what may be there many times."""
    for option, key in FLAGS:
        if fields.flag(key):
            yield option
    for option, key in LISTS:
        for word in fields.texts(key):
            yield from (option, word)


def _number(fields: Fields, key: str) -> int:
    """Engines write null, 0 or -1 for none."""
    value = fields.number(key, least=-1)
    return value if value and value > 0 else 0


def _valued(option: str, value: str) -> tuple[str, ...]:
    return (option, value) if value else ()
