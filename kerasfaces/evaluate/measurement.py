"""A run's predictions -> its metrics.json, metrics.csv and report.html."""

import dataclasses
import logging
from collections.abc import Sequence

import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.evaluate import annotators, metrics_json, names, slices, unseen
from kerasfaces.evaluate.report import ReportInput, cautions, render
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run import predictions
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint

logger = logging.getLogger(__name__)


def read(run: ScoredRun) -> ReportInput:
    """Return what a finished run says of itself, nothing measured yet."""
    return ReportInput(
        name=run.path.name,
        predictions={},
        point=run.operating_point,
        metrics={},
        config=run.config,
        environment=run.environment,
        history=run.history,
        audit=run.audit or None,
        unseen=unseen.read(run),
        added=run.added,
        warnings=tuple(run.settings.get("warnings", ())),
        image_root=run.image_root,
        decisions=run.decisions,
    )


def settings(run: ScoredRun) -> tuple[int, int]:
    """Return resamples and seed of a finished run."""
    written = run.settings
    return int(written.get("resamples", RESAMPLES)), int(written.get("seed", 0))


def scored(frame: pd.DataFrame, point: OperatingPoint) -> pd.DataFrame:
    """Return predictions with the calibrated scores of their logits."""
    return frame.assign(score=point.apply(predictions.ranking(frame)))


def measure(
    run: ScoredRun,
    data: ReportInput,
    resamples: int,
    seed: int,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
    n_seen: int | None = None,
) -> Json:
    """Measure predictions; write metrics.json, metrics.csv and, last, report.html."""
    frames = slices.binned(data.predictions)
    columns: list[str] | None = None
    crossed: list[str] = []
    if by is not None:  # the usual ones and those asked for
        first = next(iter(frames.values()))
        plain, crossed = slices.asked(first, by)
        columns = [*slices.columns(first), *plain]
    labels, problems = annotators.read(data.image_root)
    labels = labels or run.settings.get("annotators", {})
    for problem in problems:
        logger.warning("%s", problem)
    data = dataclasses.replace(data, warnings=(*data.warnings, *problems))
    content = metrics_json.measure(
        frames,
        data.point,
        by=columns,
        resamples=resamples,
        seed=seed,
        samples_per_group=samples_per_group,
        crossed=crossed,
        labels=labels,
    )
    if labels:
        content["annotators"] = labels
    if n_seen is not None:
        content["seen"] = n_seen
    content["warnings"] = list(data.warnings)
    content["image_root"] = run.relative_root(data.image_root)
    if "ensemble" in data.config:
        content["without_score"] = names.NOT_SHARED
    run.metrics = content
    run.write_table(metrics_json.flat(content))
    headline = next(split for split in ("test", "val", "train") if split in frames)
    data = dataclasses.replace(
        data, predictions=frames, metrics=content, headline=headline
    )
    warnings = tuple(dict.fromkeys([*data.warnings, *cautions(data)]))
    run.write_report(render(dataclasses.replace(data, warnings=warnings)))
    return content
