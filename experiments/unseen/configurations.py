"""What is compared: the default detector, one change at a time, and all changes together."""

import dataclasses

from experiments.framework.runner import Context
from kerasfaces.core.config import updated
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

BASELINE, ALL = "baseline", "all"
CROPS = 5


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to train.

    Attributes:
        config: How the head is trained, and on which features.
        pairs: Whether photos and the fakes made of them are training images as well.
        searched: Whether layers, erasure and penalty are chosen by families left out.
    """

    config: TrainConfig
    pairs: bool = False
    searched: bool = False


def variants(context: Context, *, native: bool) -> dict[str, Variant]:
    """Return name -> variant: the baseline first, all changes together last.

    Args:
        context: Weights of both bases, and whether it is a quick run.
        native: Whether the pictures are as their sources publish them: crops at their own
            resolution make sense there alone.
    """
    plain = configs.default("mobilenetv2", context.weights["mobilenetv2"])
    views = 2 if context.quick else 4
    laundering = {"launder": 1.0, "views": views}
    residual = {"model": {"options": {"residual": "beside"}}}
    erasing = {"model": {"head": {"erase": 8, "l2": 0.1}}}
    crops = {"model": {"crops": CROPS, "scales": [1.0]}}
    every = {
        BASELINE: Variant(plain),
        "laundering": Variant(updated(plain, laundering)),
        "square-root weights": Variant(updated(plain, {"weigh_sources": "sqrt"})),
        "erased cameras": Variant(updated(plain, erasing)),
        "neighbour residual": Variant(updated(plain, residual)),
        "unseen objective": Variant(plain, searched=True),
        "aligned fakes": Variant(plain, pairs=True),
    }
    together = updated(plain, {"weigh_sources": "sqrt", **laundering})
    together = updated(updated(together, residual), erasing)
    if native:
        every["native crops"] = Variant(updated(plain, crops))
        together = updated(together, crops)
    every["aligned fakes, erased cameras, residual"] = Variant(
        updated(updated(plain, residual), erasing), pairs=True
    )
    if not context.quick:
        lite = configs.default(
            "efficientnet_lite0", context.weights["efficientnet_lite0"]
        )
        every["EfficientNet-Lite0"] = Variant(lite)
    every[ALL] = Variant(together, pairs=True, searched=True)
    return every
