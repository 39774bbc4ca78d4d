"""DINOv2 (Oquab et al. 2023, arXiv 2304.07193), with registers or not (2309.16588).

Self-supervised on 142 million photos; patches of 14 px. Its sizes are presets.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras

from kerasfaces.core.imports import optional_import
from kerasfaces.models.layers import IMAGENET_DEVIATION, IMAGENET_MEAN
from kerasfaces.models.presets import Preset
from kerasfaces.models.vision_transformers import Family, FrozenTransformer, Sizes

_POSITIONS = "embeddings/position_embeddings"
_COPY = "embeddings/interpolated_position_embeddings"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(Sizes):
    """Sizes.

    Attributes:
        registers: Tokens for the whole image besides the class token.
    """

    registers: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least(0, "registers")


def of_preset(preset: Preset) -> FrozenTransformer[Options]:
    """Return the architecture that a preset describes."""
    return FrozenTransformer.of_preset(FAMILY, Options, preset)


def _build(sizes: Options, size_px: int, complete: bool) -> keras.Model:
    """Return keras-hub's model, whose positions are for the size it is built for.

    keras-hub can resize them, but by another cubic than the authors' code: ours are
    resized when they are loaded.
    """
    model = optional_import("keras_hub", "hub").models.DINOV2Backbone(
        num_register_tokens=sizes.registers,
        use_mask_token=complete,
        position_embedding_shape=(size_px, size_px),
        **sizes.settings(size_px),
    )
    embeddings = model.get_layer("embeddings")

    def save(store: Any) -> None:
        # keras-hub 0.32.0 saves trained positions only if their sum grew.
        embeddings.position_embeddings.assign(
            embeddings.interpolated_position_embeddings
        )
        keras.layers.Layer.save_own_variables(embeddings, store)

    embeddings.save_own_variables = save
    return model


def outputs(model: keras.Model) -> Sequence[keras.KerasTensor]:
    """Return the tokens after each block, and the last normalised."""
    blocks = [name for name in model.pyramid_outputs if name != "stem"]
    return [*(model.pyramid_outputs[name] for name in blocks), model.output]


_BLOCK, _PATH = r"encoder\.layer\.(\d+)\.", r"encoder/layers_\1/"
FAMILY = Family(
    build=_build,
    outputs=outputs,
    published={
        r"embeddings\.(cls_token|register_tokens|position_embeddings)": r"embeddings/\1",
        r"embeddings\.patch_embeddings\.projection": (
            "embeddings/patch_embeddings/projection"
        ),
        _BLOCK + r"attention\.attention\.(query|key|value)": (
            _PATH + r"attention/attention/\2"
        ),
        _BLOCK + r"attention\.output\.dense": (
            _PATH + "attention/attention/attention_output"
        ),
        _BLOCK + r"(norm\d)": _PATH + r"\2",
        _BLOCK + r"(layer_scale\d|mlp)\.(\w+)": _PATH + r"\2/\3",
        "layernorm": "layernorm",
    },
    n_front=lambda sizes: 1 + sizes.registers,
    unused=r"embeddings\.mask_token",
    positions=(_POSITIONS, _COPY),
    antialias=lambda sizes: sizes.registers > 0,
    mean=IMAGENET_MEAN,
    deviation=IMAGENET_DEVIATION,
)
