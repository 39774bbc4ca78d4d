"""Build the model and its engine while worker processes decode the images.

Decoding keeps the workers busy and this process idle; building a base, loading its
weights and converting it for OpenVINO takes as long. Nothing here needs an image.
"""

import dataclasses
import threading
from typing import Any

from kerasfaces.core import config as configs
from kerasfaces.core import numerics
from kerasfaces.features import engines
from kerasfaces.models import catalogue, network
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train.config import TrainConfig


def trains_whole(config: TrainConfig, base_weights: BaseWeights | None) -> bool:
    """Tell whether everything is trained, rather than a head on a base that stays."""
    return (
        base_weights is None
        or config.train_base
        or catalogue.load(config.model.name).end_to_end
    )


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What training starts from.

    Attributes:
        model: The whole model, its base frozen if its known weights stay.
        extractor: Image -> features; None where the base is trained.
        engine: The converted extractor, not yet compared with Keras; None if Keras
            computes the features, or converting waits until it is known to be needed.
    """

    model: Any
    extractor: Any = None
    engine: engines.Engine | None = None


class Preparation:
    """A model on its way; `start` it in the background or `get` it now.

    Attributes:
        shared: Several runs use the model: what is traced for one serves the others.
    """

    def __init__(
        self,
        config: TrainConfig,
        base_weights: BaseWeights | None,
        shared: bool = False,
    ) -> None:
        """Remember what to build."""
        self.shared = shared
        self._config, self._base_weights = config, base_weights
        self._thread: threading.Thread | None = None
        self._result: Prepared | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Build and convert in a thread: images are missing, so features are too.

        `settle` before anything else is computed: TensorFlow was once seen to crash
        while one thread built a base and another trained a head.
        """
        if self._thread is None and self._result is None:
            # No daemon: in native code while the interpreter ends, it hangs or aborts.
            self._thread = threading.Thread(target=self._in_background)
            self._thread.start()

    def settle(self) -> None:
        """Wait for the thread, if there is one."""
        if self._thread is not None:
            self._thread.join()

    def get(self) -> Prepared:
        """Return the model, waiting for the thread or building it here."""
        self.settle()
        if self._error is not None:
            raise self._error
        if self._result is None:
            self._result = self._build()
        return self._result

    def _in_background(self) -> None:
        try:
            built = self._build()
            if built.extractor is not None:
                engine = engines.convert(built.extractor)
                built = dataclasses.replace(built, engine=engine)
            self._result = built
        except BaseException as error:  # noqa: BLE001 - raised by `get`
            self._error = error

    def _build(self) -> Prepared:
        numerics.refuse_changed()
        architecture = catalogue.load(self._config.model.name)
        model = architecture.build(
            self._config.model, self._base_weights, self._config.seed
        )
        if trains_whole(self._config, self._base_weights):
            return Prepared(model)
        network.freeze(model)
        return Prepared(model, network.extractor_of(model))


class Preparations:
    """Models for several runs in one process: built again only where the base differs."""

    def __init__(self) -> None:
        self._kept: tuple[str, Preparation] | None = None

    def get(self, config: TrainConfig, base_weights: BaseWeights | None) -> Preparation:
        """Return a preparation of `config`, the last one where only the head is trained.

        A run puts its own head into the model, so the last run's model must be saved.
        """
        changed = trains_whole(config, base_weights) or config.unfreeze
        # Other channels bring statistics of the training images.
        if base_weights is None or changed or not config.model.is_rgb:
            return Preparation(config, base_weights)
        described = [configs.to_dict(config.model), base_weights.describe()]
        key = configs.digest(described)
        if self._kept is None or self._kept[0] != key:
            self._kept = key, Preparation(config, base_weights, shared=True)
        return self._kept[1]
