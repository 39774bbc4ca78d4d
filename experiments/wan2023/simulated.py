"""AutoGAN's training set: real images, and the same after a generator's up-sampling.

A split manifest enters; one leaves whose training and validation fakes are simulated from
that split's own reals and whose test rows are the true ones. Zhang et al. (arXiv
1907.06515) train an encoder-decoder per object category to give its input back and take
its output for fake. Simplified here: the up-sampling steps are those of the built-in
simulation (`kerasfaces.sample.decoders`), two doublings by transposed convolution or by
repetition and convolution, with fixed kernels and nothing learned. Both classes leave
through the same encoder, JPEG 75 with 4:2:0 chroma.
"""

import dataclasses
import functools
import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images
from kerasfaces.core import engine, rng
from kerasfaces.core.errors import ImageError
from kerasfaces.core.files import atomic_path
from kerasfaces.manifest import Manifest
from kerasfaces.sample.decoders import DECODERS, decode

logger = logging.getLogger(__name__)
KINDS = ("transposed_conv", "nearest_conv")  # AutoGAN's two
SOURCE = "simulated_gan"
QUALITY_PCT = 75
_CHROMA_420 = 2


@dataclasses.dataclass(frozen=True)
class _Job:
    source: Path
    real: Path
    fake: Path


def manifest(split: Manifest, folder: Path, size_px: int) -> Manifest:
    """Return AutoGAN's manifest; its images are made in `folder`, once for all splits.

    Args:
        split: Rows with splits and hashes.
        folder: For the images.
        size_px: Side of the images.
    """
    rows = split.rows.assign(path=[str(path) for path in split.files()])
    reals = rows[(rows["label"] == "real") & (rows["split"] != "test")]
    jobs = [
        _Job(Path(path), folder / "real" / f"{key}.jpg", folder / "fake" / f"{key}.jpg")
        for path, key in zip(reals["path"], reals["sha256"], strict=True)
    ]
    make = functools.partial(_make, size_px=size_px)
    outcomes = engine.map(make, jobs, progress="simulating fakes", chunk=engine.CHUNK)
    written = [outcome.value == "" for outcome in outcomes]
    if not all(written):
        logger.warning("%d reals could not be read: left out", written.count(False))
    reals = reals[written].assign(sha256="")
    usable = [job for job, good in zip(jobs, written, strict=True) if good]
    parts = [
        reals.assign(path=[str(job.real) for job in usable]),
        reals.assign(
            path=[str(job.fake) for job in usable], label="fake", source=SOURCE
        ),
        rows[rows["split"] == "test"],
    ]
    return Manifest(pd.concat(parts, ignore_index=True), split.folder)


def upsampled(
    pixels: NDArray[np.uint8], generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return an image as a generator with one of AutoGAN's up-samplers would give it.

    Args:
        pixels: `(s, s, 3)` uint8, s divisible by 4.
        generator: Chooses the up-sampler and what it invents.
    """
    kind = KINDS[int(generator.integers(len(KINDS)))]
    values = pixels.astype(np.float32) / 255
    fake = decode(values, DECODERS[kind], generator)
    return np.rint(fake * 255).astype(np.uint8)


def _make(job: _Job, size_px: int) -> str:
    """Write both images; return why they could not be made, or nothing."""
    if job.real.exists() and job.fake.exists():
        return ""
    try:
        spec = images.InputSpec(size_px=size_px)
        pixels = images.load_array(job.source, spec)
    except ImageError as error:
        return str(error)
    fake = upsampled(pixels, rng.generator(0, "autogan", job.fake.stem))
    for array, path in ((pixels, job.real), (fake, job.fake)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            Image.fromarray(array).save(
                temporary, "JPEG", quality=QUALITY_PCT, subsampling=_CHROMA_420
            )
    return ""
