"""Rows without splits -> train, val, test: stratified, groups kept whole.

First a plain stratified split: each (label, source) is cut in the wanted ratio in an
order drawn from the seed and the images' content. Then, rule by rule, each group of rows
that belong together follows one of its rows, drawn from the seed. Last, whole groups
change sides until no single change brings the shares nearer to the ratio. `moved` counts
the rows whose split each of these steps changed. The order of the rows does not matter.
"""

import dataclasses
import hashlib
import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import file_facts, groups, split_problems
from kerasfaces.manifest.balance import Balance, Strata, quotas
from kerasfaces.manifest.table import LABELS, SPLITS, Manifest, column

logger = logging.getLogger(__name__)

RATIO = (5.0, 1.0, 1.0)
# Of 256 bits. Copies re-encoded (JPEG 20) or halved differ by at most 9, brightened ones
# by 12 in 90 %; among 11 million pairs of distinct aligned faces none differ by < 25.
NEAR_DUPLICATES = 16


@dataclasses.dataclass(frozen=True)
class SplitResult:
    """A split manifest, with the facts of its files if they were compared, and what was done."""

    manifest: Manifest
    moved: dict[str, int]  # per rule of `groups`, and `balance`: rows that moved
    n_groups: dict[str, int]  # per rule: groups of two or more rows it makes by itself
    largest_group: int  # rows, all rules together
    n_unreadable: int  # files that could not be compared with others


def if_needed(manifest: Manifest) -> Manifest:
    """Split a manifest that has no splits 5:1:1, seed 0; refuse one that is half split."""
    split_problems.require_trainable(manifest.rows)
    if (manifest.rows["split"] != "").all():
        return manifest
    logger.info("the manifest has no splits: splitting 5:1:1 with seed 0")
    split_problems.require_classes(manifest.rows, "the manifest", 3)
    return assign(manifest, (5, 1, 1), seed=0).manifest


def split(
    manifest: Manifest,
    ratio: Sequence[float] = RATIO,
    seed: int = 0,
    near_duplicates: int | None = NEAR_DUPLICATES,
    *,
    validation_from: str | None = None,
    overwrite: bool = False,
) -> SplitResult:
    """Split a manifest that has no splits as `assign` does, or cut a missing validation split.

    `validation_from="train"` cuts validation rows from the training rows, and no other row
    moves; `overwrite` replaces the splits that rows have.

    Raises:
        InputError: Rows have a split already, or see `assign`.
    """
    if validation_from not in (None, "train"):
        raise InputError(
            f"`validation_from`: expected 'train', got {quoted(validation_from)}."
        )
    if validation_from:
        if overwrite:
            raise InputError(
                "`validation_from` changes no split but train; leave `overwrite` out."
            )
        return cut_validation(manifest, ratio, seed, near_duplicates)
    if (manifest.rows["split"] != "").any() and not overwrite:
        raise InputError(split_problems.already_split(manifest.rows))
    return assign(manifest, ratio, seed, near_duplicates)


