import functools
import logging

import numpy as np
import pytest
import torch

from kerasfaces.channels.masks import sam
from kerasfaces.channels.networks import checkpoints, sam_import, sam_network
from kerasfaces.core.errors import (
    ImageError,
    InputError,
    MissingExtraError,
    MissingFileError,
)
from kerasfaces.core.files import sha256
from kerasfaces.faces import Face

pytestmark = pytest.mark.torch
FACE = Face(
    (16, 10, 48, 54), 1.0, ((24, 24), (40, 24), (32, 32), (32, 42), (17, 26), (47, 26))
)


def small(width=32, depth=2):
    """A Segment Anything of a few layers, from the package's own parts."""
    package, _ = sam_import.load("segment_anything")
    parts = package.modeling
    side, patch, inner = 64, 16, 32
    return parts.Sam(
        image_encoder=parts.ImageEncoderViT(
            img_size=side,
            patch_size=patch,
            embed_dim=width,
            depth=depth,
            num_heads=2,
            out_chans=inner,
            use_rel_pos=True,
            window_size=2,
            global_attn_indexes=(1,),
            norm_layer=functools.partial(torch.nn.LayerNorm, eps=1e-6),
        ),
        prompt_encoder=parts.PromptEncoder(
            embed_dim=inner,
            image_embedding_size=(side // patch, side // patch),
            input_image_size=(side, side),
            mask_in_chans=4,
        ),
        mask_decoder=parts.MaskDecoder(
            num_multimask_outputs=3,
            transformer=parts.TwoWayTransformer(
                depth=1, embedding_dim=inner, mlp_dim=32, num_heads=2
            ),
            transformer_dim=inner,
            iou_head_depth=2,
            iou_head_hidden_dim=16,
        ),
    ).eval()


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """`vit_b` is a small network, and the file holds weights of it."""
    torch.manual_seed(0)
    monkeypatch.setattr(sam_network, "build", lambda variant: (small(), "small 1"))
    path = tmp_path / "small.pth"
    torch.save(small().state_dict(), path)
    return path


def picture(height=64, width=64):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


# --- loading ----------------------------------------------------------------------


def test_weights_arrive_strictly(tiny):
    network, package = sam_network.load(tiny, "vit_b")
    assert package == "small 1"
    expected = torch.load(tiny, weights_only=True)
    for name, value in network.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_missing_tensor_and_a_foreign_one_are_named(tiny):
    state = torch.load(tiny, weights_only=True)
    state["foreign"] = state.pop("image_encoder.pos_embed")
    torch.save(state, tiny)
    with pytest.raises(InputError, match=r"pos_embed is missing; foreign is unknown"):
        sam_network.load(tiny, "vit_b")


def test_another_shape_is_named(tiny):
    torch.save(small(width=48).state_dict(), tiny)
    with pytest.raises(InputError, match=r"is \(.*48.*\) instead of .* more; give"):
        sam_network.load(tiny, "vit_b")


def test_the_wrong_variant_says_which_it_is(tiny):
    state = {"image_encoder.patch_embed.proj.bias": torch.zeros(1024)}
    torch.save(state, tiny)
    with pytest.raises(InputError, match=r"holds SAM vit_l, but vit_b was asked for"):
        sam_network.load(tiny, "vit_b")


def test_a_truncated_file_is_one_sentence(tiny):
    tiny.write_bytes(tiny.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"5,000 bytes\) is no complete torch check"):
        sam_network.load(tiny, "vit_b")


def test_code_in_a_file_is_not_run(tiny):
    torch.save({"a": print}, tiny)
    with pytest.raises(InputError, match="no complete torch checkpoint"):
        sam_network.load(tiny, "vit_b")


def test_something_else_in_a_file_is_refused(tiny):
    torch.save({"epoch": 3}, tiny)
    with pytest.raises(InputError, match="expected a state dict of tensors"):
        sam_network.load(tiny, "vit_b")


def test_no_file(tmp_path):
    with pytest.raises(MissingFileError, match="no checkpoint at"):
        sam_network.load(tmp_path / "none.pth", "vit_b")


def test_the_published_file_missing_says_what_to_put_where():
    with pytest.raises(MissingFileError, match=r"sam_vit_b_01ec64\.pth.*put it at"):
        sam.build(sam.Options())


def test_a_published_file_of_another_variant_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "sam_vit_l_0b3195.pth"
    path.write_bytes(b"x")
    found = checkpoints.LocalFile(path, "00", "sam_vit_l")
    monkeypatch.setattr(checkpoints, "find", lambda name, **options: found)
    with pytest.raises(InputError, match=r"checkpoint sam_vit_l, but sam\.variant is"):
        sam.build(sam.Options(checkpoint=str(path)))


def test_torch_missing(tiny, monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name, *rest):
        if name == "torch":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(
        MissingExtraError, match=r"torch is not installed.*\[channels\]"
    ):
        sam.build(sam.Options(checkpoint=str(tiny)))


# --- running ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "shape"),
    [
        ("torch", (64, 64)),
        ("torch", (40, 80)),
        ("torch", (150, 90)),
        ("openvino", (40, 80)),
    ],
)
def test_the_same_as_the_package_as_published(tiny, engine, shape, caplog):
    if engine == "openvino":
        pytest.importorskip("openvino")
    network, _ = sam_network.load(tiny, "vit_b")
    image = picture(*shape)
    points = np.array([[10.0, 12.0], [30.0, 20.0], [2.0, 2.0]])
    wanted = np.array([True, True, False])
    with caplog.at_level(logging.INFO, logger="kerasfaces"):
        segmenter = sam_network.Segmenter(network, engine)
        masks, scores = segmenter.candidates(image, points, wanted)
    assert segmenter.runner.name.startswith(engine)
    assert engine == "torch" or "differs from torch by" in caplog.text
    expected_masks, expected_scores = published(network, image, points, wanted)
    assert masks.shape == (4, *shape)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-4)
    assert (masks != expected_masks).mean() < 1e-3


