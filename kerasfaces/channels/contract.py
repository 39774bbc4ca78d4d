"""What every channel module promises.

A module `kerasfaces/channels/kinds/NAME.py` has two names: `Options`, a frozen keyword-only
dataclass of JSON types, and `build(options) -> Channel`; one that reads other channels has
`needs(options) -> names` besides, which loads nothing. Building may load weights (an InputError
where they are damaged or of another variant, a MissingFileError where there are none);
`compute` is then called with one batch after another, in one process. A kind whose arrays
an exported graph can compute has `graph(options, size_px)`, a torch network: pixels `(n, h, w,
3)` float32 and the channels it needs, as `compute` gets them, -> `(n, h, w, c)`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.files import Json

Images = NDArray[np.uint8]
Arrays = NDArray[np.float32]
GRAPH_INPUT, GRAPH_OUTPUTS = "image", ("channels", "doubt")  # of `graph.write`


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelSpec:
    """What a channel adds to the store.

    Attributes:
        names: One name per array channel, in order.
        ranges: Per name, the lowest and highest value it can take (None: unbounded).
        needs: Names of channel modules whose output `compute` reads.
        made_by: What decides the values apart from the options: hashes of weights,
            versions of libraries. JSON types.
    """

    names: tuple[str, ...]
    ranges: Mapping[str, tuple[float | None, float | None]]
    needs: tuple[str, ...] = ()
    made_by: Json = dataclasses.field(default_factory=dict)


class Channel(Protocol):
    """Computes one channel of a batch; the same image gives the same values in any batch.

    Attributes:
        spec: What it adds.
    """

    spec: ChannelSpec

    def compute(self, images: Images, computed: Mapping[str, Arrays]) -> Arrays:
        """Return the channel's arrays.

        Args:
            images: `(n, h, w, 3)` uint8, sRGB, background already removed.
            computed: Output of the channels in `spec.needs`, each `(n, h, w, c)` float32.

        Returns:
            `(n, h, w, len(spec.names))` float32, finite or NaN per image: an image whose
            values are not finite is counted and named by the stage.
        """
