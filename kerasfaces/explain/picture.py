"""A map over its image, with a colour bar in logits."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kerasfaces.explain.contract import GRID, Pixels, has_sign, smooth

SIDE_PX = 320
_BAR_PX = 52
_FAKE, _REAL, _UNSIGNED = (226, 88, 8), (22, 104, 214), (136, 46, 160)
_STRENGTH = 0.85  # of the colour at the bar's end


def shown(map_: NDArray[np.floating], units: str) -> tuple[NDArray[np.float64], str]:
    """Return a map as pictures show it, and what its numbers then are.

    A pixel's share is tiny and noisy: what is per pixel is smoothed over a 64th of the
    side and counted per hundredth of the image.
    """
    values = map_.astype(np.float64)
    if units == "logit per patch":
        return values, f"{units} (1/{GRID * GRID} of the image)"
    if units == "logit per pixel":
        return smooth(values) * (values.size / 100), "logit per 1 % of the image"
    return smooth(values), units


def limit_of(values: NDArray[np.float64]) -> float:
    """Return where the colours end: all but the half per cent of largest values fit."""
    return float(np.quantile(np.abs(values), 0.995)) or 1.0


def drawn(image: Pixels, map_: NDArray[np.floating], units: str) -> Image.Image:
    """Return an image `(s, s, 3)` uint8 under its own map, with a colour bar of its own."""
    values, unit = shown(map_, units)
    return overlay(image, values, limit_of(values), unit)


def overlay(
    image: Pixels, values: NDArray[np.float64], limit: float, unit: str
) -> Image.Image:
    """Return the grey image `(s, s, 3)` uint8, coloured by a map `(s, s)`, above its colour bar.

    Positive speaks for fake; where the unit has no sign (`contract.has_sign`), one colour
    says how much. The bar ends at `limit`.
    """
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float64)[..., None]
    colour = _FAKE if has_sign(unit) else _UNSIGNED
    picture = _coloured(0.7 * grey + 50, values / limit, colour)
    size = (SIDE_PX, SIDE_PX)
    whole = Image.new("RGB", (SIDE_PX, SIDE_PX + _BAR_PX), "white")
    whole.paste(picture.resize(size, Image.Resampling.BICUBIC))
    lowest = -1 if has_sign(unit) else 0
    ramp = np.broadcast_to(np.linspace(lowest, 1, SIDE_PX), (10, SIDE_PX))
    bar = _coloured(np.full((10, SIDE_PX, 1), 150.0), ramp, colour)
    whole.paste(bar, (0, SIDE_PX + 3))
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(15)
    top, bottom = SIDE_PX + 14, SIDE_PX + 32
    if has_sign(unit):
        draw.text((3, top), f"-{limit:.2g}  real", "black", font)
        draw.text((SIDE_PX / 2, top), "0", "black", font, anchor="ma")
        draw.text((SIDE_PX - 3, top), f"fake  +{limit:.2g}", "black", font, anchor="ra")
    else:
        draw.text((3, top), "0", "black", font)
        draw.text((SIDE_PX - 3, top), f"{limit:.2g}", "black", font, anchor="ra")
    draw.text((SIDE_PX / 2, bottom), unit, "black", font, anchor="ma")
    return whole


def _coloured(
    grey: NDArray[np.float64],
    share: NDArray[np.float64],
    positive: tuple[int, int, int],
) -> Image.Image:
    """Return grey `(h, w, 1)` with colour laid over it by -1..1 `(h, w)`."""
    strength = _STRENGTH * np.clip(np.abs(share), 0, 1)[..., None]
    colour = np.where(share[..., None] > 0, positive, _REAL)
    mixed = grey * (1 - strength) + colour * strength
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))
