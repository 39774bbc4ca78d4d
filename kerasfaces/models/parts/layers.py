"""Small layers that Keras lacks; all serialisable, no Lambda."""

from typing import Any

import keras
from keras import ops

_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, keras.applications


@keras.saving.register_keras_serializable(package="kerasfaces")
class CaffePreprocessing(keras.layers.Layer):
    """RGB 0..255 -> BGR minus the ImageNet mean, what Keras' ResNet50 was trained on.

    Call arguments:
        images: `(n, h, w, 3)` float, sRGB, 0..255.
    """

    def call(self, images: Any) -> Any:
        """Return `(n, h, w, 3)`, BGR, about -124..152."""
        mean = ops.convert_to_tensor(_CAFFE_MEAN_BGR, dtype=images.dtype)
        return ops.flip(images, axis=-1) - mean

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape


@keras.saving.register_keras_serializable(package="kerasfaces")
class MeanStdPooling(keras.layers.Layer):
    """Mean and standard deviation of each feature map over its positions.

    Call arguments:
        maps: `(n, h, w, c)` float.
    """

    def call(self, maps: Any) -> Any:
        """Return `(n, 2 c)`: all means, then all standard deviations."""
        mean = ops.mean(maps, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(maps - mean), axis=(1, 2))
        # Two passes and a small floor: the gradient of sqrt at 0 is infinite.
        deviation = ops.sqrt(variance + 1e-8)
        return ops.concatenate([ops.squeeze(mean, axis=(1, 2)), deviation], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return `(n, 2 c)`."""
        return (input_shape[0], 2 * input_shape[-1])


@keras.saving.register_keras_serializable(package="kerasfaces")
class Rescale(keras.layers.Layer):
    """Resize `(n, h, w, 3)` images to a square, antialiased when shrinking.

    Args:
        size_px: Side of the output.
    """

    def __init__(self, size_px: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size_px = size_px

    def call(self, images: Any) -> Any:
        """Return `(n, size_px, size_px, 3)`, bilinear."""
        return ops.image.resize(
            images,
            (self.size_px, self.size_px),
            interpolation="bilinear",
            antialias=self.size_px < images.shape[1],
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the resized shape."""
        return (input_shape[0], self.size_px, self.size_px, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "size_px": self.size_px}
