"""Gragnaniello et al. 2021 (arXiv 2104.02617), the NoDown ResNet-50.

Trained as Wang et al.'s "Blur+JPEG (0.1)", the protocol the paper compares under. Batches
of 8, because of the memory (see `models/gragnaniello2021.py`).
"""

import dataclasses

from kerasfaces.train.config import TrainConfig, other_model
from kerasfaces.train.presets import wang2020


def get_config(model: str) -> TrainConfig:
    """Return the configuration of `gragnaniello2021`."""
    if model != "gragnaniello2021":
        raise other_model("gragnaniello2021", ("gragnaniello2021",), model)
    config = wang2020.get_config("wang2020")
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, name=model),
        batch_size=8,
        augment=dataclasses.replace(config.augment, blur=0.1, jpeg=0.1),
    )
