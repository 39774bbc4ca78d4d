"""Ordinary runs over training seeds on one split: mean and standard deviation."""

import dataclasses
import logging
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.run.repeats import combine
from kerasfaces.train import channels
from kerasfaces.train.run import Request, default_folder, resolve, train

logger = logging.getLogger(__name__)


def repeat(request: Request, times: int) -> Path:
    """Run `times` seeds as `RUN/seed-0 ...` and write `RUN/metrics.json`.

    Returns:
        The folder that holds the runs.
    """
    config, found = resolve(request)
    recipe = channels.check(config, request.store)
    weights = found.describe() if found else None
    first = config.seed
    identity = {
        "train": configs.to_dict(config),
        "weights": weights,
        "manifest": request.manifest.digest(),
        "repeat": times,
        "channel_recipe": configs.digest(recipe) if recipe else None,
    }
    folder = request.folder or default_folder(config, identity)
    if times < 1:
        raise InputError(f"--repeat: expected at least 1, got {times}.")
    with folders.lock(folder, "repeats"):
        folders.claim(folder, "repeat.json", identity, "set of repeats")
    results = []
    for seed in range(first, first + times):
        logger.info("seed %d (%d of %d)", seed, seed - first + 1, times)
        one = dataclasses.replace(
            request,
            config=dataclasses.replace(request.config, seed=seed),
            folder=folder / f"seed-{seed}",
        )
        results.append(read_json(train(one) / "metrics.json"))
    summary = combine(results) | {"seeds": list(range(first, first + times))}
    write_json(folder / "metrics.json", summary)
    return folder
