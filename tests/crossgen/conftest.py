"""A manifest of several generators, and a training that only makes up predictions."""

import numpy as np
import pandas as pd
import pytest

from kerasfaces import manifest as manifests
from kerasfaces.core import rng
from kerasfaces.core.files import write_json
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train.config import TrainConfig

GENERATORS = {"dream": 90, "gan": 240, "gan2": 120}


def make_rows(generators, cameras):
    """Rows without files; every fifth image belongs to a pair of real and fake."""
    lines = []
    for label, sources in (("real", cameras), ("fake", generators)):
        for source, n in sources.items():
            for i in range(n):
                lines.append(
                    {
                        "path": f"{label}/{source}/{i:03d}.jpg",
                        "label": label,
                        "source": source,
                        "split": "",
                        "pair_id": f"{i // 5}" if i % 5 == 0 else "",
                    }
                )
    frame = pd.DataFrame(lines)
    frame["sha256"] = [f"{i:064x}" for i in range(len(frame))]
    frame["phash"] = ""
    return frame.astype(str)


@pytest.fixture
def make_manifest(tmp_path, monkeypatch):
    """A manifest without pixels: near-duplicates are not looked for."""
    from kerasfaces.manifest import file_facts

    monkeypatch.setattr(file_facts, "complete", lambda manifest: (manifest, 0))

    def make(generators=GENERATORS, cameras=None):
        rows = make_rows(generators, cameras or {"camera": 240, "phone": 120})
        return manifests.Manifest(rows, tmp_path)

    return make


@pytest.fixture
def config():
    return TrainConfig(model=ModelConfig(size_px=32, head=HeadConfig()), epochs=2)


@pytest.fixture
def weights_file(tmp_path):
    path = tmp_path / "base.h5"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def trained(monkeypatch):
    """Replace training: a generator that was trained on is found, another is not."""
    from kerasfaces.crossgen import run as crossgen
    from kerasfaces.evaluate import run as evaluation
    from kerasfaces.train import run as training

    requests = []

    def train(request, preparations=None):
        if DetectorRun(request.folder).is_finished:
            return request.folder
        requests.append(request)
        rows = request.manifest.rows
        fakes = rows[(rows["label"] == "fake") & (rows["split"] == "train")]
        seen = set(fakes["source"])
        frames = {}
        for name in ("val", "test"):
            part = rows[rows["split"] == name].drop(columns=["sha256", "phash"])
            random = rng.generator(request.config.seed, name, *sorted(seen))
            strength = np.where(part["source"].isin(seen), 3.0, -0.5)
            fake = (part["label"] == "fake").to_numpy()
            logit = random.normal(0, 1, len(part)) + strength * fake
            frames[name] = part.assign(logit=logit, score=np.nan, reason="")
        write_json(request.folder / "config.json", {"weights": None})
        evaluation.finish(
            request.folder, frames, config={}, environment={}, bootstrap=30
        )
        return request.folder

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "resolve", lambda request: (request.config, None))
    monkeypatch.setattr(crossgen, "compute_features", lambda *arguments: None)
    return requests
