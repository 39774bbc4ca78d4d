"""Milliseconds per image: medians of batches in turn, by the path that predicts."""

import time

import numpy as np
import pytest

from experiments.systems import speed
from kerasfaces import manifest as manifests
from kerasfaces.train import run as training
from kerasfaces.train.training import Training

pytestmark = pytest.mark.tf


class Slow:
    """A run that takes a known time per image."""

    def __init__(self, ms):
        self.ms, self.seen = ms, []

    def score(self, files):
        self.seen.append(list(files))
        time.sleep(self.ms * len(files) / 1000)
        return np.zeros(len(files))


def test_speed_is_the_median_of_batches_beside_the_reference():
    files = [f"{i}.png" for i in range(10)]
    run, reference = Slow(4.0), Slow(1.0)
    found = speed.measure(run, files, reference, batch=4, batches=3)
    assert found.ms == pytest.approx(4.0, abs=1.5)
    assert found.fastest_ms <= found.ms <= found.slowest_ms
    assert found.ms > found.reference_ms
    assert len(run.seen) == len(reference.seen) == 4
    assert run.seen == reference.seen
    assert run.seen[2] == ["8.png", "9.png", "0.png", "1.png"]
    alone = speed.measure(run, files, None, batch=4, batches=1)
    assert np.isnan(alone.reference_ms)


def test_only_images_are_timed(tiny_manifest, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    files = [bad, *tiny_manifest.files()]
    assert speed.readable(files, 3) == files[1:4]


@pytest.mark.slow
def test_speed_scores_what_the_run_scored(tiny_manifest, tiny_weights, tmp_path):
    """The timed path gives the logits of the run's own predictions, for all kinds."""
    from kerasfaces.baselines.zoo import hog_svm
    from kerasfaces.run import predictions
    from kerasfaces.train import config as configs

    head = configs.preset("kabber2023", "mobilenetv2")
    small = configs.preset("tian2023", "logistic_regression")
    wanted = {
        "frozen": (head, str(tiny_weights)),
        "whole": (small, "none"),
        "baseline": (hog_svm.CONFIG(), "none"),
    }
    for name, (config, weights) in wanted.items():
        folder = training.train(
            Training(
                config=config,
                manifest=tiny_manifest,
                weights=weights,
                folder=tmp_path / name,
            )
        )
        frame = predictions.read(folder / "predictions_test.csv")
        files = manifests.read(folder / "manifest.csv")
        chosen = files.rows["split"] == "test"
        paths = [p for p, use in zip(files.files(), chosen, strict=True) if use]
        ready = speed.load(folder, paths[:4])
        logits = ready.score(paths)
        np.testing.assert_allclose(logits, frame["logit"], atol=2e-3)
        assert 0 < ready.trained <= ready.parameters
        assert (ready.trained < ready.parameters) == (name == "frozen")
