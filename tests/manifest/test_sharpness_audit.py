"""The audit of sharpness: what it finds, what it must not find, and pairs side by side."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import ImageFilter

from kerasfaces import manifest as manifests
from kerasfaces.core import config, rng
from kerasfaces.manifest import audit as audits
from kerasfaces.manifest import sharpness


@pytest.fixture
def pairs(tmp_path, picture):
    """Return a function that saves `n` pairs whose fakes are blurred by `sigma_px`."""

    def save(n, sigma_px, smooth=False):
        rows = []
        for number in range(n):
            image = picture(number, 64)
            if smooth:  # each scene as sharp as it likes to be
                radius = 0.1 + 2 * rng.generator(0, "scene", number).random()
                image = image.filter(ImageFilter.GaussianBlur(radius))
            other = image.filter(ImageFilter.GaussianBlur(sigma_px))
            for label, each in (("real", image), ("fake", other)):
                path = tmp_path / f"{number}-{label}.jpg"
                each.save(path, quality=90)
                rows.append((path.name, label, label, "", str(number)))
        columns = ["path", "label", "source", "split", "pair_id"]
        frame = pd.DataFrame(rows, columns=columns, dtype=str)
        manifests.write(manifests.Manifest(frame, tmp_path), tmp_path / "m.csv")
        return manifests.Manifest(frame, tmp_path)

    return save


def statistics(result):
    return {each.name: each for each in result.statistics}


def test_blurred_fakes_are_flagged(pairs):
    result = audits.audit(pairs(20, 1.0)).sharpness
    assert result.flagged
    assert result.auc["low"] > 0.8
    assert result.paired["value"] == 1.0
    assert (result.n, result.n_pairs, result.n_too_small) == (40, 20, 0)
    laplacian = statistics(result)["laplacian_variance"]
    assert laplacian.median_fake < laplacian.median_real
    assert laplacian.lower_in_fake["value"] == 1.0
    json.dumps(config.to_dict(result), allow_nan=False)


def test_a_blur_that_scenes_hide_shows_in_pairs(pairs):
    result = audits.audit(pairs(24, 0.8, smooth=True)).sharpness
    assert result.auc["low"] < sharpness.LIMIT
    assert result.paired["low"] > sharpness.LIMIT
    assert result.flagged


def test_equal_pairs_pass(pairs):
    result = audits.audit(pairs(20, 0.0)).sharpness
    assert not result.flagged
    assert result.paired["value"] == 0.5
    assert {each.name for each in result.statistics} == set(sharpness.NAMES)


def test_random_numbers_are_not_told_apart():
    random = rng.generator(0, "chance")
    n = 120
    fake = np.arange(n) % 2 == 1
    measured = [
        dict(zip(sharpness.NAMES, 1 + random.random(6), strict=True)) for _ in range(n)
    ]
    ids = [str(i // 2) for i in range(n)]
    folds = np.arange(n) // 2 % 5
    result = sharpness.audit(measured, ids, fake, folds, 0)
    assert not result.flagged
    assert 0.3 < result.auc["value"] < 0.7
    assert 0.3 < result.paired["value"] < 0.7


def test_small_images_are_counted_and_one_class_alone_has_no_number():
    fake = np.array([True, False, True, False])
    known = dict.fromkeys(sharpness.NAMES, 1.0)
    folds = np.array([0, 0, 1, 1])
    result = sharpness.audit([known, {}, known, {}], ["", "", "", ""], fake, folds, 0)
    assert (result.n, result.n_too_small, result.n_pairs) == (2, 2, 0)
    assert result.auc["value"] is None
    assert "one class" in result.auc["method"]
    assert not result.flagged
    json.dumps(config.to_dict(result), allow_nan=False)


def test_command_prints_it_and_its_exit_code_stays_that_of_the_files(
    pairs, run, tmp_path
):
    pairs(12, 0.6)
    code, out = run("audit", tmp_path / "m.csv", "--json")
    result = json.loads(out)
    assert code == int(result["flagged"])
    assert result["sharpness"]["n_pairs"] == 12
    _, out = run("audit", tmp_path / "m.csv")
    assert "side by side they find the fake of" in out
    assert "laplacian_variance" in out
    assert "lower in the fake" in out


def test_without_pixels_nothing_is_said_of_it(pairs):
    assert audits.audit(pairs(4, 0.5), pixels=False).sharpness is None
