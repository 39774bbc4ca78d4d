"""Several runs that differ in their seed alone -> mean and sd (wan2023's protocol)."""

from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.metrics import NAMES, mean_sd


def combine(runs: Sequence[Json]) -> Json:
    """Return metrics.json of repeated runs: `value` is the mean over seeds, plus `sd`.

    The spread over seeds is no interval for other images, so `low` and `high` are null;
    those are in each run's own metrics.json. A metric that one run could not tell is
    null here too, never averaged over the others.

    Args:
        runs: The content of each run's metrics.json, on the same splits.

    Raises:
        InputError: No run, or runs on different splits.
    """
    if not runs:
        raise InputError("combine: expected at least one run's metrics, got none.")
    splits = [list(run["metrics"]) for run in runs]
    if any(other != splits[0] for other in splits):
        raise InputError(f"combine: the runs have different splits: {splits}.")
    return {
        "metrics": {
            split: {
                name: _slice([run["metrics"][split][name] for run in runs])
                for name in runs[0]["metrics"][split]
                if all(name in run["metrics"][split] for run in runs)
            }
            for split in splits[0]
        },
        "n_seeds": len(runs),
    }


def _slice(parts: Sequence[Json]) -> Json:
    counts = ("n", "n_real", "n_fake", "n_unreadable")
    return {
        **{key: parts[0][key] for key in counts},
        "n_seeds": len(parts),
        **{name: _metric([part[name] for part in parts]) for name in NAMES},
    }


def _metric(parts: Sequence[Json]) -> Json:
    values = [part["value"] for part in parts]
    unknown = [part["method"] for part in parts if part["value"] is None]
    mean, sd = (None, None) if unknown else mean_sd(values)
    return {
        "value": mean,
        "sd": sd if len(values) > 1 else None,
        "low": None,
        "high": None,
        "values": values,
        "method": unknown[0] if unknown else f"mean of {len(values)} seeds",
    }
