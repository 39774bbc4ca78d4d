"""ResNet-34 (He et al. 2016, arXiv 1512.03385, table 1), which Keras does not have.

Basic blocks: two 3×3 convolutions with batch normalisation, added to their input; where
the size halves, a 1×1 convolution of stride 2 carries the input across (option B).
"""

import keras
from keras import layers

BLOCKS = (3, 4, 6, 3)
_WIDTH = 64


def resnet34(n_channels: int = 3) -> keras.Model:
    """Return `(n, h, w, n_channels)` -> `(n, h/32, w/32, 512)`, random weights."""
    image = keras.Input((None, None, n_channels), name="input")
    x = _norm("conv1_bn")(_conv(_WIDTH, 7, 2, "conv1_conv")(image))
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1_pool")(x)
    for stage, blocks in enumerate(BLOCKS):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            name = f"conv{stage + 2}_block{block + 1}"
            x = _basic_block(x, _WIDTH * 2**stage, stride, name)
    return keras.Model(image, x, name="resnet34")


def _basic_block(
    x: keras.KerasTensor, width: int, stride: int, name: str
) -> keras.KerasTensor:
    shortcut = x
    if stride > 1 or x.shape[-1] != width:
        shortcut = _conv(width, 1, stride, f"{name}_0_conv")(x)
        shortcut = _norm(f"{name}_0_bn")(shortcut)
    y = _norm(f"{name}_1_bn")(_conv(width, 3, stride, f"{name}_1_conv")(x))
    y = layers.ReLU(name=f"{name}_1_relu")(y)
    y = _norm(f"{name}_2_bn")(_conv(width, 3, 1, f"{name}_2_conv")(y))
    return layers.ReLU(name=f"{name}_out")(
        layers.Add(name=f"{name}_add")([shortcut, y])
    )


def _conv(width: int, side: int, stride: int, name: str) -> layers.Layer:
    return layers.Conv2D(
        width,
        side,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )


def _norm(name: str) -> layers.Layer:
    return layers.BatchNormalization(epsilon=1e-5, name=name)
