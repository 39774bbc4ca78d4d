"""A manifest -> one split per seed -> one manifest per training set, all of one size.

No image is on two sides of a split, and all training sets share it. A manifest that has
splits keeps them; another is split 5:1:1 anew by every seed, by the manifest's own rules
(pairs, identities and near-duplicates together).

Whether training on many generators helps is only seen where "many" does not also mean
"more images": each set holds as many fakes as the others, in equal shares of its
generators. The real images are the same in all of them. What a seed draws of a source
comes in one order, so that a smaller share is part of a larger one.
"""

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import Manifest, file_facts, groups, split, split_problems
from kerasfaces.run.folder import MatrixRun

logger = logging.getLogger(__name__)
RATIO = (5.0, 1.0, 1.0)
_VAL_REALS = 100  # below it a threshold for 1 % false alarms is a guess


@dataclasses.dataclass(frozen=True)
class Size:
    """How many images a training set holds; None keeps all there are."""

    train: int | None  # fakes to train on, and as many reals
    val: int | None  # fakes to validate on


@dataclasses.dataclass(frozen=True)
class TrainingSet:
    """The images of one training, with everything it is tested on."""

    manifest: Manifest  # its rows: train, val, and all test rows of the plan
    taken: Mapping[str, Mapping[str, int]]  # split -> source -> images taken


def has_splits(manifest: Manifest) -> bool:
    """Tell whether the rows have splits.

    Raises:
        InputError: Some have and some have not, or training lacks a split or a class.
    """
    split_problems.require_trainable(manifest.rows)
    return bool((manifest.rows["split"] != "").all())


def splits(
    manifest: Manifest, seeds: Sequence[int], folder: Path
) -> dict[int, Manifest]:
    """Return seed -> split manifest, each made once and kept in `folder/splits`.

    Raises:
        InputError: The manifest's own splits share images or people.
    """
    run = MatrixRun(folder)
    if not run.unsplit_file.exists():
        manifests.write(file_facts.complete(manifest)[0], run.unsplit_file)
    hashed = manifests.read(run.unsplit_file)
    if has_splits(manifest):
        check_apart(hashed)
        return dict.fromkeys(seeds, hashed)
    by_seed = {}
    for seed in seeds:
        path = run.split_file(seed)
        if not path.exists():
            assigned = split.assign(hashed, RATIO, seed)
            moved = {rule: n for rule, n in assigned.moved.items() if n}
            logger.info("split of seed %d: rows moved by %s", seed, moved or "no rule")
            manifests.write(assigned.manifest, path)
        by_seed[seed] = manifests.read(path)
    return by_seed


def check_apart(manifest: Manifest) -> None:
    """Refuse splits that share an image, a pair, a person or a near-duplicate.

    Raises:
        InputError: With the rule, how often, and the first two rows.
    """
    sides, paths = list(manifest.rows["split"]), list(manifest.rows["path"])
    for rule, pairs in groups.edges(manifest, split.NEAR_DUPLICATES).items():
        torn = [(a, b) for a, b in pairs.tolist() if sides[a] != sides[b]]
        if torn:
            first, second = torn[0]
            raise InputError(
                f"The splits share images: {len(torn)} times {rule.replace('_', ' ')} joins "
                f"rows of different splits, first {quoted(paths[first])} ({sides[first]}) and "
                f"{quoted(paths[second])} ({sides[second]}). {split_problems.torn_apart()}"
            )


def equal_size(
    split_rows: Sequence[pd.DataFrame], generators: Sequence[str], wanted: int | None
) -> Size:
    """Return the size at which every training set of every seed can be filled.

    `wanted` fakes per training set; None is as many as the smallest generator has.

    Raises:
        InputError: Nothing can be trained on.
    """
    counts = [
        [
            min(count(rows, name, part) for rows in split_rows)
            for part in ("train", "val")
        ]
        for name in generators
    ]
    usable = [(n, n_val) for n, n_val in counts if n >= 2 and n_val >= 1]
    if not usable:
        raise InputError(
            "No generator has both training and validation images. "
            + split_problems.cut_anew()
        )
    return Size(wanted or min(n for n, _ in usable), min(n for _, n in usable))


def check_size(
    split_rows: Iterable[pd.DataFrame],
    training_sets: Iterable[Sequence[str]],
    wanted: int | None,
) -> None:
    """Refuse a size that no training set reaches; rows without a split may all be trained on.

    Raises:
        InputError: With the fakes of the largest training set.
    """
    tables = [rows[rows["split"].isin(["", "train"])] for rows in split_rows]
    most = max(
        min(int(rows["source"].isin(names).sum()) for rows in tables)
        for names in map(list, training_sets)
    )
    if wanted is not None and most < wanted:
        raise InputError(
            f"`size`: expected at most {most:,}, got {wanted:,}: the largest training set has "
            "no more fakes. Leave it out for as many as the smallest generator has."
        )


def problem(
    split_rows: Sequence[pd.DataFrame], sources: Sequence[str], size: Size
) -> str | None:
    """Return why a training set cannot be filled, as `not run: ...`; None if it can."""
    for rows in split_rows:
        n_train, n_val = (
            sum(count(rows, name, part) for name in sources)
            for part in ("train", "val")
        )
        if n_train < max(size.train or 0, 2):
            return f"not run: {n_train} training images"
        if n_val < 1:
            return "not run: 0 validation images"
    return None


def draw(
    manifest: Manifest,
    sources: Sequence[str],
    tested: Sequence[str],
    size: Size,
    seed: int,
) -> TrainingSet:
    """Return what a seed draws of `sources`, with the test rows of `tested` generators."""
    rows = manifest.rows
    real = (rows["label"] == "real").to_numpy()
    test = (rows["split"] == "test").to_numpy()
    keep = test & (real | rows["source"].isin(tested).to_numpy())
    cameras = sorted(set(rows.loc[real, "source"]))
    n_val_real = None if size.val is None else max(size.val, _VAL_REALS)
    taken: dict[str, dict[str, int]] = {"train": {}, "val": {}}
    for part, names, n in (
        ("train", cameras, size.train),
        ("train", sources, size.train),
        ("val", cameras, n_val_real),
        ("val", sources, size.val),
    ):
        for name, share in shares({s: count(rows, s, part) for s in names}, n).items():
            keep[_order(rows, part, name, seed)[:share]] = True
            taken[part][name] = share
    return TrainingSet(manifest.take(keep.tolist()), taken)


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
    share_of = dict.fromkeys(counts, 0)
    while (left := n - sum(share_of.values())) > 0:
        open_ = [name for name in counts if share_of[name] < counts[name]]
        each, more = divmod(left, len(open_))
        for number, name in enumerate(open_):
            wanted = each + (number < more)
            share_of[name] += min(wanted, counts[name] - share_of[name])
    return share_of


def count(rows: pd.DataFrame, source: str, part: str) -> int:
    """Return the number of images of a source in a split."""
    return int(((rows["split"] == part) & (rows["source"] == source)).sum())


def _order(rows: pd.DataFrame, part: str, source: str, seed: int) -> NDArray[np.int64]:
    """Return the positions of a source's rows in the seed's order, by content."""
    mask = ((rows["split"] == part) & (rows["source"] == source)).to_numpy()
    members = np.flatnonzero(mask)
    members = members[np.argsort(rows["path"].to_numpy()[members], kind="stable")]
    random = rng.generator(seed, "crossgen", part, source)
    return np.asarray(random.permutation(members), dtype=np.int64)
