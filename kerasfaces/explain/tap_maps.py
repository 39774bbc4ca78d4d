"""Maps of the layers that feed the head: do they lie on the image, and as large as it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import InputError
from kerasfaces.explain.contract import Map
from kerasfaces.explain.network import Network
from kerasfaces.explain.subjects import Subject
from kerasfaces.models.zoo.autogan_spec import LogSpectrum
from kerasfaces.models.zoo.dct_cnn import LogDct


def require_maps(subject: Subject, method: str) -> Network:
    """Return a network whose taps hold maps that lie on the image, no tokens and no spectrum."""
    network = subject.network_for(method)
    sides = [each.input.shape[1:3] for each in network.poolings]
    why = ""
    if any(isinstance(layer, LogDct | LogSpectrum) for layer in network.model.layers):
        why = "sees a spectrum, whose positions are frequencies"
    elif any(height != width or height in (None, 1) for height, width in sides):
        why = "has no maps that lie on the image, but tokens or patches"
    if why:
        raise InputError(
            f"{method} cannot explain {subject.name}: {subject.kind} {why}. Give "
            "`method='occlusion'` or `method='integrated_gradients'`."
        )
    return network


def enlarged(cells: Map, size_px: int) -> NDArray[np.float64]:
    """Return logit per position as logit per pixel, bilinear, of the same sum."""
    size = (size_px, size_px)
    image = Image.fromarray(cells)  # 32-bit float
    out = np.asarray(image.resize(size, Image.Resampling.BILINEAR), np.float64)
    out *= cells.size / out.size
    out += (float(cells.sum(dtype=np.float64)) - float(out.sum())) / out.size
    return out
