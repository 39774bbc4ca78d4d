"""Methods that draw no heat map: what they find in what was planted, and their checks."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_detector
from PIL import Image
from tiny_detector import SIZE_PX, picture

from kerasfaces.cli import explain as command
from kerasfaces.core.errors import InputError
from kerasfaces.explain import selection
from kerasfaces.explain.contract import Settings
from kerasfaces.explain.methods import (
    channel_shapley,
    factorisation,
    feature_maps,
    fingerprints,
    preferred_inputs,
)
from kerasfaces.explain.run import explain
from kerasfaces.explain.selection import Selection
from kerasfaces.explain.study import Request
from kerasfaces.run.folder import DetectorRun

pytestmark = pytest.mark.tf


def request_of(run, method, layer="", n=8):
    settings = Settings(method=method, layer=layer)
    return Request(DetectorRun(run), selection.draw(run, "test", n, 0), settings)


def test_feature_maps_are_the_layers_own(tiny_run):
    found = feature_maps.study(request_of(tiny_run, "feature_maps", "conv1", n=2))
    assert [row["reason"] for row in found.rows] == ["", ""]
    (held,) = found.arrays.values()
    assert held.shape == (SIZE_PX, SIZE_PX, 8)
    request = request_of(tiny_run, "feature_maps", n=2)
    model = request.subject.network.model.get_layer("base")
    (_, pixels), *_ = request.images()
    kernel, bias = model.get_layer("conv1").get_weights()
    row, column = 9, 17
    patch = pixels[row - 1 : row + 2, column - 1 : column + 2] / 255
    expected = np.maximum(np.tensordot(patch, kernel, 3) + bias, 0)
    np.testing.assert_allclose(held[row, column], expected, atol=1e-4)
    assert len(found.figures) == 2
    assert found.tables[0].rows[0][:3] == ["conv1", "32 x 32", "8"]


def test_a_layer_that_is_not_there_is_one_sentence(tiny_run):
    for method in (feature_maps, factorisation, preferred_inputs):
        name = method.__name__.rpartition(".")[2]
        with pytest.raises(InputError, match=r"no layer of that name.*'conv1'"):
            method.study(request_of(tiny_run, name, "conv11", n=2))


def test_the_factors_are_those_that_made_the_activations():
    random = np.random.default_rng(0)
    amounts = random.uniform(0, 1, (2, 4, 4, 3)) * (random.random((2, 4, 4, 3)) > 0.6)
    parts = random.uniform(0, 1, (3, 12)) * (random.random((3, 12)) > 0.5)
    found, error = factorisation._factors((amounts @ parts).astype(np.float32), 0)
    assert found.shape == (2, 4, 4, 6)
    assert error < 0.05
    assert factorisation._alike(amounts.astype(np.float32), found) > 0.8
    assert factorisation._alike(found, found[..., ::-1]) == pytest.approx(1.0)
    noise = random.uniform(size=found.shape).astype(np.float32)
    assert factorisation._alike(found, noise) < 0.5


def test_factorisation_of_a_run(tiny_run):
    found = factorisation.study(request_of(tiny_run, "factorisation"))
    assert len(found.rows) == 8
    assert all(row["part_1"] >= 0 for row in found.rows)
    assert [row[0] for row in found.tables[0].rows] == ["real: camera", "fake: gan"]
    assert len(found.checks) == 2


def planted(folder, strength):
    """Write 40 images of each source; the generator leaves a grid in its own."""
    random = np.random.default_rng(1)
    grid = strength * (np.indices((SIZE_PX, SIZE_PX)).sum(axis=0) % 4 == 0)
    files, labels, sources = [], [], []
    for label, source in (("real", "camera"), ("fake", "gan")):
        for number in range(40):
            pixels = random.normal(120, 12, (SIZE_PX, SIZE_PX, 3))
            pixels += grid[..., None] * (label == "fake")
            files.append(folder / f"{source}{number}.png")
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(files[-1])
            labels.append(label)
            sources.append(source)
    return Selection(files=files, labels=labels, sources=sources)


def test_a_planted_fingerprint_is_found_and_no_other(tiny_run, tmp_path):
    settings = Settings(method="fingerprints")
    for strength in (20, 0):
        request = Request(DetectorRun(tiny_run), planted(tmp_path, strength), settings)
        found = fingerprints.study(request)
        passed = {
            each.sentence.split(" correlate")[0]: each.passed for each in found.checks
        }
        if strength:
            assert passed["The halves of fake gan"]
            print_ = found.arrays["fake: gan"]
            on = np.indices(print_.shape).sum(axis=0) % 4 == 0
            assert print_[on].mean() > print_[~on].mean() + 3
        else:
            assert not all(passed.values())


def test_fingerprints_need_sources_with_enough_images(tiny_run, tmp_path):
    settings = Settings(method="fingerprints")
    run = DetectorRun(tiny_run)
    alone = Selection(files=planted(tmp_path, 0).files)
    with pytest.raises(InputError, match="nobody knows the sources"):
        fingerprints.study(Request(run, alone, settings))
    few = selection.draw(tiny_run, "test", 8, 0)
    with pytest.raises(InputError, match="at least 16 images"):
        fingerprints.study(Request(run, few, settings))


def test_shapley_values_are_the_mean_over_all_orders():
    random = np.random.default_rng(0)
    k = 4
    worth = {
        frozenset(each): random.normal(size=3)
        for size in range(k + 1)
        for each in itertools.combinations(range(k), size)
    }
    values = channel_shapley.shapley(worth.__getitem__, k)
    slow = np.zeros((k, 3))
    for order in itertools.permutations(range(k)):
        for at, player in enumerate(order):
            before = frozenset(order[:at])
            slow[player] += worth[before | {player}] - worth[before]
    np.testing.assert_allclose(values, slow / math.factorial(k), atol=1e-12)


@pytest.fixture
def on_channels(monkeypatch, tmp_path):
    """A run on colours and noise pattern whose logit is a sum of known parts."""
    import keras

    from kerasfaces.run.folder import DetectorRun

    names = ("red", "green", "blue", "lnp_red", "amplitude")
    entry = keras.Input((8, 8, 5))
    means = keras.layers.GlobalAveragePooling2D()(entry)
    weights = np.array([[1.0], [2.0], [0.0], [-3.0], [0.5]])
    dense = keras.layers.Dense(1)
    model = keras.Model(entry, dense(means))
    dense.set_weights([weights, np.array([0.25])])
    random = np.random.default_rng(0)
    tiny_detector.write_run(tmp_path / "run", model)
    lines = ["path,label,source,split"]
    for number in range(12):
        split = "train" if number < 8 else "test"
        label = "fake" if number % 2 else "real"
        lines.append(f"{tmp_path}/{number}.png,{label},x,{split}")
    (tmp_path / "run" / "manifest.csv").write_text("\n".join(lines) + "\n")
    arrays = {f"{number}.png": random.normal(size=(8, 8, 5)) for number in range(12)}
    store = SimpleNamespace(gather=lambda keys: np.stack([arrays[key] for key in keys]))
    network = SimpleNamespace(
        model=SimpleNamespace(channel_names=names),
        channel_recipe={"kind": "channels"},
        load=lambda: model,
    )
    monkeypatch.setattr(DetectorRun, "network", network)
    monkeypatch.setattr(
        channel_shapley,
        "inputs_of",
        lambda network, files: SimpleNamespace(
            store=store,
            keys=[file.name for file in files],
            reasons=["" if file.name in arrays else "not found" for file in files],
        ),
    )
    plain = lambda files: np.stack([arrays[file.name] for file in files])  # noqa: E731
    predictor = SimpleNamespace(
        logits=lambda files: (model.predict_on_batch(plain(files))[:, 0], [])
    )
    monkeypatch.setattr(channel_shapley, "Predictor", lambda run: predictor)
    return tmp_path / "run", arrays, weights[:, 0]


def test_shapley_values_of_a_sum_are_its_parts(on_channels):
    run, arrays, weights = on_channels
    found = channel_shapley.study(request_of(run, "channel_shapley", n=4))
    assert all(each.passed for each in found.checks[:3])
    mean = np.mean([arrays[f"{number}.png"] for number in range(8)], axis=0)
    for row in found.rows:
        array = arrays[row["path"].rpartition("/")[2]]
        parts = weights * (array - mean).mean(axis=(0, 1))
        assert row["shapley_rgb"] == pytest.approx(parts[:3].sum(), abs=1e-5)
        assert row["shapley_lnp"] == pytest.approx(parts[3], abs=1e-5)
        assert row["shapley_amplitude"] == pytest.approx(parts[4], abs=1e-5)
        total = sum(row[f"shapley_{each}"] for each in ("rgb", "lnp", "amplitude"))
        assert total == pytest.approx(row["logit"] - row["absent"], abs=1e-6)
    assert len(found.tables[1].rows) == 4


def test_a_detector_that_its_channels_do_not_move_is_not_trusted(on_channels):
    run, arrays, _ = on_channels
    first = arrays["0.png"]
    for name in arrays:
        arrays[name] = first
    found = channel_shapley.study(request_of(run, "channel_shapley", n=4))
    failed = [each.sentence for each in found.checks if not each.passed]
    assert failed[0].startswith("The logit depends on the channels: the largest value")


def test_shapley_without_training_images_or_channels(on_channels, tiny_run):
    run, arrays, _ = on_channels
    for number in range(8):
        del arrays[f"{number}.png"]
    with pytest.raises(InputError, match=r"cannot be read \(not found\)"):
        channel_shapley.study(request_of(run, "channel_shapley", n=4))
    request = request_of(run, "channel_shapley", n=4)
    (run / "manifest.csv").unlink()
    with pytest.raises(InputError, match=r"has no manifest\.csv"):
        channel_shapley.study(request)


def test_a_run_on_pixels_has_no_channels_to_share(tiny_run):
    with pytest.raises(InputError, match="is on rgb alone: give"):
        channel_shapley.study(request_of(tiny_run, "channel_shapley"))


def test_preferred_inputs_drive_what_they_are_made_for(tiny_run, monkeypatch):
    monkeypatch.setattr(preferred_inputs, "STEPS", 12)
    request = Request(
        DetectorRun(tiny_run), Selection(files=[]), Settings(method="preferred_inputs")
    )
    found = preferred_inputs.study(request)
    pictures = found.arrays["pictures"]
    assert pictures.shape == (10, SIZE_PX, SIZE_PX, 3)
    assert pictures.min() >= 0
    assert pictures.max() <= 255
    network = request.subject.network
    fake, real = network.exact(pictures[-2:])[:, 0]
    start = network.exact(preferred_inputs._noise(SIZE_PX, 0)[None])[0, 0]
    assert fake > start > real
    assert found.checks[1].passed


def test_a_study_by_the_command(tiny_run, tmp_path, capsys):
    out = tmp_path / "parts"
    arguments = [str(tiny_run), "--split", "test", "--n", "4", "-o", str(out)]
    arguments += ["--method", "factorisation"]
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "4 of 4 images used"
    assert printed[1].startswith(("Do not trust these parts: ", "These parts pass"))
    frame = pd.read_csv(out / "explanations.csv", keep_default_na=False)
    assert frame.columns[-1] == "reason"
    assert (out / "figures" / "parts.png").is_file()
    page = (out / "explain.html").read_text(encoding="utf-8")
    assert "Can it be believed?" in page
    assert ("Do not trust these" in page) == printed[1].startswith("Do not")
    assert command.main(arguments) == 0  # again
    for wrong in (
        [str(tiny_run), "-o", str(out), "--method", "feature_maps"],
        [str(tiny_run), "-o", str(out), "--split", "test", "--layer", "conv1"],
        [str(tiny_run), "-o", str(out), "--decisions", "0"],
    ):
        with pytest.raises(SystemExit) as caught:
            command.main(wrong)
        assert caught.value.code == 2


def test_images_that_nobody_can_read(tiny_run, tmp_path):
    bad = [tmp_path / "a.png", tmp_path / "b.png"]
    bad[0].write_text("no picture")
    for method in ("feature_maps", "factorisation"):
        with pytest.raises(InputError, match=r"got 0 of 2, e\.g\. .*a\.png: not an"):
            explain(
                tiny_run,
                Selection(files=bad),
                tmp_path / method,
                Settings(method=method),
            )
    assert picture(True, 1).shape == (SIZE_PX, SIZE_PX, 3)
