"""Small graph models of TensorFlow.js, written for tests, and their values in TensorFlow."""

import base64
import json

import numpy as np

from kerasfaces.core import rng
from kerasfaces.core.files import sha256


def text(value):
    return {"s": base64.b64encode(value.encode()).decode()}


def ints(*values):
    return {"list": {"i": [str(value) for value in values]}}


def texts(*values):
    return {"list": {"s": [text(value)["s"] for value in values]}}


def placeholder(side, channels=3):
    sizes = [{"size": str(size)} for size in (-1, side, side, channels)]
    shape = {"shape": {"shape": {"dim": sizes}}}
    return {"name": "input", "op": "Placeholder", "attr": shape}


def node(name, op, *inputs, **attr):
    return {"name": name, "op": op, "input": list(inputs), "attr": attr}


def save(folder, name, nodes, weights):
    """Write NAME.json and NAME.bin; return the first and the SHA-256 of both."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        {"name": key, "shape": list(value.shape), "dtype": str(value.dtype)}
        for key, value in weights.items()
    ]
    constants = [{"name": key, "op": "Const"} for key in weights]
    value = {
        "format": "graph-model",
        "modelTopology": {"node": [*nodes[:1], *constants, *nodes[1:]]},
        "weightsManifest": [{"paths": [f"{name}.bin"], "weights": entries}],
    }
    data = b"".join(np.ascontiguousarray(each).tobytes() for each in weights.values())
    (folder / f"{name}.bin").write_bytes(data)
    source = folder / f"{name}.json"
    source.write_text(json.dumps(value))
    return source, (sha256(source), sha256(folder / f"{name}.bin"))


def classifier(folder, name, side, channels, outputs, seed=0):
    """Write a graph that classifies by mean colour: output node -> number of classes."""
    random = rng.generator(seed, "classifier", name)
    nodes = [placeholder(side, channels), node("mean", "Mean", "input", "axes")]
    weights = {"axes": np.array([1, 2], np.int32)}
    for output, n_classes in outputs.items():
        weights[f"{output}/w"] = random.normal(0, 3, (channels, n_classes)).astype("f4")
        weights[f"{output}/b"] = random.normal(0, 1, n_classes).astype("f4")
        inputs = "mean", f"{output}/w", f"{output}/b"
        nodes += [
            node(f"{output}/d", "_FusedMatMul", *inputs, fused_ops=texts("BiasAdd")),
            node(f"{output}/s", "Softmax", f"{output}/d"),
            node(output, "Identity", f"{output}/s"),
        ]
    return save(folder, name, nodes, weights)


def in_tensorflow(model, pixels):
    """Return every node's value, computed operation by operation in TensorFlow."""
    import tensorflow as tf

    values = {
        model.nodes[0].name: tf.constant(pixels, tf.float32),
        **{name: tf.constant(value) for name, value in model.constants.items()},
    }
    for each in model.nodes[1:]:
        inputs = [values[name] for name in each.inputs]
        values[each.name] = _value(tf, each, inputs)
    return {name: np.asarray(value) for name, value in values.items()}


def _value(tf, each, inputs):
    def numbers(key):
        return [int(v) for v in each.attributes[key]["list"]["i"]]

    def prelu(value, slope):
        return tf.where(value > 0, value, value * slope)

    padding = each.attributes.get("padding", {}).get("s", "")
    padding = base64.b64decode(padding).decode()
    ops = each.attributes.get("fused_ops", {}).get("list", {}).get("s", [])
    ops = [base64.b64decode(op).decode() for op in ops]
    if each.op in ("_FusedConv2D", "Conv2D", "DepthwiseConv2dNative", "_FusedMatMul"):
        if each.op == "_FusedMatMul":
            result = tf.matmul(*inputs[:2])
        else:
            depthwise = each.op == "DepthwiseConv2dNative"
            call = tf.nn.depthwise_conv2d if depthwise else tf.nn.conv2d
            result = call(*inputs[:2], strides=numbers("strides"), padding=padding)
        if ops:
            result = result + inputs[2]
        if "Relu" in ops:
            result = tf.nn.relu(result)
        return prelu(result, inputs[3]) if "Prelu" in ops else result
    if each.op in ("MaxPool", "AvgPool"):
        call = tf.nn.max_pool2d if each.op == "MaxPool" else tf.nn.avg_pool2d
        return call(inputs[0], numbers("ksize"), numbers("strides"), padding)
    if each.op == "Reshape":
        return tf.reshape(inputs[0], [-1, *map(int, inputs[1][1:])])
    if each.op == "ConcatV2":
        return tf.concat(inputs[:-1], int(inputs[-1]))
    if each.op in ("Max", "Mean"):
        return (tf.reduce_max if each.op == "Max" else tf.reduce_mean)(
            inputs[0], [1, 2]
        )
    if each.op == "ResizeBilinear":
        return tf.compat.v1.image.resize_bilinear(*inputs, half_pixel_centers=True)
    if each.op == "Conv2DBackpropInput":
        size = [int(inputs[2].shape[0]), *map(int, inputs[0][1:])]
        return tf.nn.conv2d_transpose(
            inputs[2], inputs[1], size, numbers("strides"), padding
        )
    if each.op == "AddN":
        return tf.add_n(inputs)
    calls = {
        "Add": tf.add,
        "AddV2": tf.add,
        "Mul": tf.multiply,
        "Relu": tf.nn.relu,
        "Relu6": tf.nn.relu6,
        "Sigmoid": tf.sigmoid,
        "Softmax": tf.nn.softmax,
        "Prelu": prelu,
        "Pad": tf.pad,
        "Identity": tf.identity,
    }
    return calls[each.op](*inputs)
