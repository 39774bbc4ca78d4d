"""Detectors trained by the command in seconds, and operating points by hand."""

import numpy as np
import pytest

from kerasfaces.core.files import read_json, write_json
from kerasfaces.metrics import Platt
from kerasfaces.run.operating_point import OperatingPoint


def operating_point(**changes):
    """Return a point at .5 whose scores are the logits' sigmoids."""
    values = dict(
        calibrator=Platt(1.0, 0.0),
        threshold=0.5,
        rule="made up",
        threshold_fpr_1pct=0.9,
        rule_fpr_1pct="made up",
        abstain=(0.4, 0.6),
        false_alarm_rate=0.0,
        miss_rate=0.0,
        n_real=10,
        n_fake=10,
    )
    return OperatingPoint(**{**values, **changes})


def set_threshold(run, logit, band=(0.0, 0.0)):
    """Let scores be sigmoid(logit), fake from a logit on, unsure from .. to.

    The tiny run's own logits all lie within 1e-3 of 0.
    """
    scores = 1 / (1 + np.exp(-np.array([logit, *band])))
    point = read_json(run / "operating_point.json")
    point["calibrator"] |= {"a": 1.0, "b": 0.0}
    point |= {"threshold": scores[0], "abstain": list(scores[1:])}
    write_json(run / "operating_point.json", point)


def write_manifest(root, images, train, val, generators=("gan",)):
    """Write a manifest of the 36 tiny images per class, the rest of which is for tests."""
    lines = ["path,label,source,split"]
    for label, folder in (("real", "camera"), ("fake", "gan")):
        sources = generators if label == "fake" else ("camera",)
        for number in range(36):
            split = (
                "train" if number < train else "val" if number < train + val else "test"
            )
            path = images / label / folder / f"{number:02d}.png"
            source = sources[number % len(sources)]
            lines.append(f"{path},{label},{source},{split}")
    path = root / "manifest.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def train_tiny(manifest, weights, *words):
    """Train by the command into `run` beside the manifest, with a cache of its own."""
    from kerasfaces.cli.train import main

    root = manifest.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACES_CACHE", str(root / "cache"))
        arguments = ["--manifest", str(manifest), "--weights", str(weights), *words]
        assert main([*arguments, "-o", str(root / "run")]) == 0
    return root / "run"


def settings(*pairs):
    """Return `--set` before each of NAME=VALUE."""
    return [word for pair in pairs for word in ("--set", pair)]


TINY = settings("model.size_px=32", "model.taps=block_1_expand_relu", "epochs=3")
