"""Segment Anything: pictures and points enter, scored candidate masks leave.

Kirillov et al., "Segment Anything", 2023 (arXiv 2304.02643), with the networks of the
authors' package and their checkpoints; MobileSAM (Zhang et al., arXiv 2306.14289) with
TinyViT as its encoder. Resizing, padding and scaling of points are as in the package's
`SamPredictor`; only the image encoder, which takes nearly all the time, runs in the
engine of `networks/engine.py`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from kerasfaces.channels.networks import sam_import, torch_file
from kerasfaces.channels.networks.engine import Engine, Precision, Runner
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

# Variant -> package, its registry's name, and the encoder's width, which tells a file's.
VARIANTS = {
    "vit_b": ("segment_anything", "vit_b", 768),
    "vit_l": ("segment_anything", "vit_l", 1024),
    "vit_h": ("segment_anything", "vit_h", 1280),
    "vit_t": ("mobile_sam", "vit_t", 320),
}
_WIDTHS = (
    "image_encoder.patch_embed.proj.bias",
    "image_encoder.layers.3.blocks.0.attn.norm.weight",  # TinyViT
)


def build(variant: str) -> tuple[nn.Module, str]:
    """Return a network with random weights, and its package's name and version."""
    package, name, _ = VARIANTS[variant]
    module, version = sam_import.load(package)
    make: Callable[[], nn.Module] = module.sam_model_registry[name]
    return make().eval(), f"{package} {version}"


def load(path: Path, variant: str) -> tuple[nn.Module, str]:
    """Return a network with a checkpoint's weights, all of them and no others.

    Only tensors are unpickled, never code.

    Raises:
        MissingFileError: There is no such file.
        InputError: The file is damaged, or of another variant.
        MissingExtraError: The variant's package is not installed.
    """
    state = _read(path)
    _check_variant(state, path, variant)
    network, package = build(variant)
    expected = network.state_dict()
    faults = [
        *(f"{name} is missing" for name in expected if name not in state),
        *(f"{name} is unknown" for name in state if name not in expected),
        *(
            f"{name} is {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in state and state[name].shape != tensor.shape
        ),
    ]
    if faults:
        more = f" and {len(faults) - 2} more" if len(faults) > 2 else ""
        raise InputError(
            f"{path} does not fit SAM {variant}: {'; '.join(faults[:2])}{more}; give "
            "the published checkpoint of that variant."
        )
    network.load_state_dict(state, strict=True)
    return network, package


def _read(path: Path) -> dict[str, Tensor]:
    state = torch_file.read(path)
    others = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise InputError(
            f"{path}: expected a state dict of tensors, got {quoted(others[0])} that is none; "
            "give a published SAM checkpoint."
        )
    return dict(state)


def _check_variant(state: Mapping[str, Tensor], path: Path, variant: str) -> None:
    widths = [state[name].shape[0] for name in _WIDTHS if name in state]
    found = [name for name, known in VARIANTS.items() if [known[2]] == widths[:1]]
    if found and found[0] != variant:
        raise InputError(
            f"{path} holds SAM {found[0]}, but {variant} was asked for; set "
            f"sam.variant={found[0]}, or give the checkpoint of {variant}."
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
        """Take the encoder out of a network."""
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
        """Prepare a network; `engine` and `precision` as in `parts.engine.Runner`."""
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
        with torch.no_grad():
            low, scores = self._decode(
                torch.from_numpy(embedding).permute(0, 3, 1, 2),
                torch.from_numpy(points * ratio)[None].float(),
                torch.from_numpy(wanted)[None].int(),
            )
            logits = self._sam.postprocess_masks(low, size, (height, width))[0]
        masks: NDArray[np.bool_] = (logits > self._sam.mask_threshold).numpy()
        return masks, scores[0].double().numpy()

    def _decode(
        self, embedding: Tensor, points: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        sparse, dense = self._sam.prompt_encoder(
            points=(points, labels), boxes=None, masks=None
        )
        low, scores = self._sam.mask_decoder.predict_masks(
            image_embeddings=embedding,
            image_pe=self._sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
        )
        return low, scores
