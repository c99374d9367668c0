"""Whether a tar that an engine made of an image is whole, is that image's, and carries no name."""

import hashlib
import json
import tarfile
from collections.abc import Collection, Iterable, Mapping
from typing import IO, Any

PIECE = 1 << 20
# What describes an image is never larger.
MOST_TEXT = 8_000_000
MANIFEST, INDEX = "manifest.json", "index.json"
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


class Incomplete(Exception):
    """It could not be loaded again as that image alone."""


def require_whole(source: IO[bytes], image_id: str) -> None:
    """Read a tar to the end of its last member.

    Raises:
        Incomplete: it is cut off, lacks a part, is another image's, or would bring tags along.
    """
    digits = image_id.removeprefix("sha256:")
    try:
        names, texts = _read(source, {MANIFEST, INDEX, *_described(digits)})
        _require_id(texts, digits)
        _require_parts(names, json.loads(texts[MANIFEST]))
        _require_nameless(json.loads(texts.get(INDEX, "{}")))
    except (tarfile.TarError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise Incomplete(f"what the engine sent is not whole ({error!r})") from error


def _described(digits: str) -> tuple[str, str]:
    """Where an image is described, by its id, in an older and a newer layout."""
    return f"{digits}.json", f"blobs/sha256/{digits}"


def _read(source: IO[bytes], wanted: Collection[str]) -> tuple[set[str], dict[str, bytes]]:
    """The names of all members, and the texts of those that are wanted: of a large image no more is held."""
    names, texts = set[str](), dict[str, bytes]()
    with tarfile.open(fileobj=source, mode="r|", bufsize=PIECE) as tar:
        for member in tar:
            names.add(member.name)
            is_text = member.isfile() and member.name in wanted and member.size <= MOST_TEXT
            file = tar.extractfile(member) if is_text else None
            if file is not None:
                texts[member.name] = file.read()
    return names, texts


def _require_id(texts: Mapping[str, bytes], digits: str) -> None:
    """What describes it is named by its content, and so is the image."""
    found = [texts[name] for name in _described(digits) if name in texts]
    if not found or any(hashlib.sha256(text).hexdigest() != digits for text in found):
        raise Incomplete("what the engine sent is another image's")


def _require_parts(names: set[str], listed: Iterable[Mapping[str, Any]]) -> None:
    images = list(listed)
    parts = {part for image in images for part in (image["Config"], *image["Layers"])}
    if not images or not parts <= names:
        raise Incomplete("what the engine sent lacks layers")
    if any(image.get("RepoTags") for image in images):
        raise Incomplete("what the engine sent would set tags")


def _require_nameless(index: Mapping[str, Any]) -> None:
    annotations = [one.get("annotations") or {} for one in index.get("manifests") or ()]
    if any(name in found for found in annotations for name in NAMES):
        raise Incomplete("what the engine sent would set tags")
