"""A recipe and a folder -> rows, chosen and balanced, and what each source lacks."""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.manifest.attribute_quotas import quotas
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.image_files import images_below
from kerasfaces.manifest.recipe import Recipe, Source
from kerasfaces.manifest.table import LABELS, Manifest, absolute_folder

logger = logging.getLogger(__name__)


class SourceCount(NamedTuple):
    """How many images of a source are below the root, and how many were chosen."""

    source: Source
    n_available: int
    n_chosen: int


def assemble(
    recipe: Recipe, root: Path, attributes: Attributes | None = None
) -> tuple[Manifest, list[SourceCount]]:
    """Choose a recipe's images among those below `root`, and report on each source.

    Without `attributes` nothing is balanced by them, with a warning.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A class has no images at all; the message names what is missing and
            where to get it.
    """
    if not root.is_dir():
        raise MissingFileError(
            f"{root} is no folder; expected the data's folder (`root`)."
        )
    root = absolute_folder(root)
    tables = {source.name: _find(source, root, attributes) for source in recipe.source}
    _refuse_empty(recipe, tables, root)
    chosen: dict[str, pd.DataFrame] = {}
    for source in sorted(recipe.source, key=lambda source: bool(source.follows)):
        table = tables[source.name]
        if source.follows and len(tables[source.follows]):
            partners = chosen[source.follows]["pair_id"]
            table = table[table["pair_id"].isin(partners)]
        chosen[source.name] = _choose(recipe, source, table)
    _equalise(recipe, chosen)
    parts = [chosen[source.name] for source in recipe.source]
    rows = pd.concat(parts, ignore_index=True).fillna("")
    if not any(source.pair_by for source in recipe.source):
        rows = rows.drop(columns="pair_id")
    report = [
        SourceCount(source, len(tables[source.name]), len(chosen[source.name]))
        for source in recipe.source
    ]
    return Manifest(rows.astype(str), root), report


def _find(source: Source, root: Path, attributes: Attributes | None) -> pd.DataFrame:
    files: dict[Path, None] = {}
    for pattern in source.folders:
        for folder in sorted(root.glob(pattern)):
            if folder.is_dir():
                files |= dict.fromkeys(images_below(folder))
    table = pd.DataFrame(
        {
            "path": [str(file.relative_to(root)) for file in files],
            "label": source.label,
            "source": source.name,
            "split": "",
            "pair_id": [_pair_id(source, file.stem) for file in files],
        },
        dtype=str,
    )
    return attributes.join(table) if attributes else table


def _pair_id(source: Source, stem: str) -> str:
    if source.pair_separator:
        stem = stem.partition(source.pair_separator)[0]
    return stem if source.pair_by else ""


def _refuse_empty(recipe: Recipe, tables: dict[str, pd.DataFrame], root: Path) -> None:
    for label in ("real", "fake"):
        sources = [source for source in recipe.source if source.label == label]
        if not any(len(tables[source.name]) for source in sources):
            where = "; ".join(
                f"{source.name} in {' or '.join(source.folders)} (from {source.url})"
                for source in sources
            )
            raise InputError(f"{root} has no {label} images of {recipe.name}: {where}.")


def _choose(recipe: Recipe, source: Source, table: pd.DataFrame) -> pd.DataFrame:
    """Take the wanted number of images, balanced by attributes where the recipe says so."""
    want = source.want or len(table)
    shares = recipe.shares() if source.name in recipe.balance else {}
    lacking = [name for name in shares if name not in table]
    if lacking:
        logger.warning(
            "%s is not balanced by %s: no such columns. Give them with `attributes=TABLE`.",
            source.name,
            ", ".join(lacking),
        )
    if lacking or not shares or table.empty:
        return _sample(table, want, recipe.seed)
    spellings = recipe.spellings()
    values = pd.DataFrame(
        {name: table[name].map(spellings[name]).fillna("") for name in shares}
    )
    known = (values != "").all(axis=1)
    if not known.all():
        logger.warning(
            "%s: %d of %d images are left out because an attribute is unknown",
            source.name,
            int((~known).sum()),
            len(table),
        )
    table, values = table[known], values[known]
    if table.empty:
        return table
    cells = list(values.itertuples(index=False, name=None))
    wanted = quotas(Counter(cells), shares, want)
    picked = [
        _sample(table[[each == cell for each in cells]], n, recipe.seed)
        for cell, n in wanted.items()
    ]
    return pd.concat(picked).sort_index()


def _sample(table: pd.DataFrame, n: int, seed: int) -> pd.DataFrame:
    """Return `n` rows, or all if fewer, chosen by seed and path, in their order."""
    if n >= len(table):
        return table
    keys = [
        hashlib.sha256(f"{seed}\0{path}".encode()).digest() for path in table["path"]
    ]
    chosen = sorted(range(len(keys)), key=keys.__getitem__)[:n]
    return table.iloc[sorted(chosen)]


def _equalise(recipe: Recipe, chosen: dict[str, pd.DataFrame]) -> None:
    """Cut to the smallest generator, then to the smaller class, as the recipe asks."""
    there = [source for source in recipe.source if len(chosen[source.name])]
    reals, fakes = ([s.name for s in there if s.label == label] for label in LABELS)
    if recipe.equal_generators:
        least = min(len(chosen[name]) for name in fakes)
        for name in fakes:
            chosen[name] = _sample(chosen[name], least, recipe.seed)
    if recipe.equal_classes:
        total = min(sum(len(chosen[name]) for name in part) for part in (reals, fakes))
        for part in (reals, fakes):
            sizes = [len(chosen[name]) for name in part]
            for name, size in zip(part, _cut(sizes, total), strict=True):
                chosen[name] = _sample(chosen[name], size, recipe.seed)


def _cut(sizes: Sequence[int], total: int) -> list[int]:
    """Return sizes in the same proportions that sum to `total`."""
    exact = np.array(sizes, dtype=np.float64) * total / sum(sizes)
    cut = np.floor(exact).astype(int)
    for i in np.argsort(cut - exact, kind="stable")[: total - cut.sum()]:
        cut[i] += 1
    return [int(size) for size in cut]
