"""Weights of an ncnn model (`.param` and `.bin`), read as files: no ncnn and no Vulkan.

The text lists the layers in the order of their computation, and the weights lie in the same
order (github.com/Tencent/ncnn, docs "param and model file structure"). NumPy only.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError, MissingFileError

Floats = NDArray[np.float32]
_MAGIC = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47
_N_MAX = 2**28  # weights of one layer; a damaged file can claim any number


@dataclasses.dataclass(frozen=True)
class Layer:
    """A layer of the graph.

    Attributes:
        kind: `Convolution`, `PReLU`, `Interp` ...
        name: Its name in the file.
        inputs: Names of the blobs that enter.
        outputs: Names of the blobs that leave.
        settings: Number of a setting -> its values, as text.
        weights: `(out, in, k, k)` of a convolution, `(channels,)` of a PReLU.
        bias: `(out,)`, where a convolution has one.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Mapping[int, tuple[str, ...]]
    weights: Floats | None = None
    bias: Floats | None = None

    def number(self, key: int, default: float = 0) -> float:
        """Return a setting's first value."""
        return float(self.settings.get(key, (str(default),))[0])


def read(param: Path) -> list[Layer]:
    """Return the layers of a `.param` file with the weights of the `.bin` beside it.

    Raises:
        MissingFileError: One of the files is not there.
        InputError: One is damaged, or of another version of the format.
    """
    weights = param.with_suffix(".bin")
    for path in (param, weights):
        if not path.is_file():
            raise MissingFileError(
                f"There is no {path}; an ncnn model is a .param and a .bin of one name."
            )
    try:
        layers = _layers(param.read_text(encoding="ascii"))
        return _with_weights(layers, weights.read_bytes())
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"{param} and {weights.name} are no ncnn model that can be read here ({error}); "
            "copy both again from where they were published."
        ) from error


def _layers(text: str) -> list[Layer]:
    lines = text.split("\n")
    if lines[0].strip() != _MAGIC:
        raise ValueError(f"the first line is not {_MAGIC}")
    layers = [_layer(line.split()) for line in lines[2:] if line.strip()]
    if len(layers) != int(lines[1].split()[0]):
        raise ValueError(f"{lines[1].split()[0]} layers are announced")
    return layers


def _layer(words: list[str]) -> Layer:
    """Return a layer of a line: kind, name, two counts, blobs, settings `number=value`."""
    kind, name, n_inputs, n_outputs = words[0], words[1], int(words[2]), int(words[3])
    blobs = words[4 : 4 + n_inputs + n_outputs]
    settings = {}
    for word in words[4 + n_inputs + n_outputs :]:
        key, value = word.split("=")
        number = int(key)
        values = value.split(",")
        # -23300 - n is setting n as an array, with its length first.
        if number <= -23300:
            number, values = -23300 - number, values[1:]
        settings[number] = tuple(values)
    return Layer(kind, name, tuple(blobs[:n_inputs]), tuple(blobs[n_inputs:]), settings)


def _with_weights(layers: list[Layer], data: bytes) -> list[Layer]:
    reader, complete = _Reader(data), []
    for layer in layers:
        if layer.kind == "Convolution":
            out, side = int(layer.number(0)), int(layer.number(1))
            into = int(layer.number(6)) // (out * side * side)
            weights = reader.tagged(out * into * side * side)
            bias = reader.floats(out) if layer.number(5) else None
            shaped = weights.reshape(out, into, side, side)
            layer = dataclasses.replace(layer, weights=shaped, bias=bias)
        elif layer.kind == "PReLU":
            slopes = reader.floats(int(layer.number(0)))
            layer = dataclasses.replace(layer, weights=slopes)
        complete.append(layer)
    reader.finish()
    return complete


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def tagged(self, n: int) -> Floats:
        """Return `n` weights after the four bytes that say how they are stored."""
        tag = int.from_bytes(self._take(4), "little")
        if tag == _FLOAT32:
            return self.floats(n)
        if tag != _FLOAT16:
            raise ValueError(f"weights are stored in an unknown way, {tag:#x}")
        halves = np.frombuffer(self._take(2 * n), "<f2")
        self._take(-self._at % 4)
        return halves.astype(np.float32)

    def floats(self, n: int) -> Floats:
        return np.frombuffer(self._take(4 * n), "<f4").copy()

    def finish(self) -> None:
        if self._at != len(self._data):
            raise ValueError(f"{len(self._data) - self._at:,} bytes are left over")

    def _take(self, n: int) -> bytes:
        if n > 4 * _N_MAX or self._at + n > len(self._data):
            raise ValueError(f"it ends after {len(self._data):,} bytes")
        self._at += n
        return self._data[self._at - n : self._at]
