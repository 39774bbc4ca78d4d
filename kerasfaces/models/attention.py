"""DANet's channel attention (Fu et al. 2019, arXiv 1809.02983, section 3.3, eq. 3-4).

Maps enter, maps of the same shape leave: each channel becomes itself plus a learned
share of all channels, weighted by how alike they are.
"""

from typing import Any

import keras
from keras import ops

KINDS = ("equation", "published_code", "scaled")


@keras.saving.register_keras_serializable(package="kerasfaces")
class ChannelAttention(keras.layers.Layer):
    """Channel attention: `E_j = beta * sum_i x_ji A_i + A_j`, beta learned from 0.

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

    Call arguments:
        maps: `(n, h, w, c)` float.
    """

    def __init__(self, kind: str = "equation", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {KINDS}, got {kind!r}.")
        self.kind = kind

    def build(self, input_shape: Any) -> None:
        """Make beta, one number, at 0: training starts from the maps themselves."""
        self.beta = self.add_weight(name="beta", shape=(), initializer="zeros")

    def call(self, maps: Any) -> Any:
        """Return `(n, h, w, c)`."""
        exact = _flat(maps)
        shares = ops.transpose(self.shares(maps), (0, 2, 1))
        mixed = ops.matmul(exact, shares)
        mixed = ops.reshape(ops.cast(mixed, maps.dtype), ops.shape(maps))
        return ops.cast(self.beta, maps.dtype) * mixed + maps

    def shares(self, maps: Any) -> Any:
        """Return `x`, `(n, j, i)` float32: how much channel j takes of channel i."""
        exact = _flat(maps)
        energy = ops.matmul(ops.transpose(exact, (0, 2, 1)), exact)
        if self.kind == "scaled":
            energy = energy / exact.shape[1]
        elif self.kind == "published_code":
            energy = ops.max(energy, axis=-1, keepdims=True) - energy
        return ops.softmax(energy, axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "kind": self.kind}


def _flat(maps: Any) -> Any:
    """Return `(n, h w, c)` float32: in half precision such sums have three digits."""
    flat = ops.reshape(maps, (-1, maps.shape[1] * maps.shape[2], maps.shape[3]))
    return ops.cast(flat, "float32")
