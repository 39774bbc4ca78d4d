"""`python -m experiments.ten_pictures --manifest M -o DIR`: see README.md beside this file."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli

_EXAMPLES = (
    "python -m experiments.ten_pictures --manifest FACES/manifest.csv -o runs/ten",
    "python -m experiments.ten_pictures --manifest M --weights FILE.h5 -o DIR",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Train a detector on the rest and judge the ten; a finished part is not repeated."""
    parser = cli.parser("ten_pictures", __doc__ or "", _EXAMPLES)
    add = cli.Options(parser)
    add("--manifest", type=Path, required=True, metavar="M", help="faces with sources")
    add.folder("folder to write", required=True)
    text = "base: imagenet, forensic, or a file (default: imagenet)"
    add("--weights", default="imagenet", metavar="W", help=text)
    text = "of the split and of the draw of the ten (default: 0)"
    add("--seed", type=int, default=0, help=text)
    arguments = parser.parse_args(argv)
    from experiments.ten_pictures import judging

    table = judging.judge(
        arguments.manifest, arguments.output, arguments.weights, arguments.seed
    )
    print(judging.as_markdown(table))
    return 0


if __name__ == "__main__":
    cli.run(main)
