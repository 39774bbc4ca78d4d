"""A TensorFlow.js graph model on disk -> its nodes and constants, as NumPy arrays.

Two files: `NAME.json`, a TensorFlow GraphDef in JSON with a list of weights (name, shape,
dtype), and `NAME.bin`, their bytes one after the other. Nothing in them is executed.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError, MissingFileError

_DTYPES = ("float32", "int32")  # a quantised weight has a scale: none is read here


@dataclasses.dataclass(frozen=True)
class Node:
    """An operation of the graph.

    Attributes:
        name: Its name, unique in the graph.
        op: TensorFlow's name of the operation.
        inputs: Names of the nodes it reads, in order.
        attributes: As the GraphDef spells them.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class GraphModel:
    """A graph model.

    Attributes:
        nodes: Every operation but constants, in the file's order: inputs come first.
        constants: Name -> array, float32 or int32.
        generated_by: Where the network comes from, in its own words.
        converted_by: Who made the graph model, likewise.
    """

    nodes: tuple[Node, ...]
    constants: dict[str, NDArray[Any]]
    generated_by: str
    converted_by: str


def read(path: Path) -> GraphModel:
    """Read a graph model and the weights beside it.

    Raises:
        MissingFileError: One of the files is not there.
        InputError: It is no graph model, its weights are quantised, or their bytes are
            fewer or more than the list says.
    """
    try:
        value = json.loads(_bytes(path))
        if value["format"] != "graph-model":
            raise InputError(
                f"{path}: expected the format graph-model, got {value['format']!r}."
            )
        entries = [
            entry for group in value["weightsManifest"] for entry in group["weights"]
        ]
        files = [name for group in value["weightsManifest"] for name in group["paths"]]
        data = b"".join(_bytes(path.parent / Path(name).name) for name in files)
        constants = _constants(path, entries, data)
        nodes = tuple(
            Node(
                node["name"],
                node["op"],
                tuple(node.get("input", ())),
                node.get("attr", {}),
            )
            for node in value["modelTopology"]["node"]
            if node["op"] != "Const"
        )
        sources = str(value.get("generatedBy", "")), str(value.get("convertedBy", ""))
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} is no graph model of TensorFlow.js ({type(error).__name__}: {error}); "
            "give the model's .json."
        ) from error
    return GraphModel(nodes, constants, *sources)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingFileError(
            f"{path} cannot be read ({error.strerror}); a graph model is a .json with the "
            ".bin that it names beside it."
        ) from error


def _constants(
    path: Path, entries: list[dict[str, Any]], data: bytes
) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    at = 0
    for entry in entries:
        name, shape = str(entry["name"]), [int(side) for side in entry["shape"]]
        if entry["dtype"] not in _DTYPES or "quantization" in entry:
            raise InputError(
                f"{path}: the weight {name!r} is quantised or of type {entry['dtype']!r}; "
                f"expected plain {' or '.join(_DTYPES)}."
            )
        if min(shape, default=0) < 0:
            raise InputError(f"{path}: the weight {name!r} has the shape {shape}.")
        count, dtype = int(np.prod(shape)), np.dtype(entry["dtype"]).newbyteorder("<")
        if at + count * dtype.itemsize > len(data):
            raise InputError(
                f"{path}: its weights end at byte {len(data)}, in the middle of {name!r}; "
                "copy both files again."
            )
        arrays[name] = np.frombuffer(data, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    if at != len(data):
        raise InputError(
            f"{path}: expected {at} bytes of weights, got {len(data)}; the files belong to "
            "different models."
        )
    return arrays
