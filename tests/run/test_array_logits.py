"""Logits of arrays are those of the files they were read from, for every kind of run."""

import numpy as np
import pytest

from kerasfaces import images
from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.run.predictor import Predictor

KINDS = {
    "baseline": ["--model", "hog_svm"],
    "frozen": ["--set", "model.size_px=32", "--set", "model.taps=block_1_expand_relu"],
    "whole": ["--set", "model.size_px=32", "--weights", "none"],
}


@pytest.mark.parametrize(
    "kind", ["baseline", "frozen", pytest.param("whole", marks=pytest.mark.slow)]
)
def test_arrays_and_files_agree(kind, tiny_manifest, tiny_weights, tmp_path):
    from kerasfaces.cli.train import main

    manifest = tmp_path / "m.csv"
    manifests.write(tiny_manifest, manifest)
    words = ["--manifest", manifest, "-o", tmp_path / "run", *KINDS[kind]]
    if kind == "frozen":
        words += ["--weights", tiny_weights]
    if kind != "baseline":
        words += ["--set", "epochs=2"]
    main([str(word) for word in words])
    files = tiny_manifest.files()[28:40]
    predictor = Predictor(tmp_path / "run")
    spec = predictor.input_spec
    arrays = np.stack([images.load_array(file, spec) for file in files])
    fresh = Predictor(tmp_path / "run").array_logits(arrays)
    logits, reasons = predictor.logits(files)
    assert not any(reasons)
    assert fresh == pytest.approx(logits, abs=1e-3)
    assert np.ptp(fresh) > 0
    assert predictor.array_logits(arrays[:5]) == pytest.approx(fresh[:5], abs=1e-4)


def test_a_run_on_channels_has_no_pixels(monkeypatch, tmp_path):
    class Network:
        folder, channel_recipe = tmp_path, {"kind": "channels"}

    class Run:
        baseline, network = None, Network()

    monkeypatch.setattr(Predictor, "__init__", lambda self: None)
    predictor = Predictor()
    predictor._run = Run()
    with pytest.raises(InputError, match=r"was trained on channels.*run on pixels"):
        _ = predictor.input_spec
