"""The layers of a network's base that hold maps: by name, computed for images."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import near_hint, quoted
from kerasfaces.explain.network import Network
from kerasfaces.explain.subjects import Subject
from kerasfaces.models.network import base_of

_LISTED = 12  # names in a message


class Layers:
    """The base of a network on pixels, at the scale that it sees first.

    Attributes:
        names: Layers whose output is `(n, h, w, c)` with more than one position, in order.
        last: The layer whose maps feed the head; of several the deepest.
    """

    def __init__(self, subject: Subject, method: str) -> None:
        """Take a network on pixels apart; InputError without one, or layers that hold maps."""
        self._network: Network = subject.network_for(method)
        base: keras.Model = base_of(self._network.model)
        self._base = base
        # the base is called once per scale and view; its first call's input is public nowhere
        entry = base._inbound_nodes[0].input_tensors[0]
        self._entry = keras.Model(self._network.model.input, entry)
        self.names: list[str] = [
            layer.name for layer in base.layers if _holds_maps(layer)
        ]
        if not self.names:
            raise InputError(
                f"{method} cannot explain {subject.name}: {subject.kind} has no layer with maps, "
                "but tokens or numbers. Give `method='occlusion'`."
            )
        ends = base.output if isinstance(base.output, list) else [base.output]
        tapped = [
            layer.name
            for layer in base.layers
            if layer.name in self.names and any(layer.output is end for end in ends)
        ]
        self.last: str = (tapped or self.names)[-1]
        self._subject = subject.name

    def chosen(self, name: str) -> str:
        """Return the layer that was asked for; without one the deepest that feeds the head."""
        if not name:
            return self.last
        if name in self.names:
            return name
        step = max(1, len(self.names) // _LISTED)
        some = ", ".join(self.names[::step][:_LISTED])
        raise InputError(
            f"`layer={quoted(name)}`: {self._subject} has no layer of that name that holds maps; "
            f"some of its {len(self.names)}: {some}.{near_hint(name, self.names)}"
        )

    def spread(self, n: int) -> list[str]:
        """Return at most `n` layers, evenly from the first to the one that feeds the head."""
        until = self.names[: self.names.index(self.last) + 1]
        at = np.unique(np.linspace(0, len(until) - 1, n).round().astype(int))
        return [until[number] for number in at]

    def model(self, names: Sequence[str], shuffled: int | None = None) -> keras.Model:
        """Return images `(n, s, s, 3)` 0..255 -> a list of the layers' maps `(n, h, w, c)`.

        `shuffled` is the key of an order into which every kernel's weights are put: a network
        that has learnt nothing, its weights of the same size.
        """
        base = self._base
        if shuffled is not None:
            base = keras.models.clone_model(base)
            base.set_weights(
                [
                    _in_random_order(each, shuffled, number)
                    for number, each in enumerate(self._base.get_weights())
                ]
            )
        outputs = [base.get_layer(name).output for name in names]
        part = keras.Model(base.input, outputs)
        maps = part(self._entry.output)
        maps = maps if isinstance(maps, list) else [maps]
        return keras.Model(self._entry.input, maps)

    @staticmethod
    def maps(
        model: keras.Model, images: NDArray[np.generic], batch: int = 4
    ) -> list[NDArray[np.float32]]:
        """Return each layer's maps `(n, h, w, c)`."""
        parts = []
        for at in range(0, len(images), batch):
            out = model.predict_on_batch(images[at : at + batch].astype(np.float32))
            parts.append(out if isinstance(out, list) else [out])
        return [
            np.concatenate(each).astype(np.float32) for each in zip(*parts, strict=True)
        ]


def _holds_maps(layer: keras.layers.Layer) -> bool:
    shape: tuple[int | None, ...]
    shape = getattr(getattr(layer, "output", None), "shape", ())
    if len(shape) != 4 or isinstance(layer, keras.layers.InputLayer):
        return False
    return shape[1] != 1 and shape[2] != 1


def _in_random_order(
    values: NDArray[np.float32], seed: int, number: int
) -> NDArray[np.float32]:
    """Return a kernel's weights in random order; statistics and biases as they are."""
    if values.ndim < 2:
        return values
    random = rng.generator(seed, "shuffled", number)
    return random.permutation(values.ravel()).reshape(values.shape)
