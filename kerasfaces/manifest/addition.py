"""A split manifest and new rows -> one manifest in which no old row changes its split.

New rows that belong to old ones (a pair, a person, a near-duplicate) go where those are;
the others are split as the old ones are.
"""

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import build, file_facts, groups
from kerasfaces.manifest.split import NEAR_DUPLICATES
from kerasfaces.manifest.table import SPLITS, Manifest, absolute, column

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Addition:
    """Old rows, then those that are new.

    Attributes:
        manifest: All rows, each with a split; paths are absolute.
        n_old: Number of old rows.
        notes: What was left out, a sentence each.
    """

    manifest: Manifest
    n_old: int
    notes: tuple[str, ...]


def add(old: Manifest, new: Manifest, old_name: str, new_name: str) -> Addition:
    """Join new rows to a split manifest.

    Args:
        old: Every row has a split.
        new: All of its rows have a split, or none has.
        old_name: What messages call the old rows.
        new_name: What messages call the new ones.

    Raises:
        InputError: The two contradict each other, only some new rows have a split, or no
            new image is left.
    """
    n_without = int((new.rows["split"] == "").sum())
    if 0 < n_without < len(new):
        raise InputError(
            f"{new_name}: {n_without} of {len(new)} rows have no split; give all of them one, "
            "or none."
        )
    new, repeated = _without_repeated(old, new)
    joined = build.concatenate([(old_name, old), (new_name, new)], old.folder)
    joined, _ = file_facts.complete(joined)
    n_old = len(old)
    _refuse_contradictions(joined, n_old, old_name, new_name)
    copies = {
        later for _, later in groups.equal(column(joined.rows, "sha256")).tolist()
    } - {*range(n_old)}
    joined = joined.take([row not in copies for row in range(len(joined))])
    if len(joined) == n_old:
        raise InputError(
            f"{new_name}: all of its {len(new) + repeated} images are in {old_name} already."
        )
    joined, n_torn = _split(joined, n_old, new_name)
    if len(joined) == n_old:
        raise InputError(
            f"{new_name}: each of its images belongs to images in two splits of {old_name}."
        )
    texts = {
        f"{new_name}: %d images are in {old_name} already and were left out.": repeated
        + len(copies),
        f"{new_name}: %d images belong to images in two splits of {old_name} (a pair, a "
        "person or a near-duplicate) and were left out.": n_torn,
    }
    notes = tuple(text % count for text, count in texts.items() if count)
    for note in notes:
        logger.warning("%s", note)
    return Addition(joined, n_old, notes)


def _without_repeated(old: Manifest, new: Manifest) -> tuple[Manifest, int]:
    """Leave out new rows that name an old row's file."""
    known = dict(
        zip(absolute(old.rows["path"], old.folder), old.rows["label"], strict=True)
    )
    paths = absolute(new.rows["path"], new.folder)
    for path, label in zip(paths, new.rows["label"], strict=True):
        if known.get(path, label) != label:
            raise InputError(
                f"{quoted(path)} is {known[path]} in the old manifest and {label} in the new "
                "one: mend one of them."
            )
    keep = [path not in known for path in paths]
    return new.take(keep), len(new) - sum(keep)


def _refuse_contradictions(
    joined: Manifest, n_old: int, old_name: str, new_name: str
) -> None:
    """Refuse an image (by its content) that has two labels."""
    rows = joined.rows
    first: dict[str, int] = {}
    for i, key in enumerate(column(rows, "sha256")):
        earlier = first.setdefault(key, i) if key else i
        if rows["label"][earlier] != rows["label"][i]:
            a, b = (
                f"{quoted(rows['path'][j])} ({rows['label'][j]}, of "
                f"{old_name if j < n_old else new_name})"
                for j in (earlier, i)
            )
            raise InputError(
                f"one image has two labels: {a} and {b}; mend one of them."
            )


def _split(joined: Manifest, n_old: int, new_name: str) -> tuple[Manifest, int]:
    """Give every new row a split; leave out those that belong to two."""
    splits = joined.rows["split"].to_numpy(dtype=object).copy()
    edges = list(groups.edges(joined, NEAR_DUPLICATES).values())
    members = groups.join(len(joined), edges)
    of_group: dict[int, set[str]] = {}
    for group, split in zip(members[:n_old], splits[:n_old], strict=True):
        of_group.setdefault(int(group), set()).add(split)
    free, torn = [], set()
    for row in range(n_old, len(joined)):
        bound = of_group.get(int(members[row]), set())
        if len(bound) > 1:
            torn.add(row)
        elif bound:
            (split,) = bound
            if splits[row] not in ("", split):
                raise InputError(
                    f"{new_name}: {quoted(joined.rows['path'][row])} is in {splits[row]} and "
                    f"belongs to an image (a pair, a person or a near-duplicate) that is in "
                    f"{split} already; leave the split column of the new rows empty."
                )
            splits[row] = split
        elif not splits[row]:
            free.append(row)
    _share_out(joined.rows, splits, members, free, n_old)
    keep = [row not in torn for row in range(len(joined))]
    return joined.assign(split=splits).take(keep), len(torn)


def _share_out(
    rows: pd.DataFrame,
    splits: NDArray[np.object_],
    members: groups.Rows,
    free: Sequence[int],
    n_old: int,
) -> None:
    """Split free rows as the old ones are, group by group, each source for itself.

    A group goes to the split that its source lacks most, in an order of chance.
    """
    old = Counter(splits[:n_old])
    share = {split: old[split] / n_old for split in SPLITS}
    of_group: dict[int, list[int]] = {}
    for row in free:
        of_group.setdefault(int(members[row]), []).append(row)
    names = {
        group: min(str(rows["sha256"][row] or rows["path"][row]) for row in each)
        for group, each in of_group.items()
    }
    counts: dict[str, Counter[str]] = {}
    every = sorted(of_group, key=names.__getitem__)
    for place in rng.generator(0, "addition").permutation(len(every)):
        group = of_group[every[place]]
        source = f"{rows['label'][group[0]]} {rows['source'][group[0]]}"
        own = counts.setdefault(source, Counter())
        n = own.total() + len(group)
        split = max(SPLITS, key=lambda name: share[name] * n - own[name])
        splits[group] = split
        own[split] += len(group)
