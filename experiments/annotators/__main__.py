"""`python -m experiments.annotators --manifest M --weights DIR -o DIR`: see README.md."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core import registry

_EXAMPLES = (
    "python -m experiments.annotators --manifest FACES/manifest.csv --weights DIR -o OUT",
    "python -m experiments.annotators --manifest M --weights DIR -o OUT --record",
    "python -m experiments.annotators --manifest M -o OUT --train-glasses",
    "python -m experiments.annotators --manifest M -o OUT --compare-glasses",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure every annotator that can be had, or train the heads for glasses."""
    known = [
        name
        for name in registry.names("kerasfaces.annotate.annotators")
        if name != "facemesh"
    ]
    parser = cli.parser("annotators", __doc__ or "", _EXAMPLES)
    add = cli.Options(parser)
    text = "faces whose sources state attributes"
    add("--manifest", type=Path, required=True, metavar="M", help=text)
    add.folder("to write", required=True)
    add("--weights", type=Path, metavar="DIR", help="folder with annotators' weights")
    add("--download", action="store_true", help="fetch weights that are not here")
    add("--annotators", default=",".join(known), metavar="LIST", help="default: all")
    text = "copy the results into the package and beside this file"
    add("--record", action="store_true", help=text)
    text = "train glasses and bridge anew on glasses.csv instead"
    add("--train-glasses", action="store_true", help=text)
    text = "hold heads for glasses side by side instead, a frozen base's features among them"
    add("--compare-glasses", action="store_true", help=text)
    arguments = parser.parse_args(argv)
    from experiments.annotators import glasses_head, measuring, results
    from kerasfaces import manifest as manifests
    from kerasfaces.annotate.contract import Weights

    manifest = manifests.read(arguments.manifest)
    if arguments.train_glasses:
        note = glasses_head.train(manifest.folder)
        print(results.heads(note))
        return 0
    if arguments.compare_glasses:
        from experiments.annotators import glasses_compared

        print("\n".join(glasses_compared.compare(manifest)))
        return 0
    weights = Weights(folder=arguments.weights, download=arguments.download)
    names = tuple(arguments.annotators.split(","))
    table, notes, entries = measuring.run(manifest, names, weights, arguments.output)
    print(results.as_markdown(table))
    print("\n".join(f"- {note}" for note in notes))
    if arguments.record:
        results.record(table, entries)
    return 0


if __name__ == "__main__":
    cli.run(main)
