"""A pass of a detector whose weights are missing: built small and random, trained a step."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.systems.detectors import Detector, smaller
from kerasfaces import images
from kerasfaces.core.errors import RunError
from kerasfaces.models import catalogue, network
from kerasfaces.train import config as configs

IMAGES = 4  # of each class


@dataclasses.dataclass(frozen=True, kw_only=True)
class Passed:
    """Result of a pass.

    Attributes:
        parameters: Number of parameters of the model that was built.
        loss: Loss of the training step.
        n: Number of images.
    """

    parameters: int
    loss: float
    n: int


def random_pass(
    detector: Detector, reals: Sequence[Path], fakes: Sequence[Path]
) -> Passed:
    """Build a detector with random weights, train one step and score the same images.

    Args:
        detector: Whose weights are missing.
        reals: Images.
        fakes: Images.

    Raises:
        RunError: The loss or a logit is not finite, or a logit is missing.
    """
    import keras

    config = smaller(
        configs.preset(detector.preset, detector.model)
        if detector.preset
        else configs.default(detector.model)
    )
    model = catalogue.load(detector.model).build(config.model)
    network.unfreeze_all(model)
    files = [*reals[:IMAGES], *fakes[:IMAGES]]
    pixels = [images.load_array(path, config.input_spec) for path in files]
    batch = np.stack(pixels).astype(np.float32)
    labels = np.array([0.0] * len(reals[:IMAGES]) + [1.0] * len(fakes[:IMAGES]))
    model.compile(
        optimizer=keras.optimizers.SGD(config.learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    loss = float(model.train_on_batch(batch, labels[:, None]))
    logits = np.asarray(model.predict_on_batch(batch))
    if not np.isfinite([loss, *logits.ravel()]).all() or logits.shape != (
        len(files),
        1,
    ):
        raise RunError(
            f"{detector.model} built with random weights gives a loss of {loss} and logits "
            f"of shape {logits.shape} that are not all finite."
        )
    return Passed(parameters=model.count_params(), loss=loss, n=len(files))
