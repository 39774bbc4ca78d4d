"""Command `channels preview`: store and manifest -> one picture."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core.errors import InputError, MissingFileError


def main(argv: Sequence[str]) -> int:
    """Parse, draw, print what the sheet shows."""
    parser = cli.parser(
        "channels preview",
        "Draw a contact sheet of a channel store: images with their channels, and the "
        "average amplitude spectrum of every source beside its difference from the real "
        "images'.",
        ["kerasfaces channels preview STORE MANIFEST -o sheet.png --rows 3"],
    )
    add = cli.Options(parser)
    add("store", type=Path, metavar="STORE")
    add("manifest", type=Path, metavar="MANIFEST")
    add.file("--output", None, "PNG", required=True)
    add.path("--root", "what relative paths in the manifest are relative to")
    add.number("--rows", 3, "images per source; default: 3", None)
    add.number("--spectra", 1000, "images averaged; default: 1000", None)
    text = "of the noise pattern; default: fitted"
    add.number("--gain", None, text, None, kind=float)
    add.number("--seed", 0, "which images are taken; default: 0", None)
    arguments = parser.parse_args(argv)
    for name in ("rows", "spectra"):
        if getattr(arguments, name) < 1:
            raise InputError(
                f"--{name}: expected 1 or more, got {getattr(arguments, name)}."
            )
    output = arguments.output
    if output.suffix.lower() != ".png":
        raise InputError(f"-o {output}: expected a name that ends with .png.")
    if not output.parent.is_dir():
        raise MissingFileError(
            f"-o {output}: the folder {output.parent} does not exist; make it, or choose "
            "another path."
        )
    from kerasfaces import manifest as manifests
    from kerasfaces.channels.preview import preview

    text = preview(
        arguments.store,
        manifests.read(arguments.manifest, arguments.root),
        output,
        per_source=arguments.rows,
        spectra=arguments.spectra,
        gain=arguments.gain,
        seed=arguments.seed,
    )
    print(text)
    return 0
