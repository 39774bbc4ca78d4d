"""The subcommands' work: read, call a stage, write, print the result on stdout."""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core import config
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import (
    missing_files,
    printing,
    split_problems,
    table,
)
from kerasfaces.manifest.split import RATIO
from kerasfaces.manifest.table import Manifest

logger = logging.getLogger(__name__)


def build(options: argparse.Namespace) -> int:
    """Make a manifest from folders, tables or a recipe."""
    from kerasfaces.manifest import build as building

    if bool(options.inputs) == bool(options.recipe):
        raise InputError("build: expected either DIR (or TABLE) or --recipe X.toml.")
    _refuse_existing(options.output, options.overwrite)
    if options.recipe:
        manifest, ratio = _from_recipe(options)
        table.require_valid(manifest, str(options.recipe))
        manifest = building.scanned(manifest)
        if ratio:
            manifest = _split(manifest, ratio, options.recipe_seed)
    else:
        manifest = building.from_inputs(options)
    if options.validation_from:
        manifest = _cut_validation(manifest, RATIO, 0)
    return _finish(manifest, options.output)


def join(options: argparse.Namespace) -> int:
    """Concatenate manifests."""
    from kerasfaces.manifest import file_facts, joining

    _refuse_existing(options.output, options.overwrite)
    parts = [(str(path), table.read(path)) for path in options.manifests]
    manifest = joining.concatenate(parts, options.output.parent)
    manifest = file_facts.hashed(manifest)
    joining.refuse_shared(manifest, joining.origins(parts))
    return _finish(manifest, options.output)


def split(options: argparse.Namespace) -> int:
    """Assign splits and write the manifest."""
    from kerasfaces.manifest.split import NEAR_DUPLICATES, cut_validation, parse_ratio
    from kerasfaces.manifest.split import assign as assign_splits

    manifest = _read(options)
    if options.where and not options.output:
        raise InputError(
            "--where would drop the other rows of M; give another file: -o OUT."
        )
    if options.validation_from:
        if options.overwrite:
            raise InputError(
                "--validation-from changes no split but train; leave --overwrite out."
            )
    elif (manifest.rows["split"] != "").any() and not options.overwrite:
        raise InputError(
            f"{options.manifest}: {split_problems.already_split(manifest.rows, options.manifest)}"
        )
    if options.output and options.output != options.manifest:
        _refuse_existing(options.output, options.overwrite)
    ratio = parse_ratio(options.ratio)
    distance = getattr(options, "near_duplicates", NEAR_DUPLICATES)
    if options.validation_from:
        result = cut_validation(manifest, ratio, options.seed, distance)
    else:
        result = assign_splits(manifest, ratio, options.seed, distance)
    table.write(result.manifest, options.output or options.manifest)
    printing.counts(result.manifest)
    printing.moved(result)
    if len(ratio) == 2 and not options.validation_from:
        logger.warning(
            "there is no val split; training needs one (e.g. --ratio 64:16:20)"
        )
    printing.text(f"wrote {options.output or options.manifest}")
    return 0


def check(options: argparse.Namespace) -> int:
    """Print findings by line; 1 when there are any."""
    from kerasfaces.manifest.check import check as find

    manifest, findings = find(options.manifest, options.root)
    if options.json:
        printing.text(json.dumps([config.to_dict(each) for each in findings], indent=1))
        return int(bool(findings))
    for each in findings:
        path = f" {quoted(each.path)}:" if each.path else ""
        printing.text(f"line {each.line}: {each.kind}:{path} {each.detail}")
    absent = [each.path for each in findings if each.kind == "missing"]
    if absent:
        printing.text(missing_files.advice(absent, manifest.folder))
    if findings:
        kinds = pd.Series([each.kind for each in findings]).value_counts()
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        printing.text(f"{options.manifest}: {len(manifest)} rows, {counts}")
        return 1
    printing.text(
        f"{options.manifest}: {len(manifest)} rows, nothing to complain about"
    )
    return 0


def audit(options: argparse.Namespace) -> int:
    """Print the audit; 1 when flagged (with --neutralise: when its result is)."""
    from kerasfaces.manifest.audit import AuditResult
    from kerasfaces.manifest.audit import audit as measure

    if options.size and not options.neutralise:
        raise InputError("--size is the size of --neutralise DIR; give that too.")
    manifest = _read(options)

    def report(title: str, audited: Manifest) -> AuditResult:
        result = measure(audited, options.seed)
        if options.json:
            printing.text(json.dumps({"manifest": title, **config.to_dict(result)}))
        else:
            printing.audit(title, result)
        return result

    result = report(str(options.manifest), manifest)
    if options.neutralise:
        from kerasfaces.manifest.neutralise import neutralise

        written = neutralise(manifest, options.neutralise, options.size)
        result = report(str(options.neutralise / "manifest.csv"), written)
        if result.flagged:
            logger.warning(
                "files of one size and one encoder still differ by class: what is left, bytes "
                "per pixel, measures how sharp and detailed the pictures are"
            )
    return int(result.flagged)


def select(options: argparse.Namespace) -> int:
    """Write the rows that meet all conditions."""
    if not options.where:
        raise InputError("select: expected at least one --where COLUMN=VALUE,VALUE.")
    _refuse_existing(options.output, options.overwrite)
    manifest = _read(options)
    table.write(manifest, options.output)
    printing.counts(manifest)
    printing.text(f"wrote {options.output}")
    return 0


def _finish(manifest: Manifest, output: Path) -> int:
    """Write a new manifest and print what is in it and what it lacks."""
    table.write(manifest, output)
    printing.counts(manifest)
    for line in split_problems.remarks(manifest, output):
        logger.warning("%s", line)
    printing.text(f"wrote {output}")
    return 0


def _cut_validation(manifest: Manifest, ratio: Sequence[float], seed: int) -> Manifest:
    from kerasfaces.manifest.split import cut_validation

    result = cut_validation(manifest, ratio, seed)
    n = int((result.manifest.rows["split"] == "val").sum())
    printing.text(
        f"validation: {n:,} images cut from train (a sixth, seed {seed}); no test image moved"
    )
    printing.moved(result)
    return result.manifest


def _read(options: argparse.Namespace) -> Manifest:
    return table.select(table.read(options.manifest, options.root), options.where)


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError(
            f"{path} is a folder; expected a file name such as manifest.csv."
        )
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; add --overwrite to replace it.")


def _from_recipe(options: argparse.Namespace) -> tuple[Manifest, str | None]:
    from kerasfaces.manifest import recipe as recipes
    from kerasfaces.manifest.attributes import Attributes
    from kerasfaces.manifest.recipe_rows import assemble

    if options.root is None:
        raise InputError("--recipe needs --root DIR, the folder with the data.")
    recipe = recipes.read(options.recipe)
    attributes = Attributes(options.attributes) if options.attributes else None
    manifest, report = assemble(recipe, options.root, attributes)
    printing.text(f"{recipe.name}: {recipe.title}")
    printing.sources(report)
    printing.shares(recipe, manifest)
    options.recipe_seed = recipe.seed
    return manifest, None if options.no_split else recipe.split


def _split(manifest: Manifest, ratio: str, seed: int) -> Manifest:
    from kerasfaces.manifest.split import assign, parse_ratio

    result = assign(manifest, parse_ratio(ratio), seed)
    printing.text(
        f"split {ratio}, seed {seed}, as the recipe says (--no-split leaves it out)"
    )
    printing.moved(result)
    return result.manifest
