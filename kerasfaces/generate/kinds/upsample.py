"""A picture shrunk and restored: by Real-ESRGAN, or by simulated decoders with random weights.

Up-sampling leaves the traces that generators leave (Zhang, Karaman and Chang 2019, arXiv
1907.06515), and super-resolution networks are generators trained to restore detail.
"""

import dataclasses
from typing import Literal

import numpy as np
from PIL import Image

from kerasfaces.core.errors import InputError
from kerasfaces.generate.contract import Floats, Generator, Pixels, check_ranges
from kerasfaces.generate.simulated_decoder import SimulatedDecoder

SIMULATED = "simulated"
# Deep networks: their sums in another order differ by this many grey levels at most.
_LIMIT = 0.05
_FILTERS = (
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What restores the picture.

    Attributes:
        network: `simulated` needs no weights; or a name of `super_resolution_files`
            (`realesrgan-x4plus`, `realesr-animevideov3-x4`, ...), or the path of an official
            `.pth` or of an ncnn `.param`.
        engine: Of a network: `openvino` is faster and agrees with torch to a twentieth of
            a grey level; `auto` takes it where it is installed.
        stages: Of the simulation: doublings; the picture is shrunk by `2 ** stages` first.
        spread: Of the simulation: standard deviation of the random part of each kernel's taps.
        detail: Of the simulation: least and greatest share of the lost detail that is given
            back.
    """

    network: str = SIMULATED
    engine: Literal["auto", "torch", "openvino"] = "auto"
    stages: int = 2
    spread: float = 0.08
    detail: tuple[float, ...] = (0.3, 0.9)

    def __post_init__(self) -> None:
        check_ranges(self, {"stages": (1, 4), "spread": (0, 1)})
        if len(self.detail) != 2 or not 0 <= self.detail[0] <= self.detail[1] <= 1:
            raise InputError(
                "options.detail: expected a least and a greatest share from 0 to 1, got "
                f"{list(self.detail)}."
            )


def name(options: Options) -> str:
    """Return `upsample` with its number of times, or the network's name."""
    if options.network == SIMULATED:
        return f"upsample{2**options.stages}x"
    from kerasfaces.generate.networks import super_resolution_files

    return super_resolution_files.short_name(options.network)


class Restorer:
    """Shrinks a picture by one of four filters and restores it by a network."""

    def __init__(self, options: Options) -> None:
        from kerasfaces.channels.networks.engine import Runner
        from kerasfaces.generate.networks import super_resolution_files

        enlarger, digest = super_resolution_files.load(options.network)
        self._scale = enlarger.scale
        self.stride_px = enlarger.scale * getattr(enlarger.network, "folded", 1)
        option = "options.engine"
        self._runner = Runner(enlarger, options.engine, option=option, limit=_LIMIT)
        self.recipe: dict[str, object] = {
            "engine": self._runner.name,
            "network": digest,
        }

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the picture restored from its shrunk self; see `contract.Generator`."""
        size = real.shape[1] // self._scale, real.shape[0] // self._scale
        method = _FILTERS[int(random.integers(len(_FILTERS)))]
        shrunk = np.asarray(Image.fromarray(real).resize(size, method))
        restored: Floats = self._runner(shrunk[None])[0]
        return restored


def build(options: Options) -> Generator:
    """Return the generator; see `Restorer` for what can be wrong with a network's file."""
    if options.network == SIMULATED:
        least, greatest = options.detail
        return SimulatedDecoder(options.stages, options.spread, (least, greatest))
    return Restorer(options)
