"""ConvNeXt (Liu et al. 2022, arXiv 2201.03545) as a frozen base; sizes are presets.

Our default taps blocks of the second and third stage, where maps are an eighth and a
sixteenth of the image's size.
"""

import keras

from kerasfaces.models.architecture import FrozenBase, application
from kerasfaces.models.config import ViewOptions
from kerasfaces.models.layers import normalisation
from kerasfaces.models.presets import Preset
from kerasfaces.models.published import KerasFile
from kerasfaces.models.weights import Sources

# SHA-256 of Keras' files as Keras states them.
_DIGESTS = {
    "tiny": "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    "small": "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    "base": "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
}


def of_preset(preset: Preset) -> FrozenBase[ViewOptions]:
    """Return the architecture that a preset describes."""
    folder, file = preset.weights.split("/")
    size = file.split("_")[1]
    kind = getattr(keras.applications, f"ConvNeXt{size.capitalize()}")
    third = (2, 5, 8) if size == "tiny" else (8, 17, 26)
    blocks = [(1, 2), *((2, block) for block in third)]  # stages from 0
    return FrozenBase(
        options=ViewOptions(),
        sources=Sources(preset.title, imagenet=KerasFile(folder, file, _DIGESTS[size])),
        taps=tuple(
            f"convnext_{size}_stage_{stage}_block_{block}_gelu"
            for stage, block in blocks
        ),
        base=lambda options: application(kind, include_preprocessing=False),
        preprocessing=normalisation,
    )
