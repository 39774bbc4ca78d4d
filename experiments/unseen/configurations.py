"""What is compared: the default detector, one change at a time, and all changes together."""

import dataclasses
from collections.abc import Sequence

from experiments.framework.runner import Context
from kerasfaces.core.config import updated
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

BASELINE, ALL = "baseline", "all"
RATIO = (3, 1, 1)
CROPS = 5
NOISE_PX = 256
VIEWS = 2
DISCRIMINANT, RESIDUAL, SEARCHED = "discriminant", "residual", "unseen objective"
LITE = "EfficientNet-Lite0"
LITE_SEARCHED = f"{LITE}, unseen objective"
ALONE, CROPPED = "aligned fakes alone", "native crops"
TUNED, TUNED_LAYERS = "last blocks on pairs alone", 20
END_TO_END_SEEDS = 3


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to train.

    Attributes:
        config: How the head is trained, and on which features.
        pairs: Whether photos and the fakes made of them are training images as well.
        generators: Whether images of generators are training images; without them the
            pairs' fakes are the only ones.
        searched: Whether layers are chosen by families left out.
        noise: Whether the base sees the noise pattern beside the picture.
        seeds: At most so many of the split seeds; 0 is all.
    """

    config: TrainConfig
    pairs: bool = False
    generators: bool = True
    searched: bool = False
    noise: bool = False
    seeds: int = 0

    @property
    def averages(self) -> bool:
        """Whether its logits may be averaged with others': of all seeds and cameras."""
        return self.config.model.head.solver == "discriminant" and not self.seeds

    def of(self, seeds: Sequence[int]) -> Sequence[int]:
        """Return those of the split seeds that it is trained on."""
        return seeds[: self.seeds] if self.seeds else seeds


def variants(context: Context, *, native: bool) -> dict[str, Variant]:
    """Return name -> variant: the baseline first, all changes together last.

    Args:
        context: Weights of both bases, and whether it is a quick run.
        native: Whether the pictures are as their sources publish them: crops at their own
            resolution make sense there alone.
    """
    plain = configs.default("mobilenetv2", context.weights["mobilenetv2"])
    head = {"model": {"head": {"solver": "discriminant"}}}
    linear = updated(plain, head)
    laundering = {"launder": 1.0, "views": VIEWS}
    residual = {"model": {"options": {"residual": "beside"}}}
    crops = {"model": {"crops": CROPS, "scales": [1.0]}}
    together = updated(linear, laundering)
    every = {
        BASELINE: Variant(plain),
        DISCRIMINANT: Variant(linear),
        SEARCHED: Variant(linear, searched=True),
    }
    if not context.quick:
        lite = configs.default(
            "efficientnet_lite0", context.weights["efficientnet_lite0"]
        )
        every[LITE] = Variant(updated(lite, head))
        every[LITE_SEARCHED] = Variant(updated(lite, head), searched=True)
    # Pairs are squares at the photo's own resolution: compared with such, where there are.
    squares = updated(linear, crops) if native else linear
    if native:
        every[CROPPED] = Variant(squares)
        together = updated(together, crops)
    every |= {
        "aligned fakes": Variant(squares, pairs=True),
        ALONE: Variant(updated(squares, residual), pairs=True, generators=False),
        "erased cameras": Variant(updated(linear, {"model": {"head": {"erase": 8}}})),
        RESIDUAL: Variant(updated(linear, residual)),
    }
    every["laundering"] = Variant(updated(linear, laundering))
    sqrt = {"weigh_sources": "sqrt"}
    every["square-root weights"] = Variant(updated(plain, sqrt))
    if not context.quick:
        every["noise pattern"] = Variant(linear, noise=True)
    if not native and not context.quick:  # squares are for frozen bases
        blocks = {
            "model": {"scales": [1.0]},
            "unfreeze": TUNED_LAYERS,
            "fine_tune_epochs": 3,
            "fine_tune_learning_rate": 1e-4,
            "patience": None,  # validation has no say, so that no fake but a pair's has
        }
        every[TUNED] = Variant(
            updated(plain, blocks),
            pairs=True,
            generators=False,
            seeds=END_TO_END_SEEDS,
        )
    every[ALL] = Variant(together, pairs=True, searched=True)  # costs most
    return every
