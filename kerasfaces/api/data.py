"""A data set: rows that say which images there are, what they are and their split."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.manifest.table import LABELS, SPLITS

if TYPE_CHECKING:
    from kerasfaces.manifest.audit import AuditResult

PathLike = str | os.PathLike[str]
logger = logging.getLogger(__name__)


class Manifest:
    """One row per image: path, label, source, split and any attributes.

    Objects are never changed: every method returns a new one.

    Example:
        >>> data = kf.Manifest.from_folders("photos").split()  # doctest: +SKIP
        >>> data.counts()  # doctest: +SKIP
        >>> data.select(split="test").files()  # doctest: +SKIP

    Attributes:
        manifest: The rows as the stages read them.
        name: Name of the data in reports, such as the file it came from.
        is_sample: Whether it is the built-in simulation.
        reading: How folders were read: folder, label, split, source, number of images.
    """

    reading: pd.DataFrame | None = None

    def __init__(
        self,
        manifest: manifests.Manifest,
        name: str = "data",
        *,
        notes: tuple[str, ...] = (),
        is_sample: bool = False,
    ) -> None:
        """Take checked rows; use `from_folders`, `from_csv` and the like instead."""
        self.manifest, self.name = manifest, name
        self._notes, self.is_sample = notes, is_sample

    @property
    def notes(self) -> tuple[str, ...]:
        """Return sentences that belong at the top of every report on the data."""
        from kerasfaces.manifest import contradictions

        sentence = contradictions.sentence(self.manifest.rows)
        return (*self._notes, sentence) if sentence else self._notes

    @classmethod
    def from_folders(
        cls,
        *folders: PathLike,
        label_is: str = "",
        split_is: str = "",
        source: str = "",
        split_names: Mapping[str, str] | None = None,
    ) -> Self:
        """List the images below folders; their names say class, split and source.

        Understands the trees that data sets come in (`train/REAL`, `progan/0_real`,
        `Celeb-real`, `real/`, `fake/GENERATOR/`). `.reading` tells how the tree was read.

        Args:
            *folders: One or several, read together.
            label_is: `real` or `fake`: all images are that.
            split_is: `train`, `val`, `test` or `none`: all images are in that split.
            source: What the source is called where no folder names one.
            split_names: Their word for a split -> ours, such as `{"dev": "val"}`.

        Raises:
            MissingFileError: There is no such folder.
            InputError: A class has no images, or the names do not tell; with what was
                seen.
        """
        from kerasfaces.manifest import folders as reader
        from kerasfaces.manifest.folder_names import FolderInput

        if not folders:
            raise InputError("from_folders: expected at least one folder.")
        for each in folders:
            _require_path(each, "from_folders: expected paths of folders")
        inputs = [
            FolderInput(path=Path(each), label=label_is, split=split_is, source=source)
            for each in folders
        ]
        reading = reader.read(inputs, split_names, both_classes=not label_is)
        for note in reading.notes:
            logger.warning("%s", note)
        data = cls._scanned(reading.manifest, Path(folders[0]).name or "folder")
        data.reading = pd.DataFrame(reading.lines)
        return data

    @classmethod
    def from_table(
        cls,
        table: PathLike | pd.DataFrame,
        columns: Mapping[str, str] | None = None,
        *,
        real_is: str = "",
        split_names: Mapping[str, str] | None = None,
        root: PathLike | None = None,
        source: str = "",
        suffix: str = "",
        extract: PathLike | None = None,
    ) -> Self:
        """Convert somebody's table, whatever its columns are called.

        Args:
            table: A file (CSV with any separator, Excel, Parquet, JSON lines), or a table
                in memory; columns that are not mapped are kept.
            columns: Our column -> theirs, e.g. `{"label": "target"}`.
            real_is: The label that means real, where labels are other words or numbers.
            split_names: Their word for a split -> ours.
            root: What relative paths are relative to; by default the file's folder, or
                the working directory for a table in memory.
            source: What the source is called where no column names one.
            suffix: Put after names without an extension, e.g. `.jpg`.
            extract: Folder to write images to that the table holds itself.

        Raises:
            MissingFileError: There is no such file.
            InputError: A column is missing, or a label or split is unknown; with lines.
        """
        from kerasfaces.manifest import foreign_tables

        if isinstance(table, pd.DataFrame):
            read, name = tables.in_memory(table), "table"
        else:
            _require_path(table, "from_table: expected a file's path or a DataFrame")
            read, name = tables.read(Path(table)), Path(table).name
        table_format = foreign_tables.TableFormat(
            columns=columns or {},
            real_is=str(real_is),
            split_names=split_names or {},
            root=as_path(root),
            suffix=suffix,
            extract=as_path(extract),
        )
        manifest = foreign_tables.from_table(read, table_format, source)
        return cls._scanned(manifest, name)

    @classmethod
    def from_recipe(
        cls, recipe: PathLike, root: PathLike, *, keep_split: bool = True
    ) -> Self:
        """Assemble a published data set from folders as a recipe says.

        Args:
            recipe: A file of `data_manifests/`.
            root: The folder with the data.
            keep_split: Split as the recipe says.

        Raises:
            InputError: The recipe is malformed, or a source has no images.
        """
        from kerasfaces.manifest import recipe as recipes
        from kerasfaces.manifest.recipe_rows import assemble

        content = recipes.read(Path(recipe))
        data = cls._scanned(assemble(content, Path(root), None)[0], content.name)
        if keep_split and content.split:
            return data.split(content.split, content.seed)
        return data

    @classmethod
    def from_csv(cls, path: PathLike, root: PathLike | None = None) -> Self:
        """Return the data that a manifest.csv lists.

        Args:
            path: A file with at least the columns path and label.
            root: What relative paths are relative to; the file's own folder if None.

        Raises:
            MissingFileError: There is no such file.
            InputError: It cannot be used; the message names file and lines.
        """
        _require_path(path, "from_csv: expected a file's path")
        return cls(manifests.read(Path(path), as_path(root)), Path(path).name)

    def files(self) -> list[Path]:
        """Return the path of every image, in the order of the rows."""
        return self.manifest.files()

    @property
    def table(self) -> pd.DataFrame:
        """Return the rows: text columns, missing values as empty text."""
        return self.manifest.rows.copy()

    def join(self, *others: Manifest) -> Self:
        """Return these rows and others'; columns are united.

        Raises:
            InputError: An image is in two of them, or in two splits.
        """
        from kerasfaces.manifest import build

        for position, other in enumerate(others):
            require_manifest(other, f"others[{position}]")
        every: list[Manifest] = [self, *others]
        parts = [(each.name, each.manifest) for each in every]
        joined = build.join(parts, self.manifest.folder)
        notes = tuple(dict.fromkeys(note for each in every for note in each._notes))
        on_sample = all(each.is_sample for each in every)
        return type(self)(joined, self.name, notes=notes, is_sample=on_sample)

    def split(
        self,
        ratio: str = "5:1:1",
        seed: int = 0,
        *,
        near_duplicates: int | None = 16,
        validation_from: str | None = None,
        overwrite: bool = False,
    ) -> Self:
        """Assign train, val and test, stratified by label and source.

        Pairs, identities, copies and near-duplicates stay together.

        Args:
            ratio: train:val:test.
            seed: Key of the draw.
            near_duplicates: How many of 256 bits the perceptual hashes of one picture may
                differ in; None does not look at the images.
            validation_from: `train` cuts a missing validation split from the training
                rows of a data set that has its own test split; no other row moves.
            overwrite: Replace splits that rows have.

        Raises:
            InputError: Rows have a split already, or a class has too few images.
        """
        from kerasfaces.manifest.split import parse_ratio, split

        result = split(
            self.manifest,
            parse_ratio(ratio),
            seed,
            near_duplicates,
            validation_from=validation_from,
            overwrite=overwrite,
        )
        return self._with(result.manifest)

    def select(self, **conditions: str | Sequence[str]) -> Self:
        """Return the rows whose columns have one of the given values.

        Args:
            **conditions: Column -> a value or several: `select(source=["ffhq",
                "stylegan"], split="test")`.

        Raises:
            InputError: There is no such column or value, or no row is left.
        """
        from kerasfaces.manifest.table import select

        manifest = self.manifest
        for name, value in conditions.items():
            values = [value] if isinstance(value, str) else list(value)
            manifest = select(manifest, name, values)
        return self._with(manifest)

    def check(self, near_duplicates: int | None = 16) -> pd.DataFrame:
        """Return what is wrong, row by row, every file looked at.

        Args:
            near_duplicates: See `split`; for pictures that are in two splits.

        Returns:
            Columns `kind`, `row` (position in `table`; -1: the whole table), `path` and
            `detail`; empty where nothing is wrong.
        """
        from kerasfaces.manifest.check import findings_of

        numbers = range(2, len(self) + 2)  # as in a file, whose header is line 1
        findings = findings_of(self.manifest, numbers, near_duplicates=near_duplicates)
        lines = [
            (each.kind, each.line - 2, each.path, each.detail) for each in findings
        ]
        return pd.DataFrame(lines, columns=["kind", "row", "path", "detail"])

    def audit(self, seed: int = 0) -> AuditResult:
        """Measure how well file facts alone (size, format, EXIF) tell real from fake.

        Its `sharpness` says the same of blur, noise and traces of compression.

        Args:
            seed: Key of folds and intervals.

        Raises:
            InputError: A class has too few readable images.
        """
        from kerasfaces.manifest.audit import audit

        return audit(self.manifest, seed)

    def neutralise(self, folder: PathLike, size_px: int | None = None) -> Self:
        """Write copies that all went through the same crop, resize and encoder.

        Args:
            folder: Where images and manifest.csv go; a killed call continues.
            size_px: Their side; by default the multiple of 16 below .9 of the smallest.
        """
        from kerasfaces.manifest.neutralise import neutralise

        return self._with(neutralise(self.manifest, Path(folder), size_px))

    def crop_faces(
        self,
        folder: PathLike,
        *,
        faces: Literal["each", "largest"] = "each",
        margin: float = 0.3,
        align: bool = False,
        size_px: int = 0,
        min_px: int = 32,
    ) -> Self:
        """Write a picture per face; a real picture and its fakes are cut alike.

        Args:
            folder: Where crops and manifest.csv go; a killed call continues.
            faces: `each` face of a picture, or its `largest`.
            margin: On each side, in units of the face's longer side, 0..4.
            align: Turn pictures until the eyes are level; interpolates every pixel.
            size_px: Side of the crops; 0 leaves them as large as they are.
            min_px: Smaller faces are left out.

        Returns:
            A row per face with the columns of its picture, and where it was; pictures
            without a face are logged.

        Raises:
            InputError: The pictures are crops already, or not one has a face.
            RunError: The folder holds crops made with other settings.
            MissingExtraError: No runtime for the detector of faces is installed.
        """
        from kerasfaces.faces.crops import FaceCrop
        from kerasfaces.manifest.face_crops import Settings, crop_faces

        crop = FaceCrop(margin=margin, align=align, size_px=size_px)
        settings = Settings(faces=faces, crop=crop, min_px=min_px)
        return self._with(crop_faces(self.manifest, Path(folder), settings))

    def count_faces(self) -> pd.DataFrame:
        """Return how many pictures of each source have one face, none or several.

        Returns:
            A row per label and source, and one for all; shares with exact 95 % intervals
            (`one`, `one_low`, `one_high`, likewise `none` and `several`), `n`,
            `unreadable`, `small` (largest face below 64 px), and medians of the largest
            face's `size_px` and `score` and of the detector's time, `ms`.

        Raises:
            MissingExtraError: No runtime for the detector of faces is installed.
        """
        from kerasfaces.manifest.face_counts import count_faces

        return count_faces(self.manifest)

    def generate(
        self,
        kind: str,
        folder: PathLike,
        *,
        workers: int = 1,
        **options: object,
    ) -> Self:
        """Make a fake of every real photo and write both anew, in a process of its own.

        Args:
            kind: Kind of generator, such as `autoencoder`, `upsample` or `diffuse`.
            folder: Where `real/`, `fake/` and manifest.csv go; a killed call continues.
            workers: Processes to spread it over.
            **options: Settings of all kinds (`size_px=512`, `align=("frequency",)`,
                `quality_pct=(75, 95)`, `seed=0`) or of this one (`network="taef2"`).

        Returns:
            The rows of what was written; `unusable.csv` in the folder has the photos
            that were left out, each with its reason.

        Raises:
            InputError: There is no such kind or setting, or no photo can be used.
            MissingFileError: The generator's weights are not there.
            RunError: The folder holds something else, or the process died.
        """
        from kerasfaces.generate import own_process

        own_process.generate(self.manifest, Path(folder), kind, options, workers)
        return type(self).from_csv(Path(folder) / "manifest.csv")

    def compute_channels(
        self,
        folder: PathLike,
        channels: Sequence[str] = ("lnp", "spectrum"),
        *,
        mask: str = "none",
        options: Mapping[str, object] | None = None,
    ) -> Path:
        """Compute forensic channels into a store, in a process of its own (torch).

        Args:
            folder: The store; what it holds already is not computed again.
            channels: Names such as `lnp`, `spectrum`, `rgb`.
            mask: `none`, `ellipse`, `grabcut` or `sam`.
            options: Such as `{"size_px": 128, "lnp.weights": "FILE"}`.

        Returns:
            The store's folder, for `Detector(store=...)`.

        Raises:
            InputError: There is no such channel, mask or option.
            RunError: Not one image has an array, or the process died.
        """
        from kerasfaces.channels import own_process

        rows = self.manifest.rows
        summary = own_process.compute(
            self.files(),
            Path(folder),
            list(channels),
            mask,
            [f"{key}={value}" for key, value in (options or {}).items()],
            list(rows["sha256"]) if "sha256" in rows else None,
        )
        logger.info("%s", summary)
        return Path(folder)

    def write(self, path: PathLike) -> Path:
        """Write manifest.csv, for the command line and for later.

        Args:
            path: The file; paths of images become relative to its folder.

        Returns:
            The file.
        """
        manifests.write(self.manifest, Path(path))
        return Path(path)

    def counts(self) -> pd.DataFrame:
        """Return the number of images by label, source and split."""
        rows = self.manifest.rows
        splits = rows["split"].replace("", "no split")
        counted = pd.crosstab([rows["label"], rows["source"]], splits)
        order = [name for name in (*SPLITS, "no split") if name in counted]
        counted = counted[order].assign(all=counted.sum(axis=1))
        return counted.reindex(list(LABELS), level="label")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.manifest)

    def __repr__(self) -> str:
        """Return the counts as text."""
        return f"{self.name}: {len(self):,} images\n{self.counts()}"

    def _repr_html_(self) -> str:
        """Return the counts as a notebook shows them."""
        shown: str = self.counts().to_html()
        return f"<p>{len(self):,} images</p>{shown}"

    @classmethod
    def _scanned(cls, manifest: manifests.Manifest, name: str) -> Self:
        """Return rows with the facts of their files; what is odd is logged."""
        from kerasfaces.manifest import build, contradictions

        scanned = build.scanned(manifest, name)
        if sentence := contradictions.sentence(scanned.rows):
            logger.warning("%s", sentence)
        return cls(scanned, name)

    def _with(self, manifest: manifests.Manifest) -> Self:
        return type(self)(
            manifest, self.name, notes=self._notes, is_sample=self.is_sample
        )


def require_manifest(data: object, argument: str = "data") -> None:
    """Refuse what is no manifest, such as the path of one."""
    if not isinstance(data, Manifest):
        raise InputError(
            f"{argument}: expected a Manifest, got {type(data).__name__}; make one with "
            "Manifest.from_folders, from_table or from_csv."
        )


def as_path(path: PathLike | None) -> Path | None:
    """Return a path where there is one."""
    return None if path is None else Path(path)


def _require_path(value: object, expected: str) -> None:
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{expected}, got {type(value).__name__}.")
