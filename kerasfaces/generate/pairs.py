"""Rows of real photos -> `real/`, `fake/` and `manifest.csv`: a pair per photo.

A pair whose files are there already is not made again, so a killed run continues. What a
pair looks like depends on its photo and on the configuration alone, wherever it is made.
"""

import dataclasses
import functools
import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasfaces import images
from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import engine, folders, registry, rng
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import atomic_path, write_bytes, write_json
from kerasfaces.generate import alignment
from kerasfaces.generate.config import KINDS, GenerateConfig
from kerasfaces.generate.contract import Generator
from kerasfaces.manifest import Manifest
from kerasfaces.manifest import audit as audits
from kerasfaces.manifest.audit import AuditResult

logger = logging.getLogger(__name__)

AUDIT_FILE = "audit.json"
SETTINGS_FILE = "generate.json"
UNUSABLE_FILE = "unusable.csv"
VERSION = 2  # raise whenever the same settings give other pictures
_ENDINGS = {"jpeg": ".jpg", "png": ".png"}
_OF_FILES = ("width_px", "height_px", "format", "phash", "original_sha256")


class _Photo(NamedTuple):
    file: Path
    source: str


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Both files, relative to the folder, with their SHA-256; or why there is no pair."""

    original: str = ""
    real: str = ""
    fake: str = ""
    real_sha256: str = ""
    fake_sha256: str = ""
    reason: str = ""


def generate(
    manifest: Manifest,
    folder: Path,
    config: GenerateConfig,
    spread: Engine | None = None,
) -> Manifest:
    """Make a pair of every real photo; return the manifest as written.

    Rows of fakes are passed over. The columns of a photo's row (split, identity,
    attributes) are those of both its pictures.

    Args:
        manifest: Rows of photos.
        folder: Made if need be; may hold an unfinished or finished earlier run.
        config: Kind of generator, size, alignment, encoder and seed.
        spread: Where; by default this process.

    Returns:
        Rows of both pictures with `pair_id`; photos without a pair are in
        `unusable.csv`, each with its reason.

    Raises:
        InputError: There is no real photo, or not one can be used.
        MissingFileError: Weights are not there.
        RunError: The folder holds something else.
        LockedError: Another process writes the folder.
    """
    rows = manifest.rows[manifest.rows["label"] == "real"]
    if rows.empty:
        raise InputError("The manifest has no real photos; pairs are made of these.")
    reals = Manifest(rows.reset_index(drop=True), manifest.folder)
    task = _Task(config, folder.absolute())
    with folders.lock(folder, "folder of pairs"):
        generator = task.generator
        settings = _claimed(config) | {"generator": generator.recipe}
        folders.claim(folder, SETTINGS_FILE, settings, "set of pairs")
        photos = list(map(_Photo, reals.files(), reals.rows["source"]))
        spread = (spread or Engine()).or_in_process()
        label = f"generating ({config.source})"
        if hasattr(generator, "train"):
            generator.train(_to_learn_from(reals))
        if hasattr(generator, "before"):
            logger.info("%s", generator.before(len(photos)))
        outcomes = engine.map(task, photos, spread=spread, progress=label)
        crashed = images.DECODER_CRASHED
        pairs = [each.value or _Pair(reason=each.error or crashed) for each in outcomes]
        if hasattr(generator, "after"):
            logger.info("%s", generator.after())
        written = Manifest(_rows(reals, pairs, config), folder.absolute())
        _report(reals, pairs, folder)
        manifests.write(written, folder / "manifest.csv")
    return written


def audit(written: Manifest, folder: Path) -> AuditResult | None:
    """Measure how well files and sharpness alone still separate the pairs.

    Args:
        written: What `generate` returned.
        folder: Its folder; `audit.json` is written there.

    Returns:
        The result, or None, and the log says why, where there are too few pairs.
    """
    (folder / AUDIT_FILE).unlink(missing_ok=True)  # that of other pairs
    try:
        result = audits.audit(written)
    except InputError as error:
        logger.warning("The pairs were not audited: %s", error)
        return None
    write_json(folder / AUDIT_FILE, configs.to_dict(result))
    return result


class _Task:
    """Makes one photo's pair; builds the generator where it works."""

    def __init__(self, config: GenerateConfig, folder: Path) -> None:
        self._config, self._folder = config, folder

    def __reduce__(self) -> tuple[type["_Task"], tuple[GenerateConfig, Path]]:
        return _Task, (self._config, self._folder)

    @functools.cached_property
    def generator(self) -> Generator:
        kind = registry.load(KINDS, self._config.kind)
        generator: Generator = kind.build(self._config.options)
        if hasattr(generator, "use_folder"):
            generator.use_folder(self._folder)
        return generator

    def __call__(self, photo: _Photo) -> _Pair:
        try:
            return self._pair(photo)
        except ImageError as error:
            return _Pair(reason=str(error))

    def _pair(self, photo: _Photo) -> _Pair:
        config = self._config
        data = images.read_file(photo.file)
        original = images.sha256(data)
        name = original[:20] + _ENDINGS[config.format]
        real = f"real/{_slug(photo.source)}/{name}"
        fake = f"fake/{_slug(config.source)}/{name}"
        targets = [self._folder / real, self._folder / fake]
        if not all(path.exists() for path in targets):
            contents = self._contents(data, original)
            for path, content in zip(targets, contents, strict=True):
                write_bytes(path, content)
        hashes = [images.sha256(images.read_file(path)) for path in targets]
        return _Pair(original, real, fake, *hashes)

    def _contents(self, data: bytes, original: str) -> tuple[bytes, bytes]:
        """Return both pictures' files."""
        config, stride_px = self._config, self.generator.stride_px
        random = rng.generator(config.seed, "pair", config.source, original)
        quality_pct = int(random.integers(*config.quality_limits, endpoint=True))
        share = float(random.uniform(0, config.mix_max))
        whole = np.asarray(images.decode(data))
        shrink = config.resize == "shrink"
        real = alignment.cut(whole, config.size_px, stride_px, shrink=shrink)
        fake = self.generator(real, random)
        align = config.align or ()
        if "frequency" in align:
            fake = alignment.fuse_frequencies(real, fake, config.cutoff)
        if "jpeg" in align:
            fake = alignment.compress_alike(fake, data, whole.shape[:2])
        if "pixel" in align:
            fake = alignment.mix(real, fake, share)
        if "spectrum" in align:  # last: mixing and compressing take power away
            fake = alignment.match_spectrum(real, fake)
        encode = functools.partial(
            alignment.encode, format=config.format, quality_pct=quality_pct
        )
        return encode(real), encode(alignment.to_pixels(fake))


