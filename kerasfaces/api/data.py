"""A data set: rows that say which images there are; where they come from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces import tables
from kerasfaces.api.manifest_images import ManifestImages
from kerasfaces.api.paths import PathLike, as_path, require_path
from kerasfaces.core.errors import InputError

logger = logging.getLogger(__name__)


class Manifest(ManifestImages):
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
            require_path(each, "from_folders: expected paths of folders")
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
            require_path(table, "from_table: expected a file's path or a DataFrame")
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
        require_path(path, "from_csv: expected a file's path")
        return cls(manifests.read(Path(path), as_path(root)), Path(path).name)

    def generate(
        self, kind: str, folder: PathLike, *, workers: int = 1, **options: object
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
