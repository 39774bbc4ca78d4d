"""What is compared: the default detector, one change at a time, and all changes together."""

import dataclasses

from experiments.framework.runner import Context
from kerasfaces.core.config import updated
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig

BASELINE, ALL = "baseline", "all"
CROPS = 5
NOISE_PX = 256
VIEWS = 2
PENALTY = "equal weights, penalty 1"
TRACES = "aligned fakes, erased cameras, residual"
ALONE = "aligned fakes alone, erased cameras, residual"
TOGETHER = (
    (BASELINE, ALONE),
    ("EfficientNet-Lite0", PENALTY),
    ("EfficientNet-Lite0", "neighbour residual", ALONE),
)


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to train.

    Attributes:
        config: How the head is trained, and on which features.
        pairs: Whether photos and the fakes made of them are training images as well.
        generators: Whether images of generators are training images; without them the
            pairs' fakes are the only ones.
        searched: Whether erasure and penalty are chosen by families left out.
        noise: Whether the base sees the noise pattern beside the picture.
        members: Variants whose logits are averaged; then nothing is trained.
    """

    config: TrainConfig
    pairs: bool = False
    generators: bool = True
    searched: bool = False
    noise: bool = False
    members: tuple[str, ...] = ()


def variants(context: Context, *, native: bool) -> dict[str, Variant]:
    """Return name -> variant: the baseline first, all changes together last.

    Args:
        context: Weights of both bases, and whether it is a quick run.
        native: Whether the pictures are as their sources publish them: crops at their own
            resolution make sense there alone.
    """
    plain = configs.default("mobilenetv2", context.weights["mobilenetv2"])
    laundering = {"launder": 1.0, "views": VIEWS}
    residual = {"model": {"options": {"residual": "beside"}}}
    erasing = {"model": {"head": {"erase": 8, "l2": 0.1}}}
    crops = {"model": {"crops": CROPS, "scales": [1.0]}}
    traces = updated(updated(plain, residual), erasing)
    together = updated(traces, {"weigh_sources": "equal", **laundering})
    every = {
        BASELINE: Variant(plain),
        "laundering": Variant(updated(plain, laundering)),
        "square-root weights": Variant(updated(plain, {"weigh_sources": "sqrt"})),
        PENALTY: Variant(
            updated(plain, {"weigh_sources": "equal", "model": {"head": {"l2": 1.0}}})
        ),
        "erased cameras": Variant(updated(plain, erasing)),
        "neighbour residual": Variant(updated(plain, residual)),
        "unseen objective": Variant(plain, searched=True),
        "aligned fakes": Variant(plain, pairs=True),
        TRACES: Variant(traces, pairs=True),
        ALONE: Variant(traces, pairs=True, generators=False),
    }
    if native:
        every["native crops"] = Variant(updated(plain, crops))
        together = updated(together, crops)
    if not context.quick:
        every["noise pattern"] = Variant(plain, noise=True)
        lite = configs.default(
            "efficientnet_lite0", context.weights["efficientnet_lite0"]
        )
        every["EfficientNet-Lite0"] = Variant(lite)
    every[ALL] = Variant(together, pairs=True, searched=True)
    for members in TOGETHER:
        if all(name in every for name in members):
            every["mean of " + " + ".join(members)] = Variant(plain, members=members)
    return every
