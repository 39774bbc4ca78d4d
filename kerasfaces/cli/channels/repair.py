"""Command `channels repair`: store -> the same without what is damaged."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli.channels.compute import of_manifest
from kerasfaces.cli.channels.verify import print_findings, with_progress


def main(argv: Sequence[str]) -> int:
    """Parse, mend the store, print what was wrong and what was computed again."""
    parser = cli.parser(
        "channels repair",
        "Take damaged shards out of a store, so that they are computed again: by the "
        "next run, or now if a manifest is given. What is whole stays.",
        [
            "kerasfaces channels repair STORE",
            "kerasfaces channels repair STORE MANIFEST",
        ],
    )
    parser.add_argument("store", type=Path, metavar="STORE")
    parser.add_argument("manifest", type=Path, nargs="?", metavar="MANIFEST")
    parser.add_argument("--root", type=Path, help="see kerasfaces channels --help")
    arguments = parser.parse_args(argv)
    folder = arguments.store
    from kerasfaces import store
    from kerasfaces.channels import recipe, run, verify

    inputs = (
        of_manifest(arguments.manifest, arguments.root) if arguments.manifest else None
    )
    findings = with_progress(folder, verify.repair)
    print_findings(findings)
    lost = len({key for finding in findings for key in finding.keys})
    print(f"{len(findings)} findings; {lost} images to compute again")
    if inputs is None:
        return 0
    wanted = store.read_meta(folder).recipe
    config = recipe.config_from(wanted, f"{folder}/store.json")
    made = recipe.recipe_of(config)
    recipe.refuse_difference(wanted, made, f"{folder}/store.json")
    files, known = inputs
    print(run.build(files, folder, config, known=known, made=wanted).text())
    return 0
