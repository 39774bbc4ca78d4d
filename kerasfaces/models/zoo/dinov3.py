"""DINOv3 (Siméoni et al. 2025, arXiv 2508.10104): self-supervised on 1.7 billion photos.

Patches of 16 px, four registers, rotary positions, which fit any size. Its sizes are
presets. The weights have a licence of their own, which people accept before they download.
"""

import dataclasses

import keras

from kerasfaces.core.imports import optional_import
from kerasfaces.models.layers import IMAGENET_DEVIATION, IMAGENET_MEAN
from kerasfaces.models.presets import Preset
from kerasfaces.models.vision_transformers import Family, FrozenTransformer
from kerasfaces.models.zoo import dinov2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(dinov2.Options):
    """Sizes, with four registers."""

    registers: int = 4


def of_preset(preset: Preset) -> FrozenTransformer[Options]:
    """Return the architecture that a preset describes."""
    return FrozenTransformer.of_preset(FAMILY, Options, preset)


def _build(sizes: Options, size_px: int, complete: bool) -> keras.Model:
    return optional_import("keras_hub", "hub").models.DINOV3Backbone(
        num_register_tokens=sizes.registers,
        use_mask_token=complete,
        use_key_bias=False,
        **sizes.settings(size_px),
    )


_BLOCK, _PATH = r"layer\.(\d+)\.", r"encoder/layers_\1/"
FAMILY = Family(
    build=_build,
    outputs=dinov2.outputs,
    published={
        r"embeddings\.(cls_token|register_tokens)": r"embeddings/\1",
        r"embeddings\.patch_embeddings": "embeddings/patch_embeddings/projection",
        _BLOCK + r"(norm\d)": _PATH + r"\2",
        _BLOCK + r"(attention|layer_scale\d|mlp)\.(\w+)": _PATH + r"\2/\3",
        "norm": "layernorm",
    },
    n_front=lambda sizes: 1 + sizes.registers,
    unused=r"embeddings\.mask_token",
    mean=IMAGENET_MEAN,
    deviation=IMAGENET_DEVIATION,
)
