"""The subcommands' work: read, call a stage, write, print the result on stdout."""

import argparse
import dataclasses
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kerasfaces import config
from kerasfaces.errors import InputError
from kerasfaces.manifest import printing, scan, table
from kerasfaces.manifest.table import Manifest

if TYPE_CHECKING:
    from kerasfaces.manifest import convert

logger = logging.getLogger(__name__)


def build(options: argparse.Namespace) -> int:
    """Make a manifest from a folder, a table or a recipe."""
    if (options.data is None) == (options.recipe is None):
        raise InputError("build: expected either DIR (or TABLE) or --recipe X.toml.")
    _refuse_existing(options.output, options.overwrite)
    if options.recipe:
        manifest, ratio = _from_recipe(options)
    else:
        manifest, ratio = _from_data(options), None
    table.require_valid(manifest, str(options.data or options.recipe))
    facts = scan.scan(manifest.files())
    told = pd.DataFrame([each.columns() for each in facts], dtype=str)
    rows = manifest.rows.assign(**{str(name): told[name] for name in told})
    manifest = Manifest(rows, manifest.folder)
    scan.report_unreadable(list(rows["path"]), facts)
    if all(each.reason for each in facts):
        raise InputError(
            f"none of the {len(facts)} images can be read (first: {rows['path'][0]!r}, "
            f"{facts[0].reason}); check --root."
        )
    if ratio:
        manifest = _split(manifest, ratio, options.recipe_seed)
    table.write(manifest, options.output)
    printing.counts(manifest)
    printing.text(f"wrote {options.output}")
    return 0


def split(options: argparse.Namespace) -> int:
    """Assign splits and write the manifest."""
    from kerasfaces.manifest.split import NEAR_DUPLICATES, parse_ratio
    from kerasfaces.manifest.split import assign as assign_splits

    manifest = _read(options)
    if options.where and not options.output:
        raise InputError(
            "--where would drop the other rows of M; give another file: -o OUT."
        )
    n_split = int((manifest.rows["split"] != "").sum())
    if n_split and not options.overwrite:
        raise InputError(
            f"{options.manifest}: {n_split} of {len(manifest)} rows have a split already; "
            "add --overwrite to split anew."
        )
    if options.output and options.output != options.manifest:
        _refuse_existing(options.output, options.overwrite)
    ratio = parse_ratio(options.ratio)
    distance = getattr(options, "near_duplicates", NEAR_DUPLICATES)
    result = assign_splits(manifest, ratio, options.seed, distance)
    table.write(result.manifest, options.output or options.manifest)
    printing.counts(result.manifest)
    printing.moved(result)
    if len(ratio) == 2:
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
        path = f" {each.path!r}" if each.path else ""
        printing.text(f"line {each.line}: {each.kind}:{path}: {each.detail}")
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


def _read(options: argparse.Namespace) -> Manifest:
    from kerasfaces.manifest.where import select as keep

    return keep(table.read(options.manifest, options.root), options.where)


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError(
            f"{path} is a folder; expected a file name such as manifest.csv."
        )
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; add --overwrite to replace it.")


def _from_data(options: argparse.Namespace) -> Manifest:
    from kerasfaces.manifest import convert
    from kerasfaces.manifest.attributes import Attributes
    from kerasfaces.manifest.folders import from_folders

    if options.data.suffix.lower() in convert.SUFFIXES and not options.data.is_dir():
        manifest = convert.from_table(options.data, _columns(options), options.root)
    else:
        for name in ("columns", "map", "real_is", "map_split", "root"):
            if getattr(options, name):
                flag = name.replace("_", "-")
                raise InputError(f"--{flag} is for tables; {options.data} is a folder.")
        manifest = from_folders(options.data)
    if options.attributes:
        rows = Attributes(options.attributes).join(manifest.rows)
        manifest = Manifest(rows, manifest.folder)
    return manifest


def _columns(options: argparse.Namespace) -> "convert.Columns | None":
    """Return the mapping asked for on the command line, or None."""
    from kerasfaces.manifest import convert

    names, splits = convert.parse_map(options.map), convert.parse_map(options.map_split)
    if not (options.columns or names or splits or options.real_is):
        return None
    if options.columns and options.columns not in convert.PRESETS:
        raise InputError(
            f"--columns {options.columns!r}: known layouts are "
            f"{', '.join(convert.PRESETS)}; others are mapped with --map."
        )
    base = convert.PRESETS.get(options.columns, convert.Columns(names={}))
    return dataclasses.replace(
        base,
        names={**base.names, **names},
        real_is=options.real_is or base.real_is,
        splits=splits or base.splits,
    )


def _from_recipe(options: argparse.Namespace) -> tuple[Manifest, str | None]:
    from kerasfaces.manifest import recipe as recipes
    from kerasfaces.manifest.assemble import assemble
    from kerasfaces.manifest.attributes import Attributes

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
