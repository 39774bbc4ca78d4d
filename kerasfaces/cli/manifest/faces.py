"""`kerasfaces manifest crop-faces` and `count-faces`."""

import argparse

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.cli.manifest import framework


def add_crop_faces(commands: framework.Commands) -> None:
    """Add `crop-faces`."""
    parser = framework.subcommand(
        commands,
        _crop_faces,
        "crop-faces",
        "Write a picture per face, and their manifest; other columns stay, pictures "
        "without a face are named, and a real picture and its fakes are cut alike.",
        [
            "kerasfaces manifest crop-faces manifest.csv -o crops",
            "kerasfaces manifest crop-faces manifest.csv -o crops --faces largest --margin 0.5",
            "kerasfaces manifest crop-faces manifest.csv -o crops --align --size 256",
        ],
    )
    framework.add_manifest(parser)
    add = cli.Options(parser)
    text = "folder for the crops and manifest.csv; a killed call continues"
    add.folder(text, required=True)
    text = "each face of a picture, or its largest (default: each)"
    add.choice("--faces", "each", ("each", "largest"), text)
    text = "on each side, in units of the face's longer side (default: 0.3)"
    add.number("--margin", 0.3, text, None)
    text = "turn pictures until the eyes are level; interpolates every pixel"
    add.flag("--align", text)
    text = "side of the crops (default: as large as they are)"
    add.number("--size", 0, text, "PX", dest="size_px")
    add.number("--min-px", 32, "leave smaller faces out (default: 32)", "PX")


def _crop_faces(arguments: argparse.Namespace) -> int:
    from kerasfaces.faces.crops import FaceCrop
    from kerasfaces.manifest.face_crops import Settings, crop_faces

    crop = FaceCrop(
        margin=arguments.margin, align=arguments.align, size_px=arguments.size_px
    )
    settings = Settings(faces=arguments.faces, crop=crop, min_px=arguments.min_px)
    manifest = framework.read(arguments)
    written = crop_faces(manifest, arguments.output, settings)
    printing.counts(written)
    n_pictures = written.rows["original_sha256"].nunique()
    printing.text(
        f"{len(written):,} faces of {n_pictures:,} different pictures, of "
        f"{len(manifest):,} rows"
    )
    printing.text(f"wrote {arguments.output / 'manifest.csv'}")
    return 0


def add_count_faces(commands: framework.Commands) -> None:
    """Add `count-faces`."""
    parser = framework.subcommand(
        commands,
        _count_faces,
        "count-faces",
        "Count the pictures of each source that have one face, none or several.",
        [
            "kerasfaces manifest count-faces manifest.csv",
            "kerasfaces manifest count-faces manifest.csv --where label=real --csv faces.csv",
        ],
    )
    framework.add_manifest(parser)
    cli.Options(parser).file("--csv", "write the table there as well")


def _count_faces(arguments: argparse.Namespace) -> int:
    from kerasfaces.core import files
    from kerasfaces.manifest.face_counts import KINDS, count_faces

    counted = count_faces(framework.read(arguments))
    if arguments.csv:
        files.write_text(arguments.csv, counted.to_csv(index=False))
    body = [
        [
            row["label"],
            row["source"],
            f"{row['n']:,}",
            *(
                f"{row[kind]:.3f} ({row[f'{kind}_low']:.3f} to {row[f'{kind}_high']:.3f})"
                for kind in KINDS
            ),
            f"{row['small']:,}",
            f"{row['size_px']:.0f}",
            f"{row['ms']:.0f}",
            f"{row['unreadable']:,}",
        ]
        for row in counted.to_dict("records")
    ]
    shares = [f"{kind} (95 %)" for kind in ("one face", "none", "several")]
    printing.table(
        ["label", "source", "n", *shares, "<64 px", "px", "ms", "unreadable"], body
    )
    return 0
