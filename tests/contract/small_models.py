"""Every file in kerasfaces/models, as small a model as its options make."""

import dataclasses

import keras
import pytest

from kerasfaces.core import config
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import HeadConfig, ModelConfig

# Sizes that no option makes small; convnext_tiny is the same architecture.
LARGE = {"convnext_small", "convnext_base"}
NAMES = [name for name in catalogue.names() if name not in LARGE]
# Other sizes of one architecture, which `small` makes the same network: of each the first
# is tested whole by default, the others by `test_model_sizes.py` in that they are the same.
SAME = {
    "clip_base_16": ["clip_base_32", "clip_large_14"],
    "deit_tiny_224": ["deit_base_224", "deit_base_384"],
    "dinov2_registers_base": [
        "dinov2_base",
        "dinov2_large",
        "dinov2_registers_large",
        "dinov2_registers_small",
        "dinov2_small",
    ],
    "dinov3_base": ["dinov3_large", "dinov3_small"],
    "metaclip2_giant": ["metaclip2_huge"],
    "siglip2_base": ["siglip2_large", "siglip2_so400m"],
}
FIRST = {name: first for first, others in SAME.items() for name in others}
SIZE_PX = 48
# Every option away from its default, and as small as the model can be.
OPTIONS = {
    "fusion": "attention_all",
    "attention": "scaled",
    "stem": "project",
    "gain": 3.0,
    "standardize": True,
    "alpha": 0.35,
    "layers": 3,
    "filters": 4,
    "kernel_px": 3,
    "networks": 3,
    "patch_px": 16,
    "width": 8,
    "heads": 2,
    "mlp_width": 24,
    "native_px": 32,
    "registers": 2,
    "activation": "gelu",
}


def plugin(name):
    return catalogue.load(name)


def sees_pixels_only(name):
    """A method of somebody else's, with its own training."""
    return plugin(name).takes == "pixels"


def is_transformer(name):
    return hasattr(plugin(name).options, "heads")


def options(name):
    own = {field.name for field in dataclasses.fields(plugin(name).options)}
    return {key: value for key, value in OPTIONS.items() if key in own}


def inputs_of(name):
    if sees_pixels_only(name):
        return ("rgb",)
    return ("lnp+spectra",) if plugin(name).end_to_end else ("lnp", "rgb")


def some_taps(name):
    """Two layers of the base, one of them with fewer maps than the other."""
    if is_transformer(name) and plugin(name).taps:
        return "block_1", "block_3"
    if not sees_pixels_only(name):
        taps = plugin(name).taps[:2]
        return taps or ("block_3_expand_relu", "block_6_expand_relu")
    if name in ("logistic_regression", "aggregated_cnns"):
        return ()  # the one has no layer, the other's layers see patches
    if is_transformer(name):
        return ()  # its layers are inside keras-hub's
    model_config = ModelConfig(name=name, size_px=SIZE_PX)
    model = outline(config.updated(model_config, {"options": options(name)}))
    base = network.base_of(model)
    convolutions = [x for x in base.layers if isinstance(x, keras.layers.Conv2D)]
    return convolutions[0].name, convolutions[-1].name


def outline(model_config):
    """Build a model whose weights have no values: its layers' names and shapes alone."""
    with keras.StatelessScope(initialize_variables=False):
        return plugin(model_config.name).build(model_config)


def small(name):
    """Every argument away from its default, and as small as the model can be."""
    model_config = ModelConfig(
        name=name,
        inputs=inputs_of(name),
        size_px=SIZE_PX,
        taps=some_taps(name),
        pooling="mean_std",
        scales=(1.0,) if is_transformer(name) else (1.0, 0.75),
        head=HeadConfig(
            units=(16, 8),
            dropout=0.2,
            l2=0.01,
            standardize=False,
            batch_norm=True,
            output="softmax",
        ),
    )
    return config.updated(model_config, {"options": options(name)})


def need_extra(name):
    """Skip a test whose model's optional extra is not installed."""
    if plugin(name).extra == "hub":
        pytest.importorskip("keras_hub")
