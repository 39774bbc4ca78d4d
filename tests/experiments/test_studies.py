"""Experiments made of studies: kabber2023's grids, and our search against the default."""

import dataclasses

import pytest

from experiments.__main__ import main
from experiments.best_study import experiment as best_study
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json

pytestmark = pytest.mark.tf


def test_grids_beside_the_document_s(
    write_manifest, trained, searched, no_imagenet, weights_file, tmp_path, capsys
):
    out = tmp_path / "out"
    words = ["kabber2023", "--part", "grids", "--manifest", str(write_manifest())]
    words += ["-o", str(out), "--weights", f"mobilenetv2={weights_file}"]
    assert main(words) == 0
    assert not (out / "results.json").exists()  # the main tables are another result
    results = read_json(out / "results-grids.json")
    assert [seed for _, _, seed in searched] == [0, 1, 2]
    assert [study.seed for _, study, _ in searched] == [0, 1, 2]
    table = [row for row in results["rows"] if row["table"] == "table 3"]
    assert len(table) == 9 * 2
    assert {row["status"] for row in table} == {"run"}
    assert {row["ours"]["n"] for row in table} == {38}
    best = max(
        (row for row in table if row["metric"] == "accuracy"),
        key=lambda row: row["published"],
    )
    assert best["row"] == "dropout 0.05, learning rate 0.0005"
    assert (best["published"], len(best["ours"]["values"])) == (0.7948, 3)
    other = [row for row in results["rows"] if row["table"] == "table 4"]
    assert len(other) == 7 * 3
    assert {row["status"] for row in other} == {"not run: no weights"}
    printed = capsys.readouterr().out
    assert "is number" in printed
    assert "by seed" in printed


def test_an_unknown_part_names_the_parts(write_manifest, tmp_path):
    words = ["--manifest", str(write_manifest()), "-o", str(tmp_path / "out")]
    with pytest.raises(InputError, match=r"--part grid: kabber2023 has grids; without"):
        main(["kabber2023", "--part", "grid", *words])
    with pytest.raises(InputError, match="frozen_base has no parts"):
        main(["frozen_base", "--part", "grids", *words])


def test_the_winner_against_the_default(
    run_experiment, write_manifest, trained, searched, weights_file, capsys
):
    words = ["--seeds", "0-1", "--weights", str(weights_file), "--budget-hours", "0.5"]
    results = run_experiment("best_study", write_manifest(), *words)
    assert [study.budget_h for _, study, _ in searched] == [0.25, 0.25]
    assert len(trained) == 2  # the default, once per split
    rows = {table: [] for table in best_study.TITLES}
    for row in results["rows"]:
        rows[row["table"]].append(row)
    by_name = {row["row"]: row["ours"] for row in rows["test"]}
    pooled = rows["differences"][-1]["ours"]
    assert pooled["seeds"] == [0, 1]
    assert pooled["value"] == pytest.approx(
        by_name["winner"]["value"] - by_name["default"]["value"]
    )
    assert pooled["low"] < pooled["value"] < pooled["high"]
    assert pooled["p_value"] < 0.05
    minutes = {row["row"]: row["ours"]["value"] for row in rows["search"]}
    assert minutes["minutes of trials"] == 9
    assert {"taps", "l2"} <= {row["row"] for row in rows["effects"]}
    printed = capsys.readouterr().out
    assert "stopped after 15 minutes of its own trials" in printed
    assert "What mattered (permutation test within splits" in printed


def test_an_hour_per_split_unless_told():
    @dataclasses.dataclass
    class Budget:
        budget_h: float | None
        seeds: tuple[int, ...] = (0, 1)
        hours_of: str | None = None

    assert best_study.hours_per_split(Budget(None)) == 1.0
    assert best_study.hours_per_split(Budget(1.0)) == 0.5
    assert best_study.hours_per_split(Budget(1.0, hours_of="all")) == 1.0
