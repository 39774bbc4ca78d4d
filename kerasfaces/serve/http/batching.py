"""One detector for many threads: what waits while it computes is its next batch."""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve.answer import BATCH
from kerasfaces.serve.contract import Detecting

Logits = NDArray[np.float64]
Embeddings = NDArray[np.float32]
# How faces are cut out, and what pictures are compared with.
_SAME_WHATEVER_THE_BATCH = ("prepare_crop", "input_spec", "limits", "folder")


class _Waiting(NamedTuple):
    pixels: NDArray[np.uint8]
    embed: bool
    answer: "Future[tuple[Logits, Embeddings | None]]"


class Batched:
    """A detector that computes the logits of several threads together.

    Nobody waits for company: an idle detector starts at once, and a batch is whatever came
    while the one before was computed, until it has `batch` arrays.
    """

    def __init__(
        self, detector: Detecting, on_batch: Callable[[int], None] = lambda n: None
    ) -> None:
        """Start the thread that computes; `on_batch` gets each batch's size."""
        self._detector, self._on_batch = detector, on_batch
        self.batch = BATCH
        self.name, self.version = detector.name, detector.version
        self.engine = detector.engine
        self.operating_point: OperatingPoint = detector.operating_point
        self.embeds: bool = getattr(detector, "embeds", False)
        for name in _SAME_WHATEVER_THE_BATCH:
            if hasattr(detector, name):
                setattr(self, name, getattr(detector, name))
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether logits can be had."""
        return self._thread.is_alive()

    def prepare(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return an upright sRGB picture as the network sees it."""
        return self._detector.prepare(image)

    def decide(self, logits: Logits) -> list[str]:
        """Return `real`, `fake` or `unsure` for each of the logits `(n,)`."""
        return self._detector.decide(logits)

    def logits(self, pixels: NDArray[np.uint8]) -> Logits:
        """Return logits `(n,)` of pixels `(n, h, w, 3)`, computed with others'."""
        return self.outputs(pixels, embed=False)[0]

    def outputs(
        self, pixels: NDArray[np.uint8], *, embed: bool = True
    ) -> tuple[Logits, Embeddings | None]:
        """Return `logits`, and the detector's final layers where it has them."""
        waiting = _Waiting(pixels, embed and self.embeds, Future())
        self._queue.put(waiting)
        return waiting.answer.result()

    def close(self) -> None:
        """Compute what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, ending = [first], False
            with contextlib.suppress(queue.Empty):
                while sum(len(each.pixels) for each in batch) < self.batch:
                    following = self._queue.get_nowait()
                    if following is None:
                        ending = True
                        break
                    batch.append(following)
            self._compute(batch)
            if ending:
                return

    def _compute(self, batch: list[_Waiting]) -> None:
        pixels = [each.pixels for each in batch]
        try:
            logits, embeddings = self._of(
                np.concatenate(pixels), any(each.embed for each in batch)
            )
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            for each in batch:  # whose fault it is, and not the others'
                self._compute([each])
            return
        self._on_batch(len(logits))
        at = 0
        for each in batch:
            rows = slice(at, at + len(each.pixels))
            own = embeddings[rows] if embeddings is not None and each.embed else None
            each.answer.set_result((logits[rows], own))
            at = rows.stop

    def _of(
        self, pixels: NDArray[np.uint8], embed: bool
    ) -> tuple[Logits, Embeddings | None]:
        outputs = getattr(self._detector, "outputs", None)
        if embed and outputs is not None:
            both: tuple[Logits, Embeddings | None] = outputs(pixels)
            return both
        return self._detector.logits(pixels), None
