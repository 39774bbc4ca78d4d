"""OpenVINO computes the features of every kind of base, as Keras does."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.features import engines
from kerasfaces.models import catalogue, network
from kerasfaces.train import config as configs

pytestmark = [pytest.mark.tf, pytest.mark.slow]
TRANSFORMERS = [
    "dinov2_small",
    "dinov2_registers_small",
    "siglip2_base",
    "clip_base_16",
]
# keras-hub 0.32.0 keeps tensors in these, which no graph of their own can take.
BY_KERAS = ["dinov3_small", "metaclip2_huge"]
SMALL = {"layers": 2, "width": 24, "heads": 3, "mlp_width": 32, "patch_px": 16}


def extractor_of(name):
    pytest.importorskip("openvino")
    model = dataclasses.replace(configs.default(name).model, size_px=64)
    if hasattr(model.options, "heads"):
        pytest.importorskip("keras_hub")
        options = dataclasses.replace(model.options, **SMALL)
        model = dataclasses.replace(model, options=options, taps=("block_1", "block_2"))
    return network.extractor_of(catalogue.load(name).build(model))


@pytest.mark.parametrize("name", BY_KERAS)
def test_what_cannot_be_converted_is_left_to_keras_and_said(name, caplog):
    assert engines.convert(extractor_of(name)) is None
    assert "openvino cannot run this base" in caplog.text


@pytest.mark.parametrize("name", [*TRANSFORMERS, "efficientnet_lite0"])
def test_openvino_agrees(name):
    """Its output is the features, whatever else the graph computes (DINOv2's stages)."""
    extractor = extractor_of(name)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    engine = engines.convert(extractor)
    assert engine is not None
    found, wanted = engine.extract(images), engines.eagerly(extractor, images)
    assert found.shape == wanted.shape
    difference = np.abs(found - wanted) / np.maximum(1.0, np.abs(wanted))
    assert difference.max() < engines.TOLERANCE
