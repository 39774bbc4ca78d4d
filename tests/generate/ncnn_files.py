"""Writes ncnn models of random weights, and runs them layer by layer as a second opinion."""

import itertools

import numpy as np
import torch
from torch.nn import functional


def write(folder, lines, half=True):
    """Write `(line, weights, bias)` as NAME.param and NAME.bin; return the former."""
    param = folder / "small.param"
    data = bytearray()
    for line, weights, bias in lines:
        if weights is None:
            continue
        if line.startswith("PReLU"):
            data += weights.astype("<f4").tobytes()
            continue
        if half:
            data += (0x01306B47).to_bytes(4, "little")
            data += weights.astype("<f2").tobytes()
            data += bytes(-len(data) % 4)
        else:
            data += bytes(4) + weights.astype("<f4").tobytes()
        data += bias.astype("<f4").tobytes()
    text = [line for line, *_ in lines]
    param.write_text("\n".join(["7767517", f"{len(text)} {len(text)}", *text, ""]))
    param.with_suffix(".bin").write_bytes(bytes(data))
    return param


def compact(width=4, convolutions=1, resize=None):
    """Return the lines of an SRVGGNetCompact of scale 4."""
    random = np.random.default_rng(0)
    lines = [("Input in 0 1 data", None, None), ("Split s 1 2 data a b", None, None)]
    blob, numbers = "b", itertools.count()
    for out, into in [(width, 3), *[(width, width)] * convolutions, (48, width)]:
        n = next(numbers)
        # float16 first: it is what the file keeps
        weights = random.normal(0, 0.2, (out, into, 3, 3)).astype(np.float16)
        bias = random.normal(0, 0.1, out).astype(np.float32)
        line = f"Convolution c{n} 1 1 {blob} c{n} 0={out} 1=3 4=1 5=1 6={weights.size}"
        lines.append((line, weights, bias))
        blob = f"c{n}"
        if out == width:
            slopes = random.uniform(0, 0.5, out).astype(np.float32)
            lines.append((f"PReLU p{n} 1 1 {blob} p{n} 0={out}", slopes, None))
            blob = f"p{n}"
    lines.append((f"PixelShuffle d 1 1 {blob} d 0=4", None, None))
    lines.append(("Interp i 1 1 a i 0=1 1=4.0e+00 2=4.0e+00", None, None))
    lines.append(("BinaryOp sum 2 1 d i sum", None, None))
    if resize:
        lines.append((f"Interp r 1 1 sum out 0=3 1={resize} 2={resize}", None, None))
    return lines


def run(layers, picture):
    """Return the last blob of a graph for `(1, 3, h, w)`, following its blobs by name."""
    blobs = {}
    for layer in layers:
        inputs = [blobs[name] for name in layer.inputs]
        results = [_run(layer, inputs, picture)] * len(layer.outputs)
        blobs |= dict(zip(layer.outputs, results, strict=True))
    return blobs[layers[-1].outputs[0]]


def _run(layer, inputs, picture):
    kind = layer.kind
    if kind == "Input":
        return picture
    if kind == "Split":
        return inputs[0]
    if kind == "Convolution":
        weights, bias = map(torch.from_numpy, (layer.weights, layer.bias))
        result = functional.conv2d(inputs[0], weights, bias, padding=1)
        if layer.number(9) == 2:
            return functional.leaky_relu(result, layer.number(10))
        return result
    if kind == "PReLU":
        return functional.prelu(inputs[0], torch.from_numpy(layer.weights))
    if kind == "Concat":
        return torch.cat(inputs, 1)
    if kind == "Eltwise":
        shares = [float(each) for each in layer.settings[1]]
        return sum(s * each for s, each in zip(shares, inputs, strict=True))
    if kind == "BinaryOp":
        return inputs[0] + inputs[1]
    if kind == "PixelShuffle":
        return functional.pixel_shuffle(inputs[0], int(layer.number(0)))
    mode = {1: "nearest", 3: "bicubic"}[int(layer.number(0))]
    return functional.interpolate(inputs[0], scale_factor=layer.number(1), mode=mode)
