"""Landmarks: 468 points of the face and 10 of the irises, by MediaPipe's two networks.

Kartynnik, Ablavatski, Grishchenko and Grundmann, "Real-time Facial Surface Geometry from
Monocular Video on Mobile GPUs", 2019 (arXiv 1907.06724); Ablavatski et al., "Real-time Pupil
Tracking from Monocular Video for Digital Puppetry", 2020 (arXiv 2006.11341). It fills no
column: its points, x and y in pixels and a relative depth, go to the `.npz`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.annotate.views import View
from kerasfaces.core.errors import ImageError
from kerasfaces.faces import Face
from kerasfaces.graphs import collection

SOURCE = collection.GRAPHS["facemesh"].source
LICENCE = collection.GRAPHS["facemesh"].licence
PUBLISHED = (
    "3.96 % of the distance between the eyes, mean absolute error (arXiv 1907.06724)"
)
VERSION = 2
ATTRIBUTES: tuple[Attribute, ...] = ()
LANDMARKS = (478, 3)
NOT_A_FACE = "the landmarks' network sees no face there"
_MESH_PX, _EYE_PX = 192, 64
_ROOM, _EYE_ROOM = 1.5, 2.3  # side of what is cut out over the box, an eye's width
_LEAST_SCORE = 0.5
_EYES = ((33, 133), (362, 263))  # corners of the eye on the viewer's left, then right
_N_CONTOUR, _N_IRIS = 71, 5


class FaceMesh:
    """Both networks: the face, its eyes level, then each eye."""

    size = LANDMARKS[0] * LANDMARKS[1]

    def __init__(self, weights: Weights) -> None:
        self._paths = {
            name: collection.find(name, weights.folder, download=weights.download)
            for name in ("facemesh", "iris")
        }
        self.made_by: Mapping[str, Any] = {
            name: collection.GRAPHS[name].digest for name in self._paths
        }

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the points, `(478 * 3,)`."""
        picture = Image.fromarray(image)
        left, top, right, bottom = face.box
        middle = np.array([left + right, top + bottom]) / 2
        across = np.array(face.landmarks[1]) - np.array(face.landmarks[0])
        view = View.around(
            middle, across, _ROOM * max(right - left, bottom - top), _MESH_PX
        )
        mesh, score = self._run("facemesh", view.seen(picture))
        if float(np.ravel(score)[0]) < _LEAST_SCORE:
            raise ImageError(NOT_A_FACE)
        points = view.placed(mesh.reshape(-1, 3))
        irises = [
            self._iris(picture, points[[first, last]], is_right)
            for is_right, (first, last) in enumerate(_EYES)
        ]
        return np.concatenate([points, *irises]).astype(np.float32).ravel()

    def _iris(
        self, picture: Image.Image, corners: NDArray[np.float64], is_right: int
    ) -> NDArray[np.float64]:
        """Return five points of an iris: its middle, and four on its rim."""
        middle, across = corners[:, :2].mean(axis=0), corners[1, :2] - corners[0, :2]
        side = _EYE_ROOM * float(np.hypot(*across))
        view = View.around(middle, across, side, _EYE_PX)
        pixels = view.seen(picture)
        (eye,) = self._run("iris", pixels[:, ::-1] if is_right else pixels)
        rim = slice(_N_CONTOUR, _N_CONTOUR + _N_IRIS)
        points = eye.reshape(-1, 3)[rim].astype(np.float64)
        if is_right:  # the network knows the other eye
            points[:, 0] = _EYE_PX - points[:, 0]
        placed = view.placed(points)
        placed[:, 2] = corners[:, 2].mean()
        return placed

    def _run(self, name: str, pixels: NDArray[np.uint8]) -> Any:
        run = collection.open_graph(self._paths[name], name)
        return run(np.ascontiguousarray(pixels[np.newaxis]))


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return FaceMesh(weights)
