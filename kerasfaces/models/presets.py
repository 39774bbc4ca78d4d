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
    "dinov2_small": Preset(
        file="dinov2",
        summary="DINOv2 ViT-S/14 (Oquab et al. 2023, arXiv 2304.07193), frozen.",
        title="DINOv2 ViT-S/14",
        weights="kaggle://keras/dinov2/keras/dinov2_small/1",
        options={"width": 384, "heads": 6, "patch_px": 14, "native_px": 518},
    ),
    "dinov2_registers_small": Preset(
        file="dinov2",
        summary="DINOv2 ViT-S/14 with registers (Darcet et al. 2023, arXiv 2309.16588), frozen.",
        title="DINOv2 ViT-S/14 with registers",
        weights="kaggle://keras/dinov2/keras/dinov2_with_registers_small/1",
        options={
            "width": 384,
            "heads": 6,
            "patch_px": 14,
            "native_px": 518,
            "registers": 4,
        },
    ),
    "dinov3_small": Preset(
        file="dinov3",
        summary="DINOv3 ViT-S/16 (Siméoni et al. 2025, arXiv 2508.10104), frozen.",
        title="DINOv3 ViT-S/16",
        weights="kaggle://keras/dinov3/keras/dinov3_vit_small_lvd1689m/1",
        options={"width": 384, "heads": 6},
    ),
    "dinov2_base": Preset(
        file="dinov2",
        summary="DINOv2 ViT-B/14 (Oquab et al. 2023, arXiv 2304.07193), frozen.",
        title="DINOv2 ViT-B/14",
        weights="kaggle://keras/dinov2/keras/dinov2_base/1",
        options={"patch_px": 14, "native_px": 518},
    ),
    "dinov2_registers_base": Preset(
        file="dinov2",
        summary="DINOv2 ViT-B/14 with registers (Darcet et al. 2023, arXiv 2309.16588), frozen.",
        title="DINOv2 ViT-B/14 with registers",
        weights="kaggle://keras/dinov2/keras/dinov2_with_registers_base/1",
        options={"patch_px": 14, "native_px": 518, "registers": 4},
    ),
    "dinov3_base": Preset(
        file="dinov3",
        summary="DINOv3 ViT-B/16 (Siméoni et al. 2025, arXiv 2508.10104), frozen.",
        title="DINOv3 ViT-B/16",
        weights="kaggle://keras/dinov3/keras/dinov3_vit_base_lvd1689m/1",
    ),
    "dinov2_large": Preset(
        file="dinov2",
        summary="DINOv2 ViT-L/14 (Oquab et al. 2023, arXiv 2304.07193), frozen.",
        title="DINOv2 ViT-L/14",
        weights="kaggle://keras/dinov2/keras/dinov2_large/1",
        options={
            "layers": 24,
            "width": 1024,
            "heads": 16,
            "patch_px": 14,
            "native_px": 518,
        },
    ),
    "dinov2_registers_large": Preset(
        file="dinov2",
        summary="DINOv2 ViT-L/14 with registers (Darcet et al. 2023, arXiv 2309.16588), frozen.",
        title="DINOv2 ViT-L/14 with registers",
        weights="kaggle://keras/dinov2/keras/dinov2_with_registers_large/1",
        options={
            "layers": 24,
            "width": 1024,
            "heads": 16,
            "patch_px": 14,
            "native_px": 518,
            "registers": 4,
        },
    ),
    "dinov3_large": Preset(
        file="dinov3",
        summary="DINOv3 ViT-L/16 (Siméoni et al. 2025, arXiv 2508.10104), frozen.",
        title="DINOv3 ViT-L/16",
        weights="kaggle://keras/dinov3/keras/dinov3_vit_large_lvd1689m/1",
        options={"layers": 24, "width": 1024, "heads": 16},
    ),
    "siglip2_base": Preset(
        file="siglip",
        summary="SigLIP 2 ViT-B/16 (Tschannen et al. 2025, arXiv 2502.14786), frozen.",
        title="SigLIP 2 ViT-B/16",
        weights="kaggle://keras/siglip/keras/siglip2_base_patch16_224/1",
    ),
    "siglip2_large": Preset(
        file="siglip",
        summary="SigLIP 2 ViT-L/16 (Tschannen et al. 2025, arXiv 2502.14786), frozen.",
        title="SigLIP 2 ViT-L/16",
        weights="kaggle://keras/siglip/keras/siglip2_large_patch16_256/1",
        options={"layers": 24, "width": 1024, "heads": 16, "native_px": 256},
    ),
    "siglip2_so400m": Preset(
        file="siglip",
        summary="SigLIP 2 So400m/14 (Tschannen et al. 2025, arXiv 2502.14786), frozen.",
        title="SigLIP 2 So400m/14",
        weights="kaggle://keras/siglip/keras/siglip2_so400m_patch14_224/1",
        options={
            "layers": 27,
            "width": 1152,
            "heads": 16,
            "mlp_width": 4304,
            "patch_px": 14,
        },
    ),
    "clip_base_16": Preset(
        file="clip",
        summary="CLIP ViT-B/16 (Radford et al. 2021, arXiv 2103.00020), frozen.",
        title="CLIP ViT-B/16",
        weights="kaggle://keras/clip/keras/clip_vit_base_patch16/3",
    ),
    "clip_base_32": Preset(
        file="clip",
        summary="CLIP ViT-B/32 (Radford et al. 2021, arXiv 2103.00020), frozen.",
        title="CLIP ViT-B/32",
        weights="kaggle://keras/clip/keras/clip_vit_base_patch32/3",
        options={"patch_px": 32},
    ),
    "clip_large_14": Preset(
        file="clip",
        summary="CLIP ViT-L/14 (Radford et al. 2021, arXiv 2103.00020), frozen.",
        title="CLIP ViT-L/14",
        weights="kaggle://keras/clip/keras/clip_vit_large_patch14/3",
        options={"layers": 24, "width": 1024, "heads": 16, "patch_px": 14},
    ),
    "metaclip2_huge": Preset(
        file="clip",
        summary="MetaCLIP 2 ViT-H/14 (Chuang et al. 2025, arXiv 2507.22062), frozen.",
        title="MetaCLIP 2 ViT-H/14",
        weights="hf://facebook/metaclip-2-worldwide-huge-quickgelu",
        options={"layers": 32, "width": 1280, "heads": 16, "patch_px": 14},
    ),
    "metaclip2_giant": Preset(
        file="clip",
        summary="MetaCLIP 2 ViT-bigG/14, its largest (Chuang et al. 2025, arXiv 2507.22062), frozen.",
        title="MetaCLIP 2 ViT-bigG/14",
        weights="hf://facebook/metaclip-2-worldwide-giant",
        options={
            "layers": 48,
            "width": 1664,
            "heads": 16,
            "mlp_width": 8192,
            "patch_px": 14,
            "activation": "gelu",
        },
    ),
    "mobilenetv3_large": Preset(
        file="mobilenetv3",
        summary="MobileNetV3-Large (Howard et al. 2019, arXiv 1905.02244), frozen.",
        title="MobileNetV3-Large",
        weights="mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    ),
    "mobilenetv3_small": Preset(
        file="mobilenetv3",
        summary="MobileNetV3-Small (Howard et al. 2019, arXiv 1905.02244), frozen.",
        title="MobileNetV3-Small",
        weights="mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    ),
    "convnext_tiny": Preset(
        file="convnext",
        summary="ConvNeXt-Tiny (Liu et al. 2022, arXiv 2201.03545), frozen.",
        title="ConvNeXt-Tiny",
        weights="convnext/convnext_tiny_notop.h5",
    ),
    "convnext_small": Preset(
        file="convnext",
        summary="ConvNeXt-Small (Liu et al. 2022, arXiv 2201.03545), frozen.",
        title="ConvNeXt-Small",
        weights="convnext/convnext_small_notop.h5",
    ),
    "convnext_base": Preset(
        file="convnext",
        summary="ConvNeXt-Base (Liu et al. 2022, arXiv 2201.03545), frozen.",
        title="ConvNeXt-Base",
        weights="convnext/convnext_base_notop.h5",
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
