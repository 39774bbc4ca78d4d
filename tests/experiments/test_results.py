"""Rows over seeds, results.json, the printed tables and the record."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from experiments.framework import catalogue, results_file
from experiments.framework.rows import NO_LABELS, Measured, Row, is_status, over_seeds
from kerasfaces.core.errors import InputError, RunError

KEYS = {"table", "row", "data", "split", "metric", "ours", "published", "status"}


def test_mean_and_sd_over_seeds():
    found = over_seeds(
        {
            1: Measured(value=0.8, low=0.7, high=0.9, n=50),
            0: Measured(value=0.6, low=0.5, high=0.7, n=40),
        }
    )
    assert found["seeds"] == [0, 1]
    assert found["values"] == [0.6, 0.8]
    assert found["n"] == 40
    assert [found[key] for key in ("value", "low", "high", "sd")] == pytest.approx(
        [0.7, 0.6, 0.8, math.sqrt(0.02)]
    )


def test_one_seed_keeps_its_interval_and_undefined_is_never_averaged():
    one = Measured(value=0.6, low=0.5, high=0.7, n=40, p_value=0.03)
    assert over_seeds({3: one}) == {
        "value": 0.6,
        "low": 0.5,
        "high": 0.7,
        "n": 40,
        "seeds": [3],
        "p_value": 0.03,
    }
    undefined = over_seeds({0: one, 1: Measured(value=math.nan, n=40)})
    assert (undefined["value"], undefined["sd"]) == (None, None)
    assert undefined["values"] == [0.6, None]


def test_limits_pooled_over_splits_take_the_place_of_their_averages():
    each = {
        seed: Measured(value=v, low=v - 0.1, high=v + 0.1, n=40)
        for seed, v in ((0, 0.6), (1, 0.8))
    }
    whole = Measured(value=0.7, low=0.65, high=0.75, n=70, p_value=0.01)
    found = Row(table="t", row="r", metric="auc", ours=each, pooled=whole).to_dict("d")
    ours = found["ours"]
    assert [ours[key] for key in ("value", "low", "high", "n", "p_value")] == [
        pytest.approx(0.7),
        0.65,
        0.75,
        70,
        0.01,
    ]
    assert ours["values"] == [0.6, 0.8]


def test_a_row_was_run_or_says_why_not():
    with pytest.raises(InputError, match="status: expected one of"):
        Row(table="t", row="r", metric="auc", status="skipped")
    with pytest.raises(InputError, match=r"expected one of .* or 'failed: ' and why"):
        Row(table="t", row="r", metric="auc", status="failed: ")
    with pytest.raises(InputError, match="with 0 numbers"):
        Row(table="t", row="r", metric="auc")
    found = Row(table="t", row="r", metric="auc", status=NO_LABELS).to_dict("data")
    assert set(found) == KEYS
    assert found["ours"]["value"] is None
    broken = Row(table="t", row="r", metric="auc", status="failed: no room").to_dict("")
    assert broken["status"] == "failed: no room"


def test_the_command_holds_no_path_of_this_machine():
    words = "kabber2023 --manifest /home/me/m.csv -o /tmp/x --root=/data --seeds 0-4"
    words += " --weights mobilenetv2=/home/me/w.h5 --weights /home/me/w.h5 --record"
    assert results_file.command(words.split()) == (
        "python -m experiments kabber2023 --manifest M -o DIR --root=ROOT --seeds 0-4 "
        "--weights mobilenetv2=w.h5 --weights w.h5 --record"
    )


def example():
    """Results of one table with three kinds of rows."""
    number = Measured(value=0.9, low=0.85, high=0.95, n=100)
    other = dataclasses.replace(number, value=0.8)
    rows = [
        Row(table="t1", row="first", metric="auc", ours={0: number}, published=0.88),
        Row(table="t1", row="second", metric="auc", published=0.7, status=NO_LABELS),
        Row(table="t2", row="third", metric="auc", ours={0: number, 1: other}),
    ]
    return {
        "commit": "abc",
        "command": "python -m experiments x",
        "hours": 0.5,
        "seeds": [0, 1],
        "weights": {"resnet50": None},
        "notes": ["Mind this."],
        "rows": [row.to_dict("3 camera (real)") for row in rows],
    }


def test_printed_tables_keep_ours_and_theirs_apart_and_name_the_data():
    text = results_file.text(example(), {"t2": "Second", "t1": "First"}, "their data")
    lines = text.splitlines()
    assert lines[:2] == ["Ours: 3 camera (real)", "Document's: their data"]
    assert "random weights" in lines[2]
    assert lines.index("T2. Second") < lines.index("T1. First")
    header = lines[lines.index("T1. First") + 1]
    first = next(line for line in lines if line.startswith("first"))
    second = next(line for line in lines if line.startswith("second"))
    assert header.index("ours") == first.index("0.900 [0.850, 0.950]")
    assert header.index("document's") == first.index("0.88") == second.index("0.7")
    assert "not run: no labels" in second
    assert "0.850 [0.850, 0.950] sd 0.071" in text
    assert "Note: Mind this." in lines


def test_a_long_reason_does_not_push_the_documents_column_away():
    results = example()
    results["rows"][1]["status"] = "failed: " + 60 * "x"
    text = results_file.text(results, {"t1": "First"}, "their data")
    first, second = (
        next(line for line in text.splitlines() if line.startswith(word))
        for word in ("first", "second")
    )
    assert second.endswith("0.7")
    assert second.index("0.7") == first.index("0.88")
    assert "xxx..." in second


def test_record_copies_results_and_fills_the_readme(tmp_path):
    readme = tmp_path / "README.md"
    begin, end = "<!-- results: written by --record -->", "<!-- end of results -->"
    readme.write_text(f"Before\n{begin}\nold\n{end}\nAfter\n", encoding="utf-8")
    for _ in range(2):
        results_file.record(example(), "TABLES", tmp_path)
    text = readme.read_text(encoding="utf-8")
    assert text == f"Before\n{begin}\n```text\nTABLES\n```\n{end}\nAfter\n"
    assert json.loads((tmp_path / "results.json").read_text()) == example()
    readme.write_text("no place\n", encoding="utf-8")
    with pytest.raises(RunError, match="expected the lines"):
        results_file.record(example(), "TABLES", tmp_path)


def test_git_commit_or_unknown(tmp_path):
    assert results_file.commit(tmp_path) == ("unknown", False)


RECORDED = sorted(catalogue.HERE.glob("*/results.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.parent.name)
def test_recorded_results_keep_the_contract(path):
    results = json.loads(path.read_text(encoding="utf-8"))
    assert {"commit", "command", "hours", "rows"} <= set(results)
    for row in results["rows"]:
        assert "status" in row
    text = path.read_text(encoding="utf-8")
    assert not any(part in text for part in ("/home/", "/root/", "/tmp/", "/work/"))


@pytest.mark.parametrize("name", catalogue.names())
def test_recorded_tables_are_the_readme(name):
    path = Path(catalogue.HERE / name / "results.json")
    if not path.exists():
        pytest.skip("not recorded yet")
    experiment = catalogue.load(name)
    results = json.loads(path.read_text(encoding="utf-8"))
    printed = results_file.text(results, experiment.TITLES, experiment.DOCUMENT_DATA)
    readme = (catalogue.HERE / name / "README.md").read_text(encoding="utf-8")
    assert printed in readme
    for row in results["rows"]:
        assert set(row) == KEYS
        assert is_status(row["status"])
        assert {"value", "low", "high", "n", "seeds"} <= set(row["ours"])
