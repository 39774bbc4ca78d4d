"""Parts that a layer tells apart, over several images at once (deep feature factorisation).

Collins et al. 2018 (arXiv 1806.10206): the activations of one layer at every position of all
images, `(n h w, maps)`, not negative, are factorised into few parts by non-negative matrix
factorisation (scikit-learn's NMF); how much of a part a position holds is a heat map per
image. yu2024 names it as future work. The layer is the deepest that feeds the head, or
`layer`; there are at most six parts. What is negative in a layer counts as 0, and how much
that is, is stated.

Two checks: another start of the factorisation must find the same parts, and the same network
with its weights in random order must not.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.explain import study as studies
from kerasfaces.explain.checks import ALIKE
from kerasfaces.explain.contract import Pixels
from kerasfaces.explain.layers import Layers
from kerasfaces.explain.study import Check, Figure, Findings, Request, Table

MIN_IMAGES = 2
PARTS = 6
_ITERATIONS = 300
_SAME = 0.8  # mean correlation from which another start has found the same parts
_SHOWN_IMAGES, _CELL_PX = 12, 120
_COLOUR = np.array([136, 46, 160], np.float64)
Floats = NDArray[np.float32]


def study(request: Request) -> Findings:
    """Return each part's map on the first images, and its amount by source."""
    layers = Layers(request.subject, "factorisation")
    name = layers.chosen(request.settings.layer)
    rows, used, images = request.readable(MIN_IMAGES)
    (maps,) = Layers.maps(layers.model([name]), images)
    (others,) = Layers.maps(layers.model([name], request.settings.seed), images)
    positive = np.maximum(maps, 0)
    if not positive.any():
        raise InputError(
            f"`layer={name!r}` holds nothing above zero in these images; give another layer."
        )
    negative = float(np.maximum(-maps, 0).sum(dtype=np.float64) / np.abs(maps).sum())
    seed = request.settings.seed
    amounts, error = _factors(positive, seed)
    again, _ = _factors(positive, seed + 1)
    random, _ = _factors(np.maximum(others, 0), seed)
    same, chance = _alike(amounts, again), _alike(amounts, random)
    for number, position in enumerate(used):
        means = amounts[number].mean(axis=(0, 1))
        rows[position] |= {
            f"part_{part + 1}": float(value) for part, value in enumerate(means)
        }
    shown = min(_SHOWN_IMAGES, len(used))
    return Findings(
        things="parts",
        notes=[
            f"{len(used)} images, layer {name}, {maps.shape[1]} x {maps.shape[2]} positions, "
            f"{maps.shape[3]} maps, {amounts.shape[-1]} parts, which leave "
            f"{100 * error:.0f} % of the activations' norm out. Negative activations, "
            f"{100 * negative:.0f} % of the absolute sum, count as 0.",
            "A part is a direction of the layer that occurs together. No label took part, and a "
            "part that is stronger in fakes need not be what the head uses.",
        ],
        rows=rows,
        checks=[
            Check(
                "Another start finds the same parts: mean correlation of the best matches "
                f"{same:.2f} (at least {_SAME:g}).",
                same >= _SAME,
            ),
            Check(
                "The same network with its weights in random order finds others: "
                f"{chance:.2f} (below {ALIKE:g}).",
                chance < ALIKE,
            ),
        ],
        figures=[_figure(request, used[:shown], images[:shown], amounts[:shown])],
        tables=[_by_source(request, used, amounts)],
        arrays={"amounts": amounts},
    )


def _factors(maps: Floats, seed: int) -> tuple[Floats, float]:
    """Return the parts' amounts `(n, h, w, parts)`, each of maximum 1, and what is left out."""
    import warnings

    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    table = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
    parts = min(PARTS, *table.shape)
    model = NMF(
        parts,
        init="nndsvdar",
        max_iter=_ITERATIONS,
        random_state=rng.integer_seed(seed, "factorisation"),
    )
    with warnings.catch_warnings():
        # what is left out, and the second start, say how far it came
        warnings.simplefilter("ignore", ConvergenceWarning)
        amounts = model.fit_transform(table)
    norm = float(np.linalg.norm(table))
    error = float(model.reconstruction_err_) / norm if norm else 1.0
    amounts /= np.maximum(amounts.max(axis=0), 1e-12)
    order = np.argsort(-amounts.mean(axis=0), kind="stable")
    shape = (*maps.shape[:-1], parts)
    return amounts[:, order].reshape(shape).astype(np.float32), error


def _alike(one: Floats, other: Floats) -> float:
    """Return the mean correlation of the best one-to-one match of parts."""
    from scipy.optimize import linear_sum_assignment

    first, second = (each.reshape(-1, each.shape[-1]).T for each in (one, other))
    if first.shape[1] != second.shape[1]:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.corrcoef(np.concatenate([first, second]))
    table = np.nan_to_num(both[: len(first), len(first) :])
    matched = linear_sum_assignment(-table)
    return float(table[matched].mean())


def _figure(
    request: Request, used: list[int], images: Pixels, amounts: Floats
) -> Figure:
    cells = []
    for image, parts in zip(images, amounts, strict=True):
        small = Image.fromarray(image).resize((_CELL_PX, _CELL_PX))
        cells.append(small)
        grey = np.asarray(small.convert("L"), np.float64)[..., None] * 0.7 + 50
        for part in np.moveaxis(parts, -1, 0):
            size = (_CELL_PX, _CELL_PX)
            wide = Image.fromarray(part).resize(size, Image.Resampling.BICUBIC)
            share = 0.85 * np.clip(np.asarray(wide, np.float64), 0, 1)[..., None]
            mixed = grey * (1 - share) + _COLOUR * share
            cells.append(Image.fromarray(mixed.clip(0, 255).astype(np.uint8)))
    names = ", ".join(request.selection.files[at].name for at in used)
    caption = f"A row per image ({names}), a column per part, the largest first"
    return Figure("parts", studies.grid(cells, 1 + amounts.shape[-1]), caption)


def _by_source(request: Request, used: list[int], amounts: Floats) -> Table:
    labels, sources = request.selection.labels, request.selection.sources
    groups = [f"{labels[at]}: {sources[at]}" if labels else "all images" for at in used]
    means = amounts.mean(axis=(1, 2))
    rows = []
    for group in dict.fromkeys(groups):
        chosen = means[[each == group for each in groups]]
        amount = [f"{each:.3f}" for each in chosen.mean(axis=0)]
        rows.append([group, f"{len(chosen):,}", *amount])
    parts = [f"Part {number + 1}" for number in range(means.shape[1])]
    caption = "Mean amount of each part, of its maximum"
    return Table(caption, ["Images", "n", *parts], rows)
