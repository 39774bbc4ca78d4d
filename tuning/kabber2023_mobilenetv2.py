"""kabber2023, table 3: dropout × learning rate of the MobileNetV2 head, 9 points.

The document's grid on the document's configuration (`train --preset kabber2023`), ranked
by validation accuracy as there: dropout .05, .1, .2 times learning rate 1e-4, 5e-4, 1e-3,
10 epochs each. Its best: .05 and 5e-4, accuracy .7948, loss .4943. Features of 4 views
are computed once; on 2 cores and 2,200 images the nine points then take under a minute.
"""

import dataclasses
from typing import Any

from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components
from kerasfaces.tune.study import Point, Published, Study

PUBLISHED = Published(
    source="kabber2023, table 3",
    data="5,300 images of FFHQ and their DALL-E 2 variations, 180 px",
    points=tuple(
        Point(
            values={"dropout": dropout, "learning_rate": learning_rate},
            metrics={"accuracy": accuracy, "loss": loss},
        )
        for learning_rate, dropout, accuracy, loss in (
            (1e-4, 0.05, 0.7826, 0.4993),
            (5e-4, 0.05, 0.7948, 0.4943),
            (1e-3, 0.05, 0.7892, 0.4937),
            (1e-4, 0.1, 0.7771, 0.5116),
            (5e-4, 0.1, 0.7910, 0.4944),
            (1e-3, 0.1, 0.7826, 0.5066),
            (1e-4, 0.2, 0.7715, 0.5198),
            (5e-4, 0.2, 0.7799, 0.5028),
            (1e-3, 0.2, 0.7817, 0.4897),
        )
    ),
)


def get_study() -> Study:
    """Return the grid."""
    return Study(
        title="kabber2023's table 3",
        configure=configure,
        bases=("mobilenetv2",),
        oracle="grid",
        objective="val_accuracy",
        published=PUBLISHED,
    )


def configure(hp: Any, components: Components) -> TrainConfig:
    """Return one point."""
    config = train_config.preset("kabber2023", "mobilenetv2")
    dropout = hp.Choice("dropout", [0.05, 0.1, 0.2])
    learning_rate = hp.Choice("learning_rate", [1e-4, 5e-4, 1e-3])
    head = dataclasses.replace(config.model.head, dropout=dropout)
    model = dataclasses.replace(config.model, head=head)
    return components.fit(
        dataclasses.replace(config, model=model, learning_rate=learning_rate)
    )
