"""A run's export, measured as the run was: metrics, and how far it is from Keras."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.dataset.cache import cache_images
from kerasfaces.dataset.file_facts import with_limits
from kerasfaces.evaluate.other_images import Scorer, evaluate_images
from kerasfaces.manifest import Manifest, face_rows
from kerasfaces.run.folder import DetectorRun, ScoredRun
from kerasfaces.serve.exported import ExportedDetector

_CHUNK = 256


@dataclasses.dataclass(frozen=True)
class Difference:
    """Logits and verdicts of an export (`engine`) beside those of the run's own predictions.

    Of `n` images that both have a logit of; `n_asked` are near an edge, where Keras decided;
    `worst` is the largest difference of logits, None without an image; `n_verdicts` images
    have another verdict.
    """

    engine: str
    n: int
    n_asked: int
    worst: float | None
    n_verdicts: int

    def sentence(self) -> str:
        """Say it in one line."""
        if self.worst is None:
            return f"{self.engine}: the run's own predictions are of other images"
        return (
            f"{self.engine} against the run's predictions: {self.n:,} images, logits differ by "
            f"at most {self.worst:.1e}, {self.n_verdicts} verdicts differ; {self.n_asked} near "
            "an edge"
        )


def evaluate_export(
    folder: Path,
    manifest: Manifest | None = None,
    split: str = "test",
    *,
    name: str = "",
    engine: str = "auto",
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
) -> tuple[Path, Json, Difference]:
    """Measure a run with the logits of its export on the rows of a split.

    `manifest` None is the run's own; `name` is what the report calls the images, `by` and
    `samples_per_group` are those of `evaluate.other_images.evaluate_images`.

    Raises:
        InputError: The run has no export, so that Keras would compute, or there are no such
            rows.
    """
    detector = ExportedDetector.open(folder, engine=engine)
    if detector.engine == "keras":
        raise InputError(
            f"{folder} has no export that could be measured: Keras computes, and kerasfaces "
            "evaluate without an engine measures that."
        )
    counts = {"asked": 0}

    def logits(files: list[Path]) -> tuple[NDArray[np.float64], list[str]]:
        values, reasons = logits_of_files(detector, files)
        known = values[np.isfinite(values)]
        counts["asked"] += int(detector.near_an_edge(known).sum())
        return values, reasons

    images = manifest or DetectorRun(folder).manifest
    face_rows.require_same(images, detector.input_spec, str(folder))
    target, metrics = evaluate_images(
        folder,
        images,
        name or "the run's own manifest",
        split,
        by=by,
        samples_per_group=samples_per_group,
        scorer=Scorer(detector.engine, logits),
    )
    difference = _difference(detector, ScoredRun(target), split, counts["asked"])
    return target, metrics, difference


def logits_of_files(
    detector: ExportedDetector, files: list[Path]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return each file's logit, NaN where it has none, and why; pixels are cached."""
    cached = cache_images(files, detector.input_spec)
    reasons = with_limits(files, cached.reasons, detector.limits)
    values = np.full(len(files), np.nan)
    readable = np.flatnonzero([not why for why in reasons])
    for at in range(0, len(readable), _CHUNK):
        part = readable[at : at + _CHUNK]
        pixels = cached.store.gather([cached.keys[position] for position in part])
        values[part] = detector.logits(pixels)
    for position in readable[~np.isfinite(values[readable])]:
        values[position] = np.nan
        reasons[position] = "the detector gives no finite logit"
    return values, reasons


def _difference(
    detector: ExportedDetector, measured: ScoredRun, split: str, n_asked: int
) -> Difference:
    own, columns = ScoredRun(detector.folder), ["path", "logit", "score"]
    pairs = measured.readable(split)[columns]
    before = own.readable(split)[columns] if split in own.predicted else pairs[:0]
    pairs = before.merge(pairs, on="path", suffixes=("", "_export"))
    if pairs.empty:
        return Difference(detector.engine, 0, n_asked, None, 0)
    point = detector.operating_point
    verdicts = point.verdicts(pairs["score"].to_numpy())
    after = detector.decide(pairs["logit_export"].to_numpy())
    return Difference(
        engine=detector.engine,
        n=len(pairs),
        n_asked=n_asked,
        worst=float((pairs["logit"] - pairs["logit_export"]).abs().max()),
        n_verdicts=sum(a != b for a, b in zip(verdicts, after, strict=True)),
    )
