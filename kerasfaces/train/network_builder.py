"""Build the model and its engine while worker processes decode the images.

Decoding keeps the workers busy and this process idle; building a base, loading its
weights and converting it for OpenVINO takes as long. Nothing here needs an image.
"""

import dataclasses
import threading
from typing import TYPE_CHECKING

from kerasfaces.core import config as configs
from kerasfaces.core import numerics
from kerasfaces.features import engines
from kerasfaces.models import catalogue, network
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class BuiltNetwork:
    """What training starts from."""

    model: "keras.Model"  # the whole model, its base frozen if its known weights stay
    extractor: "keras.Model | None" = (
        None  # image -> features; None where the base is trained
    )
    # The converted extractor, not yet compared with Keras; None if Keras computes the
    # features, or converting waits until it is known to be needed.
    engine: engines.Engine | None = None


class NetworkBuilder:
    """A model on its way; `start` it in the background or `get` it now."""

    def __init__(
        self,
        config: TrainConfig,
        base_weights: BaseWeights | None,
        shared: bool = False,
    ) -> None:
        """Take what to build; `shared` says that several runs use what is traced."""
        self.shared = shared
        self._config, self._base_weights = config, base_weights
        self._thread: threading.Thread | None = None
        self._result: BuiltNetwork | BaseException | None = None

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

    def get(self) -> BuiltNetwork:
        """Return the model, waiting for the thread or building it here."""
        self.settle()
        if self._result is None:
            self._result = self._build()
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result

    def _in_background(self) -> None:
        try:
            built = self._build()
            if built.extractor is not None:
                engine = engines.convert(built.extractor)
                built = dataclasses.replace(built, engine=engine)
            self._result = built
        except BaseException as error:  # noqa: BLE001 - raised by `get`
            self._result = error

    def _build(self) -> BuiltNetwork:
        numerics.refuse_changed()
        config = self._config
        architecture = catalogue.load(config.model.name)
        model = architecture.build(config.model, self._base_weights, config.seed)
        if config.trains_whole(self._base_weights):
            return BuiltNetwork(model)
        network.freeze(model)
        return BuiltNetwork(model, network.extractor_of(model))


class NetworkBuilders:
    """Models for several runs in one process: built again only where the base differs."""

    def __init__(self) -> None:
        self._last: tuple[str, NetworkBuilder] | None = None

    def get(
        self, config: TrainConfig, base_weights: BaseWeights | None
    ) -> NetworkBuilder:
        """Return a builder of `config`, the last one where only the head is trained.

        A run puts its own head into the model, so the last run's model must be saved.
        """
        changed = config.trains_whole(base_weights) or config.unfreeze
        # Other channels bring statistics of the training images.
        if base_weights is None or changed or not config.model.is_rgb:
            return NetworkBuilder(config, base_weights)
        key = configs.digest([configs.to_dict(config.model), base_weights.describe()])
        if self._last is None or self._last[0] != key:
            self._last = key, NetworkBuilder(config, base_weights, shared=True)
        return self._last[1]
