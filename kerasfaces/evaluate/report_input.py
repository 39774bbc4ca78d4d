"""What every section of the report is given."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kerasfaces.run.operating_point import OperatingPoint


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportInput:
    """A measured run.

    Attributes:
        name: The run's name, as in its folder.
        predictions: Split -> predictions with scores (see `predictions`).
        point: Frozen on validation.
        metrics: The content of metrics.json.
        headline: The split whose numbers are the result.
        config: The run's configuration, or empty.
        environment: Versions and machine, or empty.
        audit: The manifest's audit as `config.to_dict` gives it, or None.
        history: One row per epoch, or None.
        warnings: Sentences a reader must see first.
        image_root: What relative paths in the predictions are relative to, or None.
    """

    name: str
    predictions: Mapping[str, pd.DataFrame]
    point: OperatingPoint
    metrics: Mapping[str, Any]
    headline: str = "test"
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    audit: Mapping[str, Any] | None = None
    history: pd.DataFrame | None = None
    warnings: tuple[str, ...] = ()
    image_root: Path | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """Predictions of the headline split."""
        return self.predictions[self.headline]

    @property
    def slices(self) -> Mapping[str, Any]:
        """Metrics of the headline split, by slice."""
        found: Mapping[str, Any] = self.metrics["metrics"][self.headline]
        return found
