"""Drawn portraits, and annotators' graphs that judge by mean colour."""

import dataclasses

import numpy as np
import pytest
from face_pictures import portrait, scene
from graph_models import classifier
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.graphs import collection

ENDS = {
    "gear": (198, 3, {"Identity": 7, "Identity_1": 2, "Identity_2": 5}),
    "emotion": (64, 1, {"Identity": 7}),
}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder with small graphs in the place of the published ones."""
    pytest.importorskip("onnx")
    if not collection.session.is_available():
        pytest.skip("no runtime is installed")
    folder = tmp_path / "weights"
    for name, (side, channels, ends) in ENDS.items():
        _, digests = classifier(folder, name, side, channels, ends)
        graph = dataclasses.replace(
            collection.GRAPHS[name], json_sha256=digests[0], bin_sha256=digests[1]
        )
        monkeypatch.setitem(collection.GRAPHS, name, graph)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """Three portraits, one with nobody, one with two, one that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        portrait(number).save(folder / f"p{number}.png")
    Image.new("RGB", (160, 160), (90, 120, 200)).save(folder / "nobody.png")
    two = scene((400, 200), [(0, 0, 200), (210, 20, 160)])
    Image.fromarray(two).save(folder / "two.png")
    (folder / "broken.png").write_bytes(b"no picture")
    lines = ["path,label,source,split,attr_gender"]
    lines += [
        f"p{n}.png,real,camera,test,{'woman' if n == 1 else ''}" for n in range(3)
    ]
    lines += [f"{name}.png,real,camera,test," for name in ("nobody", "two", "broken")]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifests.read(folder / "manifest.csv")


@pytest.fixture
def looks(monkeypatch):
    """Count how often annotators are asked."""
    from kerasfaces.annotate import facts

    calls = []
    look = facts.look

    def counted(image):
        calls.append(np.asarray(image).shape)
        return look(image)

    monkeypatch.setattr(facts, "look", counted)
    return calls
