"""Does an exported file give the logits that Keras gives?"""

import dataclasses
import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import KerasfacesError, RunError
from kerasfaces.serve.traced import Opened

if TYPE_CHECKING:
    from kerasfaces.run.network import TrainedNetwork

logger = logging.getLogger(__name__)

# Of max(1, |logit|). Engines that are right differ by 1e-6 to 1e-4 (sums in another order);
# 1e-3 moves a score by less than .001 at any usual slope. bfloat16 differs by more.
LIMIT = 1e-3
BATCHES = (1, 5)
N_IMAGES = 10


@dataclasses.dataclass(frozen=True)
class Examples:
    """What both networks are shown.

    Attributes:
        inputs: `(n, h, w, c)` float32, n at least 5.
        what: They are, in words.
    """

    inputs: NDArray[np.float32]
    what: str


def examples(trained: "TrainedNetwork", shape: tuple[int, ...]) -> Examples:
    """Return images of the run's test split, random ones if their files are gone.

    Args:
        trained: Of a run; its manifest says where its images were.
        shape: Of one input, `(h, w, c)`.
    """
    try:
        found, why = _of_test_split(trained), "its test images are not on this machine"
    except KerasfacesError as error:  # e.g. no torch to make channels with
        found, why = None, str(error)
    if found is None:
        logger.warning("compared on random images: %s", why)
        return Examples(_random(trained, shape), f"{N_IMAGES} random images")
    n = len(found)
    repeated = found[np.arange(max(n, max(BATCHES))) % n]
    return Examples(repeated, f"{n} images of its test split")


def worst(
    opened: Opened, expected: NDArray[np.float32], inputs: NDArray[np.float32]
) -> dict[str, float]:
    """Return the largest difference from Keras at each batch size, of max(1, |logit|).

    Args:
        opened: The exported file in its own runtime.
        expected: Keras' logits, `(n, 1)`.
        inputs: `(n, h, w, c)` float32.

    Raises:
        RunError: A difference is beyond `LIMIT`, or no number.
    """
    found = {}
    for size in BATCHES:
        parts = [opened(inputs[i : i + size]) for i in range(0, len(inputs), size)]
        got = np.concatenate(parts)
        if got.shape != expected.shape:
            raise RunError(
                f"the exported file gives logits of shape {got.shape} for {len(inputs)} "
                f"images, expected {expected.shape}"
            )
        far = float(np.max(np.abs(got - expected) / np.maximum(1, np.abs(expected))))
        if not far <= LIMIT:  # NaN too
            raise RunError(
                f"the exported file's logits differ from Keras' by {far:.1e} with {size} at "
                f"a time (limit {LIMIT:.0e})"
            )
        found[str(size)] = far
    return found


def _of_test_split(trained: "TrainedNetwork") -> NDArray[np.float32] | None:
    from kerasfaces.run.predictor import inputs_of

    manifest = trained.run.manifest
    pairs = zip(manifest.files(), manifest.rows["split"], strict=True)
    files = [file for file, split in pairs if split == "test" and file.is_file()]
    if not files:
        return None
    spread = np.linspace(0, len(files) - 1, min(N_IMAGES, len(files))).astype(int)
    cached = inputs_of(trained, [files[i] for i in spread])
    told = zip(cached.keys, cached.reasons, strict=True)
    keys = [key for key, why in told if not why]
    return cached.store.gather(keys).astype(np.float32) if keys else None


def _random(trained: "TrainedNetwork", shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return values anywhere in each channel's range, `(n, h, w, c)`."""
    spec = trained.run.input_spec
    if "value_range" not in spec:
        raise RunError(
            f"{trained.folder}: input_spec.json has no value_range; restore it, or train the "
            "run again."
        )
    value_range = spec["value_range"]
    if isinstance(value_range, dict):
        pairs = [
            value_range[name] or [None, None] for name in trained.model.channel_names
        ]
    else:
        pairs = [value_range]
    low = [-10.0 if pair[0] is None else pair[0] for pair in pairs]
    high = [10.0 if pair[1] is None else pair[1] for pair in pairs]
    draw = rng.generator(0, "export").uniform(low, high, (N_IMAGES, *shape))
    return draw.astype(np.float32)
