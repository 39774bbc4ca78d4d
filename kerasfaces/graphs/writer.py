"""A graph model -> the bytes of an ONNX file that computes the same.

The ONNX graph takes `pixels`, `(n, side, side, c)` uint8, and brings them to the range that
the network was trained on; feature maps are `(n, c, h, w)` inside. Weights that 16-bit
floats hold exactly are stored so; all arithmetic is in 32 bits. Each operation is one
method; a graph with another one is refused by name.
"""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.graphs.graph_model import GraphModel, Node
from kerasfaces.graphs.onnx_graph import INPUT, OnnxGraph

_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
_BINARY = {"Add": "Add", "AddV2": "Add", "AddN": "Sum", "Mul": "Mul"}
_UNARY = ("Relu", "Sigmoid", "Identity")
_FUSED: tuple[list[str], ...] = (
    [],
    ["BiasAdd"],
    ["BiasAdd", "Relu"],
    ["BiasAdd", "Prelu"],
)


class GraphWriter(OnnxGraph):
    """Builds an ONNX graph from a graph model; see `OnnxGraph`."""

    def __init__(self, model: GraphModel, source: Path, extra: str) -> None:
        super().__init__(source, extra)
        self._model = model
        self._flat: set[str] = set()  # values that are (n, features)
        self._ops: dict[str, Callable[[Node], None]] = {
            "_FusedConv2D": self._convolution,
            "Conv2D": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "Conv2DBackpropInput": self._transposed_convolution,
            "_FusedMatMul": self._product,
            "Prelu": self._prelu,
            "Relu6": self._relu6,
            "MaxPool": self._pooling,
            "AvgPool": self._pooling,
            "Max": self._reduction,
            "Mean": self._reduction,
            "Pad": self._padding,
            "ResizeBilinear": self._resizing,
            "Reshape": self._reshape,
            "ConcatV2": self._joining,
            "Softmax": lambda node: self.add(
                "Softmax", node.inputs, node.name, axis=-1
            ),
            **dict.fromkeys(_BINARY, self._binary),
            **dict.fromkeys(
                _UNARY, lambda node: self.add(node.op, node.inputs, node.name)
            ),
        }

    def read_graph(self, divisor: float, offset: float) -> tuple[int, int]:
        """Write every node; return the side of the pictures in pixels, and their channels.

        A pixel 0..255 enters the network as `pixel / divisor - offset`.

        Raises:
            InputError: The graph has an operation, or a form of one, that is not known.
        """
        first, *others = self._model.nodes
        if first.op != "Placeholder":
            raise self.refusal(first, "the first node is no Placeholder")
        try:
            sizes = [
                int(size["size"])
                for size in first.attributes["shape"]["shape"]["dim"][1:]
            ]
            _, side, channels = sizes
        except (KeyError, TypeError, ValueError) as error:
            raise self.refusal(first, "it states no size of pictures") from error
        self._pixels(first.name, divisor, offset)
        for node in others:
            if node.op not in self._ops:
                raise self.refusal(node, "this operation is not known here")
            try:
                self._ops[node.op](node)
            except (IndexError, KeyError, TypeError, ValueError) as error:
                if isinstance(error, InputError):
                    raise
                raise self.refusal(node, f"{type(error).__name__}: {error}") from error
            if node.op not in ("Reshape", "Max", "Mean") and self._flat & {
                *node.inputs
            }:
                self._flat.add(node.name)
        return side, channels

    def refusal(self, node: Node, why: str) -> InputError:
        """Return the error for a node that cannot be written."""
        return InputError(
            f"{self._source} is no graph that can be converted here: node {node.name!r} "
            f"({node.op}): {why}."
        )

    def _pixels(self, name: str, divisor: float, offset: float) -> None:
        """Bring pixels 0..255 to the range that the network was trained on."""
        to = self._onnx.TensorProto.FLOAT
        self.add("Cast", [INPUT], "pixels/float", to=to)
        scale = self.weight("pixels/scale", np.float32(divisor))
        one = self.weight("pixels/one", np.float32(offset))
        self.add("Div", ["pixels/float", scale], "pixels/scaled")
        self.add("Sub", ["pixels/scaled", one], "pixels/centred")
        self.add("Transpose", ["pixels/centred"], name, perm=_TO_NCHW)

    def _convolution(self, node: Node) -> None:
        """One convolution, with its bias and its activation where they are fused."""
        source, kernel, *rest = node.inputs
        weights = self._constant(node, kernel)
        if node.op == "DepthwiseConv2dNative":  # (h, w, c, 1): one filter per channel
            groups, weights = weights.shape[2], weights.transpose(2, 3, 0, 1)
        else:
            groups, weights = 1, weights.transpose(3, 2, 0, 1)
        fused = self._fused(node)
        inputs = [source, self.weight(kernel, weights)]
        inputs += [self.weight(name, self._constant(node, name)) for name in rest[:1]]
        options = {
            "strides": [int(step) for step in _list(node, "strides", "i")[1:3]],
            "auto_pad": self._padding_of(node),
        }
        result = f"{node.name}/linear" if len(fused) > 1 else node.name
        self.add("Conv", inputs, result, group=groups, **options)
        self._activation(node, fused, result, rest[1:])

    def _transposed_convolution(self, node: Node) -> None:
        """The gradient of a convolution: an up-sampling one; its size is in the graph."""
        size, kernel, source = node.inputs
        weights = self._constant(node, kernel)
        strides = [int(step) for step in _list(node, "strides", "i")[1:3]]
        wanted = [int(side) for side in self._constant(node, size)[1:3]]
        inputs = [source, self.weight(kernel, weights.transpose(3, 2, 0, 1))]
        options = {"auto_pad": self._padding_of(node), "output_shape": wanted}
        self.add("ConvTranspose", inputs, node.name, strides=strides, **options)

    def _product(self, node: Node) -> None:
        source, matrix, *rest = node.inputs
        if any(node.attributes.get(f"transpose_{side}", {}).get("b") for side in "ab"):
            raise self.refusal(node, "it is transposed")
        fused = self._fused(node)
        inputs = [source, self.weight(matrix, self._constant(node, matrix))]
        inputs += [self.weight(name, self._constant(node, name)) for name in rest[:1]]
        result = f"{node.name}/linear" if len(fused) > 1 else node.name
        self.add("Gemm", inputs, result)
        self._activation(node, fused, result, rest[1:])

    def _activation(
        self, node: Node, fused: list[str], result: str, slopes: Sequence[str]
    ) -> None:
        if fused[1:] == ["Relu"]:
            self.add("Relu", [result], node.name)
        elif fused[1:] == ["Prelu"]:
            self.add("PRelu", [result, self._slope(node, slopes[0])], node.name)

    def _prelu(self, node: Node) -> None:
        source, slope = node.inputs
        self.add("PRelu", [source, self._slope(node, slope)], node.name)

    def _slope(self, node: Node, name: str) -> str:
        return self.weight(name, self._constant(node, name).reshape(-1, 1, 1))

    def _relu6(self, node: Node) -> None:
        limits = [self.weight(f"limit/{x}", np.float32(x)) for x in (0, 6)]
        self.add("Clip", [*node.inputs, *limits], node.name)

    def _binary(self, node: Node) -> None:
        names = [self._operand(node, name) for name in node.inputs]
        self.add(_BINARY[node.op], names, node.name)

    def _operand(self, node: Node, name: str) -> str:
        """Return an operand; a constant per channel stands where the channels are."""
        if name not in self._model.constants:
            return name
        array = self._model.constants[name]
        if array.ndim and not self._flat & {*node.inputs}:
            array = array.reshape((1,) * (4 - array.ndim) + array.shape)
            array = array.transpose(_TO_NCHW)
        return self.weight(name, array)

    def _pooling(self, node: Node) -> None:
        shape, strides = (
            [int(side) for side in _list(node, key, "i")[1:3]]
            for key in ("ksize", "strides")
        )
        options = {"kernel_shape": shape, "strides": strides}
        self.add(
            "MaxPool" if node.op == "MaxPool" else "AveragePool",
            node.inputs,
            node.name,
            auto_pad=self._padding_of(node),
            **options,
        )

    def _reduction(self, node: Node) -> None:
        """The largest or the mean of a whole feature map: `(n, features)`."""
        source, axes = node.inputs
        keeps = node.attributes.get("keep_dims", {}).get("b", False)
        if sorted(self._constant(node, axes).tolist()) != [1, 2] or keeps:
            raise self.refusal(node, "it is not over all of a feature map")
        op = "GlobalMaxPool" if node.op == "Max" else "GlobalAveragePool"
        self.add(op, [source], f"{node.name}/map")
        self.add("Flatten", [f"{node.name}/map"], node.name)
        self._flat.add(node.name)

    def _padding(self, node: Node) -> None:
        """Zeros, here: channels that a wider block has more than the one before."""
        source, name = node.inputs
        pads = self._constant(node, name)[_TO_NCHW].T.astype(np.int64)
        self.add("Pad", [source, self.weight(name, pads.ravel())], node.name)

    def _resizing(self, node: Node) -> None:
        source, name = node.inputs
        if node.attributes.get("align_corners", {}).get("b"):
            raise self.refusal(node, "it aligns corners")
        halves = node.attributes.get("half_pixel_centers", {}).get("b", False)
        mode = "half_pixel" if halves else "asymmetric"
        sides = self._constant(node, name).astype(np.int64)
        self.add("Shape", [source], f"{node.name}/n", start=0, end=2)
        size = [f"{node.name}/n", self.weight(name, sides)]
        self.add("Concat", size, f"{node.name}/size", axis=0)
        inputs = [source, "", "", f"{node.name}/size"]
        options = {"mode": "linear", "coordinate_transformation_mode": mode}
        self.add("Resize", inputs, node.name, **options)

    def _reshape(self, node: Node) -> None:
        source, name = node.inputs
        shape = self._constant(node, name).astype(np.int64)
        shape[0] = -1  # any number of pictures
        self.add("Transpose", [source], f"{node.name}/rows", perm=_TO_NHWC)
        self.add("Reshape", [f"{node.name}/rows", self.weight(name, shape)], node.name)
        self._flat.add(node.name)

    def _joining(self, node: Node) -> None:
        *sources, name = node.inputs
        axis = int(self._constant(node, name)) % 4
        self.add("Concat", sources, node.name, axis=_TO_NCHW.index(axis))

    def _constant(self, node: Node, name: str) -> NDArray[Any]:
        if name not in self._model.constants:
            raise self.refusal(node, f"its input {name!r} is no constant")
        return self._model.constants[name]

    def _fused(self, node: Node) -> list[str]:
        fused = [base64.b64decode(op).decode() for op in _list(node, "fused_ops", "s")]
        if fused not in _FUSED:
            raise self.refusal(node, f"it has {fused} fused to it")
        return fused

    def _padding_of(self, node: Node) -> str:
        padding = base64.b64decode(node.attributes["padding"]["s"]).decode()
        if padding not in ("SAME", "VALID"):
            raise self.refusal(node, f"its padding is {padding!r}")
        return "SAME_UPPER" if padding == "SAME" else "VALID"


def _list(node: Node, key: str, kind: str) -> list[Any]:
    values: list[Any] = node.attributes.get(key, {}).get("list", {}).get(kind, [])
    return values
