"""How well do file facts alone separate real from fake?

A manifest enters; a cross-validated AUC with its 95 % interval leaves. A detector trained
on files that format, size or JPEG tables give away learns those, and its numbers say
nothing about faces. `sharpness` asks the same of blur, noise and traces of compression.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core.files import Json
from kerasfaces.images import Probe, compression
from kerasfaces.manifest import file_facts, groups, held_out, sharpness
from kerasfaces.manifest.sharpness import SharpnessResult
from kerasfaces.manifest.table import LABELS, Manifest, column

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeClassifier

LIMIT = 0.60  # flagged when the interval's lower bound is above
_SHOWN = 4  # values of the most telling fact listed per class
_FEW_VALUES = 20  # a number with more is continuous

Floats = NDArray[np.float64]

# What a file tells without its picture: numbers a shortcut could be learnt from.
FACTS: dict[str, Callable[[Probe], float | str]] = {
    "width_px": lambda probe: probe["width_px"],
    "height_px": lambda probe: probe["height_px"],
    "aspect": lambda probe: probe["width_px"] / probe["height_px"],
    "format": lambda probe: probe["format"],
    "mode": lambda probe: probe["mode"],
    "jpeg_quality": compression.jpeg_quality,
    "jpeg_tables": lambda probe: _tables_digest(probe),
    "chroma_subsampling": lambda probe: probe["subsampling"],
    "progressive": lambda probe: float(probe["progressive"]),
    "bytes_per_pixel": lambda probe: bytes_per_pixel(probe),
    "has_exif": lambda probe: float(probe["has_exif"]),
    "has_icc": lambda probe: float(probe["has_icc"]),
    "frames": lambda probe: probe["n_frames"],
}


@dataclasses.dataclass(frozen=True)
class AuditResult:
    """How well file facts tell real from fake.

    Attributes:
        auc: Out-of-fold AUC of a classifier that sees all file facts (positive = fake).
        low: Lower end of its 95 % interval.
        high: Upper end.
        method: Name of the method of the interval.
        n: Readable images audited.
        n_real: Number of real images.
        n_fake: Number of fake images.
        n_unreadable: Images left out.
        flagged: `low` exceeds .60.
        most_telling_fact: The single fact with the highest AUC of its own.
        most_telling_auc: That AUC.
        facts: Every fact's own out-of-fold AUC, highest first.
        most_telling_values: That fact's values in each class: the commonest with their
            counts, or the middle and range of a continuous one.
        sharpness: What blur, noise and compression tell; None where pixels were not read.
    """

    auc: float
    low: float
    high: float
    method: str
    n: int
    n_real: int
    n_fake: int
    n_unreadable: int
    flagged: bool
    most_telling_fact: str
    most_telling_auc: float
    facts: dict[str, float]
    most_telling_values: tuple[Json, ...]
    sharpness: SharpnessResult | None = None


def audit(manifest: Manifest, seed: int = 0, *, pixels: bool = True) -> AuditResult:
    """Audit a manifest's files.

    Rows that belong together (pair, identity, equal content, and near-duplicates where
    `phash` is filled in) stay in one fold.

    Args:
        manifest: Rows of images.
        seed: Key of folds and intervals.
        pixels: Decode the images to measure their sharpness, too.

    Raises:
        InputError: Fewer than two groups of readable images of a class.
    """
    rows = manifest.rows.sort_values("path", kind="stable", ignore_index=True)
    manifest = Manifest(rows, manifest.folder)
    file_contents = file_facts.scan(manifest.files(), pixels=False, sharp=pixels)
    reasons = [each.reason for each in file_contents]
    n_unreadable = file_facts.report_unreadable(list(rows["path"]), reasons)
    manifest = manifest.take([not reason for reason in reasons])
    fake = (manifest.rows["label"] == "fake").to_numpy()
    file_contents = [each for each in file_contents if not each.reason]
    probes = [each.probe for each in file_contents]
    facts = pd.DataFrame(
        {name: [fact(probe) for probe in probes] for name, fact in FACTS.items()}
    )
    folds = held_out.folds(manifest, fake, seed)
    values = _encode(facts)
    tree, boosting = _classifiers(fake)
    aucs = {
        name: metrics.auc(fake, held_out.ranks(values[:, [i]], fake, folds, tree))
        for i, name in enumerate(FACTS)
    }
    aucs = dict(sorted(aucs.items(), key=lambda item: -item[1]))
    telling = next(iter(aucs))
    ranks = held_out.ranks(values, fake, folds, boosting)
    measured = held_out.auc(ranks, fake, seed)
    return AuditResult(
        auc=measured.value,
        low=measured.low,
        high=measured.high,
        method=measured.method,
        n=len(fake),
        n_real=int((~fake).sum()),
        n_fake=int(fake.sum()),
        n_unreadable=n_unreadable,
        flagged=bool(measured.low > LIMIT),
        most_telling_fact=telling,
        most_telling_auc=aucs[telling],
        facts=aucs,
        most_telling_values=_values(facts[telling], fake),
        sharpness=_sharpness(manifest, file_contents, fake, folds, seed)
        if pixels
        else None,
    )


def _classifiers(
    fake: NDArray[np.bool_],
) -> "tuple[DecisionTreeClassifier, HistGradientBoostingClassifier]":
    """Return the model of one fact and that of all of them."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeClassifier

    # The fewest rows in a leaf: 20, less when there are few rows.
    leaf = max(1, min(20, int(min(fake.sum(), (~fake).sum())) // 5))
    tree = DecisionTreeClassifier(
        max_leaf_nodes=16, min_samples_leaf=leaf, random_state=0
    )
    boosting = HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=15,
        min_samples_leaf=leaf,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    return tree, boosting


def _sharpness(
    manifest: Manifest,
    file_contents: list[file_facts.Facts],
    fake: NDArray[np.bool_],
    folds: groups.Rows,
    seed: int,
) -> SharpnessResult:
    measured = [
        each.sharpness
        and each.sharpness | {"bytes_per_pixel": bytes_per_pixel(each.probe)}
        for each in file_contents
    ]
    ids = column(manifest.rows, "pair_id")
    return sharpness.audit(measured, ids, fake, folds, seed)


def bytes_per_pixel(probe: Probe) -> float:
    """Return the file's length per pixel, bytes."""
    return probe["n_bytes"] / (probe["width_px"] * probe["height_px"])


def _tables_digest(probe: Probe) -> str:
    tables = probe["quantization"]
    text = repr([tables[key] for key in sorted(tables)])
    return hashlib.sha256(text.encode()).hexdigest()[:8] if tables else ""


def _encode(facts: pd.DataFrame) -> Floats:
    """Return facts as `(n, facts)` float64; texts become their rank among the texts."""
    columns = [
        fact
        if pd.api.types.is_numeric_dtype(fact)
        else np.unique(fact.to_numpy(dtype=str), return_inverse=True)[1]
        for _, fact in facts.items()
    ]
    return np.column_stack(columns).astype(np.float64)


def _values(fact: pd.Series, fake: NDArray[np.bool_]) -> tuple[Json, ...]:
    records = []
    for label, mask in zip(LABELS, (~fake, fake), strict=True):
        part = fact[mask]
        if pd.api.types.is_numeric_dtype(fact):
            if fact.nunique() > _FEW_VALUES:
                low, middle, high = part.quantile([0.05, 0.5, 0.95])
                text = f"median {middle:.3g}, 90 % in {low:.3g} to {high:.3g}"
                records.append({"label": label, "value": text, "count": len(part)})
                continue
            part = part.map("{:g}".format)
        records += [
            {"label": label, "value": str(value) or "none", "count": int(count)}
            for value, count in part.value_counts().head(_SHOWN).items()
        ]
    return tuple(records)
