"""Command `generate`: real photos -> pairs of a real and a fake, written alike."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core import registry

_EXAMPLES = [
    "kerasfaces generate autoencoder M -o PAIRS           # round trips, aligned",
    "kerasfaces generate autoencoder M -o PAIRS --network hf://stabilityai/sd-vae-ft-mse",
    "kerasfaces generate upsample M -o PAIRS --set options.stages=3",
    "kerasfaces generate upsample M -o PAIRS --network realesrgan-x4plus",
    "kerasfaces generate diffuse M -o PAIRS --network sd-2.1 --set options.strength=.2",
    "kerasfaces generate lora M -o FAKES --network sd-1.5 --set options.device=cuda",
    "kerasfaces generate openai M -o FAKES --budget 5      # OPENAI_API_KEY is set",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, make the pairs, print what there is."""
    arguments = parser().parse_args(argv)
    from kerasfaces import manifest as manifests
    from kerasfaces.core.config import override
    from kerasfaces.generate.config import KINDS, GenerateConfig
    from kerasfaces.generate.pairs import audit, generate

    registry.check("kind", arguments.kind, registry.names(KINDS))
    config = GenerateConfig(kind=arguments.kind, seed=arguments.seed)
    named = {
        "options.network": arguments.network,
        "options.budget_usd": arguments.budget,
        "align": arguments.align,
    }
    chosen = [f"{key}={value}" for key, value in named.items() if value is not None]
    config = override(config, [*chosen, *arguments.set])
    photos = manifests.read(arguments.manifest, arguments.root)
    written = generate(photos, arguments.output, config, cli.engine_of(arguments))
    n_fakes = int((written.rows["label"] == "fake").sum())
    what = "pairs, fakes of" if config.is_paired else "fakes, of nobody, of"
    print(f"{n_fakes:,} {what} {config.source}")
    print(f"manifest: {arguments.output / 'manifest.csv'}")
    result = audit(written, arguments.output)
    if result is not None:
        printing.audit("audit of the pairs", result)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of `generate`."""
    kinds = registry.names("kerasfaces.generate.kinds")
    parser = cli.parser(
        "generate",
        "Make a fake of every real photo, and write both anew in the same way. The same "
        "command continues where it was interrupted. An audit says how well files and "
        "sharpness alone still tell the pairs apart; audit.json keeps it.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    add("kind", metavar="KIND", help=f"one of {', '.join(kinds)}")
    add("manifest", type=Path, metavar="MANIFEST", help="its real rows are used")
    add.path("--root", "what relative paths in the manifest are relative to")
    add.folder(None, required=True)
    text = "the kind's network: a name, a file or a folder"
    add("--network", metavar="NAME", help=text)
    text = "some of frequency,jpeg,pixel,spectrum, done in this order"
    add("--align", metavar="LIST", help=text)
    add.number("--budget", None, "of a kind that is paid for", "USD", kind=float)
    add.number("--seed", 0, "of everything that is drawn; default: 0", None)
    text = (
        "size_px=512, resize=none|shrink, cutoff=.25, mix_max=.3, format=jpeg|png, "
        "quality_pct=75,95, or options.NAME of the kind"
    )
    add.repeated("--set", "KEY=VALUE", text)
    cli.add_engine(parser, workers=True)
    return parser
