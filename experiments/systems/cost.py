"""What a detector costs: seconds of training, parameters, size, time per image.

What the run folder says is taken from there; time per image and what was trained are
measured once and kept in `costs/` of the experiment's folder.
"""

import dataclasses
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.framework.hours import clock
from experiments.framework.runner import Context
from experiments.systems import speed
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run.folder import DetectorRun

logger = logging.getLogger(__name__)

METRICS = (
    "training seconds",
    "parameters",
    "trained parameters",
    "ms per image",
    "times the reference's ms",
    "MB on disk",
)
BATCH, BATCHES = 32, 5
QUICK_BATCH, QUICK_BATCHES = 8, 2
_STAGE_BATCHES = 1  # of detectors on channels, about a second per image


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """Costs of one detector.

    Attributes:
        train_s: Seconds of training; features that were in the cache cost nothing.
        cached: Number of features that were in the cache.
        parameters: Number of parameters of the whole model.
        trained: Number of them that training changed.
        megabytes: Size of the model's file, 1e6 bytes.
        speed: See `speed.Speed`.
    """

    train_s: float
    cached: int
    parameters: int
    trained: int
    megabytes: float
    speed: Mapping[str, float]

    @property
    def numbers(self) -> dict[str, float]:
        """Return `METRICS` -> number; the ratio is to the reference, measured in turn."""
        ms = self.speed["ms"]
        values = (
            self.train_s,
            self.parameters,
            self.trained,
            ms,
            ms / (self.speed["reference_ms"] or math.nan),
            self.megabytes,
        )
        return {name: float(value) for name, value in zip(METRICS, values, strict=True)}


class Costs:
    """Measures detectors one after another, beside the same reference."""

    def __init__(
        self, context: Context, files: Sequence[Path], reference: Path | None
    ) -> None:
        """Measure nothing yet.

        Args:
            context: Context of the experiment.
            files: Test images.
            reference: Run folder of the reference; None compares with nothing.
        """
        self._context, self._all_files = context, files
        self._reference_folder = reference
        self._reference: speed.Ready | None = None
        self._files: list[Path] = []

    def of(self, label: str, folder: Path) -> Cost:
        """Return the cost of a finished run."""
        path = self._context.folder / "costs" / f"{label}-{folder.name}.json"
        if not path.exists():
            logger.info("%s: time per image", label)
            with clock(self._context.folder):
                write_json(path, self._measured(folder))
        run = DetectorRun(folder)
        facts = run.training
        measured = read_json(path)
        return Cost(
            train_s=float(facts["train_seconds"]),
            cached=facts.get("features_cached", 0),  # 0 without a frozen base
            parameters=int(measured["parameters"]),
            trained=int(measured["trained"]),
            megabytes=sum(file.stat().st_size for file in run.learnt_files) / 1e6,
            speed=measured["speed"],
        )

    def _measured(self, folder: Path) -> dict[str, Any]:
        batch, batches = (
            (QUICK_BATCH, QUICK_BATCHES) if self._context.quick else (BATCH, BATCHES)
        )
        files = self._few(batch * (batches + 1))
        ready = speed.load(folder, files[:batch])
        if "channel_recipe" in DetectorRun(folder).input_spec:
            batches = _STAGE_BATCHES
        reference = self._loaded_reference(files)
        measured = speed.measure(ready, files, reference, batch, batches)
        return {
            "parameters": ready.parameters,
            "trained": ready.trained,
            "speed": dataclasses.asdict(measured),
        }

    def _few(self, count: int) -> list[Path]:
        if not self._files:
            self._files = speed.readable(self._all_files, count)
        return self._files

    def _loaded_reference(self, files: Sequence[Path]) -> speed.Ready | None:
        if self._reference is None and self._reference_folder is not None:
            self._reference = speed.load(self._reference_folder, files[:BATCH])
        return self._reference
