"""Does an exported file give the logits that Keras gives?"""

import logging

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import KerasfacesError, RunError
from kerasfaces.dataset.cache import cache_images
from kerasfaces.images import InputSpec
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.formats import Outputs

logger = logging.getLogger(__name__)

# Of max(1, |logit|). Engines that are right differ by 1e-6 to 1e-4 (sums in another order);
# 1e-3 moves a score by less than .001 at any usual slope. bfloat16 differs by more.
LIMIT = 1e-3
# Where the file makes channels: a coefficient whose imaginary part is zero but for rounding
# has phase pi in one engine and -pi in another, which moves the logits of a few images.
# Half of the images must keep to `LIMIT`.
LIMIT_OF_CHANNELS = 0.05
_UNBOUNDED = 10.0  # stands for the limit of a value that has none
BATCHES = (1, 5)
N_IMAGES = 10


def examples(
    run: DetectorRun, shape: tuple[int, ...], pixels: InputSpec | None = None
) -> tuple[NDArray[np.float32], str]:
    """Return images `(n, h, w, c)` float32, n at least 5, and what they are in words.

    They are of a run's test split, or random ones of a shape if its files are gone; `pixels`
    says how the file's input is made of an image, None: as the network's own.
    """
    why = "its test images are not on this machine"
    try:
        images = _of_test_split(run, pixels)
    except KerasfacesError as error:  # e.g. no torch to make channels with
        images, why = None, str(error)
    if images is None:
        logger.warning("compared on random images: %s", why)
        low, high = (0, 256) if pixels else value_ranges(run)
        draw = rng.generator(0, "export").uniform(low, high, (N_IMAGES, *shape))
        drawn = (np.floor(draw) if pixels else draw).astype(np.float32)
        return drawn, f"{N_IMAGES} random images"
    n = len(images)
    return images[np.arange(max(n, *BATCHES)) % n], f"{n} images of its test split"


def worst(
    outputs: Outputs,
    expected: NDArray[np.float32],
    inputs: NDArray[np.float32],
    limit: float = LIMIT,
) -> dict[str, float]:
    """Return the largest difference from Keras at each batch size, of max(1, |logit|).

    Keras' logits `expected` are `(n, 1)`, `inputs` `(n, h, w, c)`.

    Raises:
        RunError: An image differs by more than `limit`, half of them by more than `LIMIT`,
            or one is no number.
    """
    differences = {}
    for size in BATCHES:
        batches = [inputs[i : i + size] for i in range(0, len(inputs), size)]
        logits = np.concatenate([outputs(batch)[0] for batch in batches])
        if logits.shape != expected.shape:
            raise RunError(
                f"the exported file gives logits of shape {logits.shape} for {len(inputs)} "
                f"images, expected {expected.shape}"
            )
        apart = np.abs(logits - expected) / np.maximum(1, np.abs(expected))
        for far, most in ((apart.max(), limit), (np.median(apart), LIMIT)):
            if not far <= most:  # NaN too
                raise RunError(
                    f"the exported file's logits differ from Keras' by {far:.1e} with {size} "
                    f"at a time (limit {most:.0e})"
                )
        differences[str(size)] = float(apart.max())
    return differences


def _of_test_split(
    run: DetectorRun, pixels: InputSpec | None
) -> NDArray[np.float32] | None:
    from kerasfaces.run.inputs import inputs_of

    manifest = run.manifest
    pairs = zip(manifest.files(), manifest.rows["split"], strict=True)
    files = [file for file, split in pairs if split == "test" and file.is_file()]
    if not files:
        return None
    spread = np.linspace(0, len(files) - 1, min(N_IMAGES, len(files))).astype(int)
    some = [files[i] for i in spread]
    inputs = cache_images(some, pixels) if pixels else inputs_of(run.network, some)
    outcomes = zip(inputs.keys, inputs.reasons, strict=True)
    keys = [key for key, why in outcomes if not why]
    return inputs.store.gather(keys).astype(np.float32) if keys else None


def value_ranges(run: DetectorRun) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest value of each input channel, each `(c,)`."""
    try:
        stated = run.input_spec["value_range"]
        pairs = [
            (stated[name] if isinstance(stated, dict) else stated) or (None, None)
            for name in run.network.model.channel_names
        ]
        low, high = np.array(pairs, dtype=np.float64).T  # NaN where there is no limit
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{run.path}: input_spec.json has no value_range; restore it, or train the run "
            "again."
        ) from error
    return np.nan_to_num(low, nan=-_UNBOUNDED), np.nan_to_num(high, nan=_UNBOUNDED)
