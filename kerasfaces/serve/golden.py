"""Golden vectors of an export: drawn inputs, and the logits that they must give.

Channels are drawn as 256 levels between their limits, so that inputs are uint8 throughout.
"""

import base64
import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json
from kerasfaces.serve.formats import Outputs

FILE = "golden.json"
_SPANS = (16, 64, 256)  # levels of each input: faint as a photo's noise, to every level
_BLOCK_PX, _NOISE_PX = 8, 64
EMBEDDING_LIMIT = 1e-3  # of the final layer's length; engines differ by 1e-6 to 1e-5
_MAX_BYTES = 2**28  # of unpacked levels; a small file can claim to hold anything


@dataclasses.dataclass(frozen=True)
class Golden:
    """Drawn inputs of a network and the logits that its export must give.

    Attributes:
        levels: `(n, h, w, c)` uint8; pixels, or steps between `low` and `high`.
        low: Value of level 0 per channel, `(c,)` float64.
        high: Value of level 255 per channel, `(c,)` float64.
        logits: `(n,)` float64, finite.
        limit: Largest difference that is accepted, of max(1, |logit|).
        embedding: What the head's last layer reads, `(n, width)` float32; None where the
            export does not have it.
    """

    levels: NDArray[np.uint8]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    logits: NDArray[np.float64]
    limit: float
    embedding: NDArray[np.float32] | None = None

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What the network takes, `(n, h, w, c)` float32."""
        return to_values(self.levels, self.low, self.high)

    def to_json(self) -> Json:
        """Return the content of golden.json; the levels are packed by zlib in base 64."""
        value = {
            "shape": list(self.levels.shape),
            "levels": _packed(self.levels),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "logits": self.logits.tolist(),
            "limit": self.limit,
        }
        if self.embedding is not None:
            value["final_layer"] = _packed(self.embedding.astype("<f4"))
        return value

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            RunError: A part is missing or damaged.
        """
        try:
            n, height, width, channels = (int(side) for side in value["shape"])
            n_bytes = n * height * width * channels
            if not 0 < n_bytes <= _MAX_BYTES or min(n, height, width) < 1:
                raise ValueError(f"a shape of {value['shape']}")
            raw = _unpacked(value["levels"], n_bytes + 1)
            levels = np.frombuffer(raw, np.uint8).reshape(n, height, width, channels)
            embedding = None
            if "final_layer" in value:
                raw = _unpacked(value["final_layer"], _MAX_BYTES)
                embedding = np.frombuffer(raw, "<f4").reshape(n, -1)
            low, high, logits = (
                np.array(value[name], np.float64) for name in ("low", "high", "logits")
            )
            sizes = [low.shape, high.shape, logits.shape]
            limit = float(value["limit"])
            if sizes != [(channels,), (channels,), (n,)]:
                raise ValueError(f"shapes of {sizes}")
            if not np.isfinite([*low, *high, *logits]).all() or not 0 < limit < 1:
                raise ValueError("a number is not finite, or the limit none")
            if embedding is not None and not np.isfinite(embedding).all():
                raise ValueError("a number of the final layer is not finite")
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise RunError(
                f"{where} is no golden.json of an export ({type(error).__name__}: {error}); "
                "export the run again."
            ) from error
        return cls(levels, low, high, logits, limit, embedding)


def require(outputs: Outputs, golden: Golden, what: str) -> None:
    """Refuse a file whose logits, or final layers where there are some, are not the golden ones.

    `what`: file and runtime, in words.

    Raises:
        RunError: A logit differs by more than `golden.limit`, a final layer by more than
            `EMBEDDING_LIMIT` of its length, or one is no number.
    """
    got, embedding = outputs(golden.inputs)
    _require_logits(got, golden, what)
    if golden.embedding is not None:
        _require_embedding(embedding, golden.embedding, what)


def _require_logits(got: NDArray[np.floating], golden: Golden, what: str) -> None:
    expected = golden.logits
    if got.size != expected.size:
        raise RunError(
            f"{what} gives {got.size} logits for {expected.size} golden inputs; export the "
            "run again."
        )
    flat = got.reshape(-1).astype(np.float64)
    differences = np.abs(flat - expected) / np.maximum(1, np.abs(expected))
    worst = int(np.argmax(np.nan_to_num(differences, nan=np.inf)))
    if not differences[worst] <= golden.limit:  # NaN too
        raise RunError(
            f"{what} gives {flat[worst]:.4f} for a golden input whose logit was "
            f"{expected[worst]:.4f} when it was exported (limit {golden.limit:g}): the file "
            "is another or damaged, or this version computes something else; export the "
            "run again here."
        )


def _require_embedding(
    got: NDArray[np.floating] | None, expected: NDArray[np.float32], what: str
) -> None:
    if got is None or got.shape != expected.shape:
        raise RunError(
            f"{what} has not the final layer that it was exported with; export the run "
            "again."
        )
    lengths = np.maximum(1, np.linalg.norm(expected, axis=1))
    far = np.linalg.norm(got.astype(np.float64) - expected, axis=1) / lengths
    if not far.max() <= EMBEDDING_LIMIT:  # NaN too
        raise RunError(
            f"{what} gives another final layer for a golden input than when it was exported "
            f"(by {far.max():.1e} of its length, limit {EMBEDDING_LIMIT:g}); export the run "
            "again here."
        )


def _packed(values: NDArray[np.generic]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")


def _unpacked(text: str, n_bytes: int) -> bytes:
    packed = base64.b64decode(text, validate=True)
    return zlib.decompressobj().decompress(packed, n_bytes)


def draw(shape: Sequence[int]) -> NDArray[np.uint8]:
    """Return levels of drawn inputs `(3, h, w, c)` of a shape, the same everywhere.

    Coarse blocks, which pack well, with a patch of noise, which is what a detector of traces
    looks at; nobody's photo. From faint to the full range: a rounded network says the same
    of everything extreme.
    """
    height, width, channels = shape
    inputs = []
    for number, span in enumerate(_SPANS):
        random = rng.generator(0, "golden", number)
        lowest, highest = 128 - span // 2, 128 + span // 2
        coarse = (-(-height // _BLOCK_PX), -(-width // _BLOCK_PX), channels)
        blocks = random.integers(lowest, highest, coarse, np.uint8)
        level = blocks.repeat(_BLOCK_PX, 0).repeat(_BLOCK_PX, 1)[:height, :width]
        patch = level[:_NOISE_PX, :_NOISE_PX]
        patch[:] = random.integers(lowest, highest, patch.shape, np.uint8)
        inputs.append(level)
    return np.stack(inputs)


def to_values(
    levels: NDArray[np.uint8], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return `low + (high - low) * levels / 255`, float32; pixels are exact."""
    return (low + (high - low) * (levels / 255.0)).astype(np.float32)
