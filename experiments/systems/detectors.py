"""The detectors of the table, in the order in which they are trained.

First what needs minutes and what the others are measured against, last what takes days on
a few cores. Each is trained as its document says.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from experiments.framework.channel_stores import Stores
from experiments.framework.quick import shrunk
from experiments.framework.runner import Context
from experiments.wan2023 import cells
from experiments.wan2023 import experiment as wan2023
from experiments.wan2023.cells import CHOSEN, Cell
from kerasfaces import baselines
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import registry
from kerasfaces.core.errors import OutOfBudgetError
from kerasfaces.models.presets import PRESETS
from kerasfaces.train import config as configs
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.training import Training

RATIO = (5, 1, 1)
BASES = (  # in no document: frozen under our own head
    "efficientnet_lite0",
    *(name for name, preset in PRESETS.items() if not preset.training),
)
PRETRAINED = (  # what starts from weights that are not in this repository
    "mobilenetv2",
    "resnet50",
    "resnet18",
    "deit_base_224",
    "vit_base",
    "densenet121",
    "deit_base_384",
    "resnet50_convstack",
    *BASES,
)
_QUICK_PX = 64
_BASELINES = baselines.ZOO


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detector:
    """One line of the table.

    Attributes:
        name: Name of the line.
        document: Document it is from; empty where it is ours.
        model: Its file in `kerasfaces/models` or `kerasfaces/baselines`.
        preset: How it is trained; None is `kerasfaces train`'s default.
        weights: Text of `--weights` that belongs to the name; None takes the command's.
        cell: Split seed -> training of wan2023, where it is one of those.
    """

    name: str
    document: str = ""
    model: str
    preset: str | None = None
    weights: str | None = None
    cell: Callable[[int], Cell] | None = None

    @property
    def title(self) -> str:
        """Name of the line with its document."""
        return f"{self.name} ({self.document})" if self.document else self.name

    @property
    def label(self) -> str:
        """Name of its folder."""
        words = [self.document, self.name] if self.document else [self.name]
        return "-".join(words).replace(" ", "_")

    @property
    def needs_weights(self) -> bool:
        """Whether its name promises weights that may be missing."""
        return self.weights is None and self.model in PRETRAINED


def detectors() -> list[Detector]:
    """Return all of them, the cheap and the important first."""
    return [
        *_quick_to_train(),
        *_from_random_weights(),
        *_large(),
        *_on_channels(),
        *(Detector(name=name, model=name) for name in BASES[1:]),
    ]


def configuration(
    detector: Detector, context: Context
) -> TrainConfig | BaselineConfig | None:
    """Return how a detector is trained; None where wan2023 says it."""
    if detector.cell is not None:
        return None
    if detector.model in registry.names(_BASELINES):
        baseline: BaselineConfig = registry.load(_BASELINES, detector.model).CONFIG()
        return baseline
    weights = detector.weights or context.weights[detector.model]
    config = (
        configs.preset(detector.preset, detector.model)
        if detector.preset
        else configs.default(detector.model, weights)
    )
    return smaller(config) if context.quick and weights == "none" else config


def smaller(config: TrainConfig) -> TrainConfig:
    """Return a configuration that shows that everything works, and no more."""
    model = shrunk(config.model, patch_px=_QUICK_PX // 2, filters=4)
    if hasattr(model.options, "heads"):
        model = shrunk(model, layers=2, width=48, heads=3, mlp_width=96)
        model = dataclasses.replace(model, taps=())
    model = dataclasses.replace(model, size_px=_QUICK_PX)
    return dataclasses.replace(config, model=model, epochs=1)


def train(
    detector: Detector, context: Context, stores: Stores, mask_name: str, seed: int
) -> Path:
    """Train a detector or find it trained.

    Args:
        detector: A line of the table.
        context: Context of the experiment.
        stores: Channel stores.
        mask_name: Name of the mask that cuts faces out.
        seed: Seed of the split.

    Raises:
        OutOfBudgetError: The hours are spent.
    """
    if detector.cell is not None:
        folder = wan2023.train(detector.cell(seed), context, stores, mask_name)
        if folder is None:
            raise OutOfBudgetError
        return folder
    return context.train(**_arguments(detector, context, seed))


def request(
    detector: Detector, context: Context, stores: Stores, mask_name: str, seed: int
) -> Training:
    """Return what `train` trains.

    Raises:
        OutOfBudgetError: Channels it needs are not made, and the hours are spent.
    """
    if detector.cell is not None:
        return wan2023.request(detector.cell(seed), context, stores, mask_name)
    return context.request(**_arguments(detector, context, seed))


def _arguments(detector: Detector, context: Context, seed: int) -> dict[str, Any]:
    config = configuration(detector, context)
    is_baseline = isinstance(config, BaselineConfig)
    return {
        "label": detector.label,
        "config": config,
        "ratio": RATIO,
        "seed": seed,
        "weights": "none" if is_baseline else detector.weights,
    }


def _quick_to_train() -> Iterator[Detector]:
    yield Detector(name="ours", model="mobilenetv2")
    yield _pretrained("mobilenetv2", "kabber2023")
    yield Detector(name=BASES[0], model=BASES[0])
    yield Detector(name="hog_svm", document="yu2024", model="hog_svm")
    yield _random("logistic_regression", "tian2023")
    yield _compared("dct_cnn")


def _from_random_weights() -> Iterator[Detector]:
    yield _random("modified_cnn", "yu2024")
    yield _random("two_layer_cnn", "tian2023")
    yield _random("aggregated_cnns", "tian2023")
    for model in ("resnet18", "deit_tiny_224"):
        yield Detector(
            name=f"{model} from random weights",
            model=model,
            preset="yu2024",
            weights="none",
        )


def _large() -> Iterator[Detector]:
    for name, document in (
        ("resnet50", "kabber2023"),
        ("resnet18", "yu2024"),
        ("deit_base_224", "yu2024"),
        ("resnet50_convstack", "tian2023"),
        ("densenet121", "mudgal2023"),
        ("vit_base", "mudgal2023"),
        ("deit_base_384", "mudgal2023"),
    ):
        yield _pretrained(name, document)


def _pretrained(model: str, document: str) -> Detector:
    return Detector(name=model, document=document, model=model, preset=document)


def _on_channels() -> Iterator[Detector]:
    """Yield wan2023's detector with its light classifier, and what it compares with."""
    yield _of_wan2023(
        cells.CHANNEL_MODEL,
        lambda seed: Cell(method="mobilenetv2", variant=CHOSEN, seed=seed),
    )
    for method in ("autogan_spec", "liu2022", "wang2020", "gragnaniello2021"):
        yield _compared(method)


def _random(model: str, document: str) -> Detector:
    return Detector(name=model, document=document, model=model, weights="none")


def _compared(method: str) -> Detector:
    return _of_wan2023(
        method, lambda seed: Cell(method=method, variant=None, seed=seed)
    )


def _of_wan2023(name: str, cell: Callable[[int], Cell]) -> Detector:
    model = cells.CHANNEL_MODEL if name == "liu2022" else name
    return Detector(
        name=name, document="wan2023", model=model, weights="none", cell=cell
    )