def assign(
    manifest: Manifest,
    ratio: Sequence[float] = RATIO,
    seed: int = 0,
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> SplitResult:
    """Split a manifest anew; splits it has are ignored.

    Args:
        manifest: Rows to split.
        ratio: Shares of train, val, test; two numbers are train and test.
        seed: Another seed gives another split.
        near_duplicates: Bits (of 256) by which perceptual hashes of one picture may
            differ; 0 finds only equal hashes; None does not look at the images.

    Raises:
        InputError: A class has too few groups for all splits, or the ratio or distance
            cannot be used.
    """
    names, shares = _shares(ratio)
    n_unreadable = 0
    if near_duplicates is not None:
        if not 0 <= near_duplicates <= groups.MAX_DISTANCE:
            raise InputError(
                f"`near_duplicates`: expected a distance of 0..{groups.MAX_DISTANCE} bits, got "
                f"{near_duplicates}."
            )
        manifest, n_unreadable = file_facts.complete(manifest)
    rows = manifest.rows
    strata = _strata(rows)
    splits = _plain(rows, strata, shares, seed)
    moved, n_groups = {}, {}
    joined, members = [], np.arange(len(rows))
    for rule, pairs in groups.edges(manifest, near_duplicates).items():
        joined.append(pairs)
        members = groups.join(len(rows), joined)
        followed = _follow(rows, splits, members, seed) if len(pairs) else splits
        moved[rule] = int((followed != splits).sum())
        sizes = np.bincount(groups.join(len(rows), [pairs]))
        n_groups[rule] = int((sizes > 1).sum())
        splits = followed
    _check_classes(rows, members, int((shares > 0).sum()))
    order = _order(rows, seed, "balance")
    balanced = Balance(strata, members, splits, shares, order).solve()
    moved["balance"] = int((balanced != splits).sum())
    splits_by_name = [names[split] for split in balanced]
    _check_covered(rows, splits_by_name)
    return SplitResult(
        manifest=manifest.assign(split=splits_by_name),
        moved=moved,
        n_groups=n_groups,
        largest_group=int(np.bincount(members).max()),
        n_unreadable=n_unreadable,
    )


def cut_validation(
    manifest: Manifest,
    ratio: Sequence[float] = RATIO,
    seed: int = 0,
    near_duplicates: int | None = NEAR_DUPLICATES,
) -> SplitResult:
    """Make part of the training rows the validation split; no other row changes.

    The first two numbers of `ratio` are the shares of train and val.

    Raises:
        InputError: Rows have no split, there is a val split, or a class has too few
            training rows.
    """
    counts = manifest.rows["split"].value_counts()
    if counts.get("", 0) or counts.get("val", 0) or not counts.get("train", 0):
        shown = ", ".join(f"{n} {name or 'without'}" for name, n in counts.items())
        raise InputError(
            "validation is cut from train where every row has a split and none is val; "
            f"these {len(manifest)} rows are {shown}."
        )
    if near_duplicates is not None:
        manifest, _ = file_facts.complete(manifest)
    train = (manifest.rows["split"] == "train").to_numpy()
    result = assign(
        manifest.take(train.tolist()), (*ratio[:2], 0), seed, near_duplicates
    )
    splits = manifest.rows["split"].to_numpy(dtype=object).copy()
    splits[train] = result.manifest.rows["split"].to_numpy(dtype=object)
    return dataclasses.replace(result, manifest=manifest.assign(split=splits))


def parse_ratio(text: str) -> tuple[float, ...]:
    """Parse `5:1:1`, `80/10/10` or `80/20`."""
    try:
        ratio = tuple(float(part) for part in text.replace("/", ":").split(":"))
    except ValueError:
        ratio = ()
    if len(ratio) not in (2, 3):
        raise InputError(
            f"ratio {quoted(text)}: expected train:val:test such as 5:1:1 or 80/10/10, or "
            "train:test such as 80/20."
        )
    return ratio


def _shares(ratio: Sequence[float]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the names of the parts and their shares, which sum to 1."""
    values = np.asarray(ratio, dtype=np.float64)
    names = ("train", "test") if values.size == 2 else SPLITS
    usable = values.size == len(names) and np.isfinite(values).all()
    if not usable or values.min() < 0 or values[0] <= 0 or (values > 0).sum() < 2:
        raise InputError(
            f"ratio {':'.join(f'{value:g}' for value in values)}: expected two or three "
            "numbers (train:val:test or train:test), none negative, train and another "
            "above 0."
        )
    return names, values / values.sum()


def _strata(rows: pd.DataFrame) -> Strata:
    pairs = list(zip(rows["label"], rows["source"], strict=True))
    numbers = {pair: i for i, pair in enumerate(sorted(set(pairs)))}
    return Strata(
        of_row=np.array([numbers[pair] for pair in pairs], dtype=np.int64),
        labels=np.array([LABELS.index(label) for label, _ in numbers], dtype=np.int64),
    )


def _plain(
    rows: pd.DataFrame, strata: Strata, shares: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """Return the split of each row when nothing need stay together."""
    wanted = quotas(np.bincount(strata.of_row), strata.labels, shares)
    splits = np.empty(len(rows), dtype=np.int64)
    order = _order(rows, seed, "plain")
    for stratum, counts in enumerate(wanted):
        members = order[strata.of_row[order] == stratum]
        splits[members] = np.repeat(np.arange(len(shares)), counts)
    return splits


def _follow(
    rows: pd.DataFrame, splits: NDArray[np.int64], members: groups.Rows, seed: int
) -> NDArray[np.int64]:
    """Let every group follow the row that the seed puts first."""
    order = _order(rows, seed, "leader")
    _, first = np.unique(members[order], return_index=True)
    return splits[order[first]][members]


def _order(rows: pd.DataFrame, seed: int, purpose: str) -> NDArray[np.int64]:
    """Return the row numbers in a random order that depends on contents, not on places."""
    keys = [
        hashlib.sha256(f"{seed}\0{purpose}\0{key or path}".encode()).hexdigest() + path
        for key, path in zip(column(rows, "sha256"), rows["path"], strict=True)
    ]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def _check_classes(rows: pd.DataFrame, members: groups.Rows, n_splits: int) -> None:
    for label in LABELS:
        mask = (rows["label"] == label).to_numpy()
        count, n_groups = int(mask.sum()), len(np.unique(members[mask]))
        if not count:
            raise InputError(
                f"there is no {label} image among {len(rows)}; a detector needs both classes "
                "in every split."
            )
        if n_groups < n_splits:
            joined = f" in {n_groups} groups" if count > n_groups else ""
            raise InputError(
                f"{count} {label} image{'' if count == 1 else 's'}{joined} cannot be split "
                f"into {n_splits} parts; expected at least {n_splits} groups of each class. "
                "Add images."
            )


def _check_covered(rows: pd.DataFrame, splits: Sequence[str]) -> None:
    """Refuse a split that leaves a class out, though there are groups enough for all."""
    covered = set(zip(splits, rows["label"], strict=True))
    for split in sorted(set(splits), key=SPLITS.index):
        for label in LABELS:
            if (split, label) not in covered:
                raise InputError(
                    f"{split} would have no {label} image: what belongs together (pairs, "
                    f"identities, near-duplicates) cannot be split into parts that all have "
                    "both classes. Use another ratio or seed, or add images."
                )


def rows_in(manifest: Manifest, split: str | None) -> NDArray[np.int64]:
    """Return the positions of a split's rows; of all rows where none is asked for or known.

    Raises:
        InputError: No row is in it.
    """
    if not split or (manifest.rows["split"] == "").all():
        return np.arange(len(manifest))
    positions = np.flatnonzero((manifest.rows["split"] == split).to_numpy())
    if not len(positions):
        raise InputError(f"The manifest has no rows in split {quoted(split)}.")
    return positions
