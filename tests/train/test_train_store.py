"""Training on a channel store: run folders, resuming, refusals, raw images afterwards."""

import json
import os
import signal
import subprocess
import sys
import time

import fake_channels
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.channels import own_process
from kerasfaces.cli.train import main
from kerasfaces.core.errors import InputError, RunError, StoreError
from kerasfaces.core.files import read_json
from kerasfaces.evaluate.other_images import evaluate_manifest
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.inputs import inputs_of

pytestmark = pytest.mark.tf
SMALL = ["--set", "model.options.alpha=0.35", "--set", "epochs=2"]


@pytest.fixture
def arguments(tiny_manifest, tmp_path):
    folder = fake_channels.make(tmp_path / "store", tiny_manifest.files())
    return ["--manifest", str(tmp_path / "manifest.csv"), "--store", str(folder)]


@pytest.fixture
def frozen(arguments, tiny_weights):
    return [
        *arguments,
        *("--model", "mobilenetv2", "--weights", str(tiny_weights)),
        *("--set", "model.taps=block_1_expand_relu", "--set", "epochs=3"),
        *("--set", "model.scales=1"),
    ]


@pytest.mark.slow
def test_store_makes_the_channel_model_the_default(arguments, tmp_path, capsys):
    run = tmp_path / "run"
    assert main([*arguments, *SMALL, "-o", str(run)]) == 0
    assert "AUC" in capsys.readouterr().out
    config = read_json(run / "config.json")
    model = config["train"]["model"]
    assert (model["name"], model["inputs"]) == ("lnp_attention", ["lnp+spectra"])
    assert model["channels"]["fusion"] == "attention_spectra"
    assert (config["weights"], model["size_px"]) == (None, 32)
    spec = read_json(run / "input_spec.json")
    assert spec["channels"] == fake_channels.NAMES[3:]
    assert spec["channel_recipe"] == json.loads(json.dumps(fake_channels.recipe()))
    assert len(spec["channel_recipe_sha256"]) == 64
    assert len(pd.read_csv(run / "history.csv")) == 2
    opened = DetectorRun(run).network
    assert not opened.frozen
    whole = opened.load()
    mean = np.asarray(whole.get_layer("standardize_channels").mean)
    assert np.abs(mean).max() > 0
    test = manifests.read(run / "manifest.csv")
    files = [
        path
        for path, split in zip(test.files(), test.rows["split"], strict=True)
        if split == "test"
    ]
    arrays = np.stack(
        [
            fake_channels.channels(
                np.asarray(fake_channels.images.load_array(path, fake_channels.SPEC))
            )[..., 3:]
            for path in files
        ]
    ).astype(np.float16)
    logits = np.asarray(whole(arrays, training=False))[:, 0]
    stored = pd.read_csv(run / "predictions_test.csv")["logit"]
    np.testing.assert_allclose(logits, stored, atol=1e-3)


