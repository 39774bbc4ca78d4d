"""A manifest without pixels and a training that only makes up predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kerasfaces import manifest as manifests
from kerasfaces.core import rng
from kerasfaces.core.files import read_json
from kerasfaces.run.folder import DetectorRun

VALUES = {
    "attr_gender": ("man", "woman"),
    "attr_race": ("asian", "black", "white", "latino_hispanic"),
    "attr_glasses": ("glasses", "no_glasses"),
    "attr_expression": ("positive", "neutral", "negative"),
}

MEASURED = {
    "parameters": 2_000_000,
    "trained": 1_000,
    "speed": {
        "ms": 6.0,
        "fastest_ms": 5.0,
        "slowest_ms": 9.0,
        "reference_ms": 4.0,
        "batch": 32,
        "batches": 5,
        "cores": 2,
        "load": 1.5,
    },
}


def make_rows(n=240, labelled=("real", "fake"), attributes=tuple(VALUES), without=()):
    """Half real, half fake; attributes only on the classes in `labelled`, not `without`."""
    number = np.arange(n)
    label = np.where(number % 2 == 0, "real", "fake")
    rows = {
        "path": [f"{name}/{i:03d}.jpg" for i, name in zip(number, label, strict=True)],
        "label": label,
        "source": np.where(label == "real", "camera", "gan"),
        "split": "",
        "sha256": [f"{i:064x}" for i in number],
    }
    for name in attributes:
        values = [value for value in VALUES[name] if value not in without]
        cells = [values[(i // 2) % len(values)] for i in number]
        rows[name] = np.where(np.isin(label, labelled), cells, "")
    return pd.DataFrame(rows).astype(str)


@pytest.fixture
def write_manifest(tmp_path):
    """Write rows as a manifest; returns its path."""

    def write(**options):
        path = tmp_path / "manifest.csv"
        manifests.write(manifests.Manifest(make_rows(**options), tmp_path), path)
        return path

    return write


@pytest.fixture
def write_generators(write_manifest, tmp_path):
    """Write a manifest whose fakes are of several generators; returns its path."""

    def write(counts, reals=300, cameras=1):
        n = 2 * max(reals, sum(counts.values()))
        made = manifests.read(write_manifest(n=n, attributes=()))
        real = made.rows[made.rows["label"] == "real"].iloc[:reals]
        if cameras > 1:
            real = real.assign(source=[f"camera_{i % cameras}" for i in range(reals)])
        fake = made.rows[made.rows["label"] == "fake"].iloc[: sum(counts.values())]
        fake = fake.assign(source=np.repeat(list(counts), list(counts.values())))
        rows = pd.concat([real, fake], ignore_index=True)
        path = tmp_path / "generators.csv"
        manifests.write(manifests.Manifest(rows, made.folder), path)
        return path

    return write


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Replace training by made-up logits, near-duplicates by none; lists the requests."""
    from experiments.framework import (
        cells,
        channel_stores,
        everything,
        launch,
        runner,
    )
    from experiments.systems import cost
    from experiments.unseen import leaving_out, pairs
    from experiments.wan2023 import saturation, simulated
    from kerasfaces.crossgen import run as crossgen
    from kerasfaces.evaluate import measurement
    from kerasfaces.evaluate import run as evaluation
    from kerasfaces.manifest import file_facts, split
    from kerasfaces.models.weights import BaseWeights
    from kerasfaces.train import channels
    from kerasfaces.train import run as training

    requests = []
    # Reports have tests of their own, and most of the time would go into their charts.
    monkeypatch.setattr(measurement, "render", lambda data: "<!doctype html>")
    monkeypatch.setattr("keras.utils.clear_session", lambda: None)  # nothing to clear
    monkeypatch.setattr(saturation, "share", lambda folder, store: 0.75)

    def train(request, preparations=None):
        if DetectorRun(request.folder).is_finished:
            return request.folder
        requests.append(request)
        frames = {}
        for name in ("val", "test"):
            rows = request.manifest.rows
            rows = rows[rows["split"] == name].drop(columns="sha256")
            random = rng.generator(len(requests), name)
            logit = random.normal(0, 1, len(rows)) + 1.5 * (rows["label"] == "fake")
            frames[name] = rows.assign(logit=logit, score=np.nan, reason="")
        weights = {"kind": "file", "file": "base.h5", "sha256": "0" * 64}
        config = {"weights": weights}
        evaluation.finish(
            request.folder, frames, config=config, environment={}, bootstrap=20
        )
        (request.folder / "config.json").write_text(
            '{"weights": {"kind": "file", "file": "base.h5", "sha256": "%s"}}'
            % ("0" * 64)
        )
        (request.folder / "training.json").write_text('{"train_seconds": 36.0}')
        return request.folder

    def leave_out(variant, manifest, weights, file, store=None, *, cameras=True):
        rows = {
            name: manifest.rows[manifest.rows["split"] == name]
            for name in ("val", "test")
        }
        fake = {
            name: (part["label"] == "fake").to_numpy() for name, part in rows.items()
        }
        names = {name: part["source"].to_numpy() for name, part in rows.items()}
        logits = {
            name: {
                family: rng.generator(0, name, family).normal(size=len(part))
                + fake[name]
                for family in sorted(set(names["test"][fake["test"]]))
            }
            for name, part in rows.items()
        }
        return leaving_out.Heads(logits, fake, names, names)

    def generated(context):
        photos = context.unsplit()
        rows = photos.rows.assign(original_sha256="")
        return manifests.Manifest(rows, photos.folder), []

    def resolved(variant, text):
        return variant, BaseWeights(kind="file", path=Path(text), sha256="0" * 64)

    monkeypatch.setattr(leaving_out, "leave_out", leave_out)
    monkeypatch.setattr(leaving_out, "resolved", resolved)
    monkeypatch.setattr(pairs, "generated", generated)
    assign = split.assign
    monkeypatch.setattr(file_facts, "complete", lambda manifest: (manifest, 0))
    monkeypatch.setattr(
        split, "assign", lambda m, ratio, seed: assign(m, ratio, seed, None)
    )
    monkeypatch.setattr(training, "train", train)
    # In this process: what is put in place of a training stays behind in others.
    monkeypatch.setattr(everything, "in_own_process", launch.execute)
    monkeypatch.setattr(cells, "audit", lambda context: {"flagged": False})
    monkeypatch.setattr(crossgen, "compute_features", lambda *arguments: None)
    monkeypatch.setattr(crossgen, "resolve", lambda r: (r.config, None))
    monkeypatch.setattr(runner, "resolve", lambda r: (r.config, None))
    monkeypatch.setattr(channels, "check", lambda config, store: store and {"at": 1})
    monkeypatch.setattr(cost.Costs, "_measured", lambda *arguments: dict(MEASURED))
    monkeypatch.setattr(channel_stores.Stores, "_run", lambda *arguments: None)
    monkeypatch.setattr(channel_stores, "_unusable", lambda folder: 0)
    monkeypatch.setattr(simulated, "manifest", lambda split, folder, size_px: split)
    return requests


