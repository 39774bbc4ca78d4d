"""Several detectors' predictions -> the images all of them scored, and who lacks what."""

import dataclasses
import functools
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd

from kerasfaces.compare.detectors import Detector
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics import System
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions

_EXAMPLES = 3


class MissingRows(TypedDict):
    """How many of the images that any detector names one of them lacks.

    Attributes:
        n: Its own rows.
        n_missing: Images of others that it has no row for.
        n_unscored: Rows without a score (unreadable, NaN).
        examples: The first few of both, `path: why`.
    """

    n: int
    n_missing: int
    n_unscored: int
    examples: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class SharedRows:
    """Images that all compared detectors scored."""

    rows: pd.DataFrame  # one per shared image, sorted by `key`: key, label, source
    # Detector -> its predictions of exactly these rows, in this order.
    frames: dict[str, pd.DataFrame]
    lacks: dict[str, MissingRows]  # detector -> what it lacks
    n_known: int  # images that any detector names
    notes: tuple[str, ...]  # sentences on how rows were brought together

    @property
    def fake(self) -> Bools:
        """Which rows are fake, `(n,)`."""
        return np.asarray(self.rows["label"] == "fake", dtype=bool)


def align(detectors: Sequence[Detector]) -> tuple[list[Detector], list[str]]:
    """Make relative paths absolute where another detector's absolute ones end alike.

    Returns the detectors with new keys, and a sentence for each that was changed.
    """
    detectors = _with_slashes(detectors)
    known = sorted({key for each in detectors for key in each.frame["key"]})
    by_name: dict[str, list[str]] = defaultdict(list)
    for key in filter(os.path.isabs, known):
        by_name[os.path.basename(key)].append(key)
    aligned, notes = [], []
    for each in detectors:
        base = _base(each.frame["key"], by_name)
        if base:
            each = _rekeyed(each, functools.partial(_below, base))
            notes.append(f"{each.name}: its relative paths are read below {base}.")
        aligned.append(each)
    return aligned, notes


def joinable(detectors: Sequence[Detector]) -> tuple[list[Detector], dict[str, str]]:
    """Return the detectors that can stand in one table, and why each other cannot.

    Left out are those that scored one class only, and, while no image is common to all,
    the one that shares fewest with any other; two stay, and `shared` says what is wrong.
    """
    fitting, why = list(detectors), {}
    for each in detectors:
        labels = predictions.readable(each.frame)["label"].value_counts()
        if len(labels) < 2 and len(fitting) > 2:
            counts = ", ".join(f"{n:,} {label}" for label, n in labels.items()) or "no"
            why[each.name] = (
                f"{each.path}: it scored {counts} images; a comparison needs both classes."
            )
            fitting.remove(each)
    scored = {e.name: set(predictions.readable(e.frame)["key"]) for e in fitting}
    while len(fitting) > 2 and not set.intersection(*(scored[e.name] for e in fitting)):
        n_scored = Counter(key for each in fitting for key in scored[each.name])
        alike = [sum(n_scored[key] > 1 for key in scored[e.name]) for e in fitting]
        odd = fitting.pop(min(range(len(fitting)), key=lambda i: (alike[i], -i)))
        key = next(iter(odd.frame["key"]))
        why[odd.name] = (
            f"{odd.path}: with it no image was scored by all (it names e.g. {quoted(key)}); paths "
            f"must name the same files.{_root_advice([odd.frame])}"
        )
    return fitting, why


def shared(
    detectors: Sequence[Detector], frames: Sequence[pd.DataFrame] | None = None
) -> SharedRows:
    """Return the rows that every detector scored, of `frames` or of the compared split.

    Names are unique and keys aligned.

    Raises:
        InputError: Detectors disagree on an image's label, or share too few rows.
    """
    parts = frames or [each.frame for each in detectors]
    tables = {
        each.name: frame.set_index("key", drop=False).rename_axis(None)
        for each, frame in zip(detectors, parts, strict=True)
    }
    for name, table in tables.items():
        twice = table.index[table.index.duplicated()]
        if len(twice):
            raise InputError(
                f"{name}: two of its paths are the same file, {quoted(twice[0])}."
            )
    known = sorted(set().union(*(table.index for table in tables.values())))
    scored = {
        name: set(predictions.readable(table).index) for name, table in tables.items()
    }
    common = sorted(set.intersection(*scored.values()))
    _check_labels(tables)
    rows, notes = _facts(tables, common)
    if not {"real", "fake"} <= set(rows["label"]):
        _fail(tables, common, rows)
    return SharedRows(
        rows,
        {name: t.loc[common].reset_index(drop=True) for name, t in tables.items()},
        {name: _lack(table, scored[name], known) for name, table in tables.items()},
        len(known),
        tuple(notes),
    )


