"""What has to be trained for the tables, in the order of importance.

A cell is one training: a classifier on channels, or one of table 3's compared methods,
on one split. Whatever the budget allows is done from the front of the list.
"""

import dataclasses
from collections.abc import Iterator, Sequence

from experiments.framework.runner import Context
from experiments.wan2023.published import CLASSIFIERS
from kerasfaces.core.config import updated
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

CHANNEL_MODEL = "lnp_attention"
COMPARED = ("dct_cnn", "autogan_spec", "wang2020", "liu2022", "gragnaniello2021")
SIZE_PX = 256
QUICK_PX = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One configuration of the document's detector, whatever its classifier.

    Attributes:
        fusion: See `lnp_attention.Options`.
        colours: Planes of each spectrum, 1 or 3.
        masked: Whether the face was cut out.
        attention: See `ChannelAttention`.
    """

    fusion: str = "attention_spectra"
    colours: int = 1
    masked: bool = True
    attention: str = "equation"


CHOSEN = Variant()
CONCAT = Variant(fusion="concat")
ALL = Variant(fusion="attention_all")
THREE = Variant(fusion="concat", colours=3)
UNMASKED = Variant(masked=False)
SCALED = Variant(attention="scaled")  # not the document's: one that does attend
VARIANTS = (CHOSEN, CONCAT, ALL, THREE, UNMASKED, SCALED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """One training.

    Attributes:
        method: A classifier, or a compared method.
        variant: Of the document's detector; None for a compared method.
        seed: Of the split.
    """

    method: str
    variant: Variant | None
    seed: int

    def label(self, mask: str) -> str:
        """Return what names its run folder."""
        if self.variant is None:
            return self.method
        masked = mask if self.variant.masked else "none"
        name = f"{self.method}-{self.variant.fusion}-{self.variant.colours}-{masked}"
        own = self.variant.attention
        return name if own == "equation" else f"{name}-{own}"


def order(seeds: Sequence[int]) -> Iterator[Cell]:
    """Yield every cell, the most telling first.

    MobileNetV2's five of the document on one split, DCT-CNN, which costs minutes, and the
    one that is ours; their repeats; the chosen detector with the two larger classifiers;
    table 3's cheapest; then the larger classifiers' ablations and repeats, and last what
    takes days on a few cores.
    """
    first, rest = seeds[:1], seeds[1:]
    light, large = CLASSIFIERS[0], CLASSIFIERS[1:]
    yield from _cells([light], [each for each in VARIANTS if each != SCALED], first)
    yield from _cells(["dct_cnn"], [None], seeds)
    yield from _cells([light], [SCALED], first)
    yield from _cells([light], VARIANTS, rest)
    yield from _cells(large, [CHOSEN], first)
    yield from _cells(["autogan_spec"], [None], first)
    yield from _cells(large, VARIANTS[1:], first)
    yield from _cells(["liu2022", "wang2020"], [None], first)
    yield from _cells(large, VARIANTS, rest)
    yield from _cells(["autogan_spec", "liu2022", "wang2020"], [None], rest)
    yield from _cells(["gragnaniello2021"], [None], seeds)


def with_and_without_mask(seeds: Sequence[int]) -> Iterator[Cell]:
    """Yield the chosen detector on faces cut out and on whole pictures."""
    yield from _cells(CLASSIFIERS[:1], [CHOSEN, UNMASKED], seeds)


def _cells(
    methods: Sequence[str], variants: Sequence[Variant | None], seeds: Sequence[int]
) -> Iterator[Cell]:
    for seed in seeds:
        for method in methods:
            for variant in variants:
                yield Cell(method=method, variant=variant, seed=seed)


def configuration(cell: Cell, context: Context) -> TrainConfig:
    """Return how a cell is trained."""
    if cell.variant is not None:
        config = _of_variant(cell.method, cell.variant)
    elif cell.method == "liu2022":
        config = configs.preset("liu2022", CHANNEL_MODEL)
    else:
        config = configs.default(cell.method)
    size_px = QUICK_PX if context.quick else SIZE_PX
    model = dataclasses.replace(config.model, size_px=size_px)
    if not context.quick:
        return dataclasses.replace(config, model=model)
    if hasattr(model.options, "alpha"):
        model = updated(model, {"options": {"alpha": 0.35}})
    return dataclasses.replace(config, model=model, epochs=1)


def _of_variant(classifier: str, variant: Variant) -> TrainConfig:
    config = configs.preset("wan2023", CHANNEL_MODEL)
    options = {
        "fusion": variant.fusion,
        "classifier": classifier,
        "attention": variant.attention,
    }
    inputs = ("lnp+spectra" if variant.colours == 1 else "lnp+spectra3",)
    model = updated(config.model, {"inputs": inputs, "options": options})
    return dataclasses.replace(config, model=model)
