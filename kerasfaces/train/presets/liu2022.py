"""Liu et al. 2022 ("Detecting Generated Images by Real Images", ECCV): LNP and its spectra.

Noise pattern, amplitude and phase, 5 channels, concatenated and given to a ResNet-50
(github.com/Tangsenghenshou/Detecting-Generated-Images-by-Real-Images, `resnet.py`). The
store has to hold their amplitude: `data.compute_channels(STORE,
options={"spectrum.amplitude": "liu2022"})`. Their repository has no training code; optimizer, batch
and epochs are those of `wan2023.py`, for the comparison's sake.
"""

from kerasfaces.core.config import updated
from kerasfaces.train.presets import wan2023

MAKE_STORE = "data.compute_channels(STORE, options={'spectrum.amplitude': 'liu2022'})"
_OPTIONS = {"fusion": "concat", "classifier": "resnet50", "amplitude": "liu2022"}
CONFIGS = {
    name: updated(config, {"model": {"options": _OPTIONS}})
    for name, config in wan2023.CONFIGS.items()
}
