"""Detectors that were trained on face crops: what they are shown of a photo."""

import dataclasses
import io

import numpy as np
import pytest
from face_pictures import portrait
from PIL import Image
from stub_detector import SPEC, FoundFace, Stub
from stub_service import served

from kerasfaces import images
from kerasfaces.faces import crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.images.limits import Limits
from kerasfaces.serve import face_policy
from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.pictures import Named

OF_CROPS = dataclasses.replace(SPEC, faces="cut", face_margin=0.1, face_align=True)
PLAIN = {"stability": False, "provenance": False}


@dataclasses.dataclass
class OfCrops(Stub):
    """Remembers what it is shown."""

    input_spec: images.InputSpec = OF_CROPS
    shown: list = dataclasses.field(default_factory=list)
    limits: Limits | None = None

    def prepare_crop(self, image):
        self.shown.append(image)
        return images.to_array(
            image, dataclasses.replace(self.input_spec, faces="none")
        )


@pytest.mark.parametrize("faces", ["cut", "largest"])
def test_a_photo_is_cut_as_in_training(faces):
    detector = OfCrops()
    detector.input_spec = dataclasses.replace(detector.input_spec, faces=faces)
    image = portrait()
    (answer,) = answer_all([image], detector, Options(**PLAIN))
    expected = crops.cut(image, crops.largest(image), FaceCrop(margin=0.1, align=True))
    np.testing.assert_array_equal(detector.shown[0], expected)
    assert answer.judged == "the largest face"
    assert answer.faces[0].verdict == answer.verdict
    assert len(answer.to_dict()["faces"][0]["landmarks"]) == 6


def test_a_photo_without_a_face_has_no_verdict():
    wall = Image.new("RGB", (90, 90), (200, 200, 200))
    (answer,) = answer_all([wall], OfCrops(), Options(**PLAIN))
    assert (answer.verdict, answer.reason) == ("unreadable", "no face found")


def test_each_face_is_judged_where_that_is_asked():
    detector = OfCrops()
    detector.input_spec = dataclasses.replace(detector.input_spec, face_align=False)
    faces = [FoundFace((10, 10, 40, 40)), FoundFace((60, 10, 90, 40))]
    options = Options(faces="each", **PLAIN)
    wall = Image.new("RGB", (120, 90), (20, 20, 20))
    (answer,) = answer_all([wall], detector, options, find_faces=lambda _: faces)
    assert [image.size for image in detector.shown] == [(36, 36)] * 2
    assert [face.verdict for face in answer.faces] == ["real", "real"]


def test_the_service_cuts_them_alike():
    buffer = io.BytesIO()
    portrait().save(buffer, "PNG")
    picture = Named("<image 0>", buffer.getvalue())
    (expected,) = answer_all([picture], OfCrops(), Options(**PLAIN))
    with served(OfCrops(), stability=False) as client:
        _, _, reply = client.predict(picture.source, query="?provenance=false")
    assert expected.judged == "the largest face"
    assert reply["answers"] == [expected.to_dict()]


def test_whose_rates_the_runs_own_predictions_are():
    cut, here = (
        OfCrops(),
        OfCrops(input_spec=dataclasses.replace(SPEC, faces="largest")),
    )
    assert face_policy.of_run("image", cut) == "largest"
    assert face_policy.of_run("each", cut) == "each"
    assert face_policy.of_run("image", Stub()) == "image"
    assert face_policy.of_files(cut) == "image"  # its test files are crops
    assert face_policy.of_files(here) == "largest"


def test_limits_are_of_what_training_was_shown():
    limits = Limits(short_side_px=34, aspect=3)
    wide = Image.new("RGB", (400, 90), (20, 20, 20))  # a photo may be of any shape
    faces = [FoundFace((10, 10, 40, 40)), FoundFace((60, 10, 76, 26))]
    detector = OfCrops(limits=limits)
    detector.input_spec = dataclasses.replace(detector.input_spec, face_align=False)
    options = Options(faces="each", provenance=False)

    def judged(*found):
        (answer,) = answer_all([wide], detector, options, find_faces=lambda _: found)
        return answer

    answer = judged(*faces)
    assert [face.verdict for face in answer.faces] == ["real", ""]
    assert "1 of 2 faces not judged: too small to judge: 19x19" in str(answer.warnings)
    assert "too small" in answer.stability["skipped"]["half the size"]
    assert judged(faces[1]).reason.startswith("the largest face is too small to judge")
    detector.input_spec = dataclasses.replace(detector.input_spec, faces="largest")
    assert "longer side must be at most" in judged(*faces).reason  # whole pictures
    detector.limits = Limits(short_side_px=60, aspect=9)
    assert [face.verdict for face in judged(*faces).faces] == ["real", "real"]
