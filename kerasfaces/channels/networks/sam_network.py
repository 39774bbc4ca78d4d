"""Segment Anything: pictures and points enter, scored candidate masks leave.

Kirillov et al., "Segment Anything", 2023 (arXiv 2304.02643), with the networks of the
authors' package and their checkpoints; MobileSAM (Zhang et al., arXiv 2306.14289) with
TinyViT as its encoder. Resizing, padding and scaling of points are as in the package's
`SamPredictor`; only the image encoder, which takes nearly all the time, runs in the
engine of `networks/engine.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from kerasfaces.channels.networks import sam_import, state_dicts
from kerasfaces.channels.networks.engine import Engine, Precision, Runner
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

# Variant -> package, and the encoder's width, which tells a file's.
VARIANTS = {
    "vit_b": ("segment_anything", 768),
    "vit_l": ("segment_anything", 1024),
    "vit_h": ("segment_anything", 1280),
    "vit_t": ("mobile_sam", 320),
}
_WIDTHS = (
    "image_encoder.patch_embed.proj.bias",
    "image_encoder.layers.3.blocks.0.attn.norm.weight",  # TinyViT
)


def build(variant: str) -> tuple[nn.Module, str]:
    """Return a network with random weights, and its package's name and version."""
    package = VARIANTS[variant][0]
    module, version = sam_import.load(package)
    network: nn.Module = module.sam_model_registry[variant]()
    return network.eval(), f"{package} {version}"


def load(path: Path, variant: str) -> tuple[nn.Module, str]:
    """Return a network with a checkpoint's weights, all of them and no others.

    Raises:
        MissingFileError: There is no such file.
        InputError: The file is damaged, or of another variant.
        MissingExtraError: The variant's package is not installed.
    """
    state = state_dicts.read(path)
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise InputError(
                f"{path}: expected a state dict of tensors, got {quoted(name)} that is none; "
                "give a published SAM checkpoint."
            )
    _check_variant(state, path, variant)
    network, package = build(variant)
    faults = state_dicts.faults(state, network.state_dict())
    if faults:
        raise InputError(
            f"{path} does not fit SAM {variant}: {state_dicts.first(faults, 2)}; give "
            "the published checkpoint of that variant."
        )
    network.load_state_dict(state, strict=True)
    return network, package


def _check_variant(state: Mapping[str, Tensor], path: Path, variant: str) -> None:
    widths = [state[name].shape[0] for name in _WIDTHS if name in state]
    for name, (_, width) in VARIANTS.items():
        if widths[:1] == [width] and name != variant:
            raise InputError(
                f"{path} holds SAM {name}, but {variant} was asked for; set "
                f"sam.variant={name}, or give the checkpoint of {variant}."
            )


class Encoder(nn.Module):
    """The image encoder with its preparation.

    `(1, side, side, 4)` uint8 enters: the picture in the top left, and as fourth channel
    1 where there is picture, 0 where there is padding (which the network wants to be 0
    *after* normalising). One shape serves all pictures, and one conversion of the
    network. `(1, side / 16, side / 16, 256)` float32 leaves.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, sam: Any) -> None:
        super().__init__()
        self.side = int(sam.image_encoder.img_size)
        self.encoder = sam.image_encoder
        self.register_buffer("mean", sam.pixel_mean.reshape(1, 3, 1, 1).clone())
        self.register_buffer("deviation", sam.pixel_std.reshape(1, 3, 1, 1).clone())

    def padded(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return `(h, w, 3)`, its longer side `side`, as `forward` wants it."""
        height, width = image.shape[:2]
        square = np.zeros((1, self.side, self.side, 4), np.uint8)
        square[0, :height, :width, :3] = image
        square[0, :height, :width, 3] = 1
        return square

    def forward(self, images: Tensor) -> Tensor:
        """Return the image's embedding, channels last."""
        x = images.permute(0, 3, 1, 2).float()
        x = (x[:, :3] - self.mean) / self.deviation * x[:, 3:]
        embedding: Tensor = self.encoder(x).permute(0, 2, 3, 1)
        return embedding


class Segmenter:
    """A network ready for pictures and points.

    Attributes:
        runner: The encoder in its engine.
    """

    def __init__(
        self, network: nn.Module, engine: Engine = "auto", precision: Precision = "f32"
    ) -> None:
        """Prepare a network; `engine` and `precision` as in `Runner`."""
        self._sam: Any = network
        self._encoder = Encoder(network)
        self.runner = Runner(self._encoder, engine, precision, "sam.engine")

    def candidates(
        self,
        image: NDArray[np.uint8],
        points: NDArray[np.float64],
        wanted: NDArray[np.bool_],
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return what the points may mean.

        Args:
            image: `(h, w, 3)` uint8, sRGB.
            points: `(n, 2)` x, y in the image's pixels.
            wanted: `(n,)` whether each is on the object, or else on the background.

        Returns:
            Masks `(4, h, w)` bool: the answer for a prompt that is not ambiguous, then
            part, whole and larger whole; and the network's estimate of each one's
            intersection over union, `(4,)`.
        """
        height, width = image.shape[:2]
        scale = self._encoder.side / max(height, width)
        size = (int(height * scale + 0.5), int(width * scale + 0.5))
        resized = Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)
        embedding = self.runner(self._encoder.padded(np.asarray(resized)))
        ratio = np.array([size[1] / width, size[0] / height])
        prompt = torch.from_numpy(points * ratio)[None].float()
        labels = torch.from_numpy(wanted)[None].int()
        with torch.no_grad():
            sparse, dense = self._sam.prompt_encoder(
                points=(prompt, labels), boxes=None, masks=None
            )
            low, scores = self._sam.mask_decoder.predict_masks(
                image_embeddings=torch.from_numpy(embedding).permute(0, 3, 1, 2),
                image_pe=self._sam.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
            )
            logits = self._sam.postprocess_masks(low, size, (height, width))[0]
        masks: NDArray[np.bool_] = (logits > self._sam.mask_threshold).numpy()
        return masks, scores[0].double().numpy()
