import importlib.metadata
import sys
import textwrap

import numpy as np
import pytest

from kerasfaces import faces
from kerasfaces.core import rng
from kerasfaces.core.errors import MissingExtraError, RunError
from kerasfaces.faces import FaceFinder, _memory


def row(x, y, side, confidence=0.9):
    """One answer of the detector: a square box with its landmarks."""
    places = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    points = [(x + side * px, y + side * py) for px, py in places]
    return [x, y, side, side, confidence, *np.ravel(points)]


def command(tmp_path, body):
    """A detector of the test's own, speaking the protocol."""
    path = tmp_path / "detector.py"
    path.write_text(
        "import json, os, sys\n"
        "from kerasfaces.faces import read_image\n"
        "while (image := read_image(sys.stdin.buffer)) is not None:\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
    )
    return [sys.executable, str(path)]


ANSWER = """
with open(__file__ + ".log", "a") as log:
    log.write(f"{image.shape}\\n")
side = float(image[0, 0, 0])
found = [] if not side else [[1, 2, side, side, 0.9, *range(10)]]
print(json.dumps({"faces": found}), flush=True)
"""


def picture(value, shape=(20, 30)):
    return np.full((*shape, 3), value, np.uint8)


def test_no_face_is_none():
    assert faces.choose([], 100, 100) is None


def test_the_largest_central_face_is_taken():
    corner, middle, small = row(0, 0, 50), row(40, 40, 45), row(60, 55, 20)
    face = faces.choose([corner, small, middle], 128, 128)
    assert face.box == (40, 40, 45, 45)
    assert face.confidence == 0.9
    assert face.landmarks.shape == (5, 2)
    left_eye, right_eye, nose, mouth, _ = face.points
    assert left_eye[0] < right_eye[0]
    assert nose[1] < mouth[1]


def test_images_of_any_size_cross_to_the_process_and_back(tmp_path):
    with FaceFinder(command(tmp_path, ANSWER)) as finder:
        images = [picture(7), picture(0), picture(9, (300, 200))]
        first, none, third = finder.find(images)
    assert first.box == (1, 2, 7, 7)
    assert first.points[4] == (8, 9)
    assert none is None
    assert third.box == (1, 2, 9, 9)


def test_what_was_found_is_remembered(tmp_path):
    start = command(tmp_path, ANSWER)
    for _ in range(2):
        with FaceFinder(start) as finder:
            finder.find([picture(7), picture(0), picture(7)])
    asked = (tmp_path / "detector.py.log").read_text().splitlines()
    assert asked == ["(20, 30, 3)"] * 2


def test_a_damaged_memory_costs_time_only(tmp_path, caplog):
    path = tmp_path / "faces.sqlite"
    path.write_bytes(b"this is no database" * 100)
    memory = _memory.Memory(path)
    memory.put("key", [[1.0]])
    assert memory.get("key") is None
    memory.close()
    assert "not remembered" in caplog.text


def test_a_crash_is_one_sentence_and_the_next_call_starts_anew(tmp_path):
    body = """
    if not os.path.exists(__file__ + ".once"):
        open(__file__ + ".once", "w").close()
        print("out of memory, or some such", file=sys.stderr, flush=True)
        os._exit(7)
    print(json.dumps({"faces": []}), flush=True)
    """
    with FaceFinder(command(tmp_path, body)) as finder:
        with pytest.raises(RunError, match=r"code 7; it last said: out of memory.*run"):
            finder.find([picture(1)])
        assert finder.find([picture(1)]) == [None]


def test_an_exception_in_the_detector_is_one_sentence(tmp_path):
    body = 'print(json.dumps({"error": "ValueError: odd"}), flush=True)'
    with (
        FaceFinder(command(tmp_path, body)) as finder,
        pytest.raises(RunError, match=r"image of 30x20 px: ValueError: odd\."),
    ):
        finder.find([picture(1)])


def test_the_process_ends_with_the_finder(tmp_path):
    with FaceFinder(command(tmp_path, ANSWER)) as finder:
        finder.find([picture(1)])
        process = finder._process
        assert process.poll() is None
    assert process.poll() == 0


def test_a_missing_detector_names_the_extra(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(
        MissingExtraError, match=r"mtcnn is not installed.*\[channels\]"
    ):
        FaceFinder()


def test_the_parent_needs_neither_framework(run_python):
    code = (
        "import sys, kerasfaces.faces as f; f.FaceFinder();"
        "print([m for m in ('torch', 'tensorflow', 'mtcnn', 'cv2') if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


@pytest.mark.slow
@pytest.mark.tf
def test_no_face_in_noise_and_flat_pictures_of_any_size():
    random = rng.generator(0, "noise")
    images = [
        random.integers(0, 256, (96, 96, 3), dtype=np.uint8),
        picture(0, (256, 256)),
        picture(255, (8, 8)),
        picture(128, (1, 300)),
    ]
    with FaceFinder() as finder:
        assert finder.find(images) == [None] * len(images)


@pytest.mark.slow
@pytest.mark.tf
def test_real_faces_are_found_in_any_size_colour_and_company(faces_folder, monkeypatch):
    from PIL import Image

    files = sorted((faces_folder / "real" / "ffhq").glob("*.jpg"))[:12]
    whole = [Image.open(file).convert("RGB") for file in files]
    tiny = [image.resize((32, 32)) for image in whole[:4]]
    huge = whole[0].resize((3000, 3000))
    grey = whole[1].convert("L").convert("RGB")
    border = whole[2].crop((90, 0, 256, 256))
    images = [np.asarray(each) for each in (*whole, *tiny, huge, grey, border)]
    with FaceFinder() as finder:
        found = finder.find(images)
        monkeypatch.setattr(finder, "_memory", None)
        again = finder.find(images[::-1])[::-1]
    assert None not in found
    assert found == again  # neighbours in the call do not matter
    for face, small in zip(found, found[12:16], strict=False):
        np.testing.assert_allclose(small.landmarks * 8, face.landmarks, atol=20)
    np.testing.assert_allclose(
        found[16].landmarks / 3000, found[0].landmarks / 256, atol=0.01
    )
    x, y, width, height = found[18].box
    assert min(x, y) >= 0
    assert x + width <= 166
    assert y + height <= 256
