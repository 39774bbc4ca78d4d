"""Faces cut out by the loader, or into files before: the same detector."""

import numpy as np
import pandas as pd
import pytest
from face_pictures import portrait
from PIL import Image

import kerasfaces as kf
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.manifest import Manifest, face_rows
from kerasfaces.train import training
from kerasfaces.train.config import TrainConfig

FACES = {"faces": "largest", "face_margin": 0.2}


def manifest(**columns):
    rows = pd.DataFrame({"path": ["a.png"], "label": ["real"], "source": ["cam"]})
    return Manifest(rows.assign(split="train", **columns), folder=None)


def test_crops_to_train_on_decide_what_is_shown_later():
    cut = manifest(face_crop="margin 0.2, eyes level")
    config = training.with_face_crop(TrainConfig(), cut, None)
    assert config.faces == "cut"
    assert config.face_crop == FaceCrop(margin=0.2, align=True)
    assert training.with_face_crop(config, cut, None) == config
    assert training.with_face_crop(TrainConfig(), manifest(), None).faces == "none"


@pytest.mark.parametrize(
    ("config", "columns", "said"),
    [
        (TrainConfig(**FACES), {"face_crop": "margin 0.2"}, "cuts faces out itself"),
        (
            TrainConfig(faces="cut"),
            {},
            r"are whole pictures; cut them alike: `data\.crop",
        ),
        (TrainConfig(faces="cut"), {"face_crop": "margin 0.9"}, "cut otherwise"),
        (TrainConfig(), {"face_crop": "by hand"}, "states no crop of faces"),
    ],
)
def test_faces_that_differ_are_refused(config, columns, said):
    with pytest.raises(InputError, match=said):
        training.with_face_crop(config, manifest(**columns), None)


def test_crops_of_several_kinds_are_refused():
    rows = pd.concat([manifest(face_crop=text).rows for text in ("margin 0.2", "")])
    with pytest.raises(InputError, match="cut in several ways"):
        face_rows.crop_of(Manifest(rows.reset_index(drop=True), folder=None))


def test_no_face_is_cut_out_of_channels(tmp_path):
    with pytest.raises(InputError, match="a channel store has its own pictures"):
        training.with_face_crop(TrainConfig(**FACES), manifest(), tmp_path)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A manifest of 14 pairs, wider than the face, and one wall."""
    root = tmp_path_factory.mktemp("photos")
    rows = []
    for number in range(14):
        split = "train" if number < 8 else "val" if number < 11 else "test"
        for label in ("real", "fake"):
            image = portrait(number, 96)
            if label == "fake":
                image = image.resize((48, 48)).resize((96, 96))
            wide = Image.new("RGB", (150, 110), (120, 125, 130))
            wide.paste(image, (40, 8))
            wide.save(root / f"{label}{number}.png")
            source = "cam" if label == "real" else "blur"
            rows.append((f"{label}{number}.png", label, source, split, ""))
    Image.new("RGB", (150, 110)).save(root / "wall.png")
    rows.append(("wall.png", "real", "cam", "test", ""))
    table = pd.DataFrame(rows, columns=["path", "label", "source", "split", "pair_id"])
    table.to_csv(root / "manifest.csv", index=False)
    return root / "manifest.csv"


@pytest.mark.slow
@pytest.mark.tf
def test_files_of_crops_and_crops_by_the_loader_make_one_detector(
    photos, tiny_weights, tmp_path, caplog
):
    whole = kf.Manifest.from_csv(photos)
    cut = whole.crop_faces(tmp_path / "crops", faces="largest", margin=0.2)
    options = {"weights": str(tiny_weights), "epochs": 2}
    model = {"size_px": 64, "scales": (1.0,), "taps": ("block_3_expand_relu",)}
    by_loader = kf.Detector(**options, **FACES, model=model).fit(
        whole, output=tmp_path / "by_loader"
    )
    of_files = kf.Detector(**options, model=model).fit(
        cut, output=tmp_path / "of_files"
    )
    logits = {}
    for name in ("by_loader", "of_files"):
        table = pd.read_csv(tmp_path / name / "predictions_test.csv")
        logits[name] = table["logit"].to_numpy()
    assert np.isnan(logits["by_loader"][-1])  # the wall
    np.testing.assert_allclose(logits["by_loader"][:-1], logits["of_files"], atol=1e-5)
    spec = read_json(tmp_path / "of_files/input_spec.json")["input"]
    assert (spec["faces"], spec["face_margin"]) == ("cut", 0.2)

    photo, wall = photos.parent / "real12.png", photos.parent / "wall.png"
    for detector in (by_loader, of_files):
        table = detector.predict([photo, wall], quick=True)
        at = 2  # real11, fake11, real12
        assert table["logit"][0] == pytest.approx(logits["of_files"][at], abs=2e-3)
        assert table["reason"][1] == "no face found"

    with pytest.raises(InputError, match="trained on face crops"):
        of_files.evaluate(whole)
    with pytest.raises(InputError, match="cuts faces out itself"):
        by_loader.evaluate(cut)
