"""MobileNetV3 (Howard et al. 2019, arXiv 1905.02244) as a frozen base; sizes are presets.

Keras gives its activations no names of their own, so taps are what they act on, the
expansions' normalised maps.
"""

import keras

from kerasfaces.models.architecture import FrozenBase, application
from kerasfaces.models.config import ViewOptions
from kerasfaces.models.layers import symmetric_scale
from kerasfaces.models.presets import Preset
from kerasfaces.models.published import KerasFile
from kerasfaces.models.weights import Sources

# MD5 as Keras states them; blocks whose depth is that of MobileNetV2's taps.
_LARGE = "07fb09a5933dd0c8eaafa16978110389", (6, 8, 10, 12)
_SMALL = "d3e8ec802a04aa4fc771ee12a9a9b836", (3, 4, 6, 8)


def of_preset(preset: Preset) -> FrozenBase[ViewOptions]:
    """Return the architecture that a preset describes."""
    large = "large" in preset.weights
    kinds = keras.applications
    kind = kinds.MobileNetV3Large if large else kinds.MobileNetV3Small
    md5, blocks = _LARGE if large else _SMALL
    folder, file = preset.weights.split("/")
    return FrozenBase(
        options=ViewOptions(),
        sources=Sources(preset.title, imagenet=KerasFile(folder, file, md5)),
        taps=tuple(f"expanded_conv_{block}_expand_bn" for block in blocks),
        base=lambda options: application(kind, include_preprocessing=False),
        preprocessing=symmetric_scale,
    )
