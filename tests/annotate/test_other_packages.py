"""Annotators from other people's packages, by stand-ins with the same interface."""

import logging
import sys
import types

import numpy as np
import pytest
from face_pictures import portrait

from kerasfaces.annotate import run
from kerasfaces.annotate.annotators import _packages, deepface, fer, vit_expression
from kerasfaces.annotate.contract import Weights, decide
from kerasfaces.core.errors import (
    ImageError,
    InputError,
    MissingExtraError,
    MissingFileError,
)
from kerasfaces.faces import main_face


@pytest.fixture
def face():
    image = np.asarray(portrait(0, 160))
    return image, main_face(image)


def stand_in(monkeypatch, name, version="1.0", **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    for part in (name.partition(".")[0], name):
        monkeypatch.setitem(sys.modules, part, module)
    for own in (fer, deepface, vit_expression):
        monkeypatch.setattr(own.metadata, "version", lambda package: version)
    return module


def test_a_missing_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "fer", None)
    with pytest.raises(
        MissingExtraError, match=r"fer cannot be imported.*--no-deps fer"
    ):
        fer.build(Weights())


def test_another_version_of_a_library_is_one_sentence(monkeypatch):
    """OpenCV 5 has no cascades, which fer makes whether they are needed or not."""

    def FER(mtcnn):
        raise AttributeError("module 'cv2' has no attribute 'CascadeClassifier'")

    stand_in(monkeypatch, "fer.fer", FER=FER)
    with pytest.raises(
        MissingExtraError, match=r"fer does not work.*Cascade.*opencv-python-headless<5"
    ):
        fer.build(Weights())


def test_a_package_that_logs_for_everybody_does_not(monkeypatch, tmp_path):
    (tmp_path / "chatty.py").write_text(
        "import logging\nlogging.basicConfig(level=logging.INFO, force=True)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    root = logging.getLogger()
    before = list(root.handlers), root.level
    _packages.load("chatty", "chatty", "")
    assert (list(root.handlers), root.level) == before


def test_fer_is_asked_for_our_face(monkeypatch, face):
    asked = []

    class FER:
        def __init__(self, mtcnn):
            assert mtcnn is False

        def detect_emotions(self, image, face_rectangles):
            asked.append((image, face_rectangles))
            return [{"emotions": {"happy": 0.9, "sad": 0.1}}] if len(asked) == 1 else []

    stand_in(monkeypatch, "fer.fer", FER=FER)
    annotator, (image, own) = fer.build(Weights()), face
    numbers = annotator.compute(image, own)
    assert decide(fer.ATTRIBUTES[0], numbers) == (
        "positive",
        pytest.approx(0.9),
        "happy",
    )
    sent, ((x, y, width, height),) = asked[0]
    np.testing.assert_array_equal(sent, image[:, :, ::-1])
    assert (x, y, x + width, y + height) == tuple(round(edge) for edge in own.box)
    with pytest.raises(ImageError, match="gave no answer"):
        annotator.compute(image, own)


def test_deepface_downloads_nothing_unasked(monkeypatch, tmp_path, face):
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path / "home"))
    with pytest.raises(MissingFileError, match=r"no gender_model and no race_model"):
        deepface.build(Weights())

    def analyze(image, actions, detector_backend, silent):
        assert (actions, detector_backend) == (("gender", "race"), "skip")
        race = {"indian": 30.0, "asian": 30.0, "white": 40.0}
        return [{"gender": {"Man": 2.0, "Woman": 98.0}, "race": race}]

    stand_in(monkeypatch, "deepface.DeepFace", analyze=analyze)
    folder = tmp_path / "home" / ".deepface" / "weights"
    folder.mkdir(parents=True)
    for name in ("gender_model_weights.h5", "race_model_single_batch.h5"):
        (folder / name).touch()
    numbers = deepface.build(Weights()).compute(*face)
    gender, race = deepface.ATTRIBUTES
    assert decide(gender, numbers[:2]).value == "woman"
    assert decide(race, numbers[2:]).value == "asian"
    assert decide(race, numbers[2:]).raw == "white"


def test_a_transformer_without_weights_is_one_sentence(monkeypatch, tmp_path):
    def missing(name, **options):
        assert options["local_files_only"] is True
        raise OSError("cannot find it")

    stand_in(monkeypatch, "transformers")
    monkeypatch.setitem(
        sys.modules, "huggingface_hub", types.SimpleNamespace(snapshot_download=missing)
    )
    with pytest.raises(MissingFileError, match=r"not in Hugging Face's cache \(cannot"):
        vit_expression.build(Weights())
    (tmp_path / "vit-face-expression").mkdir()
    with pytest.raises(MissingFileError, match=r"model\.safetensors is not there"):
        vit_expression.build(Weights(folder=tmp_path))


@pytest.mark.slow
@pytest.mark.torch
def test_a_small_transformer_of_ones_own_answers(tmp_path, run_python):
    """Random weights in the published form, through transformers itself."""
    pytest.importorskip("transformers")
    pytest.importorskip("torch")
    folder = tmp_path / "vit-face-expression"
    code = f"""
import numpy as np, torch
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor
labels = dict(enumerate(["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]))
torch.manual_seed(0)
config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=16, image_size=32, patch_size=8, id2label=labels,
    label2id={{v: k for k, v in labels.items()}})
ViTForImageClassification(config).save_pretrained({str(folder)!r})
ViTImageProcessor(size={{"height": 32, "width": 32}}).save_pretrained({str(folder)!r})
from pathlib import Path
from kerasfaces.annotate.annotators import vit_expression
from kerasfaces.annotate.contract import Weights
from kerasfaces.faces import Face
points = ((20, 20), (40, 20), (30, 30), (30, 40), (15, 22), (45, 22))
image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
one = vit_expression.build(Weights(folder=Path({str(tmp_path)!r})))
numbers = one.compute(image, Face((10.0, 10.0, 50.0, 50.0), 0.9, points))
print(len(numbers), round(float(numbers.sum()), 3), sorted(one.made_by))
"""
    assert run_python(code).strip() == "7 1.0 ['model', 'transformers']"


def test_two_frameworks_do_not_live_together():
    with pytest.raises(
        InputError, match="fer and vit_expression need tensorflow and tor"
    ):
        run.Settings(annotators=("fer", "vit_expression"))


def test_shares_need_an_answer():
    with pytest.raises(ImageError, match="gave no answer"):
        _packages.shares({"bored": 1.0}, ["happy", "sad"])
