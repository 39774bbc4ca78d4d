"""kabber2023, table 4: learning rate × epochs of the ResNet50 head, 7 points.

The document's grid on the document's configuration (`train --preset kabber2023 --model
resnet50`), ranked by validation accuracy as there: learning rate .01, .001, .0001 with 10
and with 20 epochs, and .01 with 50. Its best: .88 (four points).
"""

import dataclasses
from typing import Any

from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.offer import Offer
from kerasfaces.tune.study import Study


def get_study() -> Study:
    """Return the grid."""
    return Study(
        title="kabber2023's table 4",
        configure=configure,
        bases=("resnet50",),
        oracle="grid",
        objective="val_accuracy",
    )


def configure(hp: Any, offer: Offer) -> TrainConfig:
    """Return one point."""
    config = train_config.preset("kabber2023", "resnet50")
    epochs = hp.Choice("epochs", [10, 20, 50])
    with hp.conditional_scope("epochs", [10, 20]):
        rate = hp.Choice("learning_rate", [0.01, 0.001, 0.0001])
    with hp.conditional_scope("epochs", [50]):
        only = hp.Choice("learning_rate", [0.01])
    learning_rate = only if rate is None else rate
    return offer.fit(
        dataclasses.replace(config, epochs=epochs, learning_rate=learning_rate)
    )
