"""Spectra of 256 x 256 x 3 noise patterns per second, on all cores, and of pixels."""

import dataclasses
import functools
import logging
import statistics
import time
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

SIZE_PX = 256
TARGET_PER_S = 1000.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows: one channel per spectrum, three, and of the plain image."""
    from kerasfaces.channels.kinds import spectrum

    one = spectrum.Options()
    three = dataclasses.replace(one, colours=3)
    plain = dataclasses.replace(one, of="rgb")
    return [
        _row("spectra_lnp", one, quick),
        _row("spectra_lnp_3_colours", three, quick),
        _row("spectra_rgb", plain, quick),
    ]


def _row(name: str, options: Any, quick: bool) -> dict[str, Any]:
    import numpy as np

    from kerasfaces.channels.kinds import spectrum
    from kerasfaces.core import rng

    count, calls = 32, 2 if quick else 12  # the stage computes 32 images at a time
    random = rng.generator(0, "benchmark")
    images = random.integers(0, 256, (count, SIZE_PX, SIZE_PX, 3), np.uint8)
    channels = {"lnp": images.astype(np.float32) - 127}
    channel = spectrum.build(options)
    work = functools.partial(channel.compute, images, channels)
    rates = []
    for _ in range(2 if quick else 7):
        work()
        started = time.perf_counter()
        for _ in range(calls):
            work()
        rates.append(count * calls / (time.perf_counter() - started))
    logger.info("%s: %.0f images/s", name, statistics.median(rates))
    ratios = [rate / TARGET_PER_S for rate in rates]
    what = (
        f"images/s / {TARGET_PER_S:g}: log amplitude and phase of "
        f"{SIZE_PX}x{SIZE_PX}x3 {options.of}, {options.colours} channel(s) each"
    )
    return timing.row(name, ratios, 1.0, what)
