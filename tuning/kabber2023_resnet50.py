"""kabber2023, table 4: learning rate × epochs of the ResNet50 head, 7 points.

The document's grid on the document's configuration (`train --preset kabber2023 --model
resnet50`), ranked by validation accuracy as there: learning rate .01, .001, .0001 with 10
and with 20 epochs, and .01 with 50. Its best: .88 (four points).
"""

import dataclasses
from typing import Any

from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components
from kerasfaces.tune.study import Point, Published, Study

PUBLISHED = Published(
    source="kabber2023, table 4",
    data="5,000 images of FFHQ and their DALL-E 2 variations, 180 px",
    points=tuple(
        Point(
            values={"epochs": epochs, "learning_rate": learning_rate},
            metrics={"accuracy": accuracy, "precision": precision, "recall": recall},
        )
        for learning_rate, epochs, accuracy, precision, recall in (
            (0.01, 10, 0.85, 0.93, 0.74),
            (0.001, 10, 0.86, 0.91, 0.80),
            (0.0001, 10, 0.87, 0.86, 0.89),
            (0.01, 20, 0.88, 0.88, 0.88),
            (0.001, 20, 0.88, 0.88, 0.89),
            (0.0001, 20, 0.88, 0.87, 0.90),
            (0.01, 50, 0.88, 0.87, 0.90),
        )
    ),
)


def get_study() -> Study:
    """Return the grid."""
    return Study(
        title="kabber2023's table 4",
        configure=configure,
        bases=("resnet50",),
        oracle="grid",
        objective="val_accuracy",
        published=PUBLISHED,
    )


def configure(hp: Any, components: Components) -> TrainConfig:
    """Return one point."""
    config = train_config.preset("kabber2023", "resnet50")
    epochs = hp.Choice("epochs", [10, 20, 50])
    with hp.conditional_scope("epochs", [10, 20]):
        rate = hp.Choice("learning_rate", [0.01, 0.001, 0.0001])
    with hp.conditional_scope("epochs", [50]):
        only = hp.Choice("learning_rate", [0.01])
    learning_rate = only if rate is None else rate
    return components.fit(
        dataclasses.replace(config, epochs=epochs, learning_rate=learning_rate)
    )
