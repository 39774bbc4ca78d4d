"""generators: both matrices, their rows, and what happens without weights."""

import numpy as np
import pytest

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


def test_rows_of_both_matrices(run_experiment, manifest, weights_file):
    words = ["--seeds", "0-1", "--weights", str(weights_file)]
    results = run_experiment("generators", manifest, *words)
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
