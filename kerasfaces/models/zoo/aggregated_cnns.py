"""Several small CNNs on random patches, their scores aggregated, after Mandelli et al. 2022.

tian2023 compares with "Detecting GAN-generated Images by Orthogonal Training of Multiple
CNNs" (arXiv 2203.02246). The authors' code (github.com/polimi-ispl/GAN-image-detection)
takes five EfficientNet-B4, each trained on other data, cuts about 200 patches of 128 px
out of large images, lets each network vote (if any patch is fake, the highest score, else
the lowest) and averages the five. Ours keeps the votes and the average, not the size: five
networks of four convolutions on patches of 64 px out of 256; while training each image
belongs to one network at a time: trained as one model by one loss they would share the
work and not vote.
`model.pooling=mean` averages the patches instead.
"""

import dataclasses
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, layers, ops

from kerasfaces.core.errors import InputError
from kerasfaces.models import config as configs
from kerasfaces.models.architecture import PixelNetwork, Start
from kerasfaces.models.config import ModelConfig
from kerasfaces.models.layers import Shape, symmetric_scale
from kerasfaces.models.weights import Sources

_WIDTHS = (0.5, 1, 2, 2)  # of `filters`; the first keeps the size


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options(configs.Options):
    """How many networks there are, and of what size.

    Attributes:
        networks: Number of networks.
        filters: Maps of the second convolution; the others have half or twice as many.
        patch_px: Side of the patches they see.
    """

    networks: int = 5
    filters: int = 32
    patch_px: int = 64

    def __post_init__(self) -> None:
        self.check_at_least(1, "networks", "filters")
        self.check_at_least(16, "patch_px")


def networks(config: ModelConfig, start: Start[Options]) -> keras.Model:
    """Return all networks side by side.

    `(n, h, w, 3)` -> `(n, p, 1, k)`: the logit of each of `p` patches by each of `k`
    networks; while training one random patch per network.
    """
    options, seed = start.options, start.seed
    image = keras.Input((None, None, 3), name="pixels")
    scores = []
    for number in range(options.networks):
        name = f"net{number + 1}"
        patches = Patches(options.patch_px, seed + number, name=f"{name}_patches")(
            image
        )
        logit = _small_cnn(patches, options.filters, name)
        scores.append(ByImage(name=f"{name}_by_image")(logit, image))
    maps = layers.Concatenate(name="scores")(scores) if len(scores) > 1 else scores[0]
    maps = OneAtATime(seed, name="one_at_a_time")(maps)
    return start.load(keras.Model(image, maps, name="aggregated_cnns"))


def _small_cnn(x: KerasTensor, filters: int, name: str) -> KerasTensor:
    for number, width in enumerate(_WIDTHS, start=1):
        x = layers.Conv2D(
            max(1, round(filters * width)),
            3,
            strides=1 if number == 1 else 2,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"{name}_conv{number}",
        )(x)
        x = layers.BatchNormalization(name=f"{name}_norm{number}")(x)
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name=f"{name}_pool")(x)
    return layers.Dense(1, name=f"{name}_logit")(x)


def _check(config: ModelConfig, options: Options) -> None:
    if options.patch_px > min(config.scales) * config.size_px:
        raise InputError(
            f"model.options.patch_px: patches of {options.patch_px} px do not fit into "
            f"model.size_px={config.size_px}."
        )


