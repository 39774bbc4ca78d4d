"""An ONNX graph as it is built: nodes, weights, and the bytes of the file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import optional_import

OPSET = 17
INPUT = "pixels"


class OnnxGraph:
    """Nodes and weights of a graph of pictures, made from the file `source`.

    MissingExtraError names the `extra` of kerasfaces that brings `onnx`.
    """

    def __init__(self, source: Path, extra: str) -> None:
        self._onnx = optional_import("onnx", extra)
        self._source = source
        self._nodes: list[Any] = []
        self._weights: dict[str, Any] = {}

    def add(self, op: str, inputs: Sequence[str], output: str, **options: Any) -> None:
        """Write one ONNX node."""
        node = self._onnx.helper.make_node(op, list(inputs), [output], **options)
        self._nodes.append(node)

    def weight(self, name: str, array: NDArray[Any] | np.float32) -> str:
        """Store a constant, in 16 bits where these hold it exactly; return its name."""
        array = np.ascontiguousarray(array)
        small = array.astype(np.float16) if array.dtype == np.float32 else array
        exact = np.array_equal(small.astype(array.dtype), array)
        if name in self._weights or f"{name}/16" in self._weights:
            return name
        if array.size > 1 and small.dtype != array.dtype and exact:
            to = self._onnx.TensorProto.FLOAT
            self._weights[f"{name}/16"] = self._onnx.numpy_helper.from_array(
                small, f"{name}/16"
            )
            self.add("Cast", [f"{name}/16"], name, to=to)
        else:
            self._weights[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def serialised(
        self,
        name: str,
        input_shape: Sequence[int],
        outputs: Mapping[str, Sequence[int | str]],
    ) -> bytes:
        """Return the file's bytes, checked by ONNX.

        `input_shape` is that of one picture, `outputs` the name of each value -> its shape
        without the number of pictures.

        Raises:
            InputError: The graph does not end in these.
        """
        helper, types = self._onnx.helper, self._onnx.TensorProto
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(INPUT, types.UINT8, ["n", *input_shape])],
            [
                helper.make_tensor_value_info(each, types.FLOAT, ["n", *shape])
                for each, shape in outputs.items()
            ],
            list(self._weights.values()),
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        try:
            self._onnx.checker.check_model(model, full_check=True)
        except Exception as error:
            raise InputError(
                f"{self._source} is not the expected network {name}: its graph does not end "
                f"in {', '.join(outputs)} ({' '.join(str(error).split())[:160]})."
            ) from error
        return bytes(model.SerializeToString())
