"""Augmentation as a Keras layer in front of a model, never inside a saved one."""

import keras
from keras import ops


class Augment(keras.layers.Layer):
    """Apply parameters to images."""

    def call(
        self, images: "keras.KerasTensor", parameters: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        """Map images `(n, s, s, 3)`, 0..255, and parameters `(n, 10)` to such images."""
        images = ops.cast(images, "float32")
        moved = ops.image.affine_transform(
            images, parameters[:, :8], interpolation="bilinear", fill_mode="reflect"
        )
        shift = parameters[:, 8][:, None, None, None]
        gain = parameters[:, 9][:, None, None, None]
        mean = ops.mean(moved, axis=(1, 2, 3), keepdims=True)
        return ops.clip((moved - mean) * gain + mean + shift, 0.0, 255.0)
