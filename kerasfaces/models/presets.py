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
        weights: Where its weights are published, in the words of `file`: on Kaggle
            `owner/model/framework/variation/version`, on Keras' server `folder/file`,
            or an address (`hf://`, `kaggle://`).
        options: Values of the architecture's options.
    """

    file: str
    summary: str
    title: str
    training: str = ""
    weights: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def _frozen(file: str, title: str, paper: str, weights: str, **options: Any) -> Preset:
    """Return a size that is used frozen, as its authors published it."""
    return Preset(
        file=file,
        summary=f"{title} ({paper}), frozen.",
        title=title.partition(",")[0],
        weights=weights,
        options=options,
    )


_DINOV2 = "Oquab et al. 2023, arXiv 2304.07193"
_REGISTERS = "Darcet et al. 2023, arXiv 2309.16588"
_DINOV3 = "Siméoni et al. 2025, arXiv 2508.10104"
_SIGLIP2 = "Tschannen et al. 2025, arXiv 2502.14786"
_CLIP = "Radford et al. 2021, arXiv 2103.00020"
_METACLIP2 = "Chuang et al. 2025, arXiv 2507.22062"
_MOBILENETV3 = "Howard et al. 2019, arXiv 1905.02244"
_CONVNEXT = "Liu et al. 2022, arXiv 2201.03545"
_KERAS = "kaggle://keras"
# The options' defaults are those of ViT-B.
_SMALL = {"width": 384, "heads": 6}
_LARGE = {"layers": 24, "width": 1024, "heads": 16}
_14_PX = {"patch_px": 14, "native_px": 518}
_MOBILE_FILE = "mobilenet_v3/weights_mobilenet_v3_{}_224_1.0_float_no_top_v2.h5"

# fmt: off
_FROZEN = {
    "dinov2_small": _frozen(
        "dinov2", "DINOv2 ViT-S/14", _DINOV2,
        f"{_KERAS}/dinov2/keras/dinov2_small/1", **_SMALL, **_14_PX,
    ),
    "dinov2_base": _frozen(
        "dinov2", "DINOv2 ViT-B/14", _DINOV2,
        f"{_KERAS}/dinov2/keras/dinov2_base/1", **_14_PX,
    ),
    "dinov2_large": _frozen(
        "dinov2", "DINOv2 ViT-L/14", _DINOV2,
        f"{_KERAS}/dinov2/keras/dinov2_large/1", **_LARGE, **_14_PX,
    ),
    "dinov2_registers_small": _frozen(
        "dinov2", "DINOv2 ViT-S/14 with registers", _REGISTERS,
        f"{_KERAS}/dinov2/keras/dinov2_with_registers_small/1",
        **_SMALL, **_14_PX, registers=4,
    ),
    "dinov2_registers_base": _frozen(
        "dinov2", "DINOv2 ViT-B/14 with registers", _REGISTERS,
        f"{_KERAS}/dinov2/keras/dinov2_with_registers_base/1", **_14_PX, registers=4,
    ),
    "dinov2_registers_large": _frozen(
        "dinov2", "DINOv2 ViT-L/14 with registers", _REGISTERS,
        f"{_KERAS}/dinov2/keras/dinov2_with_registers_large/1",
        **_LARGE, **_14_PX, registers=4,
    ),
    "dinov3_small": _frozen(
        "dinov3", "DINOv3 ViT-S/16", _DINOV3,
        f"{_KERAS}/dinov3/keras/dinov3_vit_small_lvd1689m/1", **_SMALL,
    ),
    "dinov3_base": _frozen(
        "dinov3", "DINOv3 ViT-B/16", _DINOV3,
        f"{_KERAS}/dinov3/keras/dinov3_vit_base_lvd1689m/1",
    ),
    "dinov3_large": _frozen(
        "dinov3", "DINOv3 ViT-L/16", _DINOV3,
        f"{_KERAS}/dinov3/keras/dinov3_vit_large_lvd1689m/1", **_LARGE,
    ),
    "siglip2_base": _frozen(
        "siglip", "SigLIP 2 ViT-B/16", _SIGLIP2,
        f"{_KERAS}/siglip/keras/siglip2_base_patch16_224/1",
    ),
    "siglip2_large": _frozen(
        "siglip", "SigLIP 2 ViT-L/16", _SIGLIP2,
        f"{_KERAS}/siglip/keras/siglip2_large_patch16_256/1", **_LARGE, native_px=256,
    ),
    "siglip2_so400m": _frozen(
        "siglip", "SigLIP 2 So400m/14", _SIGLIP2,
        f"{_KERAS}/siglip/keras/siglip2_so400m_patch14_224/1",
        layers=27, width=1152, heads=16, mlp_width=4304, patch_px=14,
    ),
    "clip_base_16": _frozen(
        "clip", "CLIP ViT-B/16", _CLIP, f"{_KERAS}/clip/keras/clip_vit_base_patch16/3"
    ),
    "clip_base_32": _frozen(
        "clip", "CLIP ViT-B/32", _CLIP,
        f"{_KERAS}/clip/keras/clip_vit_base_patch32/3", patch_px=32,
    ),
    "clip_large_14": _frozen(
        "clip", "CLIP ViT-L/14", _CLIP,
        f"{_KERAS}/clip/keras/clip_vit_large_patch14/3", **_LARGE, patch_px=14,
    ),
    "metaclip2_huge": _frozen(
        "clip", "MetaCLIP 2 ViT-H/14", _METACLIP2,
        "hf://facebook/metaclip-2-worldwide-huge-quickgelu",
        layers=32, width=1280, heads=16, patch_px=14,
    ),
    "metaclip2_giant": _frozen(
        "clip", "MetaCLIP 2 ViT-bigG/14, its largest", _METACLIP2,
        "hf://facebook/metaclip-2-worldwide-giant", layers=48, width=1664, heads=16,
        mlp_width=8192, patch_px=14, activation="gelu",
    ),
    "mobilenetv3_large": _frozen(
        "mobilenetv3", "MobileNetV3-Large", _MOBILENETV3, _MOBILE_FILE.format("large")
    ),
    "mobilenetv3_small": _frozen(
        "mobilenetv3", "MobileNetV3-Small", _MOBILENETV3, _MOBILE_FILE.format("small")
    ),
    "convnext_tiny": _frozen(
        "convnext", "ConvNeXt-Tiny", _CONVNEXT, "convnext/convnext_tiny_notop.h5"
    ),
    "convnext_small": _frozen(
        "convnext", "ConvNeXt-Small", _CONVNEXT, "convnext/convnext_small_notop.h5"
    ),
    "convnext_base": _frozen(
        "convnext", "ConvNeXt-Base", _CONVNEXT, "convnext/convnext_base_notop.h5"
    ),
}
# fmt: on

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
    **_FROZEN,
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
