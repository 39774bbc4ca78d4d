"""ViT and distilled DeiT (arXiv 2010.11929, 2012.12877); their names are presets.

yu2024's modified DeiT puts a dense "bottleneck" on class and distillation token
(`train/presets/yu2024.py`); mudgal2023 trains DeiT-base and ViT-base whole, one logit on
those tokens (`train/presets/mudgal2023.py`). The documents' Hugging Face models are what
keras-hub's presets were converted from. On a CPU keep them frozen.

Why keras-hub: it is the Keras team's own and installs beside our TensorFlow and Keras
without changing either; it carries ResNet-18, ViT and distilled DeiT on every Keras
backend, which keras.applications does not. It brings half a dozen packages for text, so
it is the optional extra `hub`, imported when a model needs it. Only its layers and its
weights files are used: architectures are spelt out here, so a downloaded file decides
nothing but numbers.
"""

import dataclasses

import keras
from keras import layers

from kerasfaces.core.files import Json
from kerasfaces.core.imports import optional_import
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig, Options
from kerasfaces.models.layers import normalisation
from kerasfaces.models.presets import Preset
from kerasfaces.models.published import KaggleFile
from kerasfaces.models.vision_transformers import check_size
from kerasfaces.models.weights import Sources

PATCH_PX = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes(Options):
    """Sizes of a transformer; only those of its name have published weights.

    Attributes:
        layers: Encoder blocks.
        width: Numbers per token; a multiple of `heads`.
        heads: Heads of the attention.
    """

    layers: int = 12
    width: int = 768
    heads: int = 12

    def __post_init__(self) -> None:
        self.check_at_least(1, "layers", "width", "heads")


def of_preset(preset: Preset) -> PixelNetwork[Sizes]:
    """Return the architecture that a preset describes."""
    vit = "vit" in preset.weights
    # Google trained ViT on -1..1.
    mean_and_deviation = [(0.5,) * 3, (0.5,) * 3] if vit else []
    return PixelNetwork(
        options=Sizes(**preset.options),
        sources=Sources(preset.title, imagenet=KaggleFile(preset.weights)),
        end_to_end=False,  # unless `train_base` says otherwise
        training=preset.training,
        extra="hub",
        base=vit_base if vit else deit,
        preprocessing=lambda: [normalisation(*mean_and_deviation)],
        check=lambda config, sizes: check_size(config, PATCH_PX),
    )


def deit(config: ModelConfig, start: Start[Sizes]) -> keras.Model:
    """Return a distilled DeiT, `(n, s, s, 3)` -> `(n, t, 1, c)` tokens.

    The class token, the distillation token, then the patches row by row.
    """
    sizes = start.options
    base = optional_import("keras_hub", "hub").models.DeiTBackbone(
        intermediate_dim=4 * sizes.width, name="deit", **_settings(config, sizes)
    )
    # keras-hub 0.32.0: `DeiTEncoder.get_config` asks for what it never set, so no model
    # with it could be saved. Loading does not matter: runs are rebuilt from their JSON.
    encoder = base.get_layer("deit_encoder")
    if not hasattr(encoder, "key_dim"):
        encoder.key_dim = sizes.width // sizes.heads
    return _tokens_as_maps(start.load(base))


def vit_base(config: ModelConfig, start: Start[Sizes]) -> keras.Model:
    """Return a ViT, `(n, s, s, 3)` -> `(n, t, 1, c)`: class token, patches."""
    sizes = start.options
    base = optional_import("keras_hub", "hub").models.ViTBackbone(
        mlp_dim=4 * sizes.width, name="vit", **_settings(config, sizes)
    )
    return _tokens_as_maps(start.load(base))


def _settings(config: ModelConfig, sizes: Sizes) -> Json:
    return {
        "image_shape": (config.size_px, config.size_px, 3),
        "patch_size": PATCH_PX,
        "num_layers": sizes.layers,
        "num_heads": sizes.heads,
        "hidden_dim": sizes.width,
    }


def _tokens_as_maps(backbone: keras.Model) -> keras.Model:
    """Return a transformer whose `(n, t, c)` tokens are a map, `(n, t, 1, c)`."""
    _, length, width = backbone.output.shape
    column = layers.Reshape((length, 1, width), name="tokens")(backbone.output)
    return keras.Model(backbone.input, column, name=backbone.name)
