"""Logistic regression on pixels: tian2023's baseline, "a single-layer fully connected network".

One weight per pixel and colour, one bias. It can find what is the same at the same place
of all fakes (a watermark, a border, an average face), and nothing else: a data set on
which it does well gives the classes away.
"""

import keras
from keras import layers

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.layers import symmetric_scale
from kerasfaces.models.weights import Sources


def nothing() -> keras.Model:
    """Return a base that hands on the pixels."""
    image = keras.Input((None, None, 3), name="pixels")
    return keras.Model(image, layers.Identity(name="identity")(image), name="pixels")


ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("logistic regression", has_base=False),
    training="tian2023",
    base=lambda config, start: nothing(),
    preprocessing=lambda: [symmetric_scale()],
)
