"""Fit a baseline: no epochs, no checkpoint; the pixels' cache is what a kill leaves."""

import time

import numpy as np

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays, registry
from kerasfaces.run.folder import BASELINES
from kerasfaces.train.data import Data
from kerasfaces.train.fit import Trained


def train(config: BaselineConfig, data: Data) -> Trained:
    """Fit on the training images and rank the others.

    Args:
        config: What to fit.
        data: Images, labels and splits.

    Returns:
        `model` is a dictionary of arrays.
    """
    started = time.monotonic()
    plugin = registry.load(BASELINES, config.model.name)
    rows = data.readable("train")
    reader = data.images.store.reader(data.keys(rows))
    fitted: arrays.Arrays = plugin.fit(config, reader, data.labels(rows))
    logits = {}
    for split in ("val", "test"):
        keys = data.keys(data.readable(split))
        reader = data.images.store.reader(keys)
        logits[split] = plugin.logits(config, fitted, reader, len(keys))
    facts = {
        "engine": "scikit-learn",
        "train_seconds": round(time.monotonic() - started, 1),
        "parameters": int(sum(np.size(value) for value in fitted.values())),
    }
    return Trained(fitted, logits, [], facts)
