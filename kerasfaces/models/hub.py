"""Transformers and ResNet-18 from keras-hub: built here, weights found by preset or file.

Why keras-hub: it is the Keras team's own; it installs beside our TensorFlow and Keras
without changing either (tried: 0.32.0 with TensorFlow 2.21.0 and Keras 3.15.1); it carries
all we need (ResNet-18, ViT, distilled DeiT) on every Keras backend, with ImageNet weights.
keras.applications, which needs no further package, has DenseNet-121 and ResNet50 and
none of these. It brings half a dozen packages for text, so it is the optional extra
`hub`, imported when a model needs it.

Only its layers and its weights files are used. A preset's configuration is never read:
architectures are spelt out here, so a downloaded file decides nothing but numbers.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.core.imports import optional_import
from kerasfaces.models import compared, weights
from kerasfaces.models.config import ModelConfig

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of pixels of 0..1, torchvision's and timm's
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
PATCH_PX = 16
_FILE = "model.weights.h5"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """Where keras-hub's weights of one architecture are.

    Attributes:
        name: keras-hub's.
        handle: On Kaggle, as `owner/model/framework/variation/version`.
    """

    name: str
    handle: str

    @property
    def address(self) -> str:
        """Return the page a person can download from."""
        owner, model, framework, variation, _ = self.handle.split("/")
        return f"https://www.kaggle.com/models/{owner}/{model}/{framework}/{variation}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """A transformer's own sizes; `model.transformer` may ask for others.

    Attributes:
        layers: Encoder blocks.
        width: Of a token.
        heads: Of the attention.
    """

    layers: int = 12
    width: int = 768
    heads: int = 12

    def asked(self, config: ModelConfig) -> "Sizes":
        """Return these, but for what the configuration states."""
        kind = config.transformer
        return Sizes(
            layers=kind.layers or self.layers,
            width=kind.width or self.width,
            heads=kind.heads or self.heads,
        )


Backbone = Callable[[ModelConfig, Sizes], keras.Model]


def transformer(
    config: ModelConfig,
    backbone: Backbone,
    own: Sizes,
    preset: Preset,
    preprocessing: layers.Layer,
    base_weights: weights.BaseWeights | None,
    seed: int,
) -> keras.Model:
    """Return the detector, `(n, size, size, 3)` pixels, 0..255 -> `(n, 1)` logit.

    Args:
        config: The architecture.
        backbone: `deit` or `vit`.
        own: The model's own sizes.
        preset: Which weights it takes.
        preprocessing: From 0..255 to what they were trained on.
        base_weights: Where it starts; None is at random.
        seed: Of all initial weights.

    Raises:
        InputError: Other channels than colours, several sizes, or foreign weights.
        MissingExtraError: keras-hub is not installed.
    """
    image = compared.pixels(config)
    if config.scales != (1.0,):
        raise InputError(
            f"model.scales: {config.name} has positions for one size, got "
            f"{', '.join(map(str, config.scales))}; leave it at 1."
        )
    keras.utils.set_random_seed(seed)
    full = backbone(config, own)
    load_into(full, base_weights, preset)
    x = preprocessing(image)
    return compared.whole(config, tokens_as_maps(full), image, x, None, seed)


def resnet18() -> keras.Model:
    """Return ResNet-18 without top, `(n, h, w, 3)` -> `(n, h/32, w/32, 512)`.

    Raises:
        MissingExtraError: keras-hub is not installed.
    """
    base: keras.Model = _hub().models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        name="resnet18",
    )
    return base


def deit(config: ModelConfig, own: Sizes) -> keras.Model:
    """Return a distilled DeiT without top, `(n, s, s, 3)` -> `(n, t, c)` tokens.

    The class token, the distillation token, then the patches row by row.

    Raises:
        InputError: The image is not a whole number of patches.
        MissingExtraError: keras-hub is not installed.
    """
    shape, sizes = _image_shape(config), own.asked(config)
    base: keras.Model = _hub().models.DeiTBackbone(
        image_shape=shape,
        patch_size=PATCH_PX,
        num_layers=sizes.layers,
        num_heads=sizes.heads,
        hidden_dim=sizes.width,
        intermediate_dim=4 * sizes.width,
        name="deit",
    )
    # keras-hub 0.32.0: `DeiTEncoder.get_config` asks for what it never set, so no model
    # with it could be saved. Loading does not matter: runs are rebuilt from their JSON.
    encoder = base.get_layer("deit_encoder")
    if not hasattr(encoder, "key_dim"):
        encoder.key_dim = sizes.width // sizes.heads
    return base


def vit(config: ModelConfig, own: Sizes) -> keras.Model:
    """Return a ViT without top, `(n, s, s, 3)` -> `(n, t, c)`: class token, patches.

    Raises:
        InputError: The image is not a whole number of patches.
        MissingExtraError: keras-hub is not installed.
    """
    shape, sizes = _image_shape(config), own.asked(config)
    base: keras.Model = _hub().models.ViTBackbone(
        image_shape=shape,
        patch_size=PATCH_PX,
        num_layers=sizes.layers,
        num_heads=sizes.heads,
        hidden_dim=sizes.width,
        mlp_dim=4 * sizes.width,
        name="vit",
    )
    return base


def tokens_as_maps(backbone: keras.Model) -> keras.Model:
    """Return a transformer whose `(n, t, c)` tokens are a map, `(n, t, 1, c)`."""
    _, length, width = backbone.output.shape
    column = layers.Reshape((length, 1, width), name="tokens")(backbone.output)
    return keras.Model(backbone.input, column, name=backbone.name)


def load_into(
    backbone: keras.Model, found: weights.BaseWeights | None, preset: Preset
) -> None:
    """Load weights into a backbone, strictly; None leaves it random.

    Raises:
        InputError: They are of another architecture, or of another image size.
    """
    if found is None:
        return
    try:
        weights.load_into(backbone, found)
    except InputError as error:
        raise InputError(
            f"{error} Expected keras-hub's {preset.name} (its {_FILE})."
        ) from error


def find_weights(
    text: str, architecture: str, preset: Preset
) -> weights.BaseWeights | None:
    """Turn `--weights` into a file; `imagenet` is keras-hub's preset, downloaded.

    Args:
        text: `imagenet`, `none` or a path.
        architecture: For messages.
        preset: keras-hub's.

    Raises:
        MissingFileError: The file is not there, or cannot be downloaded.
        MissingExtraError: keras-hub is not installed.
        InputError: `forensic`.
    """
    if text != "imagenet":
        nothing = weights.Official(file="", address="")
        return weights.find(text, architecture, nothing, shipped="")
    path = _download(preset)
    return weights.BaseWeights(kind="imagenet", path=path, sha256=sha256(path))


def normalisation(
    mean: Sequence[float] = IMAGENET_MEAN,
    deviation: Sequence[float] = IMAGENET_DEVIATION,
) -> layers.Layer:
    """Return the layer from 0..255 to zero mean and unit deviation per colour."""
    return layers.Rescaling(
        scale=[1 / (255 * each) for each in deviation],
        offset=[-m / d for m, d in zip(mean, deviation, strict=True)],
        name="preprocessing",
    )


def _image_shape(config: ModelConfig) -> tuple[int, int, int]:
    if config.size_px % PATCH_PX:
        raise InputError(
            f"model.size_px: expected a multiple of the patch, {PATCH_PX} px, got "
            f"{config.size_px}."
        )
    return (config.size_px, config.size_px, 3)


def _hub() -> Any:
    return optional_import("keras_hub", "hub")


def _download(preset: Preset) -> Path:
    """Return the weights in kagglehub's cache, downloading them first if need be."""
    kagglehub = optional_import("kagglehub", "hub")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # its progress
            return Path(kagglehub.model_download(preset.handle, _FILE))
    except Exception as error:
        raise MissingFileError(
            f"--weights imagenet: keras-hub's {preset.name} is not in kagglehub's cache "
            f"and could not be downloaded ({' '.join(str(error).split())[:120]}). Get "
            f"{_FILE} from {preset.address} on a machine with internet, put it anywhere "
            "and give it with --weights FILE."
        ) from error
