"""What became of the images asked for: how many have arrays, and why others have none."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasfaces import store
from kerasfaces.channels.hashing import Hashed

_EXAMPLES = 3
_DETAILED = {
    "cannot be decoded",
    "cannot be read",
    "decoder failed",
}  # per-file details


@dataclasses.dataclass(frozen=True)
class Summary:
    """Counts over the files asked for, whenever they were computed.

    Attributes:
        folder: The store.
        description: What the store holds, one line.
        n_images: Files asked for.
        n_computed: Of these, how many were not in the store before.
        n_ok: Of these, how many have an array.
        lost: Per reason, the files without an array.
    """

    folder: Path
    description: str
    n_images: int
    n_computed: int
    n_ok: int
    lost: Mapping[str, Sequence[Path]]

    def text(self) -> str:
        """Return a few lines for people."""
        lines = [
            f"store: {self.folder}  {self.description}",
            f"{self.n_images} images: {self.n_ok} ok, {self.n_images - self.n_ok} without "
            f"an array; computed now: {self.n_computed}",
        ]
        for reason, paths in sorted(self.lost.items(), key=lambda item: -len(item[1])):
            more = ", ..." if len(paths) > _EXAMPLES else ""
            examples = ", ".join(str(path) for path in paths[:_EXAMPLES])
            lines.append(f"  {len(paths)} {reason}: {examples}{more}")
        return "\n".join(lines)


def summarise(
    target: store.Store,
    files: Sequence[Path],
    hashed: Hashed,
    failed: Mapping[str, str],
    n_computed: int,
) -> Summary:
    """Count what the store says about every file.

    Args:
        target: The store afterwards.
        files: What was asked for.
        hashed: Its hashes.
        failed: Reasons (by sha256) of images that the store does not know about.
        n_computed: Images computed in this run.
    """
    lost: dict[str, list[Path]] = {}
    n_ok = 0
    for path, digest, unread in zip(files, hashed.digests, hashed.reasons, strict=True):
        status = unread or failed.get(digest) or target.status(digest)
        if status == store.OK:
            n_ok += 1
        else:
            lost.setdefault(_kind(status), []).append(path)
    return Summary(
        target.folder, _description(target), len(files), n_computed, n_ok, lost
    )


def _kind(reason: str) -> str:
    """Return a reason without the details that differ from file to file."""
    head = reason.partition(":")[0]
    return head if head in _DETAILED else reason


def _description(target: store.Store) -> str:
    recipe: dict[str, Any] = target.recipe
    shape = "x".join(map(str, target.shape))
    return (
        f"{shape} {target.dtype}: {', '.join(recipe['names'])} "
        f"(mask {recipe['config']['mask']})"
    )
