import dataclasses

import numpy as np
import pytest
from face_pictures import portrait
from PIL import Image

from kerasfaces import images
from kerasfaces.core import config as configs
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.dataset import laundered
from kerasfaces.dataset.cache import cache_images
from kerasfaces.faces import crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.policy import FaceInput, fields_of
from kerasfaces.images import InputSpec
from kerasfaces.train.config import TrainConfig

WHOLE = InputSpec(size_px=64)
LARGEST = InputSpec(size_px=64, faces="largest", face_margin=0.1, face_align=True)


def test_the_loader_shows_the_largest_face():
    image = portrait()
    face = crops.cut(image, crops.largest(image), FaceCrop(margin=0.1, align=True))
    expected = images.to_array(face, WHOLE)
    np.testing.assert_array_equal(images.to_array(image, LARGEST), expected)
    assert (images.to_array(image, WHOLE) != expected).any()
    cut = dataclasses.replace(LARGEST, faces="cut")
    np.testing.assert_array_equal(images.to_array(face, cut), expected)


def test_no_face_is_a_reason_in_the_cache(tmp_path):
    Image.new("RGB", (80, 80), (9, 80, 70)).save(tmp_path / "wall.png")
    portrait().save(tmp_path / "face.png")
    files = [tmp_path / "wall.png", tmp_path / "face.png"]
    assert cache_images(files, LARGEST).reasons == ["no face found", ""]
    assert cache_images(files, WHOLE).reasons == ["", ""]


def test_caches_are_named_by_what_decides_pixels():
    names = {"faces", "face_margin", "face_align", "face_size_px", "face_detector"}
    assert not names & WHOLE.recipe().keys()  # as it was before there were any
    assert names <= LARGEST.recipe().keys()
    assert dataclasses.replace(LARGEST, faces="cut").recipe() == WHOLE.recipe()
    wider = dataclasses.replace(LARGEST, face_margin=0.2)
    assert wider.recipe() != LARGEST.recipe()


def test_a_run_written_before_there_were_faces_is_read():
    old = {"size_px": 64, "crop": "square", "filter": "bicubic", "crops": 0}
    assert configs.from_dict(InputSpec, old) == WHOLE
    assert configs.from_dict(InputSpec, configs.to_dict(LARGEST)) == LARGEST


def test_the_configuration_hands_its_policy_on():
    config = TrainConfig(faces="largest", face_margin=0.5, face_size_px=128)
    assert config.input_spec.face_fields == config.face_fields
    assert config.input_spec.face_crop == FaceCrop(margin=0.5, size_px=128)
    assert TrainConfig().face_crop is None
    with pytest.raises(InputError, match=r"`margin=7\.0`: expected 0\.\.4"):
        TrainConfig(faces="largest", face_margin=7.0)


def test_cut_files_state_how():
    crop = FaceCrop(margin=0.5, align=True, size_px=96)
    assert FaceInput(**fields_of(crop)).face_crop == crop


def test_a_view_is_laundered_after_the_face_is_cut_out(tmp_path):
    """So that no laundering costs a face, whatever it does to the picture."""
    portrait().save(tmp_path / "face.png")
    data = (tmp_path / "face.png").read_bytes()
    picture = laundered.Picture(
        path=tmp_path / "face.png", sha256=images.sha256(data), key="k"
    )
    (plain,) = laundered.make_views((picture, [1]), LARGEST, 0.0)
    np.testing.assert_array_equal(plain, images.to_array(portrait(), LARGEST))
    (changed,) = laundered.make_views((picture, [1]), LARGEST, 1.0)
    assert changed.shape == (64, 64, 3)


def test_no_face_cannot_be_laundered(tmp_path):
    Image.new("RGB", (80, 80)).save(tmp_path / "wall.png")
    data = (tmp_path / "wall.png").read_bytes()
    picture = laundered.Picture(
        path=tmp_path / "wall.png", sha256=images.sha256(data), key="k"
    )
    assert laundered.make_views((picture, [1]), LARGEST, 1.0) == "no face found"
    with pytest.raises(ImageError):
        images.to_array(Image.new("RGB", (80, 80)), LARGEST)
