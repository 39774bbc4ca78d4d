"""Ordinary runs over training seeds on one split: mean and standard deviation."""

import dataclasses
import logging
from pathlib import Path

from kerasfaces.core.errors import InputError
from kerasfaces.run.folder import RepeatedRuns
from kerasfaces.run.repeats import combine
from kerasfaces.train import channels
from kerasfaces.train.run import Training, default_folder, identity, resolve, train

logger = logging.getLogger(__name__)


def repeat(training: Training, times: int) -> Path:
    """Run `times` seeds as `RUN/seed-0 ...` and write `RUN/metrics.json`.

    Returns:
        The folder that holds the runs.
    """
    config, found = resolve(training)
    recipe = channels.check(config, training.store)
    decisive = identity(config, found, training.manifest, recipe) | {"repeat": times}
    runs = RepeatedRuns(training.folder or default_folder(config, decisive))
    first = config.seed
    if times < 1:
        raise InputError(f"`repeat`: expected at least 1, got {times}.")
    with runs.writing(decisive):
        pass  # the lock: each run takes its own
    results = []
    for seed in range(first, first + times):
        logger.info("seed %d (%d of %d)", seed, seed - first + 1, times)
        one = dataclasses.replace(
            training,
            config=dataclasses.replace(training.config, seed=seed),
            folder=runs.seed(seed).path,
        )
        train(one)
        results.append(runs.seed(seed).metrics)
    runs.metrics = combine(results) | {"seeds": list(range(first, first + times))}
    return runs.path
