"""CLIP's image encoder (Radford et al. 2021, arXiv 2103.00020), and MetaCLIP 2's (2507.22062).

Trained on images and their captions; MetaCLIP 2 has the same architecture. Sizes are
presets. What reads texts, and the projection to a common space, are left out, and so is
MetaCLIP 2's last normalisation, which keras-hub has outside of the encoder.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np

from kerasfaces.core.imports import optional_import
from kerasfaces.models.presets import Preset
from kerasfaces.models.vision_transformers import Family, FrozenTransformer, Sizes

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(Sizes):
    """Sizes.

    Attributes:
        activation: Of the dense layers.
    """

    activation: Literal["quick_gelu", "gelu"] = "quick_gelu"


def of_preset(preset: Preset) -> FrozenTransformer[Options]:
    """Return the architecture that a preset describes."""
    family = META if "metaclip" in preset.weights else FAMILY
    return FrozenTransformer.of_preset(family, Options, preset)


def _build(sizes: Options, size_px: int, complete: bool) -> keras.Model:
    encoder = _encoder("CLIPVisionEncoder", sizes, size_px)
    # keras-hub 0.32.0 leaves them at zero unless its own file is loaded.
    numbers = encoder.get_layer("embedding").position_ids
    numbers.assign(np.arange(numbers.shape[1])[None])
    return encoder


def _build_meta(sizes: Options, size_px: int, complete: bool) -> keras.Model:
    return _encoder("MetaCLIP2VisionEncoder", sizes, size_px)


def _encoder(name: str, sizes: Options, size_px: int) -> keras.Model:
    models: Any = optional_import("keras_hub", "hub").models
    return getattr(models, name)(
        intermediate_activation=sizes.activation, **sizes.settings(size_px)
    )


def outputs(model: keras.Model) -> Sequence[keras.KerasTensor]:
    """Return the tokens after each block, and the encoder's output."""
    blocks = [
        layer.output for layer in model.layers if layer.name.startswith("encoder_block")
    ]
    return [*blocks, model.output]


_BLOCK, _PATH = r"encoder\.layers\.(\d+)\.", r"encoder_block_\1/"
_PUBLISHED = {
    r"embeddings\.(class_embedding|patch_embedding)": r"embedding/\1",
    r"embeddings\.position_embedding": "embedding/position_embedding/embeddings",
    "pre_layrnorm": "pre_layer_norm",  # so it is spelt
    _BLOCK + r"layer_norm(\d)": _PATH + r"layer_norm_\2",
    _BLOCK + r"mlp\.fc(\d)": _PATH + r"dense_\2",
    _BLOCK + r"self_attn\.q_proj": _PATH + "attention/query",
    _BLOCK + r"self_attn\.k_proj": _PATH + "attention/key",
    _BLOCK + r"self_attn\.v_proj": _PATH + "attention/value",
    _BLOCK + r"self_attn\.out_proj": _PATH + "attention/attention_output",
}
FAMILY = Family(
    build=_build,
    outputs=outputs,
    published=_PUBLISHED | {"post_layernorm": "layer_norm"},
    positions=("embedding/position_embedding/embeddings",),
    mean=MEAN,
    deviation=DEVIATION,
)
META = dataclasses.replace(
    FAMILY, build=_build_meta, published=_PUBLISHED, unused="post_layernorm"
)
