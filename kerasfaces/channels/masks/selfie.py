"""Mask `selfie`: the person by MediaPipe's selfie segmentation, the head of it by default.

A small network (0.1 million weights) that needs neither torch nor a checkpoint of hundreds of
megabytes. It finds persons, shoulders and all; `region="head"` keeps what lies in an ellipse
round the head (`_contract.ellipse`), `person` all of it. Its weights are no part of
kerasfaces: see `graphs/collection.py`.
"""

import dataclasses
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import faces
from kerasfaces.channels.masks import _contract
from kerasfaces.channels.masks._contract import Mask
from kerasfaces.core.errors import InputError
from kerasfaces.faces import Face
from kerasfaces.graphs import collection

_SIDE_PX = 256
_HEAD = 1.7, 2.4, -0.1  # half width, half height, shift: as `grabcut` and `sam`


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Where the weights are, and what is kept.

    Attributes:
        weights: Folder with selfie.json and selfie.bin; empty: the cache's `annotators`.
        region: `head`, or the whole `person`.
        min_share: Probability of a person from which a pixel is kept, 0..1.
        download: Whether the two files may be fetched where they are not.
    """

    weights: str = ""
    region: Literal["head", "person"] = "head"
    min_share: float = 0.5
    download: bool = False


class Selfie:
    """The network, on the whole picture."""

    needs_faces = True

    def __init__(self, options: Options) -> None:
        self._options = options
        folder = Path(options.weights) if options.weights else None
        self._path = collection.find(
            "selfie", folder, download=options.download, owner="selfie"
        )
        self.made_by = {
            "faces": faces.recipe(),
            "graph": collection.GRAPHS["selfie"].digest,
        }

    def compute(self, image: NDArray[np.uint8], face: Face | None) -> NDArray[np.bool_]:
        """Return the person or the head, `(h, w)`."""
        face = _contract.require(face)
        height, width = image.shape[:2]
        picture = Image.fromarray(image).resize((_SIDE_PX, _SIDE_PX))
        run = collection.open_graph(self._path, "selfie")
        (person,) = run(np.asarray(picture)[np.newaxis])
        share = Image.fromarray(person[0, 0].astype(np.float32))
        share = share.resize((width, height), Image.Resampling.BILINEAR)
        mask = np.asarray(share) >= self._options.min_share
        if self._options.region == "head":
            mask = mask & _contract.ellipse((height, width), face, *_HEAD)
        return _contract.check(mask, face)


def build(options: Options) -> Mask:
    """Return the mask."""
    if not 0 < options.min_share < 1:
        raise InputError(
            f"selfie: expected min_share between 0 and 1, got {options.min_share}."
        )
    return Selfie(options)
