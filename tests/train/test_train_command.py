"""The command: run folders that finish, continue, refuse and explain."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces import manifest as manifests
from kerasfaces.cli.train import main
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, LockedError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.run.folder import DetectorRun

pytestmark = pytest.mark.tf
TINY = [
    *("--set", "model.size_px=32"),
    *("--set", "model.taps=block_1_expand_relu"),
    *("--set", "epochs=3"),
]


@pytest.fixture
def arguments(tiny_manifest, tiny_weights, tmp_path):
    path = tmp_path / "manifest.csv"
    return ["--manifest", str(path), "--weights", str(tiny_weights), *TINY]


def test_run_folder_is_complete_and_a_second_call_changes_nothing(
    arguments, tmp_path, capsys
):
    run = tmp_path / "run"
    assert main([*arguments, "-o", str(run)]) == 0
    out = capsys.readouterr().out
    assert "AUC" in out
    assert f"report: {run}/report.html" in out
    expected = {
        *("config.json", "environment.json", "manifest.csv", "history.csv"),
        *("model.keras", "input_spec.json", "operating_point.json", "training.json"),
        *("predictions_val.csv", "predictions_test.csv", "metrics.json", "report.html"),
    }
    assert expected <= {path.name for path in run.iterdir()}
    before = {
        path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()
    }
    assert main([*arguments, "-o", str(run)]) == 0
    assert capsys.readouterr().out == out
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {".lock"}
    config = json.loads((run / "config.json").read_text())
    assert config["weights"]["file"] == "base.weights.h5"
    assert config["train"]["model"]["options"]["alpha"] == 0.35


def test_another_configuration_in_the_folder_is_refused(arguments, tmp_path):
    run = tmp_path / "run"
    main([*arguments, "-o", str(run)])
    with pytest.raises(RunError, match=r"another run \(train\.epochs: 3 -> 2\)"):
        main([*arguments, "--set", "epochs=2", "-o", str(run)])


def test_without_output_the_folder_is_named_by_what_it_is(
    arguments, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    main(arguments)
    main([*arguments, "--seed", "1"])
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(names) == 2
    assert all(name.startswith("mobilenetv2-") for name in names)


def test_a_locked_folder_is_refused(arguments, tmp_path):
    run = tmp_path / "run"
    with (
        folders.lock(run),
        pytest.raises(
            LockedError, match=r"another process .* is writing this run folder"
        ),
    ):
        main([*arguments, "-o", str(run)])


def test_a_folder_that_holds_something_else_is_left_alone(arguments, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.csv").write_text("not a run's")
    for extra in ([], ["--repeat", "2"]):
        with pytest.raises(RunError, match=r"is not empty.*'manifest\.csv'"):
            main([*arguments, *extra, "-o", str(folder)])
    assert (folder / "manifest.csv").read_text() == "not a run's"


def test_a_single_run_and_repeats_do_not_share_a_folder(arguments, tmp_path):
    main([*arguments, "-o", str(tmp_path / "one")])
    with pytest.raises(RunError, match="another command's run, no set of repeats"):
        main([*arguments, "--repeat", "2", "-o", str(tmp_path / "one")])
    with pytest.raises(InputError, match="--repeat: expected at least 1, got 0"):
        main([*arguments, "--repeat", "0", "-o", str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()


def test_a_run_that_stopped_before_training_claims_nothing(arguments, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(InputError):
        main([*arguments, "--set", "model.taps=no_such_layer", "-o", str(run)])
    assert main([*arguments, "-o", str(run)]) == 0


def test_leaks_between_splits_are_said_everywhere(
    tiny_manifest, arguments, tmp_path, caplog
):
    rows = tiny_manifest.rows.copy()
    rows["identity"] = [f"person {i // 2}" for i in range(len(rows))]
    rows["split"] = (["train", "test", "train", "val"] * len(rows))[: len(rows)]
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    main([*arguments, "-o", str(tmp_path / "run")])
    sentence = "36 times the same person is in more than one split"
    assert sentence in caplog.text
    assert sentence in (tmp_path / "run" / "report.html").read_text()


def test_a_file_changed_since_the_manifest_is_refused(
    tiny_manifest, arguments, tmp_path
):
    rows = tiny_manifest.rows.copy()
    rows["sha256"] = [
        images.sha256(path.read_bytes()) for path in tiny_manifest.files()
    ]
    rows.loc[5, "sha256"] = "0" * 64
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    with pytest.raises(InputError, match="1 of 72 files are not those of the manifest"):
        main([*arguments, "-o", str(tmp_path / "run")])


@pytest.mark.slow
def test_repeat_writes_ordinary_runs_and_their_mean(arguments, tmp_path, capsys):
    run = tmp_path / "run"
    main([*arguments, "--repeat", "2", "-o", str(run)])
    summary = read_json(run / "metrics.json")
    singles = [
        read_json(run / f"seed-{seed}" / "metrics.json")["metrics"]["test"]["all"]
        for seed in (0, 1)
    ]
    values = [single["auc"]["value"] for single in singles]
    assert summary["metrics"]["test"]["all"]["auc"]["value"] == pytest.approx(
        np.mean(values)
    )
    assert summary["metrics"]["test"]["all"]["auc"]["sd"] == pytest.approx(
        np.std(values, ddof=1)
    )
    assert "AUC" in capsys.readouterr().out


def test_unreadable_images_are_counted_never_fatal(tiny_manifest, arguments, tmp_path):
    bad = tmp_path / "broken 🙂.jpg"
    bad.write_text("no image")
    rows = tiny_manifest.rows.copy()
    for position in (0, 35, 71):  # one in train, two in test
        rows.loc[position, "path"] = str(bad) + ("" if position == 0 else str(position))
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    run = tmp_path / "run"
    main([*arguments, "-o", str(run)])
    predictions = pd.read_csv(run / "predictions_test.csv")
    assert len(predictions) == 12
    assert predictions["reason"].notna().sum() == 2
    assert predictions[predictions["reason"].notna()]["score"].isna().all()
    metrics = read_json(run / "metrics.json")
    assert metrics["metrics"]["test"]["all"]["n_unreadable"] == 2
    assert "3 images have no score" in (run / "report.html").read_text()


def test_manifest_without_splits_is_split_inside_the_run(
    tiny_manifest, arguments, tmp_path
):
    rows = tiny_manifest.rows.assign(split="")
    path = tmp_path / "manifest.csv"
    manifests.write(manifests.Manifest(rows=rows, folder=tmp_path), path)
    run = tmp_path / "run"
    main([*arguments, "-o", str(run)])
    assert set(manifests.read(path).rows["split"]) == {""}
    used = manifests.read(run / "manifest.csv").rows
    counts = used.groupby("split").size()
    assert set(counts.index) == {"train", "val", "test"}
    assert counts["train"] > 3 * counts["test"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"label": "real"},
            r"no fake image among 72 rows; .*manifest join .* FAKE\.csv",
        ),
        ({"split": "train"}, r"neither val nor test split \(72 train\).*--overwrite"),
    ],
)
def test_one_class_only_is_a_sentence(
    tiny_manifest, arguments, tmp_path, change, message
):
    rows = tiny_manifest.rows.assign(**change, source="camera")
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    with pytest.raises(InputError, match=message):
        main([*arguments, "-o", str(tmp_path / "run")])


def test_some_rows_unsplit_is_a_sentence(tiny_manifest, arguments, tmp_path):
    rows = tiny_manifest.rows.copy()
    rows.loc[3, "split"] = ""
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    with pytest.raises(
        InputError,
        match=r"1 of 72 rows have no split; leave them out: .*--where split=",
    ):
        main([*arguments, "-o", str(tmp_path / "run")])


def test_most_images_missing_is_a_sentence(tiny_manifest, arguments, tmp_path):
    rows = tiny_manifest.rows.copy()
    rows["path"] = [f"gone/{i}.png" for i in range(len(rows))]
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    with pytest.raises(
        InputError, match=r"72 of 72 images cannot be used.*file not found"
    ):
        main([*arguments, "-o", str(tmp_path / "run")])


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--model", "mobilenet"], "no model named 'mobilenet'"),
        (["--preset", "kaber2023"], "Did you mean 'kabber2023'"),
        (
            ["--preset", "wan2023"],
            r"add --store STORE; kerasfaces channels \S+ -o STORE",
        ),
        (["--preset", "liu2022"], r"--set spectrum\.amplitude=liu2022 makes one"),
        (["--set", "epoch=3"], "unknown key 'epoch'"),
        (["--weights", "nowhere.h5"], "no such file"),
        (["--weights", "none", "--unfreeze", "2"], "--unfreeze goes with base weights"),
    ],
)
def test_mistakes_on_the_command_line_are_sentences(
    arguments, tmp_path, extra, message
):
    with pytest.raises(
        ValueError if "nowhere" not in str(extra) else OSError, match=message
    ):
        main([*arguments, *extra, "-o", str(tmp_path / "run")])


def test_training_evaluation_and_one_prediction_see_the_same_bytes(
    arguments, tiny_manifest, tmp_path
):
    """Golden: cache = loader = what `predict_run` scores, and the scores agree."""
    from kerasfaces import store
    from kerasfaces.run.predictor import predict_run

    run = tmp_path / "run"
    main([*arguments, "-o", str(run)])
    opened = DetectorRun(run).network
    files = tiny_manifest.files()
    direct = np.stack([images.load_array(path, opened.input_spec) for path in files])
    recipe = {"kind": "images", **opened.input_spec.recipe()}
    cache = store.Store(store.cache_folder("images", recipe))
    keys = [images.sha256(path.read_bytes()) for path in files]
    np.testing.assert_array_equal(cache.gather(keys), direct)
    trained = pd.read_csv(run / "predictions_test.csv")
    again = predict_run(run, manifests.read(run / "manifest.csv"), "test")
    np.testing.assert_allclose(again["logit"], trained["logit"], atol=1e-5)
    test = (tiny_manifest.rows["split"] == "test").to_numpy()
    whole = opened.load()(direct[test].astype("float32"), training=False)
    np.testing.assert_allclose(np.asarray(whole)[:, 0], trained["logit"], atol=1e-4)


def test_pixels_of_a_known_file_never_change(tmp_path):
    """If this fails, `images.LOADER_VERSION` must be raised: caches hold other pixels."""
    values = (
        np.arange(60 * 90 * 3, dtype=np.uint32).reshape(60, 90, 3) * 2654435761 >> 24
    )
    Image.fromarray((values % 256).astype(np.uint8)).save(tmp_path / "known.png")
    pixels = images.load_array(tmp_path / "known.png", images.InputSpec(size_px=32))
    assert images.sha256(pixels.tobytes())[:16] == "f2b68e444a5f24fa"


def train_elsewhere(arguments):
    command = [sys.executable, "-m", "kerasfaces.train", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_finishes_alike(arguments, tmp_path):
    """kill -9 the real process at several moments, then compare with an unkilled run."""
    main([*arguments, "-o", str(tmp_path / "whole")])
    shutil.rmtree(os.environ["KERASFACES_CACHE"])
    killed = [*arguments, "-o", str(tmp_path / "killed")]
    for delay_s in (2.0, 5.0, 8.0):
        process = train_elsewhere(killed)
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = train_elsewhere(killed)
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"report:" in out
    tables = [
        pd.read_csv(tmp_path / name / "predictions_test.csv")
        for name in ("whole", "killed")
    ]
    np.testing.assert_allclose(tables[0]["logit"], tables[1]["logit"], atol=1e-5)


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "kerasfaces train --manifest M --repeat 3" in capsys.readouterr().out