def systems(detectors: Sequence[Detector], shared: SharedRows) -> dict[str, System]:
    """Return each detector's ranking and calls of the shared rows, for paired tests."""
    every = {}
    for each in detectors:
        frame = shared.frames[each.name]
        called = strict = None
        if each.point is not None:
            score = frame["score"].to_numpy(dtype=np.float64)
            called = score >= each.point.threshold
            strict = score >= each.point.threshold_fpr_1pct
        every[each.name] = System(predictions.ranking(frame), called, strict)
    return every


def _lack(table: pd.DataFrame, scored: set[str], known: list[str]) -> MissingRows:
    missing = [key for key in known if key not in table.index]
    unscored = table["reason"][~table.index.isin(scored)]
    examples = [f"{key}: no row" for key in missing[:_EXAMPLES]]
    examples += [
        f"{key}: {reason}" for key, reason in unscored.iloc[:_EXAMPLES].items()
    ]
    return {
        "n": len(table),
        "n_missing": len(missing),
        "n_unscored": len(unscored),
        "examples": tuple(examples),
    }


def _with_slashes(detectors: Sequence[Detector]) -> list[Detector]:
    """Read backslashes between folders as slashes, except in names that others know."""
    keys = [key for each in detectors for key in set(each.frame["key"])]
    known = Counter(keys)
    names = Counter(os.path.basename(key) for key in keys if os.path.isabs(key))

    def turned(key: str) -> str:
        if "\\" not in key or known[key] > 1 or names[os.path.basename(key)] > 1:
            return key
        return os.path.normpath(key.replace("\\", "/"))

    return [
        _rekeyed(each, turned)
        if any("\\" in key for key in each.frame["key"])
        else each
        for each in detectors
    ]


def _rekeyed(each: Detector, change: Callable[[str], str]) -> Detector:
    frame = each.frame.assign(key=[change(key) for key in each.frame["key"]])
    val = each.val
    if val is not None:
        val = val.assign(key=[change(key) for key in val["key"]])
    return dataclasses.replace(each, frame=frame, val=val)


def _base(keys: "pd.Series[str]", by_name: dict[str, list[str]]) -> str | None:
    """Return the folder below which most relative keys are others' absolute ones."""
    bases: Counter[str] = Counter()
    for key in keys:
        if os.path.isabs(key):
            return None
        tail = os.sep + os.path.normpath(key)
        for other in by_name.get(os.path.basename(key), ()):
            if other.endswith(tail):
                bases[other.removesuffix(tail)] += 1
    return bases.most_common(1)[0][0] if bases else None


def _below(base: str, key: str) -> str:
    return os.path.normpath(f"{base}/{key}")


def _check_labels(tables: dict[str, pd.DataFrame]) -> None:
    """Refuse detectors that do not agree on what is real."""
    parts = [table.assign(detector=name) for name, table in tables.items()]
    first = pd.concat(parts).drop_duplicates("key")
    for name, table in tables.items():
        earlier = first.loc[table.index]
        shared = earlier["detector"] != name
        wrong = table.index[shared & (earlier["label"] != table["label"])]
        if len(wrong):
            key = wrong[0]
            raise InputError(
                f"{first['detector'][key]} and {name} disagree on the label of {len(wrong):,} of "
                f"{int(shared.sum()):,} images, e.g. {quoted(key)}: {first['label'][key]} against "
                f"{table['label'][key]}. The label says what the image is, the score how likely "
                "it is fake; mend one file."
            )


def _facts(
    tables: dict[str, pd.DataFrame], common: list[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return key, label and source; the first detector's source holds."""
    (first, table), *others = tables.items()
    rows = table.loc[common, ["key", "label", "source"]].reset_index(drop=True)
    notes = []
    for name, other in others:
        differ = int((other.loc[common, "source"].to_numpy() != rows["source"]).sum())
        if differ:
            notes.append(
                f"{name} names another source than {first} for {differ:,} of {len(rows):,} "
                f"images; {first}'s names are used."
            )
    return rows, notes


def _fail(
    tables: dict[str, pd.DataFrame], common: list[str], rows: pd.DataFrame
) -> None:
    counts = {label: int((rows["label"] == label).sum()) for label in ("real", "fake")}
    if common:
        raise InputError(
            f"All detectors scored {counts['real']} real and {counts['fake']} fake images in "
            "common; a comparison needs both classes."
        )
    examples = "; ".join(
        f"{name}: {quoted(table.index[0])}"
        for name, table in tables.items()
        if len(table)
    )
    raise InputError(
        f"No image was scored by all {len(tables)} detectors ({examples}); paths must name the "
        f"same files.{_root_advice(list(tables.values()))}"
    )


def _root_advice(frames: Sequence[pd.DataFrame]) -> str:
    """Return what `root` could mend: only relative paths, and only where others are not."""
    relative = [not os.path.isabs(key) for frame in frames for key in frame["key"][:1]]
    if not any(relative):
        return ""
    return " Give the folder of a CSV file's relative paths with `root`."