@pytest.fixture
def weights_file(tmp_path):
    """A file that stands for weights; nothing reads it."""
    path = tmp_path / "base.h5"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def no_imagenet(monkeypatch):
    """No ImageNet weights, at once instead of after a download that fails."""
    from kerasfaces.core.errors import MissingFileError
    from kerasfaces.models import published

    def missing(file):
        raise MissingFileError(f"{file} is not in /home/somebody/.keras.")

    for kind in ("KerasFile", "KaggleFile", "HubRepository", "PackageFile"):
        monkeypatch.setattr(getattr(published, kind), "fetch", missing)


@pytest.fixture
def run_experiment(trained, no_imagenet, tmp_path):
    """Run an experiment in `tmp_path/out` on made-up predictions; returns results.json."""
    from experiments.__main__ import main

    def run(name, manifest, *words, code=0):
        out = tmp_path / "out"
        assert main([name, "--manifest", str(manifest), "-o", str(out), *words]) == code
        return read_json(out / "results.json")

    return run


@pytest.fixture
def searched(monkeypatch):
    """Replace searches by made-up ones; lists the studies that were asked for."""
    from fake_searches import fake_search

    from experiments.framework import tuned

    asked = []

    def run(context, name, study, ratio, seed):
        asked.append((name, study, seed))
        folder = context.run_folder(name, seed)
        if study.published:
            values = [point.values for point in study.published.points]
        else:
            values = [{"taps": "ab"[i % 2], "l2": 0.001 * i} for i in range(9)]
        fake_search(folder, study, values, context.split(ratio, seed), better=3.0)
        return folder

    monkeypatch.setattr(tuned, "run", run)
    return asked
