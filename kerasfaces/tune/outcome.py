"""result.json becomes a trial's own entry: metrics, score, and last of all its status."""

from typing import Any

import numpy as np

from kerasfaces.tune import records
from kerasfaces.tune.records import COMPLETED, Trial


def enter(trial: Trial, result: dict[str, Any], objective: str) -> None:
    """Put a result into its trial.

    The status comes last: whoever looks from another thread (the live table) sees a
    trial that is completed only with its score.

    Args:
        trial: A running one; changed in place.
        result: The content of result.json.
        objective: Column of the history; the score is its mean over the repeats.
    """
    trial.message, trial.seconds = result["message"], result["seconds"]
    trial.repeats, trial.config = result["repeats"], result["config"]
    if result["status"] == COMPLETED:
        for name in records.KEPT:
            direction = "max" if name in ("val_auc", "val_accuracy") else "min"
            if not trial.metrics.exists(name):
                trial.metrics.register(name, direction=direction)
            observed = [one[name] for one in trial.repeats]
            trial.metrics.metrics[name]._observations.clear()
            trial.metrics.metrics[name].update(
                observed, step=trial.repeats[0]["kept_epoch"]
            )
        trial.best_step = trial.repeats[0]["kept_epoch"]
        trial.score = float(np.mean([one[objective] for one in trial.repeats]))
    trial.status = result["status"]