@pytest.mark.slow
def test_killed_training_continues_to_the_same_result(arguments, tmp_path):
    main([*arguments, *SMALL, "-o", str(tmp_path / "whole")])
    command = [sys.executable, "-m", "kerasfaces.train", *arguments, *SMALL]
    command += ["-o", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (tmp_path / "killed" / "audit.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    main(command[3:])
    tables = [
        pd.read_csv(tmp_path / name / "predictions_test.csv")
        for name in ("whole", "killed")
    ]
    np.testing.assert_allclose(tables[0]["logit"], tables[1]["logit"], atol=1e-4)


@pytest.mark.slow
def test_frozen_base_sees_pixels_and_noise(frozen, tmp_path):
    run = tmp_path / "run"
    main([*frozen, "-o", str(run)])
    opened = DetectorRun(run).network
    assert opened.model.inputs == ("rgb", "lnp")
    assert opened.frozen
    both = opened.load().get_layer("features").output.shape[-1]
    main([*frozen, "--set", "model.inputs=lnp", "-o", str(tmp_path / "lnp")])
    one = (
        DetectorRun(tmp_path / "lnp")
        .network.load()
        .get_layer("features")
        .output.shape[-1]
    )
    assert both == 2 * one
    facts = read_json(run / "training.json")
    assert facts["agreement"] < 1e-3


@pytest.mark.slow
def test_standardised_inputs_have_features_of_their_own(frozen, tmp_path):
    standard = [*frozen, "--set", "model.options.standardize=true"]
    main([*standard, "-o", str(tmp_path / "run")])
    whole = (
        DetectorRun(tmp_path / "run").network.load().get_layer("standardize_channels")
    )
    mean, deviation = (np.asarray(value) for value in whole.get_weights())
    assert (mean[:3] == 0).all()
    assert (deviation[:3] == 1).all()
    assert (deviation[3:] != 1).all()
    _, again = evaluate_manifest(
        tmp_path / "run", tmp_path / "manifest.csv", store=tmp_path / "store"
    )
    first = read_json(tmp_path / "run" / "metrics.json")
    value = first["metrics"]["test"]["all"]["auc"]["value"]
    assert again["metrics"]["test"]["all"]["auc"]["value"] == value


def test_raw_images_go_through_the_stage_with_the_run_s_recipe(
    frozen, tiny_manifest, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    main([*frozen, "-o", str(run)])
    asked = []

    def stand_in(files, recipe, folder):
        asked.append((list(files), recipe))
        fake_channels.make(folder, files)

    monkeypatch.setattr(own_process, "compute_as", stand_in)
    _, metrics = evaluate_manifest(run, tmp_path / "manifest.csv")
    first = read_json(run / "metrics.json")["metrics"]["test"]["all"]
    assert metrics["metrics"]["test"]["all"]["auc"] == first["auc"]
    evaluate_manifest(run, tmp_path / "manifest.csv")
    assert len(asked) == 1
    assert asked[0][1] == read_json(run / "input_spec.json")["channel_recipe"]
    assert len(asked[0][0]) == 12


def test_store_of_another_recipe_is_refused_by_name(frozen, tiny_manifest, tmp_path):
    run = tmp_path / "run"
    main([*frozen, "-o", str(run)])
    files = tiny_manifest.files()
    other = fake_channels.make(tmp_path / "other", files, made_by={"fake": 2})
    with pytest.raises(StoreError, match=r"made_by\.fake: 1 -> 2"):
        inputs_of(DetectorRun(run).network, files, other)
    with pytest.raises(RunError, match="channel_recipe: "):
        main([*frozen, "--store", str(other), "-o", str(run)])


@pytest.mark.slow
def test_place_of_a_weights_file_is_no_difference(frozen, tiny_manifest, tmp_path):
    run = tmp_path / "run"
    main([*frozen, "-o", str(run)])
    config = fake_channels.recipe()["config"]
    options = config["options"] | {"lnp": {"weights": "elsewhere.npz"}}
    moved = config | {"options": options}
    files = tiny_manifest.files()
    other = fake_channels.make(tmp_path / "other", files, config=moved)
    assert inputs_of(DetectorRun(run).network, files, other).reasons == [""] * len(
        files
    )


@pytest.mark.slow
def test_run_on_pixels_refuses_a_store(tiny_manifest, tiny_weights, tmp_path):
    run = tmp_path / "run"
    arguments = ["--manifest", str(tmp_path / "manifest.csv")]
    arguments += ["--weights", str(tiny_weights), "--set", "model.size_px=32"]
    arguments += ["--set", "model.taps=block_1_expand_relu", "--set", "epochs=1"]
    main([*arguments, "-o", str(run)])
    with pytest.raises(InputError, match="was trained on pixels; leave it out"):
        inputs_of(DetectorRun(run).network, [], tmp_path / "store")


def test_rows_without_channels_are_counted_and_named(frozen, tmp_path):
    """One file is no image, one is not in the store at all."""
    bad, stranger = tmp_path / "bad.png", tmp_path / "stranger.png"
    bad.write_text("not an image")
    Image.new("RGB", (40, 40), "red").save(stranger)
    fake_channels.make(tmp_path / "store", [bad])
    path = tmp_path / "manifest.csv"
    rows = [f"{name},real,camera,test,no" for name in (bad, stranger)]
    path.write_text(path.read_text() + "\n".join(rows) + "\n")
    run = tmp_path / "run"
    main([*frozen, "-o", str(run)])
    reasons = pd.read_csv(run / "predictions_test.csv")["reason"].dropna().tolist()
    assert len(reasons) == 2
    assert "not an image" in reasons[0]
    assert reasons[1] == "not in the store"
    found = read_json(run / "metrics.json")["metrics"]["test"]["all"]
    assert found["n_unreadable"] == 2


@pytest.mark.slow
def test_images_may_be_elsewhere_when_the_manifest_knows_their_hashes(
    frozen, tiny_manifest, tmp_path
):
    keys = [
        fake_channels.images.sha256(path.read_bytes()) for path in tiny_manifest.files()
    ]
    names = [f"gone/{number}.png" for number in range(len(keys))]
    rows = tiny_manifest.rows.assign(sha256=keys, path=names)
    manifests.write(
        manifests.Manifest(rows=rows, folder=tmp_path), tmp_path / "manifest.csv"
    )
    main([*frozen, "-o", str(tmp_path / "run")])
    table = pd.read_csv(tmp_path / "run" / "predictions_test.csv")
    assert table["logit"].notna().all()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--set", "model.size_px=64"], "model.size_px is 64, but .* made with 32"),
        (["--set", "crop=none"], "crop is none, but .* was made with square"),
        (["--set", "model.inputs=lnp+spectra3"], "has no channel amplitude_red"),
        (
            ["--set", "model.options.amplitude=liu2022"],
            r"amplitude is liu2022, but .* holds log.*spectrum\.amplitude=liu2022",
        ),
        (["--set", "augment.zoom=0.1"], r"augment\.zoom: channels of a store cannot"),
        (["--set", "augment.flip=true"], r"augment\.flip: channels of a store"),
        (["--views", "2"], "a channel store holds one view of each image, got 2"),
        (["--unfreeze", "2"], "--unfreeze goes with base weights"),
        (["--model", "resnet50", "--set", "model.inputs=lnp+phase"], "three channels"),
    ],
)
def test_mistakes_with_a_store_are_sentences(arguments, tmp_path, extra, message):
    weights = [] if "--unfreeze" in extra else ["--weights", "none"]
    small = [] if "resnet50" in extra else SMALL
    with pytest.raises(InputError, match=message):
        main([*arguments, *small, *extra, *weights, "-o", str(tmp_path / "run")])


def test_channels_without_a_store_are_a_sentence(tiny_manifest, tmp_path):
    command = ["--manifest", str(tmp_path / "manifest.csv"), "--model", "lnp_attention"]
    with pytest.raises(InputError, match=r"lnp_attention takes lnp_red, .*--store"):
        main([*command, "-o", str(tmp_path / "run")])


def test_most_rows_missing_in_the_store_is_a_sentence(arguments, tmp_path):
    path = tmp_path / "manifest.csv"
    lines = path.read_text().splitlines()
    strangers = []
    for number in range(80):
        image = tmp_path / f"{number}.png"
        Image.new("RGB", (8, 8), (number, 0, 0)).save(image)
        strangers.append(f"{image},real,camera,train,no")
    path.write_text("\n".join([*lines, *strangers]) + "\n")
    with pytest.raises(
        InputError, match=r"80 of 152 images have no channels in .*not in the store"
    ):
        main([*arguments, *SMALL, "-o", str(tmp_path / "run")])
