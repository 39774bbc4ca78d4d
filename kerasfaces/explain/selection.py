"""Which images are explained: a user's files, or as many of each source of a run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

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
        decisions: `right` or `wrong` per file; empty where that was not asked for.
        note: How the files were chosen, a sentence for the report; may be empty.
    """

    files: list[Path]
    labels: list[str] = dataclasses.field(default_factory=list)
    sources: list[str] = dataclasses.field(default_factory=list)
    decisions: list[str] = dataclasses.field(default_factory=list)
    note: str = ""

    @property
    def is_from_outside(self) -> bool:
        """Whether these are a user's own files, not rows of the run's manifest."""
        return not self.labels


def choose(
    folder: Path,
    files: Sequence[Path] = (),
    *,
    split: str = "",
    n: int = 40,
    decisions: int = 0,
    seed: int = 0,
) -> Selection:
    """Return a user's files, each once, or images of the run's own.

    Without files `n` of a split (`draw`), or so many right and as many wrong decisions of
    it, by default of test (`of_decisions`).
    """
    if decisions:
        return of_decisions(folder, split or "test", decisions, seed)
    if split:
        return draw(folder, split, n, seed)
    return Selection(files=list(dict.fromkeys(files)))


def of_decisions(folder: Path, split: str, n: int = 12, seed: int = 0) -> Selection:
    """Draw `n` right and `n` wrong decisions of a run, half of each kind real, half fake.

    Where one half has too few, the other fills up.

    Raises:
        MissingFileError: The run has no predictions of the split.
        InputError: Nobody knows the folder of its images.
    """
    run = DetectorRun.open(folder)
    rows, root = run.readable(split), run.image_root
    if root is None and not all(Path(path).is_absolute() for path in rows["path"]):
        raise InputError(
            f"{folder} does not say where its images are: train it again from a manifest."
        )
    called = rows["score"] >= run.operating_point.threshold
    is_right = (called == (rows["label"] == "fake")).to_numpy()
    chosen: list[int] = []
    for right in (True, False):
        orders = []
        for label in ("real", "fake"):
            random = rng.generator(seed, "decisions", str(right), label)
            mask = (is_right == right) & (rows["label"] == label).to_numpy()
            orders.append(random.permutation(np.flatnonzero(mask)).tolist())
        real, fake = orders
        n_real = min(len(real), max(n - n // 2, n - len(fake)))
        chosen += real[:n_real] + fake[: n - n_real]
    part = rows.iloc[chosen]
    names = ["right" if is_right[at] else "wrong" for at in chosen]
    return Selection(
        files=[(root or Path()) / path for path in part["path"]],
        labels=part["label"].tolist(),
        sources=part["source"].tolist(),
        decisions=names,
        note=f"{names.count('right')} right and {names.count('wrong')} wrong decisions on "
        f"{split}, drawn with seed {seed} from {int(is_right.sum())} and "
        f"{int((~is_right).sum())}, reals and fakes alike while they last.",
    )


def draw(folder: Path, split: str, n: int, seed: int) -> Selection:
    """Draw at most `n` images of a split of a run's own manifest.

    Each source gets the same number while it lasts; a source's images follow each other.

    Raises:
        InputError: It has none.
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
