"""Sizes of architectures under names of their own: data."""

import dataclasses
from collections.abc import Mapping
from typing import Any


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


def _frozen(
    file: str,
    paper: str,
    weights: str,
    sizes: Mapping[str, tuple[str, str, Mapping[str, Any]]],
    **common: Any,
) -> dict[str, Preset]:
    """Return sizes that are used frozen, as the authors of `paper` published them.

    The addresses of their weights begin with `weights`; `sizes` has by name a title, the end
    of that address and options of its own, besides the `common` ones.
    """
    return {
        name: Preset(
            file=file,
            summary=f"{title} ({paper}), frozen.",
            title=title.partition(",")[0],
            weights=weights + end,
            options={**own, **common},
        )
        for name, (title, end, own) in sizes.items()
    }


_DINOV2 = "Oquab et al. 2023, arXiv 2304.07193"
_REGISTERS = "Darcet et al. 2023, arXiv 2309.16588"
_DINOV3 = "Siméoni et al. 2025, arXiv 2508.10104"
_SIGLIP2 = "Tschannen et al. 2025, arXiv 2502.14786"
_CLIP = "Radford et al. 2021, arXiv 2103.00020"
_METACLIP2 = "Chuang et al. 2025, arXiv 2507.22062"
_MOBILENETV3 = "Howard et al. 2019, arXiv 1905.02244"
_CONVNEXT = "Liu et al. 2022, arXiv 2201.03545"
# The options' defaults are those of ViT-B.
_SMALL = {"width": 384, "heads": 6}
_LARGE = {"layers": 24, "width": 1024, "heads": 16}
_14_PX = {"patch_px": 14, "native_px": 518}
_SO400M = {"layers": 27, "width": 1152, "heads": 16, "mlp_width": 4304, "patch_px": 14}
_HUGE = {"layers": 32, "width": 1280, "heads": 16}
_GIANT = {"layers": 48, "width": 1664, "heads": 16, "mlp_width": 8192}
_KERAS = "kaggle://keras"
_MOBILE_END = "_224_1.0_float_no_top_v2.h5"

# fmt: off
_FROZEN = {
    **_frozen("dinov2", _DINOV2, f"{_KERAS}/dinov2/keras/dinov2_", {
        "dinov2_small": ("DINOv2 ViT-S/14", "small/1", _SMALL),
        "dinov2_base": ("DINOv2 ViT-B/14", "base/1", {}),
        "dinov2_large": ("DINOv2 ViT-L/14", "large/1", _LARGE),
    }, **_14_PX),
    **_frozen("dinov2", _REGISTERS, f"{_KERAS}/dinov2/keras/dinov2_with_registers_", {
        "dinov2_registers_small": ("DINOv2 ViT-S/14 with registers", "small/1", _SMALL),
        "dinov2_registers_base": ("DINOv2 ViT-B/14 with registers", "base/1", {}),
        "dinov2_registers_large": ("DINOv2 ViT-L/14 with registers", "large/1", _LARGE),
    }, **_14_PX, registers=4),
    **_frozen("dinov3", _DINOV3, f"{_KERAS}/dinov3/keras/dinov3_vit_", {
        "dinov3_small": ("DINOv3 ViT-S/16", "small_lvd1689m/1", _SMALL),
        "dinov3_base": ("DINOv3 ViT-B/16", "base_lvd1689m/1", {}),
        "dinov3_large": ("DINOv3 ViT-L/16", "large_lvd1689m/1", _LARGE),
    }),
    **_frozen("siglip", _SIGLIP2, f"{_KERAS}/siglip/keras/siglip2_", {
        "siglip2_base": ("SigLIP 2 ViT-B/16", "base_patch16_224/1", {}),
        "siglip2_large": (
            "SigLIP 2 ViT-L/16", "large_patch16_256/1", {**_LARGE, "native_px": 256}
        ),
        "siglip2_so400m": ("SigLIP 2 So400m/14", "so400m_patch14_224/1", _SO400M),
    }),
    **_frozen("clip", _CLIP, f"{_KERAS}/clip/keras/clip_vit_", {
        "clip_base_16": ("CLIP ViT-B/16", "base_patch16/3", {}),
        "clip_base_32": ("CLIP ViT-B/32", "base_patch32/3", {"patch_px": 32}),
        "clip_large_14": ("CLIP ViT-L/14", "large_patch14/3", {**_LARGE, "patch_px": 14}),
    }),
    **_frozen("clip", _METACLIP2, "hf://facebook/metaclip-2-worldwide-", {
        "metaclip2_huge": ("MetaCLIP 2 ViT-H/14", "huge-quickgelu", _HUGE),
        "metaclip2_giant": (
            "MetaCLIP 2 ViT-bigG/14, its largest", "giant", {**_GIANT, "activation": "gelu"}
        ),
    }, patch_px=14),
    **_frozen("mobilenetv3", _MOBILENETV3, "mobilenet_v3/weights_mobilenet_v3_", {
        "mobilenetv3_large": ("MobileNetV3-Large", f"large{_MOBILE_END}", {}),
        "mobilenetv3_small": ("MobileNetV3-Small", f"small{_MOBILE_END}", {}),
    }),
    **_frozen("convnext", _CONVNEXT, "convnext/convnext_", {
        "convnext_tiny": ("ConvNeXt-Tiny", "tiny_notop.h5", {}),
        "convnext_small": ("ConvNeXt-Small", "small_notop.h5", {}),
        "convnext_base": ("ConvNeXt-Base", "base_notop.h5", {}),
    }),
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
