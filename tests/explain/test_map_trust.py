"""The tests of a map, on maps of which it is known what each must say."""

import numpy as np
import pandas as pd
import pytest
import tiny_detector
from tiny_detector import SIZE_PX, picture

from kerasfaces import faces
from kerasfaces.core import registry
from kerasfaces.explain import changed_images, checks, subjects
from kerasfaces.explain.contract import Explanation, Options

pytestmark = pytest.mark.tf
PASSED = {each: 0.9 for each in checks.COLUMNS} | {
    "random_orders_beaten": 5,
    "insertion_orders_beaten": 5,
    "sanity_correlation": 0.1,
}


def brightness(image):
    return image.astype(np.float32).mean(axis=-1)


def test_a_map_of_the_image_stays_after_jpeg_and_a_shift():
    image = picture(True, 3)
    map_ = brightness(image)
    assert changed_images.jpeg_agreement(map_, image, brightness) > 0.95
    assert changed_images.shift_agreement(map_, image, brightness) > 0.99


def test_a_map_that_stands_still_or_jumps_does_not():
    image = picture(True, 3)
    noise = np.random.default_rng(0).normal(size=(2, SIZE_PX, SIZE_PX))
    assert changed_images.shift_agreement(noise[0], image, lambda _: noise[0]) < 0.5
    assert changed_images.jpeg_agreement(noise[0], image, lambda _: noise[1]) < 0.5
    flat = np.zeros_like(noise[0])
    assert np.isnan(changed_images.jpeg_agreement(flat, image, lambda _: noise[1]))


def test_the_share_of_heat_on_the_face(monkeypatch):
    image, map_ = picture(False, 1), np.zeros((SIZE_PX, SIZE_PX), np.float32)
    map_[:8, :16], map_[20:, 20:] = -2.0, 1.0
    face = faces.Face((0.0, 0.0, 16.0, 8.0), 0.9, ((0.0, 0.0),) * 6)
    monkeypatch.setattr(faces, "is_available", lambda: True)
    monkeypatch.setattr(faces, "main_face", lambda image: face)
    share, area = changed_images.heat_in_face(map_, image)
    assert share == pytest.approx(256 / (256 + 144))
    assert area == pytest.approx(128 / 1024)
    monkeypatch.setattr(faces, "main_face", lambda image: None)
    assert np.isnan(changed_images.heat_in_face(map_, image)).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"random_orders_beaten": 4}, "deletion beats 4 of 5"),
        ({"insertion_gain": -0.1}, "insertion beats 5 of 5"),
        ({"sanity_correlation": 0.5}, "0.50 with random heads' maps"),
        ({"jpeg_agreement": 0.4}, "0.40 with the map after JPEG 90"),
        ({"shift_agreement": -0.4}, "-0.40 with the map after a small shift"),
    ],
)
def test_each_test_can_fail_a_map(changes, words):
    assert checks.failures(PASSED) == []
    (failure,) = checks.failures(PASSED | changes)
    assert words in failure
    missing = dict.fromkeys(("sanity_correlation", "jpeg_agreement", "shift_agreement"))
    assert checks.failures(PASSED | missing) == []


def test_a_detector_whose_gradients_are_zero(tmp_path):
    """A head of zeros: every map is blank, says so, and nothing fails."""
    from kerasfaces.models.zoo import modified_cnn

    model = modified_cnn.ARCHITECTURE.build(tiny_detector.MODEL)
    head = model.get_layer("head")
    head.set_weights([np.zeros_like(each) for each in head.get_weights()])
    folder = tiny_detector.write_run(tmp_path / "run", model)
    subject = subjects.open_subject(folder, redraws=1)
    for name in ("gradcam", "cam", "loss_gradient", "smoothgrad"):
        plugin = registry.load("kerasfaces.explain.methods", name)
        image, options = picture(True, 1), Options()
        own, *redrawn = plugin.explain(subject, image, options)
        assert not own.map.any()
        row = checks.of_map(
            plugin, subject, subject.learnt(), image, options, own, redrawn
        )
        assert row["do_not_trust"] == "one value everywhere"
        assert row["sanity_correlation"] is None
        assert row["jpeg_agreement"] is None
        assert checks.verdict(row).startswith("Do not trust this map: one value")


def test_heat_beside_the_face_is_the_detectors_matter():
    good = pd.DataFrame([PASSED | {"reason": "", "do_not_trust": ""}] * 3)
    assert checks.warnings(good) == []
    beside = good.assign(heat_in_face=0.1, face_area=0.3)
    (sentence,) = checks.warnings(beside)
    assert "3 of 3 images with a face" in sentence
    assert checks.warnings(beside.assign(heat_in_face=np.nan, face_area=np.nan)) == []
    doubted = checks.warnings(good.assign(do_not_trust="deletion"))
    assert doubted == ["Do not trust 3 of 3 maps: each names the tests that it fails."]


def test_what_has_no_sign_is_ranked_alike_for_both_verdicts(tiny_run):
    subject = subjects.open_subject(tiny_run)
    map_ = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    map_[tiny_detector.CORNER, tiny_detector.CORNER] = 1.0

    class Plugin:
        UNITS = "loss per grey level"

        @staticmethod
        def explain(subject, image, options):
            return [Explanation(map=map_)]

    image = picture(True, 70)
    rows = [
        checks.of_map(
            Plugin,
            subject,
            subject,
            image,
            Options(toward=toward),
            *Plugin.explain(0, 0, 0),
            [],
        )
        for toward in (1, -1)
    ]
    assert rows[0]["random_orders_beaten"] == 5
    assert rows[1]["deletion_gain"] == pytest.approx(-rows[0]["deletion_gain"])


def test_noise_that_moves_the_logit_is_said(tiny_run):
    """SmoothGrad's copies of a picture of one colour are that picture."""
    plugin = registry.load("kerasfaces.explain.methods", "smoothgrad")
    subject = subjects.open_subject(tiny_run)
    flat = np.full((SIZE_PX, SIZE_PX, 3), 120, np.uint8)
    moved = []
    for image in (flat, picture(True, 70)):
        (own,) = plugin.explain(subject, image, Options())
        logit = float(subject.logits(image[None])[0, 0])
        moved.append(abs(own.facts["noisy_logit"] - logit))
    assert moved[0] == pytest.approx(0, abs=1e-4)
    assert moved[1] > 0.01
    good = pd.DataFrame([PASSED | {"reason": "", "do_not_trust": "", "logit": -4.0}])
    (sentence,) = checks.warnings(good.assign(noisy_logit=[3.5]))
    assert (
        "noisy copies, whose mean logit is +3.50; the images' own is -4.00" in sentence
    )
    assert checks.warnings(good.assign(noisy_logit=[np.nan])) == []
