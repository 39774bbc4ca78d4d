"""Quantised exports: calibrated on validation, and their cost measured on test, in pairs."""

import dataclasses

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.cli.export import main
from kerasfaces.core import registry
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import export, formats, opening, quantised

pytestmark = pytest.mark.tf
NAMES = [
    name
    for name in registry.names(export.PACKAGE)
    if registry.load(export.PACKAGE, name).QUANTISED
]


def rows(n=200, seed=0):
    random = np.random.default_rng(seed)
    fake = np.arange(n) % 2 == 1
    return fake, random.normal(0, 1, n) + 1.5 * fake


def test_the_cost_is_paired(run):
    point = dataclasses.replace(DetectorRun(run).operating_point, abstain=(0.5, 0.5))
    fake, before = rows()
    same = quantised.compared(fake, before, before, point)
    change = same["auc_change"]
    assert [change[name] for name in ("value", "low", "high")] == [0, 0, 0]
    assert same["verdicts_changed"]["value"] == 0
    assert same["largest_difference"] == 0
    after = before + np.where(np.arange(200) < 20, -3.0, 0.0) * fake
    worse = quantised.compared(fake, before, after, point)
    expected = metrics.auc(fake, after) - metrics.auc(fake, before)
    assert worse["auc_change"]["value"] == pytest.approx(expected)
    assert worse["auc_change"]["high"] < 0
    called = [point.verdicts(point.apply(each)) for each in (before, after)]
    flips = np.mean([a != b for a, b in zip(*called, strict=True)])
    assert worse["verdicts_changed"]["value"] == pytest.approx(flips)
    assert flips > 0
    assert worse["largest_difference"] == pytest.approx(3)
    assert (worse["n_real"], worse["n_fake"]) == (100, 100)
    with pytest.raises(
        RunError, match="0 real and 100 fake images are on this machine"
    ):
        quantised.compared(fake[fake], before[fake], after[fake], point)


@pytest.mark.parametrize("name", NAMES)
def test_a_quantised_file_is_smaller_and_says_what_it_costs(name, run, capsys):
    pytest.importorskip("ai_edge_litert")
    assert main([str(run), "--format", name]) == 0
    told = capsys.readouterr().out
    note = read_json(run / "exports" / name / "export.json")
    cost = note["quantised"]
    assert (cost["n_real"], cost["n_fake"], cost["n_left_out"]) == (6, 6, 0)
    assert cost["auc_change"]["value"] == pytest.approx(
        cost["auc_quantised"]["value"] - cost["auc_keras"]["value"]
    )
    assert f"change {cost['auc_change']['value']:+.4f} (95 %" in told
    assert "6 real and 6 fake images" in told
    assert "parity" not in note
    assert cost["largest_difference"] > 0  # it is rounded indeed
    opened = opening.open_export(run / "exports" / name)
    assert opened.golden.limit == quantised.LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_weights_take_8_bits(name, tmp_path):
    """By a network of its own: weights below 1,024 numbers stay as they are."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    import keras

    keras.utils.set_random_seed(0)
    pixels = keras.Input((16, 16, 3))
    maps = keras.layers.Conv2D(64, 3, activation="relu")(pixels)
    maps = keras.layers.Conv2D(64, 3, activation="relu")(maps)
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(maps)
    values = keras.Input((64,))
    logit = keras.layers.Dense(1, name="logit")(values)
    head = keras.Model(values, logit, name="head")
    model = keras.Model(pixels, head(pooled))
    images = np.random.default_rng(0).uniform(0, 255, (8, 16, 16, 3))
    images = images.astype(np.float32)
    traced = formats.trace(model, lambda: (image[None] for image in images))
    sizes = {}
    for each in ("litert", name):
        file = tmp_path / f"{each}.tflite"
        registry.load(export.PACKAGE, each).write(traced, file)
        sizes[each] = file.stat().st_size
    assert sizes[name] < 0.4 * sizes["litert"]
    opened = interpreter.Interpreter(str(file))
    kinds = {np.dtype(part["dtype"]) for part in opened.get_tensor_details()}
    assert np.dtype(np.int8) in kinds
    expected = np.asarray(model(images))
    got, _ = registry.load(export.PACKAGE, name).outputs(file)(images)
    assert 0 < np.abs(got - expected).max() < 0.1 * np.abs(expected).max()


def test_calibration_sees_validation_images_alone(run, monkeypatch):
    seen = []
    reader = quantised._reader

    def noted(run, rows, split, purpose):
        seen.append((split, list(rows["path"])))
        return reader(run, rows, split, purpose)

    monkeypatch.setattr(quantised, "_reader", noted)
    monkeypatch.setattr(quantised, "N_CALIBRATION", 5)
    images = list(quantised.calibration_inputs(DetectorRun(run)))
    assert [image.shape for image in images] == [(1, 32, 32, 3)] * 5
    ((split, paths),) = seen
    assert split == "val"
    assert set(paths) <= set(DetectorRun(run).readable("val")["path"])
    assert len(set(paths)) == 5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("litert_int8", "to calibrate, images of its val split are needed"),
        (
            "litert_dynamic",
            "to measure the cost .* images of its test split are needed",
        ),
    ],
)
def test_without_its_images_nothing_is_written(name, words, run):
    pytest.importorskip("ai_edge_litert")
    for file in ("manifest.csv", "predictions_val.csv", "predictions_test.csv"):
        text = (run / file).read_text().replace("/real/", "/gone/")
        (run / file).write_text(text.replace("/fake/", "/gone/fake/"))
    with pytest.raises(RunError, match=f"cannot be exported as {name}: .*{words}"):
        main([str(run), "--format", name])
    assert list((run / "exports").iterdir()) == []
