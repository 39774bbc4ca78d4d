"""A TensorFlow.js graph model on disk -> its nodes and constants, as NumPy arrays.

Two files: `NAME.json`, a TensorFlow GraphDef in JSON with a list of weights (name, shape,
dtype), and `NAME.bin`, their bytes one after the other. Weights may be quantised: stored as
16-bit floats, or as whole numbers with a scale and a minimum. Nothing in them is executed.
"""

import dataclasses
import graphlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError, MissingFileError

_DTYPES = ("float32", "int32")
_QUANTISED = ("float16", "uint8", "uint16")


@dataclasses.dataclass(frozen=True)
class Node:
    """An operation: its name, TensorFlow's name of it, what it reads, and its attributes."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class GraphModel:
    """A graph model.

    Attributes:
        nodes: Every operation but constants; a node comes after those it reads.
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
        InputError: It is no graph model, a weight is of an unknown type, or their bytes are
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
        nodes = [
            Node(
                node["name"],
                node["op"],
                tuple(node.get("input", ())),
                node.get("attr", {}),
            )
            for node in value["modelTopology"]["node"]
            if node["op"] != "Const"
        ]
        sources = str(value.get("generatedBy", "")), str(value.get("convertedBy", ""))
    except (KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{path} is no graph model of TensorFlow.js ({type(error).__name__}: {error}); "
            "give the model's .json."
        ) from error
    return GraphModel(_in_order(path, nodes), constants, *sources)


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
        stored = entry.get("quantization", entry)["dtype"]
        if entry["dtype"] not in _DTYPES or stored not in (*_DTYPES, *_QUANTISED):
            raise InputError(
                f"{path}: the weight {name!r} is of type {entry['dtype']!r}, stored as "
                f"{stored!r}; expected {' or '.join(_DTYPES)}, plain or stored as "
                f"{', '.join(_QUANTISED)}."
            )
        if min(shape, default=0) < 0:
            raise InputError(f"{path}: the weight {name!r} has the shape {shape}.")
        count, dtype = int(np.prod(shape)), np.dtype(stored).newbyteorder("<")
        if at + count * dtype.itemsize > len(data):
            raise InputError(
                f"{path}: its weights end at byte {len(data)}, in the middle of {name!r}; "
                "copy both files again."
            )
        values = np.frombuffer(data, dtype, count, at).reshape(shape)
        arrays[name] = _dequantised(values, entry)
        at += count * dtype.itemsize
    if at != len(data):
        raise InputError(
            f"{path}: expected {at} bytes of weights, got {len(data)}; the files belong to "
            "different models."
        )
    return arrays


def _dequantised(values: NDArray[Any], entry: dict[str, Any]) -> NDArray[Any]:
    """Return a weight in the type that the graph computes with."""
    how = entry.get("quantization")
    if not how:
        return values
    if "scale" in how:
        values = values * np.float32(how["scale"]) + np.float32(how["min"])
    return values.astype(entry["dtype"])


def _in_order(path: Path, nodes: list[Node]) -> tuple[Node, ...]:
    """Return nodes such that each comes after those it reads, else as they stand."""
    by_name = {node.name: node for node in nodes}
    graph = {
        node.name: [each for each in node.inputs if each in by_name] for node in nodes
    }
    try:
        order = list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise InputError(f"{path}: its nodes read each other in a circle.") from error
    before: set[str] = set()
    for node in nodes:
        if not before.issuperset(graph[node.name]):
            return tuple(by_name[name] for name in order)
        before.add(node.name)
    return tuple(nodes)
