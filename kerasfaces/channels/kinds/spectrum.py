"""Channel `spectrum`: centred amplitude and phase of the noise pattern or the pixels.

wan2023's transform of a plane f of M rows and N columns,

    F(u, v) = 1/(M N) sum_x sum_y f(x, y) exp(-2 pi i (u x / M + v y / N)) = R + i I,

gives amplitude sqrt(R² + I²) and phase arctan(I / R), here in its four-quadrant form in
(-pi, pi]. Frequency (0, 0) is moved to row M // 2, column N // 2. Colours become one
plane with weights 1/3 each (`colours=1`, their table 5's better row) or stay (3).

A coefficient that is zero to rounding (`ZERO` of its plane's largest) has no phase: it
is 0 by definition, and so is its amplitude.

Liu et al. 2022 ("Detecting Generated Images by Real Images", ECCV; file `resnet.py` of
github.com/Tangsenghenshou/Detecting-Generated-Images-by-Real-Images) publish another
amplitude: orthonormal transform, `(|F| + 1e-8) ** 0.8`, and colours weighted by luma,
red .3, green .59, blue .11, for amplitude and phase. Their pixels span 0..1.

The plane is real, so half of the spectrum is computed and mirrored: F(-u, -v) is the
conjugate of F(u, v).
"""

import dataclasses
import importlib.metadata
import math
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import numpy as np

from kerasfaces.channels.contract import Arrays, Channel, ChannelSpec, Images
from kerasfaces.core.imports import optional_import
from kerasfaces.store.memory import ArrayPool

if TYPE_CHECKING:
    import torch
    from torch import nn

