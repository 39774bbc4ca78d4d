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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from kerasfaces import cli
from kerasfaces.channels.parts.contract import Arrays, Channel, ChannelSpec, Images
from kerasfaces.errors import InputError

if TYPE_CHECKING:
    import torch

ZERO = 1e-7  # of the largest amplitude; float32 rounding stays below 2e-8
# Grey levels that count as one step of the logarithm: noise of .026 grey levels at 256 px.
LOG_UNIT = 1e-4
LARGEST = 255.0  # grey levels: no mean of |f| can be larger
WEIGHTS = {"wan2023": (1 / 3, 1 / 3, 1 / 3), "liu2022": (0.3, 0.59, 0.11)}
_AT_ONCE = 8  # images whose transform fits the processor's cache


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
        """Declare the planes.

        Raises:
            MissingExtraError: torch is not installed.
        """
        cli.optional_import("torch", "channels")
        self.options = options
        self.spec = ChannelSpec(
            names=_names(options),
            ranges=_ranges(options),
            needs=needs(options),
            made_by={"torch": importlib.metadata.version("torch")},
        )

    def compute(self, images: Images, made: Mapping[str, Arrays]) -> Arrays:
        """Return `(n, h, w, 2 * colours)` float32; NaN where the input is not finite.

        Args:
            images: `(n, h, w, 3)` uint8.
            made: With `of="lnp"`, `lnp`: `(n, h, w, 3)` float32, grey levels.
        """
        import torch

        source = made["lnp"] if self.options.of == "lnp" else images
        n, height, width, _ = source.shape
        count = self.options.colours
        out = torch.empty((n, height, width, 2 * count), dtype=torch.float32)
        with torch.no_grad():
            for start in range(0, n, _AT_ONCE):
                part = torch.from_numpy(source[start : start + _AT_ONCE])
                planes = part.to(torch.float32).permute(0, 3, 1, 2).contiguous()
                end = start + len(part)
                for at, half in enumerate(_halves(planes, self.options)):
                    sign = -1.0 if at else 1.0  # phase is odd
                    target = out[start:end, ..., at * count : (at + 1) * count]
                    _mirror(half, sign, target.permute(0, 3, 1, 2))
        values: Arrays = out.numpy()
        return values


def build(options: Options) -> Channel:
    """Return the channel."""
    return Spectrum(options)


def invert(values: Arrays, options: Options) -> NDArray[np.float64]:
    """Return what the spectra were made from.

    Args:
        values: `(n, h, w, 6)`, as `compute` returned them, with three colours.
        options: As they were computed with; any amplitude can be inverted.

    Returns:
        `(n, h, w, 3)` float64, grey levels.

    Raises:
        InputError: The colours were averaged, so their spectra are lost.
    """
    if options.colours != 3:
        raise InputError(
            "Spectra averaged over colours cannot be inverted; use spectrum.colours=3."
        )
    amplitude = np.asarray(values[..., :3], np.float64)
    height, width = amplitude.shape[1:3]
    scale = float(height * width)
    if options.amplitude == "log":
        amplitude = LOG_UNIT * np.expm1(amplitude)
    elif options.amplitude == "liu2022":
        amplitude = np.maximum(amplitude ** (1 / 0.8) - 1e-8, 0)
        scale = math.sqrt(scale) * 255
    spectrum = amplitude * np.exp(1j * np.asarray(values[..., 3:], np.float64))
    planes = np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(1, 2)), axes=(1, 2))
    inverse: NDArray[np.float64] = planes.real * scale
    return inverse


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


def _halves(planes: "torch.Tensor", options: Options) -> "list[torch.Tensor]":
    """Return amplitude and phase, `(n, colours, h, w // 2 + 1)`, frequency 0 first."""
    import torch

    liu = options.amplitude == "liu2022"
    if liu:
        planes = planes / 255
    half = torch.fft.rfft2(planes, norm="ortho" if liu else "forward")
    real, imaginary = half.real.contiguous(), half.imag.contiguous()
    amplitude = (real * real).addcmul_(imaginary, imaginary).sqrt_()
    floor = ZERO * amplitude.amax(dim=(2, 3), keepdim=True)
    zero = amplitude <= floor
    real.masked_fill_(zero, 0.0)
    imaginary.masked_fill_(zero, 0.0)
    amplitude.masked_fill_(zero, 0.0)
    # + 0.0 turns the -0 of a real coefficient into 0: pi rather than -pi.
    phase = torch.atan2(imaginary.add_(0.0), real)
    if liu:
        amplitude = amplitude.add_(1e-8).pow_(0.8)
    elif options.amplitude == "log":
        amplitude = amplitude.div_(LOG_UNIT).log1p_()
    if options.colours == 3:
        return [amplitude, phase]
    weights = torch.tensor(WEIGHTS["liu2022" if liu else "wan2023"])[:, None, None]
    return [(part * weights).sum(dim=1, keepdim=True) for part in (amplitude, phase)]


def _mirror(half: "torch.Tensor", sign: float, target: "torch.Tensor") -> None:
    """Write the centred full plane of a half one.

    Args:
        half: `(n, c, h, w // 2 + 1)`, column 0 = frequency 0.
        sign: Of a coefficient's value at the opposite frequency.
        target: `(n, c, h, w)`, any strides.
    """
    import torch

    height, width = target.shape[2:]
    middle = width // 2  # where frequency 0 goes
    rows = torch.fft.fftshift(half, dim=2)
    positive = (width + 1) // 2  # frequencies 0 .. that are not their own opposite
    target[..., middle:] = rows[..., :positive]
    # Row u comes from row -u: after centring, a flip; for even heights the first row
    # (frequency -M / 2) is its own opposite.
    opposite = torch.flip(rows, dims=(2,))
    if height % 2 == 0:
        opposite = torch.roll(opposite, 1, dims=2)
    negative = torch.flip(opposite[..., 1 : middle + 1], dims=(3,))
    target[..., :middle] = negative * sign
    if width % 2 == 0:  # the Nyquist column is computed, not mirrored
        target[..., 0] = rows[..., middle]
