"""AutoGAN-Spec (Zhang et al. 2019, arXiv 1907.06515): a ResNet-34 on the log spectrum.

The classifier alone. The point of the paper is what it is trained on: not fakes but real
images that went through a simulated generator's up-sampling; `experiments/wan2023` makes
those. The authors cut the central 224 of 256 px; ours sees the size it is given.
"""

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.resnet import resnet34
from kerasfaces.models.spectral import LogSpectrum
from kerasfaces.models.weights import Sources

ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=Sources("ResNet-34"),
    training="zhang2019",
    base=lambda config, start: start.load(resnet34()),
    preprocessing=lambda: [LogSpectrum(name="log_spectrum")],
)
