"""Every command once, as a user types it, on a few images."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.tf]


def kerasfaces(*arguments, code=0):
    command = [sys.executable, "-m", "kerasfaces", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_from_nothing_to_a_report(tmp_path):
    sample, run = tmp_path / "sam ple 🙂", tmp_path / "run"
    manifest = sample / "manifest.csv"
    assert "train" in kerasfaces()
    kerasfaces("sample", "-o", sample, "--pairs", 42)
    kerasfaces("manifest", "check", manifest)
    kerasfaces("manifest", "audit", manifest)
    kerasfaces("manifest", "split", manifest, code=2)  # it has splits already
    kerasfaces("manifest", "split", manifest, "--overwrite", "--ratio", "64:16:20")
    told = kerasfaces(
        *("train", "--manifest", manifest, "--weights", "forensic"),
        *("--set", "epochs=2", "-o", run),
    )
    assert f"report: {run}" in told
    assert "AUC" in kerasfaces("evaluate", run, "--by", "source")
    assert "report:" in kerasfaces("evaluate", run, "--manifest", manifest)
    told = kerasfaces(
        *("explain", run, "--split", "test", "--n", 2, "-o", tmp_path / "maps")
    )
    assert "mean deletion gain" in told
    theirs = run / "predictions_test.csv"
    table = tmp_path / "table"
    assert "minus" in kerasfaces("compare", run, theirs, "-o", table)
    told = kerasfaces("ensemble", run, theirs, code=2)
    assert "no validation predictions" in told
    told = kerasfaces(
        *("crossgen", "--manifest", manifest, "--weights", "forensic"),
        *("--set", "epochs=2", "--repeat", 1, "--at-least", 8),
        *("-o", tmp_path / "matrix"),
    )
    assert "worst cell: trained on" in told


def test_mistakes_end_in_one_sentence(tmp_path):
    for arguments in (
        ["trian"],
        ["train", "--manifest", tmp_path / "none.csv"],
        ["evaluate", tmp_path],
        ["compare", tmp_path, tmp_path / "none.csv"],
        ["ensemble", tmp_path, tmp_path],
        ["attribute", tmp_path],
        ["explain", tmp_path, tmp_path / "none.jpg", "-o", tmp_path / "maps"],
        ["manifest", "build", tmp_path, "-o", tmp_path / "m.csv"],
        ["sample", "-o", tmp_path, "--pairs", 1],
    ):
        told = kerasfaces(*arguments, code=2)
        assert told.count("error:") == 1
