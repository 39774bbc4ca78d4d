"""Mask `sam`: the face by Segment Anything, prompted with points, as wan2023 does it.

Eyes, nose and mouth are points on the object; the picture's corners
and sides, where they are well away from the head, are points on the background. Of the
network's candidate masks the one kept has the greatest product of: its estimated
intersection over union, the share of landmarks on it, the share of background points
off it. A candidate that does not hold the face is none.
"""

import dataclasses
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kerasfaces import faces
from kerasfaces.channels.masks import _contract
from kerasfaces.channels.masks._contract import Mask
from kerasfaces.channels.networks import checkpoints
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.imports import optional_import
from kerasfaces.faces import Face

_CHECKPOINTS = {
    "vit_b": "sam_vit_b",
    "vit_l": "sam_vit_l",
    "vit_h": "sam_vit_h",
    "vit_t": "mobile_sam",
}
# Shares of width and height: the corners, and both sides.
_BACKGROUND = ((0, 0), (1, 0), (0, 1), (1, 1), (0, 0.25), (1, 0.25), (0, 0.6), (1, 0.6))
_INSET = 0.02  # of the side


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Which network, from where, and how it is run.

    Attributes:
        variant: Of Segment Anything; `vit_t` is MobileSAM (package mobilesam-mirror).
        checkpoint: A file; empty: the variant's published file in the cache folder.
        download: Whether the published file may be fetched where it is not there.
        engine: See `networks/engine.py`; the recipe names it.
        precision: `bf16` is twice as fast where the processor has it, and moves the
            mask's edge.
    """

    variant: Literal["vit_b", "vit_l", "vit_h", "vit_t"] = "vit_b"
    checkpoint: str = ""
    download: bool = False
    engine: Literal["auto", "torch", "openvino"] = "auto"
    precision: Literal["f32", "bf16"] = "f32"


class Sam:
    """Segment Anything, prompted by the landmarks."""

    needs_faces = True

    def __init__(self, options: Options) -> None:
        name = _CHECKPOINTS[options.variant]
        file = checkpoints.find(
            options.checkpoint or name, download=options.download, option="sam.download"
        )
        if file.name and file.name != name:
            raise InputError(
                f"{file.path} is the checkpoint {file.name}, but sam.variant is "
                f"{options.variant}, which takes {name}; change one of the two."
            )
        optional_import("torch", "channels")
        from kerasfaces.channels.networks import sam_network

        network, package = sam_network.load(file.path, options.variant)
        self._segmenter = sam_network.Segmenter(
            network, options.engine, options.precision
        )
        self.made_by: dict[str, Any] = {
            "faces": faces.recipe(),
            "checkpoint": file.sha256,
            "package": package,
            "engine": self._segmenter.runner.name,
        }

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return the best candidate, `(h, w)`."""
        face = _contract.require(face)
        background = background_points(image.shape[:2], face)
        points = np.concatenate([face.inner, background])
        wanted = np.arange(len(points)) < len(face.inner)
        masks, estimates = self._segmenter.candidates(image, points, wanted)
        return best(masks, estimates, face, background)


def background_points(shape: tuple[int, ...], face: Face) -> NDArray[np.float64]:
    """Return points (x, y) at the picture's rim that are well away from the head."""
    share = np.array(_BACKGROUND) * (1 - 2 * _INSET) + _INSET
    points = share * shape[::-1]
    near = _contract.ellipse(shape, face, 1.7, 2.4, -0.1)
    far = [p for p in points if not _contract.share_inside(near, p[None])]
    return np.array(far).reshape(-1, 2)


def best(
    masks: NDArray[np.bool_],
    estimates: NDArray[np.float64],
    face: Face,
    background: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return the best of several masks `(n, h, w)`.

    It holds the face, and as few as possible of the `background` points `(m, 2)`;
    `estimates` `(n,)` are the network's own opinion of each.

    Raises:
        ImageError: None of them holds the face.
    """

    def score(pair: tuple[NDArray[np.bool_], float]) -> float:
        mask, estimate = pair
        inside = _contract.share_inside(mask, face.inner)
        outside = 1.0
        if len(background):
            outside -= _contract.share_inside(mask, background)
        return max(float(estimate), 0.0) * inside * outside

    pairs = zip(masks, estimates, strict=True)
    holding = [pair for pair in pairs if _contract.covers(pair[0], face)]
    if not holding:
        raise ImageError(_contract.MISSED)
    chosen: NDArray[np.bool_] = max(holding, key=score)[0]
    return chosen


def build(options: Options) -> Mask:
    """Return the mask."""
    return Sam(options)
