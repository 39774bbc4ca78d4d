"""BlazeFace as a TensorFlow.js graph model -> the ONNX file that `detect` runs.

    python -m experiments.blazeface blazeface.json -o blazeface.onnx

The ONNX graph takes pixels, `(n, 256, 256, 3)` uint8, and returns `logits` `(n, 896)` and
`places` `(n, 896, 16)`, in pixels relative to each anchor. Weights that 16-bit floats hold
exactly are stored so; all arithmetic is in 32 bits. Beside the file stands a note
with its SHA-256 and what it was made from.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.cli import outputs
from kerasfaces.core.errors import KerasfacesError
from kerasfaces.core.files import atomic_path, sha256, write_json
from kerasfaces.graphs import graph_model
from kerasfaces.graphs.graph_model import GraphModel
from kerasfaces.graphs.onnx_graph import INPUT
from kerasfaces.graphs.writer import GraphWriter

LOGITS, PLACES = "logits", "places"
LICENCE = "Apache-2.0, Copyright The MediaPipe Authors"
SOURCE = "github.com/google-ai-edge/mediapipe, mediapipe/modules/face_detection/"


def convert(source: Path, target: Path) -> dict[str, Any]:
    """Write an ONNX file and the note beside it; return the note.

    Args:
        source: The graph model's `.json`; its `.bin` stands beside it.
        target: The `.onnx` to write.

    Raises:
        MissingFileError: A file of the model is missing.
        InputError: It is no graph model, or not one of this architecture.
        MissingExtraError: `onnx` is not installed.
    """
    model = graph_model.read(source)
    with atomic_path(target) as temporary:
        temporary.write_bytes(_serialised(model, source))
    note = {
        "file": target.name,
        "sha256": sha256(target),
        "bytes": target.stat().st_size,
        "input": f"{INPUT}: (n, 256, 256, 3) uint8, sRGB",
        "output": f"{LOGITS}: (n, 896); {PLACES}: (n, 896, 16), px from the anchor",
        "licence": LICENCE,
        "source": f"{SOURCE}face_detection_back.tflite, float16",
        "changes": "converted to ONNX; pixels are scaled and outputs joined in the graph",
        "generated_by": model.generated_by,
        "converted_by": model.converted_by,
        "made_from": {
            file.name: sha256(file) for file in (source, source.with_suffix(".bin"))
        },
    }
    write_json(target.with_suffix(".json"), note)
    return note


def _serialised(model: GraphModel, source: Path) -> bytes:
    """Return the ONNX file: two feature maps' answers joined, 16 x 16 x 2, then 8 x 8 x 6."""
    writer = GraphWriter(model, source, "export")
    side, channels = writer.read_graph(127.5, 1.0)
    names = [
        [f"Identity{each}" for each in pair] for pair in (("", "_1"), ("_2", "_3"))
    ]
    writer.add("Concat", names[0], "logits/all", axis=1)
    axis = writer.weight("logits/axis", np.array([2], np.int64))
    writer.add("Squeeze", ["logits/all", axis], LOGITS)
    writer.add("Concat", names[1], PLACES, axis=1)
    ends = {LOGITS: (896,), PLACES: (896, 16)}
    return writer.serialised("blazeface", (side, side, channels), ends)


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert one file; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.blazeface",
        description="Convert BlazeFace from TensorFlow.js to ONNX.",
    )
    parser.add_argument("model", type=Path, help="the graph model's .json")
    parser.add_argument(
        "-o", "--out", type=outputs.file, required=True, help=".onnx to write"
    )
    options = parser.parse_args(arguments)
    try:
        note = convert(options.model, options.out)
    except KerasfacesError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    words = f"{options.out}: {note['bytes']} bytes, SHA-256 {note['sha256']}\n"
    sys.stdout.write(words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
