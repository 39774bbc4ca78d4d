"""Which images of a run's manifest are explained: as many of each source."""

from pathlib import Path

import numpy as np

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun


def of_split(
    run: Path, split: str, n: int, seed: int
) -> tuple[list[Path], list[str], list[str]]:
    """Draw images, stratified by source: each gets the same number while it lasts.

    Args:
        run: A run folder; its own manifest counts.
        split: Of the rows.
        n: How many at most.
        seed: Of the draw.

    Returns:
        Files, labels, sources; sources together.

    Raises:
        InputError: The manifest has no row of that split.
    """
    manifest = DetectorRun(run).manifest
    rows, files = manifest.rows, manifest.files()
    chosen = np.flatnonzero((rows["split"] == split).to_numpy())
    if not len(chosen):
        known = ", ".join(sorted(set(rows["split"]) - {""})) or "none"
        raise InputError(
            f"{DetectorRun(run).manifest_file} has no rows of split {quoted(split)}; it has: {known}."
        )
    groups: dict[tuple[str, str], list[int]] = {}
    for place in chosen.tolist():
        key = str(rows["label"].iloc[place]), str(rows["source"].iloc[place])
        groups.setdefault(key, []).append(place)
    drawn = {
        key: rng.generator(seed, "explain", *key).permutation(groups[key]).tolist()
        for key in sorted(groups, key=lambda key: (key[0] != "real", key[1]))
    }
    quota = dict.fromkeys(drawn, 0)
    while sum(quota.values()) < min(n, len(chosen)):
        open_ = [key for key in drawn if quota[key] < len(drawn[key])]
        for key in open_[: n - sum(quota.values())]:
            quota[key] += 1
    taken = [place for key in drawn for place in drawn[key][: quota[key]]]
    return (
        [files[place] for place in taken],
        rows["label"].iloc[taken].tolist(),
        rows["source"].iloc[taken].tolist(),
    )