def published(network, image, points, wanted):
    """`SamPredictor` of the package, with Pillow where it calls torchvision."""
    from PIL import Image
    from segment_anything import SamPredictor

    predictor = SamPredictor(network)

    def resize(array):
        size = predictor.transform.get_preprocess_shape(*array.shape[:2], 64)
        return np.array(Image.fromarray(array).resize(size[::-1], Image.BILINEAR))

    predictor.transform.apply_image = resize
    predictor.set_image(image)
    single, one, _ = predictor.predict(points, wanted, multimask_output=False)
    several, three, _ = predictor.predict(points, wanted, multimask_output=True)
    return np.concatenate([single, several]), np.concatenate([one, three])


def test_the_mask_is_made_by_named_things(tiny):
    mask = sam.build(sam.Options(checkpoint=str(tiny), engine="torch"))
    assert mask.needs_faces
    assert mask.made_by["package"] == "small 1"
    assert mask.made_by["checkpoint"] == sha256(tiny)
    with pytest.raises(ImageError, match=r"^no face found$"):
        mask.compute(picture(), None)


def test_from_picture_and_face_to_mask(tiny, monkeypatch):
    mask = sam.build(sam.Options(checkpoint=str(tiny), engine="torch"))
    asked = {}

    def candidates(image, points, wanted):
        asked.update(points=points, wanted=wanted)
        whole = np.ones((4, 64, 64), bool)
        whole[:, :, :10] = False
        return whole, np.array([0.1, 0.2, 0.3, 0.4])

    monkeypatch.setattr(mask._segmenter, "candidates", candidates)
    kept = mask.compute(picture(), FACE)
    assert kept.shape == (64, 64)
    np.testing.assert_array_equal(asked["points"][:4], FACE.inner)
    assert asked["wanted"].sum() == 4


def test_a_random_network_yields_a_mask_or_a_reason(tiny):
    mask = sam.build(sam.Options(checkpoint=str(tiny), engine="torch"))
    reasons = set()
    for image in (picture(), np.zeros((64, 64, 3), np.uint8)):
        try:
            kept = mask.compute(image, FACE)
            reasons.add("" if kept.shape == (64, 64) else f"shape {kept.shape}")
        except ImageError as error:
            reasons.add(str(error))
    assert reasons <= {"", "mask misses the face"}


def test_background_points_keep_away_from_the_head():
    away = sam.background_points((256, 256), _scaled(FACE, 1.0, 96))
    assert len(away) >= 4
    assert np.abs(away - (128, 128)).max(axis=1).min() > 100
    assert sam.background_points((64, 64), _scaled(FACE, 1.5, -16)).shape == (0, 2)


def _scaled(face, factor, shift):
    box = np.array(face.box) * factor + shift
    points = np.array(face.landmarks) * factor + shift
    return Face(box.tolist(), 1.0, points.tolist())


def test_the_best_candidate_holds_the_face_and_leaves_the_background():
    background = np.array([[1.0, 1.0], [62.0, 1.0]])
    eye, head, everything = np.zeros((3, 64, 64), bool)
    eye[20:28, 20:28] = True
    head[8:56, 14:50] = True
    everything[:] = True
    masks = np.stack([eye, everything, head])
    chosen = sam.best(masks, np.array([0.99, 0.95, 0.6]), FACE, background)
    np.testing.assert_array_equal(chosen, head)
    without = sam.best(masks, np.array([0.99, 0.95, 0.6]), FACE, background[:0])
    np.testing.assert_array_equal(without, everything)


def test_no_candidate_on_the_face_is_a_miss():
    with pytest.raises(ImageError, match=r"^mask misses the face$"):
        sam.best(np.zeros((4, 64, 64), bool), np.ones(4), FACE, np.zeros((0, 2)))
