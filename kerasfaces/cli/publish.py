"""`kerasfaces publish`: run folder -> a repository of Hugging Face."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import printing

if TYPE_CHECKING:
    from kerasfaces.serve.publish.upload import Publication


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, publish, print what went where."""
    arguments = _parser().parse_args(argv)
    from kerasfaces.serve.publish.upload import publish

    _print(
        publish(
            arguments.run,
            arguments.repo,
            with_space=arguments.space,
            dry_run=arguments.dry_run,
            private=arguments.private,
            licence=arguments.licence,
            with_features=not arguments.no_training_features,
            target=arguments.output,
        )
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "publish",
        "Publish a detector on Hugging Face: weights, configuration, operating point, exports, "
        "a model\ncard with the run's own results, an example. No picture, file name, path, user or "
        "host leaves:\nthe folder is searched for them first. Loaded back by "
        "kerasfaces predict hf://OWNER/NAME.",
        [
            "pip install 'kerasfaces[publish]' && hf auth login",
            "kerasfaces publish RUN --repo me/faces --dry-run -o look",
            "kerasfaces publish RUN --repo me/faces --licence apache-2.0 --space",
            "kerasfaces predict hf://me/faces@COMMIT photo.jpg",
        ],
    )
    add = cli.Options(parser)
    add("run", type=Path, metavar="RUN", help="run folder made by train, or a winner")
    add("--repo", required=True, metavar="OWNER/NAME", help="made if it is not there")
    add.flag("--space", "also a Space of the same name with the app (kerasfaces app)")
    add.flag("--private", "new repositories are private")
    text = "of the weights, as Hugging Face names it: apache-2.0, cc-by-nc-4.0 ..."
    add("--licence", default="", metavar="ID", help=text)
    add.flag(
        "--no-training-features",
        "leave out the 64 numbers per training image (no name, no hash) by which answers "
        "say how far a picture is from what was trained on",
    )
    add.flag("--dry-run", "write the folder, upload nothing")
    text = "folder that keeps what is uploaded (model/, space/); needed by --dry-run"
    add.folder(text)
    return parser


def _print(publication: "Publication") -> None:
    for name, facts in publication.files.items():
        print(f"{facts['bytes']:>12,}  {name}")
    if publication.folder:
        printing.text(f"written: {publication.folder}")
    for page in publication.pages:
        print(f"published: {page}")
    if publication.address:
        print(f"load it: kerasfaces predict {publication.address} photo.jpg")
    else:
        print("nothing was uploaded (--dry-run)")