def _to_learn_from(reals: Manifest) -> list[Path]:
    """Return the photos of the training split, or of none: test photos are to be unseen."""
    usable = reals.rows["split"].isin(("train", ""))
    if not usable.any():
        raise InputError(
            "A generator that is taught needs photos of the split train, or without one; the "
            "manifest has none."
        )
    return [file for file, use in zip(reals.files(), usable, strict=True) if use]


def _claimed(config: GenerateConfig) -> dict[str, object]:
    """Return the settings with which a folder is continued."""
    settings = {"version": VERSION, **configs.to_dict(config)}
    for name in getattr(registry.load(KINDS, config.kind), "UNCLAIMED", ()):
        del settings["options"][name]
    return settings


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip(".") or "_"


def _rows(reals: Manifest, pairs: list[_Pair], config: GenerateConfig) -> pd.DataFrame:
    """Return two rows per pair; a photo that is there twice has one pair."""
    usable = [not pair.reason for pair in pairs]
    rows = reals.rows[usable].reset_index(drop=True)
    pairs = [pair for pair in pairs if not pair.reason]
    if not pairs:
        raise InputError(
            f"Not one of the {len(reals)} photos can be used; {UNUSABLE_FILE} and the log have "
            "the reasons."
        )
    original = pd.Series([pair.original for pair in pairs])
    own = rows["pair_id"] if "pair_id" in rows else pd.Series("", index=rows.index)
    rows = rows.drop(columns=[name for name in _OF_FILES if name in rows])
    rows = rows.assign(
        pair_id=own.where(own != "", original.str[:20]) if config.is_paired else own,
        original_sha256=original,
    )
    real = rows.assign(
        path=[pair.real for pair in pairs], sha256=[pair.real_sha256 for pair in pairs]
    )
    fake = rows.assign(
        path=[pair.fake for pair in pairs],
        sha256=[pair.fake_sha256 for pair in pairs],
        label="fake",
        source=config.source,
    )
    if not config.is_paired:
        columns = [name for name in map(str, fake.columns) if _of_the_photo(name)]
        fake = fake.assign(**dict.fromkeys(columns, ""))
    return pd.concat([real, fake], ignore_index=True).drop_duplicates("path")


def _of_the_photo(column: str) -> bool:
    """Tell whether a column says what or whom a photo shows."""
    named = ("pair_id", "original_sha256", "identity")
    return column in named or column.startswith("attr_")


def _report(reals: Manifest, pairs: list[_Pair], folder: Path) -> None:
    """Name the photos that have no pair, in a file and in the log."""
    table = pd.DataFrame(
        {"path": reals.rows["path"], "reason": [pair.reason for pair in pairs]}
    )
    table = table[table["reason"] != ""]
    with atomic_path(folder / UNUSABLE_FILE) as temporary:
        table.to_csv(temporary, index=False)
    if len(table):
        first = table.iloc[0]
        logger.warning(
            "%d of %d photos have no pair, first %s: %s (%s has all)",
            len(table), len(pairs), first["path"], first["reason"], UNUSABLE_FILE,
        )  # fmt: skip
