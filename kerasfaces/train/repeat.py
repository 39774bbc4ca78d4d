"""Ordinary runs over training seeds on one split: mean and standard deviation."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces import config as configs
from kerasfaces import runs
from kerasfaces.train.run import Request, default_folder, resolve, train

logger = logging.getLogger(__name__)


def repeat(request: Request, times: int) -> Path:
    """Run `times` seeds as `RUN/seed-0 ...` and write `RUN/metrics.json`.

    Returns:
        The folder that holds the runs.
    """
    config, found = resolve(request)
    weights = found.describe() if found else None
    first = config.seed
    identity = {
        "train": configs.to_dict(config),
        "weights": weights,
        "manifest": request.manifest.digest(),
        "repeat": times,
    }
    folder = request.folder or default_folder(config, identity)
    results = []
    for seed in range(first, first + times):
        logger.info("seed %d (%d of %d)", seed, seed - first + 1, times)
        one = dataclasses.replace(
            request,
            config=dataclasses.replace(request.config, seed=seed),
            folder=folder / f"seed-{seed}",
        )
        results.append(runs.read_json(train(one) / "metrics.json")["metrics"])
    summary = {"metrics": _summary(results), "seeds": list(range(first, first + times))}
    runs.write_json(folder / "metrics.json", summary)
    return folder


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and sd over seeds of every number, by split, slice and metric."""
    summary: dict[str, Any] = {}
    for split, slices in results[0].items():
        for name, entries in slices.items():
            row: dict[str, Any] = {
                "n": entries["n"],
                "n_unreadable": entries["n_unreadable"],
            }
            for metric, entry in entries.items():
                if isinstance(entry, dict) and "value" in entry:
                    row[metric] = _mean_sd(
                        [each[split][name][metric] for each in results]
                    )
            summary.setdefault(split, {})[name] = row
    return summary


def _mean_sd(entries: list[dict[str, Any]]) -> dict[str, Any]:
    values = [entry["value"] for entry in entries]
    n = len(values)
    if any(value is None for value in values):
        return {
            "value": None,
            "sd": None,
            "values": values,
            "method": "undefined in a run",
        }
    return {
        "value": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)) if n > 1 else None,
        "values": values,
        "method": f"mean and standard deviation of {n} training seeds on one split",
    }