@keras.saving.register_keras_serializable(package="kerasfaces")
class Patches(layers.Layer):
    """Square patches: one at random per image in training, else a grid of all of it.

    The grid's places are evenly spread and, where sides are multiples of the patch's, do
    not overlap: at rest nothing is random, so an image has one score.

    Args:
        patch_px: Side of a patch.
        seed: Seed of the places that patches are cut from in training.
    """

    def __init__(self, patch_px: int, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch_px, self.seed = patch_px, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        """Map `(n, h, w, c)` to `(n p, patch_px, patch_px, c)`, an image's together."""
        side, (height, width) = self.patch_px, images.shape[1:3]
        if min(height, width) < side:
            raise InputError(
                f"model.options.patch_px: patches of {side} px do not fit into {width} x "
                f"{height} px; take smaller ones or a larger model.size_px."
            )
        if training:
            rows, columns = (self._places(images, size) for size in (height, width))
            return _cut(images, rows, columns, side)
        grid = [
            images[:, top : top + side, left : left + side]
            for top in starts(height, side)
            for left in starts(width, side)
        ]
        stacked = ops.stack(grid, axis=1)
        return ops.reshape(stacked, (-1, side, side, images.shape[-1]))

    def _places(self, images: KerasTensor, size: int) -> KerasTensor:
        """Return a random first row (or column) for each image, `(n,)`."""
        return keras.random.randint(
            (ops.shape(images)[0],),
            0,
            size - self.patch_px + 1,
            seed=self.seed_generator,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the patches' shape; how many there are depends on the image."""
        return (None, self.patch_px, self.patch_px, input_shape[-1])


@keras.saving.register_keras_serializable(package="kerasfaces")
class ByImage(layers.Layer):
    """Scores of patches, gathered by image: a column of places."""

    def call(self, scores: KerasTensor, images: KerasTensor) -> KerasTensor:
        """Map scores `(n p, k)` of `n` images to `(n, p, 1, k)`."""
        return ops.reshape(scores, (ops.shape(images)[0], -1, 1, scores.shape[-1]))

    def compute_output_shape(self, scores_shape: Shape, images_shape: Shape) -> Shape:
        """Return `(n, p, 1, k)`."""
        return (images_shape[0], None, 1, scores_shape[-1])


@keras.saving.register_keras_serializable(package="kerasfaces")
class OneAtATime(layers.Layer):
    """In training keep one of `k` maps per image, times `k`; else all, as they are.

    A dropout that spares exactly one: the mean of all `k` is that one's score, and its
    gradient reaches that one alone. The maps take turns, from a random start per batch.

    Args:
        seed: Seed of the map that a batch starts with.
    """

    def __init__(self, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, maps: KerasTensor, training: bool = False) -> KerasTensor:
        """Map `(n, h, w, k)` float to the same shape."""
        if not training:
            return maps
        count = maps.shape[-1]
        start = keras.random.randint((), 0, count, seed=self.seed_generator)
        turn = (ops.arange(ops.shape(maps)[0], dtype="int32") + start) % count
        chosen = ops.one_hot(turn, count, dtype=maps.dtype) * count
        return maps * ops.reshape(chosen, (-1, 1, 1, count))


def starts(size: int, patch: int) -> list[int]:
    """Return where patches begin so that they cover `size`, evenly spread.

    Example:
        >>> starts(256, 64), starts(100, 64)
        ([0, 64, 128, 192], [0, 36])
    """
    count = -(-size // patch)
    return [round(place) for place in np.linspace(0, size - patch, count).tolist()]


def _cut(
    images: KerasTensor,
    rows: KerasTensor,
    columns: KerasTensor,
    side: int,
) -> KerasTensor:
    """Return one patch per image, by products with selecting matrices: exact, no gather."""
    height, width = images.shape[1:3]
    steps = ops.arange(side, dtype="int32")
    pick_rows = ops.one_hot(
        ops.cast(rows, "int32")[:, None] + steps, height, dtype=images.dtype
    )
    pick_columns = ops.one_hot(
        ops.cast(columns, "int32")[:, None] + steps, width, dtype=images.dtype
    )
    band = ops.einsum("nsh,nhwc->nswc", pick_rows, images)
    return ops.einsum("ntw,nswc->nstc", pick_columns, band)


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("the aggregated CNNs"),
    training="tian2023",
    base=networks,
    preprocessing=lambda: [symmetric_scale()],
    check=_check,
)
