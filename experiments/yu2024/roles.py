"""Which generators of a manifest play the document's parts; read off their names.

The document trains on StyleGAN and StyleGAN2 ("adversarial generation") and tests on
DreamBooth and LoRA ("prompt-based", both fine-tuned Stable Diffusion, although a slide
calls DreamBooth a GAN). Where those are not there, other generators of their family
stand in. Names that tell of no family play no part.
"""

import dataclasses
from collections.abc import Sequence

from experiments.yu2024.published import TYPES

GAN, DIFFUSION = "GANs", "diffusion"
_DIFFUSION = (  # vae8x is a decoder of the built-in sample
    *("diffusion", "dreambooth", "lora", "dall", "midjourney", "imagen", "flux"),
    *("text2img", "inpainting", "sdxl", "vae8x"),
)
_GAN = ("gan", "transposed_conv", "nearest_conv", "bilinear_conv")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cast:
    """Generators by the part they play.

    Attributes:
        gans: Generators to train on.
        diffusion: Generators never seen in training.
        types: `DreamBooth` and `LoRA` -> the generator in its place, as far as there is one.
        neither: Generators without a part.
    """

    gans: tuple[str, ...]
    diffusion: tuple[str, ...]
    types: dict[str, str]
    neither: tuple[str, ...]

    @property
    def notes(self) -> list[str]:
        """Return sentences for under the tables."""
        parts = [f"{GAN} (trained on): {', '.join(self.gans) or 'none'}"]
        parts.append(f"{DIFFUSION} (never seen): {', '.join(self.diffusion) or 'none'}")
        if self.neither:
            parts.append(f"without a part: {', '.join(self.neither)}")
        stand_ins = [
            f"{name} in place of {kind}."
            for kind, name in self.types.items()
            if name.lower() != kind.lower()
        ]
        return [f"Parts, by the generators' names: {'; '.join(parts)}.", *stand_ins]


def cast(names: Sequence[str]) -> Cast:
    """Return the manifest's generators by the part they play."""
    diffusion = tuple(name for name in names if _is(name, _DIFFUSION))
    gans = tuple(name for name in names if _is(name, _GAN) and name not in diffusion)
    types: dict[str, str] = {}
    free = list(diffusion)
    for kind in TYPES:  # themselves first
        own = next((name for name in free if kind.lower() in name.lower()), None)
        if own is not None:
            types[kind] = own
            free.remove(own)
    for kind in TYPES:
        if kind not in types and free:
            types[kind] = free.pop(0)
    neither = tuple(name for name in names if name not in (*gans, *diffusion))
    return Cast(
        gans=gans,
        diffusion=diffusion,
        types={kind: types[kind] for kind in TYPES if kind in types},
        neither=neither,
    )


def _is(name: str, family: Sequence[str]) -> bool:
    return any(part in name.lower() for part in family)
