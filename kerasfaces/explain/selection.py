"""Which images are explained: a user's files, or as many of each source of a run."""

import dataclasses
from pathlib import Path

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """Images that were chosen to be explained, and why.

    Attributes:
        files: Image files.
        labels: `real` or `fake` per file; empty where nobody knows.
        sources: Camera data set or generator per file; empty where nobody knows.
        note: How the files were chosen, a sentence for the report; may be empty.
    """

    files: list[Path]
    labels: list[str] = dataclasses.field(default_factory=list)
    sources: list[str] = dataclasses.field(default_factory=list)
    note: str = ""

    @property
    def is_from_outside(self) -> bool:
        """Whether these are a user's own files, not rows of the run's manifest."""
        return not self.labels


def draw(folder: Path, split: str, n: int, seed: int) -> Selection:
    """Draw at most `n` images of a split of a run's own manifest.

    Each source gets the same number while it lasts; a source's images follow each other.

    Raises:
        InputError: The manifest has no row of that split.
    """
    run = DetectorRun(folder)
    manifest = run.manifest
    rows, files = manifest.rows, manifest.files()
    part = rows[rows["split"] == split]
    if part.empty:
        known = ", ".join(sorted(set(rows["split"]) - {""})) or "none"
        raise InputError(
            f"{run.manifest_file} has no rows of split {quoted(split)}; it has: {known}."
        )
    sources = sorted(
        set(zip(part["label"], part["source"], strict=True)),
        key=lambda pair: (pair[0] != "real", pair[1]),
    )
    turns = []
    for number, (label, source) in enumerate(sources):
        of_source = (part["label"] == label) & (part["source"] == source)
        random = rng.generator(seed, "explain", label, source)
        order = random.permutation(part.index[of_source].to_numpy())
        turns += [(turn, number, int(row)) for turn, row in enumerate(order)]
    drawn = sorted(sorted(turns)[:n], key=lambda each: each[1])
    chosen = [row for _, _, row in drawn]
    return Selection(
        files=[files[row] for row in chosen],
        labels=rows["label"].iloc[chosen].tolist(),
        sources=rows["source"].iloc[chosen].tolist(),
        note=f"Images of split {split}, drawn with seed {seed}, the same number of each "
        f"source while it lasts: {len(chosen)} of {n} asked for.",
    )
