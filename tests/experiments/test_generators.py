"""generators: both matrices, their rows, and what happens without weights."""

import json

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.generators import experiment
from kerasfaces import manifest as manifests


@pytest.fixture
def manifest(write_manifest):
    """Two generators and one with too few images."""
    path = write_manifest(n=480)
    made = manifests.read(path)
    rows = made.rows.copy()
    fake = rows["label"] == "fake"
    names = np.where(np.arange(len(rows)) % 4 == 1, "gan", "diffusion")
    rows.loc[fake, "source"] = names[fake]
    rows.loc[rows.index[fake][:3], "source"] = "tiny"
    manifests.write(manifests.Manifest(rows, made.folder), path)
    return path


def test_rows_of_both_matrices(manifest, trained, weights_file, tmp_path):
    out = tmp_path / "out"
    words = ["generators", "--manifest", str(manifest), "-o", str(out)]
    assert main([*words, "--seeds", "0-1", "--weights", str(weights_file)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    tables = {}
    for row in results["rows"]:
        tables.setdefault(row["table"], []).append(row)
    assert set(tables) == set(experiment.TITLES)
    assert [row["row"] for row in tables["equal matrix"]] == [
        "diffusion > diffusion",
        "diffusion > gan",
        "gan > diffusion",
        "gan > gan",
    ]
    assert len(tables["equal left out"]) == 2 * len(experiment.HEADLINES)
    for row in tables["equal matrix"]:
        assert row["ours"]["seeds"] == [0, 1]
        assert row["ours"]["low"] < row["ours"]["value"] < row["ours"]["high"]
    compared = tables["equal one or all"]
    assert len(compared) == 4
    for row in compared:
        assert row["metric"] == "auc difference"
        assert row["ours"]["low"] <= row["ours"]["value"] <= row["ours"]["high"]
        assert 0 < row["ours"]["p_value"] <= 1
    notes = " ".join(results["notes"])
    assert "tiny was not run: 3 images" in notes
    assert "worst cell: trained on" in notes


def test_without_weights_it_says_so(write_manifest, trained, no_imagenet, tmp_path):
    out = tmp_path / "out"
    words = ["generators", "--manifest", str(write_manifest()), "-o", str(out)]
    assert main(words) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {row["status"] for row in results["rows"]} == {"not run: no weights"}
    assert trained == []
