"""Gragnaniello et al. 2021 (arXiv 2104.02617), the NoDown ResNet-50.

Trained as Wang et al.'s "Blur+JPEG (0.1)", the protocol the paper compares under. Batches
of 8, because of the memory (see `models/gragnaniello2021.py`).
"""

from kerasfaces.core.config import updated
from kerasfaces.train.presets import wang2020

CONFIGS = {
    "gragnaniello2021": updated(
        wang2020.CONFIGS["wang2020"],
        {"batch_size": 8, "augment": {"blur": 0.1, "jpeg": 0.1}},
    )
}
