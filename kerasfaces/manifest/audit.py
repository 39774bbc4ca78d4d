"""How well do file facts alone separate real from fake?

A manifest enters; a cross-validated AUC with its 95 % interval leaves. A detector trained
on files that format, size or JPEG tables give away learns those, and its numbers say
nothing about faces.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.images import Probe
from kerasfaces.manifest import file_facts, groups
from kerasfaces.manifest.split import NEAR_DUPLICATES
from kerasfaces.manifest.table import LABELS, Manifest

LIMIT = 0.60  # flagged when the interval's lower bound is above
_FOLDS = 5
_SHOWN = 4  # values of the most telling fact listed per class
_FEW_VALUES = 20  # a number with more is continuous

# The luminance table of the JPEG standard (Annex K), in natural order: mean 57.6.
_STANDARD_MEAN = 57.625

Floats = NDArray[np.float64]

# What a file tells without its picture: numbers a shortcut could be learnt from.
FACTS: dict[str, Callable[[Probe], float | str]] = {
    "width_px": lambda probe: probe["width_px"],
    "height_px": lambda probe: probe["height_px"],
    "aspect": lambda probe: probe["width_px"] / probe["height_px"],
    "format": lambda probe: probe["format"],
    "mode": lambda probe: probe["mode"],
    "jpeg_quality": lambda probe: jpeg_quality(probe),
    "jpeg_tables": lambda probe: _tables_digest(probe),
    "chroma_subsampling": lambda probe: probe["subsampling"],
    "progressive": lambda probe: float(probe["progressive"]),
    "bytes_per_pixel": lambda probe: (
        probe["n_bytes"] / (probe["width_px"] * probe["height_px"])
    ),
    "has_exif": lambda probe: float(probe["has_exif"]),
    "has_icc": lambda probe: float(probe["has_icc"]),
    "frames": lambda probe: probe["n_frames"],
}


@dataclasses.dataclass(frozen=True)
class AuditResult:
    """The verdict.

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
    most_telling_values: tuple[dict[str, Any], ...]


def audit(manifest: Manifest, seed: int = 0) -> AuditResult:
    """Audit a manifest's files.

    Rows that belong together (pair, identity, equal content, and near-duplicates where
    `phash` is filled in) stay in one fold.

    Raises:
        InputError: Fewer than two groups of readable images of a class.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeClassifier

    rows = manifest.rows.sort_values("path", kind="stable", ignore_index=True)
    manifest = Manifest(rows, manifest.folder)
    file_contents = file_facts.scan(manifest.files(), pixels=False)
    reasons = [each.reason for each in file_contents]
    n_unreadable = file_facts.report_unreadable(list(rows["path"]), reasons)
    manifest = manifest.take([not reason for reason in reasons])
    fake = (manifest.rows["label"] == "fake").to_numpy()
    probes = [each.probe for each in file_contents if not each.reason]
    facts = pd.DataFrame(
        {name: [fact(probe) for probe in probes] for name, fact in FACTS.items()}
    )
    folds = _folds(manifest, fake, seed)
    values = _encode(facts)
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
    aucs = {
        name: metrics.auc(fake, _out_of_fold(values[:, [i]], fake, folds, tree))
        for i, name in enumerate(FACTS)
    }
    aucs = dict(sorted(aucs.items(), key=lambda item: -item[1]))
    telling = next(iter(aucs))
    ranks = _out_of_fold(values, fake, folds, boosting)
    measured = metrics.measure(
        metrics.Rows.of(fake, ranks, ranks), metrics.Thresholds(0.5, 0.5), seed=seed
    )["auc"]
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
    )


def jpeg_quality(probe: Probe) -> float:
    """Return the quality (1..100) whose luminance table is nearest; 0 without tables.

    The inverse of the scaling of the IJG encoder, from the mean of the table, so that it
    is an estimate for any other encoder.
    """
    tables = probe["quantization"]
    if not tables:
        return 0.0
    scale = 100 * float(np.mean(tables[min(tables)])) / _STANDARD_MEAN
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return float(np.clip(round(quality), 1, 100))


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


def _folds(manifest: Manifest, fake: NDArray[np.bool_], seed: int) -> groups.Rows:
    """Return each row's fold, groups whole and classes spread."""
    from sklearn.model_selection import StratifiedGroupKFold

    pairs = list(groups.edges(manifest, NEAR_DUPLICATES).values())
    members = groups.join(len(fake), pairs)
    for label, mask in zip(LABELS, (~fake, fake), strict=True):
        count = len(np.unique(members[mask]))
        if count < 2:
            raise InputError(
                f"the audit needs at least two readable {label} images that do not belong "
                f"together (pair, identity or copy); got {int(mask.sum())} in {count} "
                f"group{'' if count == 1 else 's'}. Add images, or check the paths "
                "(kerasfaces manifest check)."
            )
    n_folds = min(_FOLDS, *(len(np.unique(members[mask])) for mask in (fake, ~fake)))
    splitter = StratifiedGroupKFold(
        n_folds, shuffle=True, random_state=rng.integer_seed(seed, "audit folds")
    )
    folds = np.empty(len(fake), dtype=np.int64)
    for number, (_, test) in enumerate(splitter.split(folds, fake, members)):
        folds[test] = number
    return folds


def _out_of_fold(
    values: Floats, fake: NDArray[np.bool_], folds: groups.Rows, model: Any
) -> Floats:
    """Return each row's rank (0..1) within its fold by a model that has not seen it.

    Ranks, because the models of two folds have different scales; equal scores share one.
    """
    from threadpoolctl import threadpool_limits

    ranks = np.full(len(fake), 0.5)
    if (values == values[0]).all():
        return ranks
    for fold in np.unique(folds):
        test = folds == fold
        if len(np.unique(fake[~test])) < 2:
            continue
        with threadpool_limits(1):  # more threads cost more than they bring
            model.fit(values[~test], fake[~test])
            scores = model.predict_proba(values[test])[:, 1]
        ranks[test] = (pd.Series(scores).rank().to_numpy() - 0.5) / test.sum()
    return ranks


def _values(fact: pd.Series, fake: NDArray[np.bool_]) -> tuple[dict[str, Any], ...]:
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
