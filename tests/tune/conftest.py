"""Studies on made-up results, and tiny real ones."""

import contextlib
import dataclasses
import hashlib

import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.core.config import updated
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig

SMALL = TrainConfig(
    model=ModelConfig(
        size_px=32,
        taps=("block_1_expand_relu",),
        pooling="mean_std",
        head=HeadConfig(units=(4,), dropout=0.3, l2=1e-3),
    ),
    epochs=3,
    batch_size=16,
    learning_rate=0.01,
    patience=None,
)


SMALL = dataclasses.replace(
    SMALL, model=updated(SMALL.model, {"options": {"alpha": 0.35}})
)


def configure(hp, components):
    """Two choices, one of them conditional."""
    kind = hp.Choice("kind", ["plain", "wide"])
    rate = hp.Choice("learning_rate", [0.003, 0.01, 0.03])
    with hp.conditional_scope("kind", ["wide"]):
        units = hp.Choice("units", [5, 6])
    head = HeadConfig(units=(units,) if kind == "wide" else ())
    model = dataclasses.replace(SMALL.model, head=head)
    return dataclasses.replace(SMALL, model=model, learning_rate=rate)


def wide_space(hp, components):
    """Enough points for random draws not to collide."""
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    l2 = hp.Float("l2", 1e-4, 1e-1, sampling="log")
    kind = hp.Choice("kind", ["a", "b", "c"])
    units = {"a": (), "b": (4,), "c": (8,)}[kind]
    model = dataclasses.replace(SMALL.model, head=HeadConfig(units=units, l2=l2))
    return dataclasses.replace(SMALL, model=model, learning_rate=rate)


@pytest.fixture
def small_config():
    return SMALL


@pytest.fixture
def make_study():
    """A study by default on the conditional space."""
    from kerasfaces.tune.study import Study

    def make(**changes):
        given = {
            "title": "test",
            "configure": configure,
            "bases": ("mobilenetv2",),
            "oracle": "grid",
        }
        if changes.get("oracle", "grid") != "grid":
            given["configure"] = wide_space
        if changes.get("oracle") in ("random", "bayesian"):
            given["max_trials"] = 12
        return Study(**given | changes)

    return make


@pytest.fixture
def components():
    """One base with weights."""
    from kerasfaces.tune.components import Components

    return Components(weights={"mobilenetv2": "none"}, loaded={"mobilenetv2": None})


class DrawnResults:
    """A task that trains nothing: the same result for the same values.

    Attributes:
        trained: Trials it was given.
        message: Returns a trial's failure, empty for a score.
    """

    def __init__(self, n_epochs=4, message=lambda training: "", result=None):
        self.trained, self.message = [], message
        self._n_epochs, self._result = n_epochs, result

    def __call__(self, training):
        from kerasfaces.run import trials as records

        self.trained.append(training.trial_id)
        if text := self.message(training):
            return records.Result(message=text, seconds=0.2)
        own = {k: v for k, v in training.values.items() if not k.startswith("tuner/")}
        text = repr(dict(sorted(own.items())))
        key = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
        repeats = [self._repeat(training, key, seed) for seed in training.seeds]
        return records.Result(repeats=repeats, seconds=0.2)

    def _repeat(self, training, key, seed):
        from kerasfaces.run import trials as records

        scores = rng.generator(key, "auc", seed).random(self._n_epochs)
        if self._result is not None:
            scores[:] = self._result(training)
        rows = [
            {
                "phase": "head",
                "epoch": i + 1,
                "loss": 1.0 - score,
                "val_loss": 1.0 - score,
                "val_auc": float(score),
                "val_accuracy": float(score),
                "best": True,
            }
            for i, score in enumerate(scores)
        ]
        logits = rng.generator(key, "logits", seed).normal(size=40)
        return records.Repeat(
            summary=summary_of(rows, seed),
            rows=rows,
            logits=logits.astype(np.float32),
            weights=[np.zeros(3, np.float32)],
        )


def summary_of(rows, seed):
    """What a trial says of a training whose last epoch counts."""
    last = rows[-1]
    return {
        "seed": seed,
        "epochs": len(rows),
        "kept_epoch": last["epoch"],
        **{
            name: last[name] for name in ("loss", "val_auc", "val_accuracy", "val_loss")
        },
        "engine": "",
        "seconds": 0.1,
        "stopped": False,
    }


@pytest.fixture
def drawn_results():
    return DrawnResults


@pytest.fixture
def open_search(components):
    """Open a study's search on a folder, as a new process would."""
    from kerasfaces.tune import space
    from kerasfaces.tune.search import Search

    def make(study, folder):
        return Search(study, components, space.declare(study, components), folder)

    return make


@pytest.fixture
def drive(open_search):
    """Run a study on a folder to its end, or for some trials; returns the search."""
    from kerasfaces.core import engine

    class EnoughError(Exception):
        pass

    def run(study, folder, task=None, limit=None, pool=None):
        search = open_search(study, folder)
        task = task or DrawnResults()

        def limited(training):
            if limit is not None and len(task.trained) == limit:
                raise EnoughError
            return task(training)

        if pool is not None:
            search.run(pool(task))
            return search
        with (
            contextlib.suppress(EnoughError),
            engine.pool(limited, engine.Engine(workers=1)) as own,
        ):
            search.run(own)
        return search

    return run
