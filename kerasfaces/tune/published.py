"""A document's grid beside ours: the same points, other images, so other columns."""

import dataclasses
from collections.abc import Mapping, Sequence

from kerasfaces.core.files import Json
from kerasfaces.metrics.main_effects import Value
from kerasfaces.tune.trial_results import Trial


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One line of a published grid."""

    values: Mapping[str, Value]  # hyperparameter -> value
    metrics: Mapping[str, float]  # one of `printed_metrics.NAMES` -> the printed number


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A grid of hyperparameters that a document printed, with its numbers."""

    source: str  # whose, and which table
    data: str  # images that its numbers were measured on
    points: tuple[Point, ...]  # its lines, in its order


def from_json(content: Json) -> Published:
    """Return the grid that `dataclasses.asdict` took apart."""
    points = tuple(Point(**point) for point in content["points"])
    return Published(source=content["source"], data=content["data"], points=points)


def find(point: Point, trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with a point's values; None without one."""
    same = (trial for trial in trials if dict(trial.values) == dict(point.values))
    return next(same, None)
