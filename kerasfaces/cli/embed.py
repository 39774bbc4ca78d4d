"""Command `embed`: a run's images as a map, with numbers of how far it can be believed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core import registry

_PACKAGE = "kerasfaces.embed.methods"
_EXAMPLES = [
    "kerasfaces embed RUN -o map                         # its test images, by UMAP",
    "kerasfaces embed RUN -o map --method tsne           # 50 images of each source",
    "kerasfaces embed RUN -o map --split all --layer features --border cluster",
    "kerasfaces embed RUN -o map --manifest other.csv --split all",
    "kerasfaces embed --list",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, map, print the numbers and the page's path."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        for name in registry.names(_PACKAGE):
            print(f"{name:<8}{registry.summary(_PACKAGE, name)}")
        return 0
    if arguments.run is None or arguments.output is None:
        parser.error("give RUN and -o DIR; see --help")
    from kerasfaces import manifest as manifests
    from kerasfaces.embed.run import Settings, embed

    manifest = None
    if arguments.manifest is not None:
        manifest = manifests.read(arguments.manifest, arguments.root)
    settings = Settings(
        method=arguments.method,
        layer=arguments.layer,
        split="" if arguments.split == "all" else arguments.split,
        per_source=arguments.per_source,
        border=arguments.border,
        pictures=arguments.pictures,
        seed=arguments.seed,
    )
    map_ = embed(arguments.run, arguments.output, settings, manifest, arguments.store)
    for sentence in map_.result["sentences"]:
        printing.text(sentence)
    printing.text(f"map: {map_.report}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "embed",
        "Map where images lie in a layer of a detector: one page with zoom, search and lasso, "
        "pictures,\na table; clusters, and numbers that say how far the map can be believed. "
        "Continues where\nit was stopped.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    add("run", nargs="?", type=Path, metavar="RUN", help="run folder made by train")
    add.folder("where to write")
    add.flag("--list", "list the methods and stop")
    text = "one of --list (default: umap, which needs the extra `maps`)"
    add("--method", default="umap", metavar="NAME", help=text)
    text = (
        "final: what the head's last layer reads (default); features: all that the base "
        "gives the head; or one tap, e.g. block_13_expand_relu"
    )
    add("--layer", default="final", metavar="NAME", help=text)
    add.path("--manifest", "other images than the run's own", "M")
    add.path("--root", "what relative paths in the manifest are relative to")
    add.path("--store", "channel store with the images, of a run on channels")
    text = "of the manifest, where it has splits (default: test)"
    add.choice("--split", "test", ("train", "val", "test", "all"), text)
    text = "images of each source, drawn; 0: all (default: 50 by tsne, else all)"
    add.number("--per-source", None, text)
    text = "what colours at first (default: label: red fake, green real)"
    add.choice("--border", "label", ("label", "source", "cluster"), text)
    add.number("--pictures", 2000, "upper limit of thumbnails; 0: none (default: 2000)")
    add.number("--seed", 0, "of draws and the projection (default: 0)", None)
    return parser
