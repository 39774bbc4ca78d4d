"""What each layer makes of an image, layer by layer (kabber2023's feature maps).

kabber2023 collects "the feature maps at each layer" of its ResNet50 and reads faces in the
first ones. Here the layers are spread evenly from the first to the one that feeds the head
(or `layer` names one). Of each, twelve maps are shown, those that vary most over the image,
after their mean over all maps. Each picture has its own greys.

That a face can be seen in a map does not say that something was learnt: random weights show
it as well. The check computes the same mean maps with every kernel's weights in random
order; layers whose maps stay the same are named.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.explain import study as studies
from kerasfaces.explain.changed_images import rank_correlation
from kerasfaces.explain.checks import ALIKE
from kerasfaces.explain.contract import Pixels
from kerasfaces.explain.layers import Layers
from kerasfaces.explain.study import Check, Figure, Findings, Request, Table

MIN_IMAGES = 1
LAYERS, MAPS = 8, 12
_CELL_PX = 96
_SHOWN_IMAGES = 6
Floats = NDArray[np.float32]


def study(request: Request) -> Findings:
    """Return a picture per image: a row per layer."""
    layers = Layers(request.subject, "feature_maps")
    wanted = request.settings.layer
    names = [layers.chosen(wanted)] if wanted else layers.spread(LAYERS)
    rows, used, images = request.readable(MIN_IMAGES)
    learnt = Layers.maps(layers.model(names), images)
    random = Layers.maps(layers.model(names, request.settings.seed), images)
    alike, table = [], []
    for name, maps, others in zip(names, learnt, random, strict=True):
        values = [
            abs(rank_correlation(_mean(one), _mean(other)))
            for one, other in zip(maps, others, strict=True)
        ]
        alike.append(float(np.nanmean(values)) if np.isfinite(values).any() else np.nan)
        _, height, width, n_maps = maps.shape
        table.append([name, f"{height} x {width}", f"{n_maps:,}", f"{alike[-1]:.2f}"])
    flagged = [
        name for name, value in zip(names, alike, strict=True) if not value < ALIKE
    ]
    check = Check(
        f"{len(names) - len(flagged)} of {len(names)} layers have another mean map than the "
        f"same network with its weights in random order (|rank correlation| below {ALIKE:g}); "
        f"the image alone is shown by: {', '.join(flagged) or 'none'}.",
        not flagged,
    )
    header = ["Layer", "Size", "Maps", "Alike with random weights"]
    figures = [
        _figure(request, number, position, images[number], names, learnt)
        for number, position in enumerate(used[:_SHOWN_IMAGES])
    ]
    return Findings(
        things="feature maps",
        notes=[
            f"{len(used)} images; pictures of the first {len(figures)}. A row is a layer: the "
            f"image, the mean of its maps, then the {MAPS} maps that vary most.",
            "Maps have no sign for fake or real; late layers are too small to be read as "
            "pictures, as kabber2023 found.",
        ],
        rows=rows,
        checks=[check],
        figures=figures,
        tables=[Table("Layers", header, table)],
        arrays={name: maps[0] for name, maps in zip(names, learnt, strict=True)},
    )


def _mean(maps: Floats) -> Floats:
    return np.asarray(np.abs(maps).mean(axis=-1), np.float32)


def _figure(
    request: Request,
    number: int,
    position: int,
    image: Pixels,
    names: list[str],
    learnt: list[Floats],
) -> Figure:
    cells = []
    small = Image.fromarray(image).resize((_CELL_PX, _CELL_PX))
    for maps in learnt:
        own = maps[number]
        order = np.argsort(-own.std(axis=(0, 1)), kind="stable")[:MAPS]
        shown = [_mean(own), *(own[..., each] for each in order)]
        shown += [np.zeros_like(shown[0])] * (1 + MAPS - len(shown))
        cells += [small, *(studies.grey_picture(each, _CELL_PX) for each in shown)]
    file = request.selection.files[position]
    caption = f"{file.name}: {', '.join(names)}, from top to bottom"
    name = f"{position:03d}-{studies.safe_name(file)}"
    return Figure(name, studies.grid(cells, 2 + MAPS), caption)
