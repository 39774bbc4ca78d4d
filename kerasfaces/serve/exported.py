"""A finished run at work without TensorFlow: pixels -> logits -> verdicts.

The network is the run's export, opened by ONNX Runtime or OpenVINO; it is made on first
use where Keras is installed, and stays in the run. Keras itself computes where there is no
other way, and decides where the difference between the two could change a verdict.
"""

import dataclasses
import logging
import threading
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import sha256
from kerasfaces.core.imports import import_keras
from kerasfaces.core.texts import near_hint, quoted
from kerasfaces.images import InputSpec, to_array, to_srgb_upright
from kerasfaces.images.input_spec import other_pillow
from kerasfaces.images.limits import Limits
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network import reading
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve import engine_choice, opening
from kerasfaces.serve.error_rates import VERSION_DIGITS
from kerasfaces.serve.formats import Outputs
from kerasfaces.serve.reference import Reference

logger = logging.getLogger(__name__)
BATCH = 4  # that an engine computes at a time: larger ones leave a core's cache


class ExportedDetector:
    """A detector's run that gives logits and verdicts; several threads may share it.

    Attributes:
        folder: The run folder.
        input_spec: What stands between a picture and the pixels.
        limits: What a picture must have to get a verdict; None where nothing is known.
        operating_point: Calibration, threshold and abstain band.
        engine: What computes: `onnxruntime`, `openvino` or `keras`.
        name: The run's name.
        version: First 12 digits of the network's SHA-256.
        embeds: Whether `outputs` has the head's final layer.
    """

    def __init__(self, run: DetectorRun, engine: str, *, keras: bool = True) -> None:
        """Open a run's export; see `open`."""
        self._run, self.folder = run, run.path
        with reading(run.path, lambda: run.environment):
            where = f"{run.path}/input_spec.json"
            self.input_spec = configs.from_dict(
                InputSpec, run.input_spec["input"], where
            )
            self.limits: Limits | None = run.limits
            other = other_pillow(run.input_spec.get("made_by"))
        self.operating_point: OperatingPoint = run.operating_point
        self.engine, self.name = engine, run.name
        self._reference = Reference(run) if keras and Reference.is_here(run) else None
        self._lock = threading.Lock()
        self._compute: Outputs | None = None
        on_pixels = run.input_spec.get("channel_recipe") is None
        self.embeds = engine == "keras" and run.baseline is None and on_pixels
        self._near = 0.0  # of max(1, |logit|): what an export may differ by
        if engine == "keras":
            if run.baseline is None:
                import_keras()  # without its chatter: a network's module imports it
            _ = run.network if run.baseline is None else run.fitted  # there, and whole
            digest = sha256(run.learnt_files[0])
        else:
            opened = opening.open_export(
                run.path / "exports" / engine_choice.FORMATS[engine]
            )
            digest = opened.content["source"]["sha256"]
            self.embeds = opened.golden.embedding is not None
            self._compute, self._near = opened.outputs, opened.golden.limit
        self.version = digest[:VERSION_DIGITS]
        self._edges = _edges(self.operating_point)
        if other:
            logger.warning("%s: %s", run.path, other)

    @classmethod
    def open(cls, run: Path | str, *, engine: str = "auto", keras: bool = True) -> Self:
        """Open a finished run; its export is made if it has none and Keras is here.

        Args:
            run: The run folder.
            engine: `onnxruntime`, `openvino`, `keras`, or `auto`: the first of them that
                can be had, and a warning where that is Keras.
            keras: Whether Keras, where it is installed, decides near the threshold.

        Raises:
            KerasfacesError: There is no such engine, it is not installed, no export can be had
                here, or the run or its export is damaged.
        """
        if engine not in engine_choice.NAMES:
            raise InputError(
                f"There is no engine {quoted(engine)}; available: {', '.join(engine_choice.NAMES)}."
                + near_hint(engine, engine_choice.NAMES)
            )
        opened = DetectorRun.open(Path(run))
        return cls(opened, engine_choice.choose(opened, engine), keras=keras)

    def warm(self) -> None:
        """Have everything that will be needed loaded, Keras too where it decides."""
        blank = np.zeros((1, *self.input_spec.shape), np.uint8)
        self.logits(blank)
        if self._reference is not None:
            self._reference.logits(blank)

    def refusal(self, size: tuple[int, int]) -> str:
        """Return why a picture of this width and height gets no verdict, else nothing."""
        return self.limits.reason(size) if self.limits else ""

    def prepare(self, image: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture as training saw it, byte for byte, `input_spec.shape` uint8, sRGB.

        It comes as Pillow opened it, as `images.decode` returned it, or as `(h, w, 3)`
        uint8 in sRGB.

        Raises:
            ImageError: It is truncated, or its pixels have no known range.
        """
        if not isinstance(image, Image.Image):
            image = Image.fromarray(np.ascontiguousarray(image))
        else:
            image = to_srgb_upright(image)
        return to_array(image, self.input_spec)

    def prepare_crop(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return a face that was cut out already, as `prepare` does a whole picture."""
        spec = dataclasses.replace(self.input_spec, faces="none")
        return to_array(to_srgb_upright(image), spec)

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the logits `(n,)` of prepared pictures `(n, *input_spec.shape)` uint8.

        Near an edge they are Keras' own; not finite where the network gives no number.
        """
        return self.outputs(pixels, embed=False)[0]

    def outputs(
        self, pixels: NDArray[np.uint8], *, embed: bool = True
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Return `logits`, and what the head's last layer reads, `(n, width)`.

        Without `embed`, and where `embeds` is false, the second is None.
        """
        shape = self.input_spec.shape
        if pixels.dtype != np.uint8 or pixels.shape[1:] != shape:
            raise InputError(
                f"pixels: expected uint8 of shape (n, {', '.join(map(str, shape))}), got "
                f"{pixels.dtype} of shape {pixels.shape}; `prepare` makes them."
            )
        if not len(pixels):
            return np.zeros(0), None
        with self._lock:
            if self._compute is None:
                embed = embed and self.embeds
                if self._reference is None:
                    self._reference = Reference(self._run)
                return self._reference.outputs(pixels, embed=embed)
            logits, embedding = _batched(self._compute, pixels)
        near = self.near_an_edge(logits)
        if self._reference is not None and near.any():
            logits[near] = self._reference.logits(pixels[near])
        return logits, embedding if embed and self.embeds else None

    def near_an_edge(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which logits `(n,)` an export's difference from Keras could move across."""
        room = self._near * np.maximum(1, np.abs(self._edges))
        distance = np.abs(np.asarray(logits)[:, None] - self._edges)
        return np.asarray((distance <= room).any(axis=1))

    def decide(self, logits: NDArray[np.float64]) -> list[str]:
        """Return `real`, `fake` or `unsure` for each of `logits`' answers `(n,)`.

        Where Keras is not here, a logit near the threshold or an edge of the abstain band
        is `unsure`; so is one that is no finite number.
        """
        values = np.asarray(logits, dtype=np.float64)
        unsure = ~np.isfinite(values)
        point = self.operating_point
        verdicts = point.verdicts(point.apply(np.where(unsure, 0.0, values)))
        if self._reference is None:
            unsure |= self.near_an_edge(values)
        return ["unsure" if u else v for v, u in zip(verdicts, unsure, strict=True)]


def _batched(
    compute: Outputs, pixels: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    parts = [
        compute(pixels[at : at + BATCH].astype(np.float32))
        for at in range(0, len(pixels), BATCH)
    ]
    logits = np.concatenate([part[0] for part in parts])[:, 0].astype(np.float64)
    embeddings = [part[1] for part in parts if part[1] is not None]
    return logits, np.concatenate(embeddings) if embeddings else None


def _edges(point: OperatingPoint) -> NDArray[np.float64]:
    """Return the logits at which verdicts change, `(k,)`; none where no logit matters."""
    low, high = point.abstain
    scores = {point.threshold} | ({low, high} if low < high else set())
    a, b = point.calibrator.a, point.calibrator.b
    inner = np.array([score for score in scores if 0 < score < 1], dtype=np.float64)
    if a == 0:
        return np.zeros(0)
    return np.asarray((np.log(inner) - np.log1p(-inner) - b) / a)
