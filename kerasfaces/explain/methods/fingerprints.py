"""What the noise of a source's images has in common (average residual fingerprint).

Marra et al. 2019 (arXiv 1812.11842): an image minus its denoised self, averaged over many
images of one generator, keeps what each of them holds at the same pixel, as a camera's
pattern does. yu2024 names generators' fingerprints as future work. The denoiser here is a
median of 3 x 3 pixels of the grey image as the detector sees it (the paper: a denoising
network); resizing to the detector's size blurs fingerprints of the original pixels.

The check is theirs, too: halves of a source, drawn at random, must agree with each other
more than with any other source's, and more than noise would. Aligned faces agree by their outlines; what all sources
share (the mean of the sources' fingerprints) is taken off before.
"""

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.explain import study as studies
from kerasfaces.explain.contract import Pixels
from kerasfaces.explain.study import Check, Figure, Findings, Request, Table

MIN_IMAGES = 16
PER_SOURCE = 16  # with fewer images an average is noise
_SHOWN_PX = 256
_CHANCE = 10.0  # deviations of a correlation of noise; neighbouring pixels are not independent
Floats = NDArray[np.float64]


def study(request: Request) -> Findings:
    """Return each source's fingerprint and its spectrum, and how well halves agree."""
    if request.selection.is_from_outside:
        raise InputError(
            "fingerprints averages images of one source, and nobody knows the sources of single "
            "files: give a split of the run's manifest (`split='test'`)."
        )
    rows, halves, counts = _halves(request)
    studies.require(MIN_IMAGES, sum(counts.values()), rows, "fingerprints")
    names = [name for name, n in counts.items() if n >= PER_SOURCE]
    if not names:
        few = ", ".join(f"{name} {n}" for name, n in counts.items())
        raise InputError(
            f"fingerprints needs {PER_SOURCE} images of a source; there are {few}. Give a "
            "larger `n`."
        )
    first, second = ([halves[name][half] for name in names] for half in (0, 1))
    own, other = _without_common(first), _without_common(second)
    table = np.array([[_correlation(a, b) for b in other] for a in own])
    chance = _CHANCE / float(np.sqrt(first[0].size))
    checks = [_check(names, number, table, chance) for number in range(len(names))]
    prints = {name: (halves[name][0] + halves[name][1]) / 2 for name in names}
    left_out = [f"{name} ({n})" for name, n in counts.items() if n < PER_SOURCE]
    notes = [
        "Left: the average residual, in its own greys. Right: the logarithm of its amplitude "
        "by frequency, 0 in the middle; regular bright points are a grid in the image.",
        "Faces that lie alike leave their outlines in the pictures, of every source; the check takes "
        "off what the sources share.",
        "A fingerprint is a property of the images. That a source has one does not say that "
        "this detector uses it.",
    ]
    caption = "Correlation of one half's fingerprint (rows) with the other half's"
    cells = [
        [name, f"{counts[name]:,}", *(f"{each:.3f}" for each in line)]
        for name, line in zip(names, table, strict=True)
    ]
    if left_out:
        notes.append(f"Fewer than {PER_SOURCE} images: {', '.join(left_out)}.")
    return Findings(
        things="fingerprints",
        notes=notes,
        rows=rows,
        checks=checks,
        figures=[_figure(name, prints[name], counts[name]) for name in names],
        tables=[Table(caption, ["Source", "n", *names], cells)],
        arrays=prints,
    )


def residual(image: Pixels) -> Floats:
    """Return an image's grey levels `(s, s)` minus their median over 3 x 3 pixels."""
    from scipy.ndimage import median_filter

    grey = image.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    smooth: Floats = median_filter(grey, 3, mode="nearest")
    return np.asarray(grey - smooth, np.float64)


def _halves(
    request: Request,
) -> tuple[list[Json], dict[str, list[Floats]], dict[str, int]]:
    """Return all rows, each source's two average residuals, and its number of images."""
    labels, sources = request.selection.labels, request.selection.sources
    names = [f"{one}: {two}" for one, two in zip(labels, sources, strict=True)]
    turn = _turns(names, request.settings.seed)
    rows: list[Json] = []
    sums: dict[str, list[Floats]] = {}
    counts: dict[str, list[int]] = {}
    for number, (row, pixels) in enumerate(request.images()):
        rows.append(row)
        if pixels is None:
            continue
        name, half = names[number], turn[number]
        noise = residual(pixels)
        pair = sums.setdefault(name, [np.zeros_like(noise), np.zeros_like(noise)])
        pair[half] += noise
        counts.setdefault(name, [0, 0])[half] += 1
    means = {
        name: [total / max(1, n) for total, n in zip(pair, counts[name], strict=True)]
        for name, pair in sums.items()
    }
    return rows, means, {name: sum(each) for name, each in counts.items()}


def _turns(names: list[str], seed: int) -> list[int]:
    """Return for each image which half of its source it is in, at random."""
    random, turn = rng.generator(seed, "fingerprints"), [0] * len(names)
    for name in dict.fromkeys(names):
        members = [at for at, each in enumerate(names) if each == name]
        for order, at in enumerate(random.permutation(members)):
            turn[int(at)] = order % 2
    return turn


def _without_common(prints: list[Floats]) -> list[Floats]:
    """Take off what all sources share; a lone source keeps everything."""
    if len(prints) < 2:
        return prints
    common = np.mean(prints, axis=0)
    return [each - common for each in prints]


def _correlation(one: Floats, other: Floats) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _check(names: list[str], number: int, table: Floats, chance: float) -> Check:
    own = float(table[number, number])
    others = np.delete(table[number], number)
    near = float(others.max()) if len(others) else float("nan")
    return Check(
        f"The halves of {names[number].replace(': ', ' ')} correlate {own:.3f}, and with "
        f"another source's {near:.3f} at most; noise alone stays below {chance:.3f}.",
        own > max(chance, *others),
    )


def _figure(name: str, print_: Floats, n: int) -> Figure:
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(print_ - print_.mean())))
    spectrum = np.log(amplitude + 1e-9)
    side_px = max(_SHOWN_PX, print_.shape[0])
    cells = [studies.grey_picture(each, side_px) for each in (print_, spectrum)]
    caption = f"{name}, average residual of {n:,} images and its spectrum"
    file = studies.safe_name(name.replace(": ", "-"))
    return Figure(file, studies.grid(cells, 2), caption)
