"""The names of all architectures: files of `zoo/`, and presets, which are data."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from kerasfaces.core import registry

ZOO = "kerasfaces.models.zoo"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """One size of an architecture under a name of its own.

    Attributes:
        file: File in `zoo/` with `of_preset(preset)`.
        summary: One line for listings.
        title: For messages.
        training: The published training that is its default, in `train/presets`.
        weights: keras-hub's ImageNet weights on Kaggle, as
            `owner/model/framework/variation/version`.
        options: Values of the architecture's options.
    """

    file: str
    summary: str
    title: str
    training: str
    weights: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


PRESETS = {
    "deit_base_224": Preset(
        file="transformer",
        summary="DeiT-base distilled, 224 px (Touvron et al. 2021): yu2024's modified DeiT.",
        title="DeiT-base distilled, 224 px",
        training="yu2024",
        weights="keras/deit/keras/deit_base_distilled_patch16_224_imagenet/1",
    ),
    "deit_base_384": Preset(
        file="transformer",
        summary="DeiT-base distilled, 384 px (Touvron et al. 2021, arXiv 2012.12877): "
        "mudgal2023's best.",
        title="DeiT-base distilled, 384 px",
        training="mudgal2023",
        weights="keras/deit/keras/deit_base_distilled_patch16_384_imagenet/1",
    ),
    "deit_tiny_224": Preset(
        file="transformer",
        summary="DeiT-tiny distilled, 224 px (Touvron et al. 2021): in no document, small "
        "enough to train.",
        title="DeiT-tiny distilled, 224 px",
        training="yu2024",
        weights="keras/deit/keras/deit_tiny_distilled_patch16_224_imagenet/1",
        options={"width": 192, "heads": 3},
    ),
    "vit_base": Preset(
        file="transformer",
        summary="ViT-base, 224 px, patches of 16 (Dosovitskiy et al. 2021, arXiv "
        "2010.11929): mudgal2023's ViT.",
        title="ViT-base, 224 px",
        training="mudgal2023",
        weights="keras/vit/keras/vit_base_patch16_224_imagenet/4",
    ),
}


def names() -> list[str]:
    """Return the sorted names of all architectures."""
    files = {preset.file for preset in PRESETS.values()}
    return sorted([*PRESETS, *(set(registry.names(ZOO)) - files)])


def plugin(name: str) -> Any:
    """Import an architecture by name; `catalogue.load` says of what type it is.

    Raises:
        InputError: There is no such name; the message lists those that exist.
    """
    registry.check("model", name, names())
    if name in PRESETS:
        preset = PRESETS[name]
        return registry.load(ZOO, preset.file).of_preset(preset)
    return registry.load(ZOO, name).ARCHITECTURE
