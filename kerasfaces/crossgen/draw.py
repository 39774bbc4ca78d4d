"""A split manifest -> one manifest per training set, all training sets of one size.

Whether training on many generators helps is only seen where "many" does not also mean
"more images": each set holds as many fakes as the others, in equal shares of its
generators. The real images are the same in all of them. What a seed draws of a source
comes in one order, so that a smaller share is part of a larger one.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.manifest import split_problems

if TYPE_CHECKING:
    import pandas as pd

    from kerasfaces.manifest import Manifest

_VAL_REALS = 100  # below it a threshold for 1 % false alarms is a guess


@dataclasses.dataclass(frozen=True)
class Size:
    """How many images a training set holds.

    Attributes:
        train: Fakes to train on, and as many reals; None keeps all there are.
        val: Fakes to validate on; None keeps all.
    """

    train: int | None
    val: int | None


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One training set, with everything it is tested on.

    Attributes:
        manifest: Its rows: train, val, and all test rows of the plan.
        taken: Split -> source -> images taken.
    """

    manifest: "Manifest"
    taken: Mapping[str, Mapping[str, int]]


def equal_size(
    splits: Sequence["pd.DataFrame"], generators: Sequence[str], wanted: int | None
) -> Size:
    """Return the size at which every training set of every seed can be filled.

    Args:
        splits: Each seed's rows.
        generators: Those that are trained on alone or together.
        wanted: Fakes per training set; None is the smallest generator's.

    Raises:
        InputError: `wanted` is not a usable number, or nothing can be trained on.
    """
    if wanted is not None and wanted < 2:
        raise InputError(f"`size`: expected at least 2, got {wanted}.")
    counts = {
        name: [
            min(_count(rows, split, name) for rows in splits)
            for split in ("train", "val")
        ]
        for name in generators
    }
    usable = [(n, n_val) for n, n_val in counts.values() if n >= 2 and n_val >= 1]
    if not usable:
        raise InputError(
            "No generator has both training and validation images. "
            + split_problems.cut_anew()
        )
    return Size(wanted or min(n for n, _ in usable), min(n for _, n in usable))


def problem(
    splits: Sequence["pd.DataFrame"], sources: Sequence[str], size: Size
) -> str | None:
    """Return why a training set cannot be filled, as `not run: ...`; None if it can."""
    for rows in splits:
        n = {
            split: sum(_count(rows, split, name) for name in sources)
            for split in ("train", "val")
        }
        if n["train"] < max(size.train or 0, 2):
            return f"not run: {n['train']} training images"
        if n["val"] < 1:
            return "not run: 0 validation images"
    return None


def draw(
    manifest: "Manifest",
    sources: Sequence[str],
    tested: Sequence[str],
    size: Size,
    seed: int,
) -> Drawn:
    """Return the rows of one training set.

    Args:
        manifest: Rows with splits.
        sources: Generators to train on.
        tested: Generators whose test rows every run scores.
        size: Images per training set.
        seed: Of the draw.
    """
    rows = manifest.rows
    keep = np.zeros(len(rows), dtype=bool)
    test = (rows["split"] == "test").to_numpy()
    real = (rows["label"] == "real").to_numpy()
    keep |= test & (real | rows["source"].isin(tested).to_numpy())
    cameras = sorted(set(rows.loc[real, "source"]))
    n_val_real = None if size.val is None else max(size.val, _VAL_REALS)
    taken: dict[str, dict[str, int]] = {}
    for split, n_fake, n_real in (
        ("train", size.train, size.train),
        ("val", size.val, n_val_real),
    ):
        taken[split] = {}
        for names, n in ((cameras, n_real), (sources, n_fake)):
            counts = {name: _count(rows, split, name) for name in names}
            for name, share in shares(counts, n).items():
                keep[_order(rows, split, name, seed)[:share]] = True
                taken[split][name] = share
    return Drawn(manifest.take(keep.tolist()), taken)


def shares(counts: Mapping[str, int], n: int | None) -> dict[str, int]:
    """Return how many images each source gives, as equal as can be, `n` in all.

    A source that has less than its share gives all it has, and the others make up for
    it. None, or more than there are, takes everything.

    Example:
        >>> shares({"a": 100, "b": 100, "c": 5}, 60)
        {'a': 28, 'b': 27, 'c': 5}
    """
    if n is None or n >= sum(counts.values()):
        return dict(counts)
    given = dict.fromkeys(counts, 0)
    while (left := n - sum(given.values())) > 0:
        open_ = [name for name in counts if given[name] < counts[name]]
        each, more = divmod(left, len(open_))
        for number, name in enumerate(open_):
            wanted = each + (number < more)
            given[name] += min(wanted, counts[name] - given[name])
    return given


def _count(rows: "pd.DataFrame", split: str, source: str) -> int:
    return int(((rows["split"] == split) & (rows["source"] == source)).sum())


def _order(
    rows: "pd.DataFrame", split: str, source: str, seed: int
) -> NDArray[np.int64]:
    """Return the positions of a source's rows in the seed's order, by content."""
    mask = ((rows["split"] == split) & (rows["source"] == source)).to_numpy()
    members = np.flatnonzero(mask)
    members = members[np.argsort(rows["path"].to_numpy()[members], kind="stable")]
    random = rng.generator(seed, "crossgen", split, source)
    return np.asarray(random.permutation(members), dtype=np.int64)
