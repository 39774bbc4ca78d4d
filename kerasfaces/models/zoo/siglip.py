"""SigLIP 2's image encoder (Tschannen et al. 2025, arXiv 2502.14786).

Trained on images and captions in many languages. It has no class token, so a head sees
means and deviations over the patches. Sizes are presets; what reads texts, and the
pooling by attention that served captions, are left out.
"""

import keras

from kerasfaces.core.imports import optional_import
from kerasfaces.models.presets import Preset
from kerasfaces.models.vision_transformers import Family, FrozenTransformer, Sizes
from kerasfaces.models.zoo.clip import outputs


def of_preset(preset: Preset) -> FrozenTransformer[Sizes]:
    """Return the architecture that a preset describes."""
    return FrozenTransformer.of_preset(FAMILY, Sizes, preset)


def _build(sizes: Sizes, size_px: int, complete: bool) -> keras.Model:
    encoder: keras.Model = optional_import(
        "keras_hub", "hub"
    ).models.SigLIPVisionEncoder(**sizes.settings(size_px))
    if complete:
        return encoder
    return keras.Model(encoder.inputs, encoder.get_layer("post_layer_norm").output)


_BLOCK, _PATH = r"encoder\.layers\.(\d+)\.", r"encoder_block_\1/"
FAMILY = Family(
    build=_build,
    outputs=outputs,
    published={
        r"embeddings\.patch_embedding": "embedding/patch_embedding",
        r"embeddings\.position_embedding": "embedding/position_embedding/embeddings",
        "post_layernorm": "post_layer_norm",
        _BLOCK + r"(layer_norm\d)": _PATH + r"\2",
        _BLOCK + r"mlp\.(fc\d)": _PATH + r"mlp/\2",
        _BLOCK + r"self_attn\.q_proj": _PATH + "self_attn/query",
        _BLOCK + r"self_attn\.k_proj": _PATH + "self_attn/key",
        _BLOCK + r"self_attn\.v_proj": _PATH + "self_attn/value",
        _BLOCK + r"self_attn\.out_proj": _PATH + "self_attn/attention_output",
    },
    n_front=lambda sizes: 0,
    unused=r"head\.",
    positions=("embedding/position_embedding/embeddings",),
    mean=(0.5, 0.5, 0.5),
    deviation=(0.5, 0.5, 0.5),
    pooling="mean_std",
)
