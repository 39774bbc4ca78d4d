"""What each stage of computing channels takes per image, measured on a few images here."""

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels import recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import Result, Worker
from kerasfaces.core import machine
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.estimate.workload import REPEATS, Rate, decoding, timed, writing
from kerasfaces.faces.face import Face


def measure(config: ChannelsConfig, files: Sequence[Path]) -> list[Rate]:
    """Time every stage on a few images.

    Raises:
        InputError: None of them can be decoded, or none has a mask.
    """
    cores = machine.usable_cores()
    pixels, decoding_rate = decoding(files, config.input_spec)
    rates = [decoding_rate]
    worker = Worker(config)
    faces, face_rates = _faces(worker, pixels, cores)
    rates += face_rates
    masked = worker.prepare(
        [Result(str(row), array) for row, array in enumerate(pixels)]
    )
    if not masked.keys:
        raise InputError(
            f"None of the {len(pixels)} images has a mask ({config.mask}), first: "
            f"{masked.lost[0].reason}; give a manifest of faces."
        )
    if config.mask != "none":
        rates.append(_mask(worker, pixels, faces, cores))
    computed: dict[str, Any] = {"mask": masked.masks}
    for name, channel in worker.channels.items():
        work = functools.partial(channel.compute, masked.pixels, computed)
        computed[name] = work()  # loads what it needs
        spent = min(timed(work)[1] for _ in range(REPEATS))
        rates.append(
            Rate(
                f"channel {name}",
                spent * cores / len(masked.keys),
                on_gpu=name == "lnp",
            )
        )
    results = worker.channels_of(masked)
    wanted = recipe.recipe_by(worker)
    arrays = [result.array for result in results if result.array is not None]
    if not arrays:
        raise InputError(f"No image has channels, first: {results[0].reason}.")
    return [*rates, writing("writing", np.stack(arrays), wanted)]


def _faces(
    worker: Worker, pixels: Sequence[NDArray[np.uint8]], cores: int
) -> tuple[Sequence[Face | None], list[Rate]]:
    """Time the face detector."""
    if not worker.mask.needs_faces:
        return [None] * len(pixels), []
    from kerasfaces.faces import main_face

    main_face(pixels[0])  # loads the detector
    faces, spent = timed(lambda: [main_face(image) for image in pixels])
    return faces, [Rate("finding faces", spent * cores / len(pixels))]


def _mask(
    worker: Worker,
    pixels: Sequence[NDArray[np.uint8]],
    faces: Sequence[Face | None],
    cores: int,
) -> Rate:
    """Time the mask on images that have what it needs."""
    pairs = [
        (image, face)
        for image, face in zip(pixels, faces, strict=True)
        if face is not None or not worker.mask.needs_faces
    ]

    def work() -> None:
        for image, face in pairs:
            with contextlib.suppress(ImageError):  # a mask that misses takes as long
                worker.mask.compute(image, face)

    work()
    spent = timed(work)[1]
    name = worker.config.mask
    return Rate(f"mask {name}", spent * cores / len(pairs), on_gpu=name == "sam")
