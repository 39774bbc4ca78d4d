"""Small layers that Keras lacks; all serialisable, no Lambda."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, ops

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json

Shape = tuple[int | None, ...]  # of a layer's input or output; None is any

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of pixels of 0..1, torchvision's and timm's
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, keras.applications


def symmetric_scale() -> keras.layers.Layer:
    """Return the layer from 0..255 to -1..1."""
    return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocessing")


def normalisation(
    mean: Sequence[float] = IMAGENET_MEAN,
    deviation: Sequence[float] = IMAGENET_DEVIATION,
) -> keras.layers.Layer:
    """Return the layer from 0..255 to zero mean and unit deviation per colour."""
    return keras.layers.Rescaling(
        scale=[1 / (255 * each) for each in deviation],
        offset=[-m / d for m, d in zip(mean, deviation, strict=True)],
        name="preprocessing",
    )


@keras.saving.register_keras_serializable(package="kerasfaces")
class CaffePreprocessing(keras.layers.Layer):
    """RGB 0..255 -> BGR minus the ImageNet mean, what Keras' ResNet50 was trained on."""

    def call(self, images: KerasTensor) -> KerasTensor:
        """Return `(n, h, w, 3)`, BGR, about -124..152."""
        mean = ops.convert_to_tensor(_CAFFE_MEAN_BGR, dtype=images.dtype)
        return ops.flip(images, axis=-1) - mean


@keras.saving.register_keras_serializable(package="kerasfaces")
class MeanStdPooling(keras.layers.Layer):
    """Mean and standard deviation of each feature map over its positions.

    Of a transformer's tokens, those of patches alone.
    """

    def call(self, maps: KerasTensor) -> KerasTensor:
        """Map `(n, h, w, c)`, or tokens `(n, t, 1, c)`, to `(n, 2 c)`: means, deviations."""
        maps = maps[:, image_tokens(maps.shape) :]
        mean = ops.mean(maps, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(maps - mean), axis=(1, 2))
        # Two passes and a small floor: the gradient of sqrt at 0 is infinite.
        deviation = ops.sqrt(variance + 1e-8)
        return ops.concatenate([ops.squeeze(mean, axis=(1, 2)), deviation], axis=-1)


@keras.saving.register_keras_serializable(package="kerasfaces")
class Vote(keras.layers.Layer):
    """Each map's largest value if any is positive, else its smallest.

    One positive place is enough to call the whole positive, and then the surest place
    speaks: how Mandelli et al. 2022 (arXiv 2203.02246) join the scores of patches.
    """

    def call(self, maps: KerasTensor) -> KerasTensor:
        """Map logits `(n, h, w, c)` to `(n, c)`."""
        highest, lowest = ops.max(maps, axis=(1, 2)), ops.min(maps, axis=(1, 2))
        return ops.where(highest > 0, highest, lowest)


@keras.saving.register_keras_serializable(package="kerasfaces")
class FakeMinusReal(keras.layers.Layer):
    """The logit of a softmax over (real, fake)."""

    def call(self, scores: KerasTensor) -> KerasTensor:
        """Map scores `(n, 2)` of real and fake to `(n, 1)`."""
        return scores[:, 1:] - scores[:, :1]


@keras.saving.register_keras_serializable(package="kerasfaces")
class MeanFeature(keras.layers.Layer):
    """The mean of all features, where each is a score already."""

    def call(self, features: KerasTensor) -> KerasTensor:
        """Map `(n, width)` float to `(n, 1)` float32."""
        return ops.cast(ops.mean(features, axis=1, keepdims=True), "float32")


@keras.saving.register_keras_serializable(package="kerasfaces")
class TokenMap(keras.layers.Layer):
    """A transformer's tokens as a map of one column.

    Args:
        count: Number of tokens; keras-hub 0.32.0 states one too many of SigLIP's.
    """

    def __init__(self, count: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.count = count

    def call(self, tokens: KerasTensor) -> KerasTensor:
        """Map `(n, t, c)` to `(n, t, 1, c)`."""
        return ops.expand_dims(tokens, axis=2)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape with the number of tokens."""
        return input_shape[0], self.count, 1, input_shape[-1]

    def get_config(self) -> Json:
        """Return the arguments."""
        return {**super().get_config(), "count": self.count}


def image_tokens(shape: Sequence[int | None]) -> int:
    """Return how many tokens `(n, t, 1, c)` stand for the whole image; of maps, none.

    They come in front of those of the patches, which make a square.
    """
    length, width = shape[1], shape[2]
    if width != 1 or not length or length == 1:
        return 0
    return length - math.isqrt(length) ** 2


@keras.saving.register_keras_serializable(package="kerasfaces")
class ImageTokens(keras.layers.Layer):
    """A transformer's tokens that stand for the whole image, side by side.

    They come in front of those of the patches, which make a square: ViT has one (class),
    DeiT two (class and distillation). DeiT's own classifier averages one linear layer on
    each; a linear layer on both is the same family.
    """

    word = "token"

    def build(self, input_shape: Shape) -> None:
        """Count the tokens that stand for the whole image.

        Raises:
            InputError: The base is no transformer.
        """
        self.count = image_tokens(input_shape)
        if not self.count:
            raise InputError(
                f"model.pooling: {self.word} is for transformers with a token for the whole "
                "image; this base has none: take mean, mean_std or flatten."
            )

    def call(self, tokens: KerasTensor) -> KerasTensor:
        """Map tokens `(n, t, 1, c)` to `(n, count c)`."""
        first = tokens[:, : self.count, 0]
        return ops.reshape(first, (-1, self.count * tokens.shape[-1]))


@keras.saving.register_keras_serializable(package="kerasfaces")
class ClassToken(ImageTokens):
    """A transformer's class token, the first of all."""

    word = "cls"

    def call(self, tokens: KerasTensor) -> KerasTensor:
        """Map tokens `(n, t, 1, c)` to `(n, c)`."""
        return tokens[:, 0, 0]


@keras.saving.register_keras_serializable(package="kerasfaces")
class ClassAndPatches(ImageTokens):
    """The class token beside mean and standard deviation over the patches."""

    word = "cls_mean_std"

    def build(self, input_shape: Shape) -> None:
        """Count the tokens of the whole image.

        Raises:
            InputError: The base has none.
        """
        super().build(input_shape)
        self._patches = MeanStdPooling()

    def call(self, tokens: KerasTensor) -> KerasTensor:
        """Map tokens `(n, t, 1, c)` to `(n, 3 c)`."""
        return ops.concatenate([tokens[:, 0, 0], self._patches(tokens)], axis=-1)


@keras.saving.register_keras_serializable(package="kerasfaces")
class SplitCrops(keras.layers.Layer):
    """Squares one below the other -> as many images.

    Args:
        count: Squares per image.
    """

    def __init__(self, count: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.count = count

    def call(self, images: KerasTensor) -> KerasTensor:
        """Map `(n, count * s, s, c)` to `(n * count, s, s, c)`."""
        return ops.reshape(images, (-1, images.shape[2], *images.shape[2:]))

    def get_config(self) -> Json:
        """Return the arguments."""
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="kerasfaces")
class MeanOfCrops(SplitCrops):
    """Features of squares -> their mean per image."""

    def call(self, features: KerasTensor) -> KerasTensor:
        """Map `(n * count, width)` to `(n, width)`."""
        width = features.shape[-1]
        return ops.mean(ops.reshape(features, (-1, self.count, width)), axis=1)
