"""A data set: rows that say which images there are, what they are and their split."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces import sample
from kerasfaces.errors import InputError
from kerasfaces.manifest.rules import LABELS, SPLITS

if TYPE_CHECKING:
    from kerasfaces.manifest.audit import AuditResult

PathLike = str | os.PathLike[str]


class Manifest:
    """One row per image: path, label, source, split and any attributes.

    Objects are never changed: every method returns a new one.

    Attributes:
        manifest: The rows as the stages read them.
        name: What reports call the data.
        notes: Sentences that belong at the top of every report on the data.
        is_sample: Whether it is the built-in simulation.
    """

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
        self.notes, self.is_sample = notes, is_sample

    @classmethod
    def from_csv(cls, path: PathLike, root: PathLike | None = None) -> Self:
        """Read a manifest.csv.

        Args:
            path: A file with at least the columns path, label and source.
            root: What relative paths are relative to; the file's own folder if None.

        Raises:
            MissingFileError: There is no such file.
            InputError: It cannot be used; the message names file and lines.
        """
        folder = None if root is None else Path(root)
        return cls(manifests.read(Path(path), folder), Path(path).name)

    @property
    def table(self) -> pd.DataFrame:
        """Return the rows: text columns, missing values as empty text."""
        return self.manifest.rows.copy()

    def split(
        self,
        ratio: str = "5:1:1",
        seed: int = 0,
        *,
        near_duplicates: int | None = 16,
        overwrite: bool = False,
    ) -> Self:
        """Assign train, val and test, stratified by label and source.

        Pairs, identities, copies and near-duplicates stay together.

        Args:
            ratio: train:val:test.
            seed: Key of the draw.
            near_duplicates: How many of 256 bits the perceptual hashes of one picture may
                differ in; None does not look at the images.
            overwrite: Replace splits that rows have.

        Raises:
            InputError: Rows have a split already, or a class has too few images.
        """
        from kerasfaces.manifest.split import assign, parse_ratio

        n_split = int((self.manifest.rows["split"] != "").sum())
        if n_split and not overwrite:
            raise InputError(
                f"split: {n_split:,} of {len(self):,} rows have a split already; "
                "overwrite=True splits anew."
            )
        result = assign(self.manifest, parse_ratio(ratio), seed, near_duplicates)
        return self._with(result.manifest)

    def select(self, **conditions: str | Sequence[str]) -> Self:
        """Return the rows whose columns have one of the given values.

        Args:
            **conditions: Column -> a value or several: `select(source=["ffhq",
                "stylegan"], split="test")`.

        Raises:
            InputError: There is no such column or value, or no row is left.
        """
        rows = self.manifest.rows
        keep = pd.Series(True, index=rows.index)
        for name, value in conditions.items():
            if name not in rows:
                known = ", ".join(map(str, rows.columns))
                raise InputError(f"select: no column {name!r}; there are {known}.")
            values = [value] if isinstance(value, str) else list(value)
            absent = sorted(set(values) - set(rows[name]))
            if absent:
                known = ", ".join(sorted(set(rows[name]))[:12])
                raise InputError(
                    f"select: no row has {name} {absent[0]!r}; there are {known}."
                )
            keep &= rows[name].isin(values)
        if not keep.any():
            raise InputError("select: no row meets all conditions.")
        return self._with(self.manifest.take(keep))

    def audit(self, seed: int = 0) -> "AuditResult":
        """Measure how well file facts alone (size, format, EXIF) tell real from fake.

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
            InputError: The channel stage refused; the message is its own.
        """
        command = ["-o", os.fspath(folder), "--channels", ",".join(channels)]
        command += ["--mask", mask]
        for key, value in (options or {}).items():
            command += ["--set", f"{key}={value}"]
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "manifest.csv"
            manifests.write(self.manifest, file)
            done = subprocess.run(
                [sys.executable, "-m", "kerasfaces.channels", str(file), *command],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"compute_channels: {last.removeprefix('error: ')}")
        return Path(folder)

    def write(self, path: PathLike) -> Path:
        """Write manifest.csv, for the command line and for later."""
        manifests.write(self.manifest, Path(path))
        return Path(path)

    def counts(self) -> pd.DataFrame:
        """Return the number of images by label, source and split."""
        rows = self.manifest.rows
        splits = rows["split"].replace("", "no split")
        counted = pd.crosstab([rows["label"], rows["source"]], splits)
        order = [name for name in (*SPLITS, "no split") if name in counted]
        return (
            counted[order]
            .reindex(list(LABELS), level="label")
            .assign(all=counted.sum(axis=1))
        )

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

    def _with(self, manifest: manifests.Manifest) -> Self:
        return type(self)(
            manifest, self.name, notes=self.notes, is_sample=self.is_sample
        )


def load_sample(
    folder: PathLike | None = None,
    *,
    pairs: int = sample.DEFAULT_PAIRS,
    seed: int = 0,
) -> Manifest:
    """Return the built-in simulation of drawn faces, made on the first call.

    Its numbers show that everything works; they say nothing about real photos.

    Args:
        folder: Where it is; by default in the cache folder.
        pairs: Number of simulated photos, and of generated pictures of the same scenes.
        seed: Key of people, cameras and noise.

    Raises:
        InputError: The folder holds something else, or a sample of other arguments.
    """
    from kerasfaces import store

    target = store.cache_root() / "sample" if folder is None else Path(folder)
    found = manifests.read(sample.make(target, seed, pairs))
    return Manifest(found, "sample", notes=(sample.NOTE,), is_sample=True)
