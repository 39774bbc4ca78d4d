"""DANet's channel attention, and wan2023's ways to join noise pattern and spectra by it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor, layers, ops

from kerasfaces.core.errors import InputError
from kerasfaces.models.channel_layers import Select
from kerasfaces.models.layers import Shape

KINDS = ("equation", "published_code", "scaled")


@keras.saving.register_keras_serializable(package="kerasfaces")
class ChannelAttention(keras.layers.Layer):
    """Channel attention: `E_j = beta * sum_i x_ji A_i + A_j`, beta learned from 0.

    Fu et al. 2019 (arXiv 1809.02983), section 3.3, equations 3 and 4: each channel becomes
    itself plus a learned share of all channels, weighted by how alike they are.

    With `A` of shape `(c, h w)`, the energy is the Gram matrix `A Aᵀ`, `(c, c)`, and

    - `equation`: `x = softmax(A Aᵀ)` over i, as the paper's equation 3 says. Any softmax
      subtracts the row's maximum first, which changes nothing but overflow.
    - `published_code`: `x = softmax(max_i(A Aᵀ) - A Aᵀ)`, as the authors' code
      (junfu1115/DANet, `CAM_Module`) computes it: the sign is turned, so a channel
      attends to those *least* like it.
    - `scaled`: `x = softmax(A Aᵀ / (h w))`. On whole images the unscaled energies differ
      by thousands, both softmaxes are then one-hot and the attention is little more than
      a learned gain; the mean over positions keeps it soft.

    Args:
        kind: One of `KINDS`.
    """

    def __init__(self, kind: str = "equation", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {KINDS}, got {kind!r}.")
        self.kind = kind

    def build(self, input_shape: Shape) -> None:
        """Make beta, one number, at 0: training starts from the maps themselves."""
        self.beta = self.add_weight(name="beta", shape=(), initializer="zeros")

    def call(self, maps: KerasTensor) -> KerasTensor:
        """Map `(n, h, w, c)` float to the same shape."""
        exact = _flat(maps)
        shares = ops.transpose(self.shares(maps), (0, 2, 1))
        mixed = ops.matmul(exact, shares)
        mixed = ops.reshape(ops.cast(mixed, maps.dtype), ops.shape(maps))
        return ops.cast(self.beta, maps.dtype) * mixed + maps

    def shares(self, maps: KerasTensor) -> KerasTensor:
        """Return `x`, `(n, j, i)` float32: how much channel j takes of channel i."""
        exact = _flat(maps)
        energy = ops.matmul(ops.transpose(exact, (0, 2, 1)), exact)
        if self.kind == "scaled":
            energy = energy / exact.shape[1]
        elif self.kind == "published_code":
            energy = ops.max(energy, axis=-1, keepdims=True) - energy
        return ops.softmax(energy, axis=-1)


def _flat(maps: KerasTensor) -> KerasTensor:
    """Return `(n, h w, c)` float32: in half precision such sums have three digits."""
    flat = ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))
    return ops.cast(flat, "float32")


def is_spectrum(name: str) -> bool:
    """Tell whether a channel is an amplitude or a phase."""
    return bool({"amplitude", "phase"} & set(name.split("_")))


def fuse(
    channels: KerasTensor,
    names: Sequence[str],
    fusion: str,
    attention: str = "equation",
) -> KerasTensor:
    """Join the noise pattern (LNP) and its spectra (AS, PS), `(n, h, w, c)`.

    wan2023's table 6: `concat` is AS+PS+LNP, `attention_all` is Att(AS+PS+LNP),
    `attention_spectra`, which it chose, is Att(AS+PS)+LNP; + is concatenation. Under the
    last the spectra come last, whatever the order of `names`.

    Args:
        channels: `(n, h, w, c)`, standardised.
        names: Name of each of the `c` channels, in order.
        fusion: One of the three.
        attention: A kind of `ChannelAttention`.

    Raises:
        InputError: There are not two channels, or spectra, to attend to each other.
    """
    if fusion == "concat":
        return channels
    spectra = [i for i, name in enumerate(names) if is_spectrum(name)]
    others = [i for i in range(len(names)) if i not in spectra]
    every = fusion == "attention_all"
    if len(names if every else spectra) < 2 or not (every or others):
        raise InputError(
            f"model.options.fusion: {fusion} needs at least two "
            f"{'channels' if every else 'spectra, and others beside them'}, got "
            f"{', '.join(names)}; use {'' if every else 'attention_all or '}concat."
        )
    attend = ChannelAttention(attention, name="attention")
    if every:
        return attend(channels)
    attended = attend(Select(spectra, name="spectra")(channels))
    beside = Select(others, name="others")(channels)
    return layers.Concatenate(name="fused")([beside, attended])
