"""Wang et al. 2020 (arXiv 1912.11035): all of a ResNet-50 trained on pixels.

What makes it generalise is the augmentation, blur and JPEG (`train/presets/wang2020.py`).
The authors start from ImageNet weights: `weights="imagenet"`, or a file.
"""

from kerasfaces.models.architecture import PixelNetwork
from kerasfaces.models.config import Options
from kerasfaces.models.zoo import resnet50

ARCHITECTURE = PixelNetwork(
    options=Options(),
    sources=resnet50.SOURCES,
    training="wang2020",
    base=lambda config, start: start.load(resnet50.full_base()),
    preprocessing=lambda: [resnet50.preprocessing()],
)
