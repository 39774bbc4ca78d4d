"""Which rows of a `Manifest` there are: joined, split, selected, checked, audited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import pandas as pd

from kerasfaces.api.manifest_rows import ManifestRows, require_manifest

if TYPE_CHECKING:
    from kerasfaces.manifest.audit import AuditResult


class ManifestChoices(ManifestRows):
    """The methods of `Manifest` on its rows."""

    def join(self, *others: ManifestRows) -> Self:
        """Return these rows and others'; columns are united.

        Raises:
            InputError: An image is in two of them, or in two splits.
        """
        from kerasfaces.manifest import build

        for position, other in enumerate(others):
            require_manifest(other, f"others[{position}]")
        every: list[ManifestRows] = [self, *others]
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
