"""A filesystem of its own under an engine's data: small, quiet, and soon full."""

import subprocess
from pathlib import Path


def mount_small_disk(image: Path, at: Path, *, size: int) -> None:
    """Mount a new filesystem of about so many bytes; whoever deletes the engine's folder unmounts it."""
    at.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(size)
    made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, check=False)
    looped = ["mount", "-o", "loop", str(image), str(at)]
    # Not every machine that runs tests has loop devices; a tmpfs fills up as well.
    if made.returncode or subprocess.run(looped, capture_output=True, check=False).returncode:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small-disk", str(at)], check=True)