ZERO = 1e-7  # of the largest amplitude; rounding in float32 stays below it
# Grey levels that count as one step of the logarithm: noise of .026 grey levels at 256 px.
LOG_UNIT = 1e-4
LARGEST = 255.0  # grey levels: no mean of |f| can be larger
WEIGHTS = {"wan2023": (1 / 3, 1 / 3, 1 / 3), "liu2022": (0.3, 0.59, 0.11)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What is transformed and how.

    Attributes:
        of: `lnp`, the learned noise pattern, or `rgb`, the masked pixels.
        colours: 1 averages the colours' spectra, 3 keeps them.
        amplitude: `log`: ln(1 + A / 1e-4), 0 for A = 0 and 14.75 for A = 255, so that
            one network input spans noise and image; `raw`: A in grey levels; `liu2022`:
            the published variant, luma weights included.
    """

    of: Literal["lnp", "rgb"] = "lnp"
    colours: Literal[1, 3] = 1
    amplitude: Literal["log", "raw", "liu2022"] = "log"


def needs(options: Options) -> tuple[str, ...]:
    """Return the channels that `compute` reads."""
    return ("lnp",) if options.of == "lnp" else ()


class Spectrum:
    """Amplitude plane(s) first, then phase plane(s)."""

    def __init__(self, options: Options) -> None:
        optional_import("torch", "channels")
        self.options = options
        self._threads = _single_threads()
        self._memory = ArrayPool(max_reused=1, max_bytes=2**30)
        self.spec = ChannelSpec(
            names=_names(options),
            ranges=_ranges(options),
            needs=needs(options),
            # 2.13.0+cpu -> 2.13.0: which machine it was built for is no recipe.
            made_by={"torch": importlib.metadata.version("torch").partition("+")[0]},
        )

    def compute(self, images: Images, computed: Mapping[str, Arrays]) -> Arrays:
        """Return `(n, h, w, 2 * colours)` float32; NaN where the input is not finite.

        Args:
            images: `(n, h, w, 3)` uint8.
            computed: With `of="lnp"`, `lnp`: `(n, h, w, 3)` float32, grey levels.
        """
        import torch

        source = computed["lnp"] if self.options.of == "lnp" else images
        n, height, width, _ = source.shape
        count = self.options.colours
        values = self._memory.array((n, height, width, 2 * count), np.dtype(np.float32))
        out = torch.from_numpy(values)
        memory = threading.local()

        def one(row: int) -> None:
            if not hasattr(memory, "scratch"):
                memory.scratch = _Scratch(height, width)
            image: _Scratch = memory.scratch
            np.copyto(image.planes.numpy(), source[row].transpose(2, 0, 1))
            for at, half in enumerate(_halves(image, self.options)):
                sign = -1.0 if at else 1.0  # phase is odd
                target = out[row, ..., at * count : (at + 1) * count]
                _mirror(half, sign, target.permute(2, 0, 1))

        for _ in self._threads.map(one, range(n)):
            pass
        return values


def build(options: Options) -> Channel:
    """Return the channel."""
    return Spectrum(options)


def graph(options: Options, size_px: int) -> "nn.Module":
    """Return the channel as a part of an exported graph."""
    from kerasfaces.channels.networks.spectrum_graph import SpectrumGraph

    weights = WEIGHTS["liu2022" if options.amplitude == "liu2022" else "wan2023"]
    return SpectrumGraph(
        size_px,
        of=options.of,
        amplitude=options.amplitude,
        weights=weights if options.colours == 1 else None,
        zero=ZERO,
        log_unit=LOG_UNIT,
    )


def _names(options: Options) -> tuple[str, ...]:
    kinds = ("amplitude", "phase")
    if options.colours == 1:
        return kinds
    return tuple(f"{kind}_{c}" for kind in kinds for c in ("red", "green", "blue"))


def _ranges(options: Options) -> dict[str, tuple[float | None, float | None]]:
    highest = {
        "log": math.log1p(LARGEST / LOG_UNIT) + 1e-4,
        "raw": LARGEST + 1e-3,
        "liu2022": None,  # grows with the image's size
    }[options.amplitude]
    pi = float(np.float32(np.pi))
    return {
        name: (0.0, highest) if name.startswith("amplitude") else (-pi, pi)
        for name in _names(options)
    }


def _single_threads() -> ThreadPoolExecutor:
    """Return threads, one per core, in each of which torch stays in that thread.

    Sums on one image are too short to be shared by cores: waiting for each other costs
    more, many times more on a busy machine.
    """
    import torch

    def alone() -> None:
        torch.get_num_threads()  # else the first sum forgets the next line
        torch.set_num_threads(1)

    n_threads = torch.get_num_threads()
    threads = ThreadPoolExecutor(n_threads, "spectrum", initializer=alone)
    started = threading.Barrier(n_threads)
    list(threads.map(lambda _: started.wait(), range(n_threads)))
    torch.set_num_threads(n_threads)  # what later threads inherit
    return threads


class _Scratch:
    """Memory for one image, used again and again: fresh pages cost more than the sums.

    Attributes:
        planes: `(3, h, w)` float32.
        half: `(3, h, w // 2 + 1)` complex64; `real`, `imaginary`, `amplitude`, `phase`
            float32 of the same shape.
    """

    def __init__(self, height: int, width: int) -> None:
        import torch

        shape = (3, height, width // 2 + 1)
        self.planes = torch.empty((3, height, width))
        self.half = torch.empty(shape, dtype=torch.complex64)
        self.real, self.imaginary = torch.empty(shape), torch.empty(shape)
        self.amplitude, self.phase = torch.empty(shape), torch.empty(shape)


def _halves(image: _Scratch, options: Options) -> "list[torch.Tensor]":
    """Return amplitude and phase, `(colours, h, w // 2 + 1)`, frequency 0 first."""
    import torch

    liu = options.amplitude == "liu2022"
    if liu:
        image.planes.div_(255)
    norm = "ortho" if liu else "forward"
    torch.fft.rfft2(image.planes, norm=norm, out=image.half)
    real, amplitude = image.real.copy_(image.half.real), image.amplitude
    # + 0 turns -0, which real coefficients may have, into 0: phase pi rather than -pi.
    imaginary = torch.add(image.half.imag, 0.0, out=image.imaginary)
    torch.mul(real, real, out=amplitude).addcmul_(imaginary, imaginary).sqrt_()
    phase = torch.atan2(imaginary, real, out=image.phase)
    floor = ZERO * amplitude.amax(dim=(1, 2), keepdim=True)
    if bool((amplitude.amin(dim=(1, 2), keepdim=True) <= floor).any()):
        zero = amplitude <= floor
        amplitude.masked_fill_(zero, 0.0)
        phase.masked_fill_(zero, 0.0)
    if liu:
        amplitude.add_(1e-8).pow_(0.8)
    elif options.amplitude == "log":
        amplitude.div_(LOG_UNIT).log1p_()
    if options.colours == 3:
        return [amplitude, phase]
    weights = WEIGHTS["liu2022" if liu else "wan2023"]
    return [_weighted(part, weights) for part in (amplitude, phase)]


def _weighted(part: "torch.Tensor", weights: tuple[float, ...]) -> "torch.Tensor":
    """Return `(1, ...)`: the weighted sum of three planes, made in the first."""
    part[0].mul_(weights[0])
    part[0].add_(part[1], alpha=weights[1]).add_(part[2], alpha=weights[2])
    return part[:1]


def _mirror(half: "torch.Tensor", sign: float, target: "torch.Tensor") -> None:
    """Write the centred full planes `(c, h, w)` of halves `(c, h, w // 2 + 1)`.

    `sign` is that of a coefficient's value at the opposite frequency.
    """
    import torch

    height, width = target.shape[1:]
    middle = width // 2  # where frequency 0 goes
    rows = torch.fft.fftshift(half, dim=1)
    target[..., middle:] = rows[..., : (width + 1) // 2]
    # Row u comes from row -u: after centring, a flip; for even heights the first row
    # (frequency -M / 2) is its own opposite.
    opposite = torch.flip(rows[..., 1 : middle + 1], dims=(1, 2))
    if height % 2 == 0:
        opposite = torch.roll(opposite, 1, dims=1)
    target[..., :middle] = opposite if sign > 0 else opposite.neg_()
    if width % 2 == 0:  # the Nyquist column is computed, not mirrored
        target[..., 0] = rows[..., middle]
