"""Whole answers, by a detector that needs no network."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stub_detector import FoundFace, Stub

from kerasfaces.core.errors import InputError
from kerasfaces.images.limits import Limits
from kerasfaces.run import training_images
from kerasfaces.serve import stability
from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.background import Background
from kerasfaces.serve.pictures import Named

NO_FACES = {"find_faces": lambda pixels: ()}


def grey(level, size=(96, 80)):
    return Image.new("RGB", size, (level,) * 3)


def encoded(image, form="PNG"):
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def test_every_kind_of_source_has_the_same_answer(tmp_path):
    image, data = grey(200), encoded(grey(200))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    sources = [path, str(path), data, image, np.asarray(image), Named("mine", data)]
    answers = list(answer_all(sources, Stub(), **NO_FACES))
    assert {answer.verdict for answer in answers} == {"fake"}
    assert {round(answer.logit, 9) for answer in answers} == {7.25}
    names = [answer.name for answer in answers]
    assert names[1:] == [str(path), "<image 2>", "<image 3>", "<image 4>", "mine"]
    assert len({answer.sha256 for answer in answers}) == 2  # arrays have none
    assert answers[0].to_dict()["width_px"] == 96


def test_what_cannot_be_read_is_an_answer_with_a_reason(tmp_path):
    sources = [b"", b"no image", tmp_path / "gone.jpg", np.zeros((3, 3)), grey(10)]
    answers = list(answer_all(sources, Stub(), **NO_FACES))
    assert [answer.verdict for answer in answers] == ["unreadable"] * 4 + ["real"]
    assert "not an image" in answers[1].reason
    assert answers[2].reason == "file not found"
    assert "expected (h, w, 3)" in answers[3].reason
    line = json.dumps(answers[1].to_dict(), allow_nan=False)
    assert json.loads(line)["score"] is None


def test_a_picture_too_small_is_not_judged():
    background = Background(limits=Limits(short_side_px=50, aspect=3.0))
    answers = list(
        answer_all(
            [grey(10, (40, 40)), grey(10, (60, 60))],
            Stub(),
            background=background,
            **NO_FACES,
        )
    )
    assert "too small to judge" in answers[0].reason
    assert set(answers[1].stability["skipped"]) == {"half the size", "a screenshot"}
    assert answers[1].stability["n"] == len(stability.TRIALS) - 2


def test_a_verdict_that_flips_is_unsure():
    class Fragile(Stub):
        def prepare(self, image):  # half the size turns it, a screenshot does not
            level = 200 if min(image.size) > 60 else 20
            return super().prepare(grey(level))

    (answer,) = answer_all([grey(0)], Fragile(), **NO_FACES)
    assert answer.verdict == "unsure", answer
    assert answer.stability["flipped"] == ["half the size"]
    assert answer.stability["n_same"] == 5
    assert answer.doubt == "fake as it is, but not after half the size"
    assert answer.score > 0.9  # the score stays what it was
    options = Options(stability=False)
    (answer,) = answer_all([grey(0)], Fragile(), options, **NO_FACES)
    assert (answer.verdict, answer.stability) == ("fake", None)


def test_what_is_judged_is_what_the_policy_says():
    picture = grey(20, (400, 300))
    picture.paste(grey(250, (200, 200)), (0, 0))  # a fake face, large
    faces = [FoundFace((260, 180, 330, 250)), FoundFace((60, 60, 140, 140))]

    def judged(policy, found=faces):
        options = Options(faces=policy)
        (answer,) = answer_all([picture], Stub(), options, find_faces=lambda _: found)
        return answer

    whole = judged("image")
    assert [face.size_px for face in whole.faces] == [80, 70]
    assert {face.verdict for face in whole.faces} == {""}
    largest = judged("largest")
    assert largest.verdict == "fake"
    assert [face.verdict for face in largest.faces] == ["fake", ""]
    each = judged("each")
    assert [face.verdict for face in each.faces] == ["fake", "real"]
    assert each.verdict == "fake"
    assert each.logit == largest.logit > whole.logit
    assert "each of 2 faces" in each.judged
    none = judged("each", [])
    assert none.logit == whole.logit
    assert "no face was found" in none.warnings[0]
    assert "for want of a face" in none.warnings[1]
    small = judged("image", [FoundFace((0, 0, 63, 80))])
    assert "largest face is 63 px" in small.warnings[0]
    with pytest.raises(InputError, match="expected image, largest, each"):
        judged("both")


def test_what_is_held_does_not_grow_with_the_number_of_pictures():
    detector = Stub()
    drawn = 0

    def sources():
        nonlocal drawn
        for _ in range(500):
            drawn += 1
            yield grey(30, (64, 64))

    answers = answer_all(sources(), detector, **NO_FACES)
    next(answers)
    assert drawn <= 11  # one is read ahead
    assert sum(1 for _ in answers) == 499
    assert detector.largest_batch <= 70


def test_no_finite_logit_is_a_reason():
    class Broken(Stub):
        def logits(self, pixels):
            return np.full(len(pixels), np.nan)

    (answer,) = answer_all([grey(0)], Broken(), **NO_FACES)
    assert (answer.verdict, answer.to_dict()["logit"]) == ("unreadable", None)
    assert "no finite logit" in answer.reason


def test_what_is_unlike_the_training_images_is_said():
    noise = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    arrays = np.stack(
        [np.clip(128 + (n - 128.0) / k, 0, 255) for k, n in enumerate(noise, 2)]
    )
    arrays = arrays.astype(np.uint8)
    seen = training_images.describe(lambda at: arrays[at], [Path("gone.png")] * 6, 0)
    assert (seen["n"], seen["n_files"], seen["n_jpeg"]) == (6, 0, 0)
    background = Background(seen=seen)

    def warnings(source, options=None):
        (answer,) = answer_all(
            [source], Stub(), options, background=background, **NO_FACES
        )
        return [each for each in answer.warnings if "no face" not in each]

    assert warnings(arrays[2]) == []
    (sentence,) = warnings(grey(100))
    assert sentence.startswith("blurrier than any of 6 training images")
    (sentence,) = warnings(noise[0])
    assert sentence.startswith("sharper than any of 6")
    assert warnings(noise[0], Options.quick()) == []


@pytest.mark.parametrize(
    ("low", "quality", "words"),
    [
        (
            75.0,
            60,
            "re-saved at JPEG 60, compressed more than 99 % of the 30 JPEG files",
        ),
        (75.0, 80, None),
        (None, 30, "re-saved at JPEG 30: so much compression takes traces away"),
        (None, 60, None),
        (None, None, None),
    ],
)
def test_strong_compression_is_said(low, quality, words):
    seen = {"n_jpeg": 30, "jpeg_quality_low": low} if low else {}
    file, options = io.BytesIO(), {"quality": quality} if quality else {}
    grey(90).save(file, "JPEG" if quality else "PNG", **options)
    (answer,) = answer_all(
        [file.getvalue()], Stub(), background=Background(seen=seen), **NO_FACES
    )
    sentences = [each for each in answer.warnings if "JPEG" in each]
    assert [each.startswith(words) for each in sentences] == ([True] if words else [])
