"""The real command on tiny images: trains, resumes after kill -9, speaks plainly."""

import json
import signal
import subprocess
import sys
import time

import pytest

from kerasfaces import manifest as manifests
from kerasfaces.cli.crossgen import main
from kerasfaces.core.files import read_json

pytestmark = pytest.mark.tf


@pytest.fixture
def arguments(tiny_manifest, tiny_weights, tmp_path):
    """Two generators of 18 images each, split by the manifest."""
    rows = tiny_manifest.rows.copy()
    fake = rows.index[rows["label"] == "fake"]
    rows.loc[fake[::2], "source"] = "diffusion"
    path = tmp_path / "manifest.csv"
    manifests.write(manifests.Manifest(rows, tmp_path), path)
    return [
        *("--manifest", str(path), "--weights", str(tiny_weights)),
        *("--set", "model.size_px=32", "--set", "model.taps=block_1_expand_relu"),
        *("--set", "epochs=2", "--at-least", "12", "--repeat", "1"),
    ]


def test_two_generators(arguments, tmp_path, capsys, monkeypatch):
    from kerasfaces.features import cached

    computed = []
    compute = cached.FeatureCache._compute
    monkeypatch.setattr(
        cached.FeatureCache,
        "_compute",
        lambda self, features, missing, view: (
            computed.append(len(missing)),
            compute(self, features, missing, view),
        ),
    )
    out = tmp_path / "matrix"
    assert main([*arguments, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "worst cell: trained on" in printed
    assert "--keep-all takes everything, --size N another number." in printed
    assert f"report: {out}/report.html" in printed
    assert len(computed) == 1  # one pass over the images for all training sets
    content = read_json(out / "crossgen.json")
    assert [each["name"] for each in content["training_sets"]] == [
        *("diffusion", "gan", "all"),
    ]
    assert {each["n_fake"] for each in content["training_sets"]} == {12}
    for run in (out / "runs").glob("*/seed-0"):  # they share one traced base
        assert read_json(run / "training.json")["agreement"] < 1e-3
    config = read_json(out / "runs" / "all" / "seed-0" / "config.json")
    assert config["train"]["model"]["options"]["alpha"] == 0.35
    before = (out / "crossgen.json").stat().st_mtime_ns
    assert main([*arguments, "-o", str(out)]) == 0
    assert capsys.readouterr().out == printed
    assert (out / "crossgen.json").stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_shared_base_gives_the_runs_own_numbers(arguments, tmp_path):
    """A run of the matrix and the same run trained alone agree to the last digit."""
    from kerasfaces.cli.train import main as train

    out = tmp_path / "matrix"
    main([*arguments, "-o", str(out)])
    within = out / "runs" / "gan" / "seed-0"
    at = arguments.index("--at-least")
    words = ["--manifest", str(within / "manifest.csv"), *arguments[2:at]]
    train([*words, "-o", str(tmp_path / "alone")])
    first, second = (
        (folder / "predictions_test.csv").read_text().replace(str(tmp_path), "")
        for folder in (within, tmp_path / "alone")
    )
    logits = [
        [line.rsplit(",", 6)[-4:] for line in text.splitlines()[1:]]
        for text in (first, second)
    ]
    assert logits[0] == logits[1]


@pytest.mark.slow
def test_killed_at_any_moment_it_finishes_alike(arguments, tmp_path):
    main([*arguments, "-o", str(tmp_path / "whole")])
    words = [*arguments, "-o", str(tmp_path / "killed")]
    command = [sys.executable, "-m", "kerasfaces.crossgen", *words]
    for delay_s in (4.0, 9.0, 14.0):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert main(words) == 0
    cells = [
        json.loads((tmp_path / name / "crossgen.json").read_text())["cells"]
        for name in ("whole", "killed")
    ]
    assert cells[0] == cells[1]


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert (
        "--train stylegan,stylegan2 --test dreambooth,lora" in capsys.readouterr().out
    )
