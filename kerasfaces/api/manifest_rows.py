"""What a `Manifest` holds and how it shows itself: rows, their counts, their notes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Self

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.api.paths import PathLike
from kerasfaces.core.errors import InputError
from kerasfaces.manifest.table import LABELS, SPLITS

logger = logging.getLogger(__name__)


class ManifestRows:
    """Rows of images, a name for reports and what reports must say of them."""

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

    def files(self) -> list[Path]:
        """Return the path of every image, in the order of the rows."""
        return self.manifest.files()

    @property
    def table(self) -> pd.DataFrame:
        """Return the rows: text columns, missing values as empty text."""
        return self.manifest.rows.copy()

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
    if not isinstance(data, ManifestRows):
        raise InputError(
            f"{argument}: expected a Manifest, got {type(data).__name__}; make one with "
            "Manifest.from_folders, from_table or from_csv."
        )
