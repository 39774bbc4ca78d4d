"""What makes a picture "fake" here: it was decoded from something smaller.

A photo enters (another exposure of the scene, which stands for what the generator has
learned photos look like), the same picture as a generator would give it leaves: its
coarse part went through an up-sampling step, a share of the fine detail is lost, and as
much is invented at half resolution and up-sampled too. What betrays it is the
up-sampler's trace, not the amount of noise or detail (Odena et al. 2016; Zhang, Karaman
and Chang 2019).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from kerasfaces.sample.canvas import Array, blur

_COARSER = 0.3  # a stage loses this share of what the next finer one loses
_GREY = 2.0  # how much the channels of invented detail have in common
_POWER_BLUR_PX = 1.0
_EDGE_POWER = 0.02**2  # detail stronger than this (sRGB units squared) is an edge

Float = TypeVar("Float", bound=np.floating[Any])
Upsampler = Callable[[Array], Array]
"""Takes (h, w, c) float32 to (2h, 2w, c), keeping the mean."""


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """A simulated generator's decoder.

    A picture keeps one share of the finest detail's amplitude; coarser stages keep more.
    """

    up: Upsampler
    stages: int = 2  # doublings of the size
    keep: tuple[float, float] = (0.5, 0.95)  # least and greatest share


def transposed_conv(image: Array) -> Array:
    """Transposed convolution, kernel 5, stride 2: phases differ (a checkerboard)."""
    return doubled(image, ((0.12, 0.76, 0.12), (0.0, 0.52, 0.48)))


def nearest_conv(image: Array) -> Array:
    """Repeat pixels, then a 3 × 3 convolution."""
    large = image.repeat(2, 0).repeat(2, 1)
    return _separable(large, (0.16, 0.68, 0.16))


def bilinear_conv(image: Array) -> Array:
    """Interpolate linearly, then a 3 × 3 convolution that sharpens."""
    large = doubled(image, ((0.25, 0.75, 0.0), (0.0, 0.75, 0.25)))
    return _separable(large, (-0.10, 1.20, -0.10))


DECODERS = {
    "transposed_conv": Decoder(up=transposed_conv),
    "nearest_conv": Decoder(up=nearest_conv),
    "bilinear_conv": Decoder(up=bilinear_conv),
    "vae8x": Decoder(up=nearest_conv, stages=3),
}


def decode(image: Array, decoder: Decoder, rng: np.random.Generator) -> Array:
    """Return `image` as `decoder` would make it.

    Both are (s, s, 3) float32 sRGB in [0, 1], s divisible by 2 ** stages.
    """
    keep = float(rng.uniform(*decoder.keep))
    return np.clip(_stage(image, decoder.up, keep, decoder.stages, rng), 0, 1)


def _stage(
    image: Array, up: Upsampler, keep: float, stages: int, rng: np.random.Generator
) -> Array:
    """Decode one doubling; the image half as large is decoded first."""
    small = _half(image)
    detail = image - up(small)
    if stages > 1:
        small = _stage(small, up, 1 - _COARSER * (1 - keep), stages - 1, rng)
    power = blur((detail * detail).mean(-1, keepdims=True), _POWER_BLUR_PX)
    passed = 1 - (1 - keep) / (1 + power / _EDGE_POWER)  # clear edges pass
    noise = rng.standard_normal(small.shape, np.float32)
    texture = up(noise + _GREY * noise.mean(-1, keepdims=True))
    texture -= up(_half(texture))  # detail only, as what it replaces
    invented = np.sqrt((1 - passed**2) * power) * texture / texture.std()
    result: Array = up(small) + passed * detail + invented
    return result


def _half(image: Array) -> Array:
    """Return the means of 2 × 2 blocks."""
    rows = image[::2] + image[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25)


def doubled(
    image: npt.NDArray[Float], phases: Sequence[npt.ArrayLike]
) -> npt.NDArray[Float]:
    """Return (2h, 2w, c): even and odd lines by a filter each, rows and columns."""
    for axis in (0, 1):
        parts = [
            ndimage.correlate1d(image, taps, axis, mode="nearest") for taps in phases
        ]
        shape = list(image.shape)
        shape[axis] *= 2
        image = np.stack(parts, axis=axis + 1).reshape(shape)
    return image


def _separable(image: Array, taps: npt.ArrayLike) -> Array:
    for axis in (0, 1):
        image = ndimage.correlate1d(image, taps, axis, mode="nearest")
    return image
