"""frozen_base: the same splits for every configuration, paired differences."""

import pytest

from experiments.frozen_base import experiment
from kerasfaces.train import config as configs


def test_configurations_differ_in_one_thing_from_ours():
    found = experiment.configurations()
    assert found["ours"] == configs.default("mobilenetv2")
    assert found["document's head"] == configs.preset("kabber2023", "mobilenetv2")
    assert found["ours on the last layer"].model.taps == ()
    assert found["ours at one size"].model.scales == (1.0,)


def test_rows(run_experiment, write_manifest, trained, weights_file, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--seeds", "0-1", "--weights", str(weights_file)]
    results = run_experiment("frozen_base", write_manifest(), *words)
    rows = {table: [] for table in experiment.TITLES}
    for row in results["rows"]:
        assert row["status"] == "run"
        rows[row["table"]].append(row)
    n = len(experiment.configurations())
    assert {table: len(found) for table, found in rows.items()} == {
        "test": 4 * n,
        "splits": 2 * n,
        "differences": 3,
        "validation": n,
    }
    split = out / "splits" / "5-1-1-seed-0.csv"
    for request in trained:
        seed = request.folder.name
        assert request.manifest.rows["split"].value_counts()["test"] == 34
        assert (out / "splits" / f"5-1-1-seed-{seed[-1]}.csv").exists()
    assert split.exists()
    difference = rows["differences"][0]
    by_name = {row["row"]: row["ours"]["value"] for row in rows["splits"]}
    assert difference["ours"]["value"] == pytest.approx(
        by_name["ours, split 0"] - by_name["document's head, split 0"]
    )
    assert 0 < difference["ours"]["p_value"] <= 1
    best = max(rows["validation"], key=lambda row: row["ours"]["value"])["row"]
    assert f"Best on validation: {best}." in capsys.readouterr().out
