"""Rows with attributes -> the rows, or the weights, that give every class its share.

Each label is balanced by itself and alike. Rows without one of the attributes, and rows
whose class is in no ratio, are left out of a choice and counted.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import listed
from kerasfaces.manifest.attribute_quotas import Cell, Shares, quotas, weights
from kerasfaces.manifest.ratios import Ratio
from kerasfaces.manifest.table import LABELS, Manifest, column

WEIGHT = "weight"
Bools = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Choice:
    """What came of wanted ratios.

    Attributes:
        manifest: The chosen rows, or all with the column `weight`.
        table: Per label, attribute and class: `wanted` share, `available` images, `chosen`
            (images, or the sum of weights), `share` that they are, and `short`, how many
            images too few (0 where less than one).
        notes: What was made of ratios, left out or not met, in sentences.
    """

    manifest: Manifest
    table: pd.DataFrame
    notes: tuple[str, ...]


def choose(
    manifest: Manifest,
    ratios: Sequence[Ratio],
    n: int,
    *,
    pairs: bool = False,
    seed: int = 0,
) -> Choice:
    """Choose `n` rows, as many real as fake where both are there.

    Args:
        manifest: Rows with the attributes.
        ratios: What is wanted.
        n: Rows in all.
        pairs: Choose among the reals that have a fake of their `pair_id`, and take one of
            those fakes along with each, whatever its own attributes.
        seed: Key of the draw; the order of rows does not matter.

    Raises:
        InputError: An attribute or a class is missing, or a label has no row with all of
            them.
    """
    if n < 1:
        raise InputError(f"n: expected at least 1 image, got {n}.")
    rows = manifest.rows
    known, cells, shares, notes = _prepared(rows, ratios)
    labels = ["real"] if pairs else sorted(set(rows["label"]), key=LABELS.index)
    fakes = _fakes_of_pairs(rows) if pairs else {}
    if pairs:
        paired = rows[known & (rows["label"] == "real") & rows["pair_id"].isin(fakes)]
        firsts = paired.sort_values("path").drop_duplicates("pair_id").index
        known = rows.index.isin(firsts)
    order = rng.generator(seed, "choice by attributes").permutation(len(rows))
    order = np.argsort(rows["path"].to_numpy(dtype=object), kind="stable")[order]
    taken: list[int] = []
    lines: list[Json] = []
    for position, label in enumerate(labels):
        share_of_n = (n + (not position)) // 2 if pairs or len(labels) > 1 else n
        usable = known & (rows["label"] == label).to_numpy()
        _require(usable, label, ratios, pairs)
        available = Counter(cells[at] for at in np.flatnonzero(usable))
        wanted = quotas(available, shares, share_of_n)
        left = Counter(wanted)
        for at in order.tolist():
            if usable[at] and left[cells[at]] > 0:
                left[cells[at]] -= 1
                taken.append(at)
        lines += _lines(label, shares, available, wanted, share_of_n)
        if sum(wanted.values()) < share_of_n:
            notes.append(
                f"{label}: {share_of_n:,} images were asked for and {sum(wanted.values()):,} "
                "have all attributes."
            )
    if pairs:
        random = rng.generator(seed, "fake of a pair")
        mates = sorted(taken, key=lambda at: rows["path"].iloc[at])
        taken += [int(random.choice(fakes[rows["pair_id"].iloc[at]])) for at in mates]
    table = pd.DataFrame(lines)
    keep = np.isin(np.arange(len(rows)), taken)
    return Choice(manifest.take(pd.Series(keep)), table, (*notes, *_unmet(table)))


def weigh(manifest: Manifest, ratios: Sequence[Ratio]) -> Choice:
    """Return all rows with a column `weight` that gives every class its share.

    Weights have mean 1 within each label; rows without one of the attributes weigh 1.

    Raises:
        InputError: See `choose`.
    """
    rows = manifest.rows
    known, cells, shares, notes = _prepared(rows, ratios)
    weight = np.ones(len(rows))
    lines: list[Json] = []
    for label in sorted(set(rows["label"]), key=LABELS.index):
        usable = known & (rows["label"] == label).to_numpy()
        _require(usable, label, ratios, pairs=False)
        inside = np.flatnonzero(usable)
        available = Counter(cells[at] for at in inside)
        each = weights(available, shares)
        weight[inside] = [each[cells[at]] for at in inside]
        sums = {cell: each[cell] * count for cell, count in available.items()}
        lines += _lines(label, shares, available, sums, len(inside))
        own = weight[inside]
        effective = own.sum() ** 2 / (own**2).sum()
        notes.append(
            f"{label}: {len(inside):,} images weigh as {effective:,.0f} alike would; the "
            f"heaviest weighs {own.max():.1f}, the lightest {own.min():.2f}."
        )
    table = pd.DataFrame(lines)
    text = [f"{value:.6g}" for value in weight]
    weighed = dataclasses.replace(manifest, rows=rows.assign(**{WEIGHT: text}))
    return Choice(weighed, table, (*notes, *_unmet(table)))


def _prepared(
    rows: pd.DataFrame, ratios: Sequence[Ratio]
) -> tuple[Bools, list[tuple[str, ...]], dict[str, dict[str, float]], list[str]]:
    """Return which rows have all attributes, their cells, the shares, and notes."""
    if not ratios:
        raise InputError("balance: expected a preset or at least one ratio.")
    names = [ratio.column(rows) for ratio in ratios]
    if len(set(names)) < len(names):
        raise InputError(f"each attribute needs one ratio; got {listed(names)}.")
    for ratio in ratios:
        ratio.require_classes(rows)
    values = [ratio.values(rows) for ratio in ratios]
    cells = list(zip(*values, strict=True))
    known = np.array([all(cell) for cell in cells], dtype=bool)
    usable = [[v for v, k in zip(each, known, strict=True) if k] for each in values]
    shares = {
        name: ratio.normalised(each)
        for name, ratio, each in zip(names, ratios, usable, strict=True)
    }
    notes = [ratio.note(each) for ratio, each in zip(ratios, usable, strict=True)]
    if n := int((~known).sum()):
        counts = Counter(rows["label"][~known])
        notes.append(
            f"{n:,} of {len(rows):,} images lack an attribute, or their class is in no ratio "
            f"({counts['real']:,} real, {counts['fake']:,} fake)."
        )
    return known, cells, shares, [note for note in notes if note]


def _require(usable: Bools, label: str, ratios: Sequence[Ratio], pairs: bool) -> None:
    if not usable.any():
        names = listed([ratio.attribute for ratio in ratios])
        which = "with a fake of its `pair_id` " if pairs else ""
        other = "" if pairs else ", or choose among one label (`label=real`)"
        raise InputError(
            f"no {label} image {which}has all of {names}. Give them attributes (`kerasfaces "
            f"annotate`) or ask for fewer ratios{other}."
        )


def _fakes_of_pairs(rows: pd.DataFrame) -> dict[str, list[int]]:
    """Return pair -> positions of its fakes, in the order of their paths."""
    fakes: dict[str, list[int]] = {}
    ids, fake = column(rows, "pair_id"), (rows["label"] == "fake").to_numpy()
    for at in np.argsort(rows["path"].to_numpy(dtype=object), kind="stable").tolist():
        if fake[at] and ids[at]:
            fakes.setdefault(ids[at], []).append(at)
    if not fakes:
        raise InputError(
            "pairs: no fake has a `pair_id`; without pairs both labels are balanced."
        )
    if "real" not in set(rows["label"]):
        raise InputError(
            "pairs: real images are chosen and fakes follow them, and there is no real one; "
            "join the reals (`kerasfaces manifest join`), or balance without pairs."
        )
    return fakes


def _lines(
    label: str,
    shares: Shares,
    available: Mapping[Cell, int],
    chosen: Mapping[Cell, float],
    n: int,
) -> list[Json]:
    """Return the lines of a label: what was wanted of `n` images, and what was chosen."""
    lines = []
    for position, (name, values) in enumerate(shares.items()):
        for value, share in values.items():
            n_available, n_chosen = (
                sum(count for cell, count in each.items() if cell[position] == value)
                for each in (available, chosen)
            )
            lacking = share * n - n_chosen
            lines.append(
                {
                    "label": label,
                    "attribute": name,
                    "class": value,
                    "wanted": share,
                    "available": n_available,
                    "chosen": n_chosen,
                    "share": n_chosen / max(1e-9, sum(chosen.values())),
                    "short": lacking if lacking >= 1 else 0.0,
                }
            )
    return lines


def _unmet(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each class that falls short of what was wanted."""
    sentences = []
    for row in table[table["short"] > 0].to_dict("records"):
        available = f"{row['available']:,} images have" if row["available"] else ""
        sentences.append(
            f"{row['label']}, {row['attribute']} {row['class']}: "
            f"{row['short'] + row['chosen']:,.0f} wanted, {row['chosen']:,.0f} chosen; "
            f"{available or 'no image has'} it."
        )
    return sentences
