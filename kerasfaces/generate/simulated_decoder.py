"""A picture shrunk and restored by a simulated decoder, as AutoGAN does with GANs' up-samplers.

Zhang, Karaman and Chang 2019 (arXiv 1907.06515): detectors can be trained without any
generator's images on real photos that went through an up-sampler. Every picture gets its own
random kernels, so that a detector cannot learn a single one.
"""

import numpy as np

from kerasfaces.generate.contract import Floats, Pixels
from kerasfaces.sample.decoders import doubled

_TAPS = 5


class SimulatedDecoder:
    """Shrinks a picture and doubles it again, stage by stage."""

    def __init__(self, stages: int, spread: float, detail: tuple[float, float]) -> None:
        """Remember the settings, `Options` of `kinds.upsample`."""
        self._stages, self._spread, self._detail = stages, spread, detail
        self.stride_px = 2**stages
        self.recipe: dict[str, object] = {}

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the picture restored from its shrunk self; see `contract.Generator`."""
        levels = [real.astype(np.float32)]
        for _ in range(self._stages):
            levels.append(_halved(levels[-1]))
        least, greatest = self._detail
        detail = random.uniform(least, greatest)
        image = levels[-1]
        for finer in reversed(levels[:-1]):
            phases = [self._kernel(random) for _ in range(2)]
            lost = finer - doubled(_halved(finer), phases)
            image = doubled(image, phases) + detail * lost
            # What is invented at half the resolution is up-sampled as well.
            strength = lost.std() * np.sqrt(max(0.0, 1 - detail**2))
            noise = random.standard_normal(_halved(finer).shape).astype(np.float32)
            image += strength * doubled(noise, phases)
        return image

    def _kernel(self, random: np.random.Generator) -> Floats:
        """Return the taps of one phase: a triangle and a random part, sum 1."""
        triangle = np.array([0.0, 0.25, 0.5, 0.25, 0.0])
        taps = triangle + random.normal(0, self._spread, _TAPS)
        normed: Floats = (taps / taps.sum()).astype(np.float32)
        return normed


def _halved(image: Floats) -> Floats:
    height, width, depth = image.shape
    halved: Floats = image.reshape(height // 2, 2, width // 2, 2, depth).mean((1, 3))
    return halved
