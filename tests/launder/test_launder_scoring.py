"""Logits by image and version: batches of several images, resumed, each NaN explained."""

import numpy as np
import pytest

from kerasfaces import images
from kerasfaces.core.engine import Engine
from kerasfaces.images import InputSpec
from kerasfaces.launder import scoring, variants
from kerasfaces.launder.laundered import Launder, Photo
from kerasfaces.run.folder import LaunderedRun

SPEC = InputSpec(size_px=32)
CHOSEN = variants.of(["jpeg", "blur"])
HERE = Engine(workers=1)


class Detector:
    """What scoring needs of a run."""

    limits = None
    learnt_files = ()


class Predictor:
    """Its logit is the mean of the pixels; dies after some batches if asked to."""

    input_spec = SPEC

    def __init__(self, dies_after=None, nan_above=np.inf):
        self.sizes, self.dies_after, self.nan_above = [], dies_after, nan_above

    def array_logits(self, arrays):
        if len(self.sizes) == self.dies_after:
            raise KeyboardInterrupt
        self.sizes.append(len(arrays))
        means = arrays.mean(axis=(1, 2, 3), dtype=np.float64)
        return np.where(means > self.nan_above, np.nan, means)


@pytest.fixture
def photos(tiny_images):
    files = sorted(tiny_images.rglob("*.png"))
    return [Photo(file, images.sha256(file.read_bytes())) for file in files]


def score(photos, folder, predictor):
    return scoring.score(Detector(), predictor, photos, CHOSEN, folder, HERE)


def test_logits_are_those_of_each_version(photos, tmp_path):
    predictor = Predictor()
    scores = score(photos, LaunderedRun(tmp_path), predictor)
    assert scores.logits.shape == (72, 9)
    assert set(predictor.sizes[:-1]) == {64}
    assert sum(predictor.sizes) == 72 * 9
    task = Launder(CHOSEN, SPEC, None)
    for number in (0, 40, 71):
        expected = task(photos[number]).arrays.mean(axis=(1, 2, 3), dtype=np.float64)
        assert scores.logits[number] == pytest.approx(expected)
    assert scores.reasons == [{}] * 72


def test_interrupted_anywhere_it_continues(photos, tmp_path):
    whole = score(photos, LaunderedRun(tmp_path / "a"), Predictor())
    folder = LaunderedRun(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        score(photos, folder, Predictor(dies_after=7))
    second = Predictor()
    again = score(photos, folder, second)
    assert sum(second.sizes) == (72 - 32) * 9  # a shard of 32 was kept
    assert np.array_equal(again.logits, whole.logits)
    third = Predictor()
    assert np.array_equal(score(photos, folder, third).logits, whole.logits)
    assert third.sizes == []


def test_what_has_no_logit_has_a_reason_after_a_resumption_too(photos, tmp_path):
    folder = LaunderedRun(tmp_path)
    for _ in range(2):
        scores = score(photos, folder, Predictor(nan_above=120))
        missing = np.isnan(scores.logits)
        assert 0 < missing.sum() < missing.size
        for row, reasons in zip(missing, scores.reasons, strict=True):
            names = {CHOSEN[i].name for i in np.flatnonzero(row)}
            assert set(reasons) == names
            assert set(reasons.values()) <= {"the detector gives no finite logit"}


def test_a_deleted_file_of_reasons_leaves_no_logit_unexplained(photos, tmp_path):
    whole = score(photos[:3], LaunderedRun(tmp_path / "a"), Predictor()).logits
    folder = LaunderedRun(tmp_path / "b")
    score(photos[:3], folder, Predictor(nan_above=np.median(whole)))
    (folder.path / "not_laundered.json").unlink()
    again = score(photos[:3], folder, Predictor())
    missing = np.isnan(again.logits).sum(axis=1).tolist()
    assert sum(missing) > 0
    assert [len(each) for each in again.reasons] == missing


def test_a_damaged_file_is_tried_again(photos, tmp_path):
    file = tmp_path / "later.png"
    file.write_bytes(b"no image")
    both = [photos[0], Photo(file, photos[1].key), Photo(tmp_path / "none.png", "")]
    folder = LaunderedRun(tmp_path / "out")
    scores = score(both, folder, Predictor())
    assert np.isnan(scores.logits[1:]).all()
    assert "not an image" in scores.reasons[1]["untouched"]
    file.write_bytes(photos[1].file.read_bytes())
    again = score(both, folder, Predictor())
    assert np.isfinite(again.logits[1]).all()
    assert again.reasons[1] == {}
    assert np.isnan(again.logits[2]).all()


def test_equal_files_are_scored_once(photos, tmp_path):
    predictor = Predictor()
    twice = [photos[0], photos[1], photos[0]]
    scores = score(twice, LaunderedRun(tmp_path), predictor)
    assert sum(predictor.sizes) == 2 * 9
    assert np.array_equal(scores.logits[0], scores.logits[2])
