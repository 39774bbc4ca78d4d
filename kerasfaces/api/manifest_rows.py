"""What a `Manifest` holds: rows, counted, joined, split, selected, checked, audited."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.api.paths import PathLike
from kerasfaces.core.errors import InputError
from kerasfaces.manifest.table import LABELS, SPLITS

if TYPE_CHECKING:
    from kerasfaces.manifest.attribute_choice import Choice
    from kerasfaces.manifest.audit import AuditResult

logger = logging.getLogger(__name__)


class ManifestRows:
    """Rows of images, a name for reports and what reports must say of them.

    Attributes:
        choice: How a choice by attributes came out; see `balance`.
    """

    choice: pd.DataFrame | None = None

    def __init__(
        self,
        manifest: manifests.Manifest,
        name: str = "data",
        *,
        notes: tuple[str, ...] = (),
        is_sample: bool = False,
    ) -> None:
        """Take checked rows; use `from_folders`, `from_csv` and the like instead.

        Raises:
            InputError: They are something else, such as the path of a table.
        """
        if not isinstance(manifest, manifests.Manifest):
            raise InputError(
                f"Manifest: expected checked rows, got {type(manifest).__name__}; call "
                "Manifest.from_csv, from_folders or from_table."
            )
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

    def balance(
        self,
        n: int,
        ratios: Mapping[str, Mapping[str, float]] | None = None,
        *,
        preset: str | None = None,
        pairs: bool = False,
        seed: int = 0,
    ) -> Self:
        """Choose images so that the classes of attributes are there in given ratios.

        Real and fake are balanced alike, as many of each. `.choice` of the result tells
        what was wanted and what came of it; what cannot be met is logged.

        Args:
            n: Images in all.
            ratios: Attribute -> class -> share: `{"attr_gender": {"man": .5, "woman":
                .5}}`. Shares that sum to less than 1 leave the rest to the other classes.
            preset: A document's ratios, `kabber2023`; `ratios` replace its own.
            pairs: Choose real images; a fake of the `pair_id` comes along with each.
            seed: Key of the draw.

        Raises:
            InputError: There is no such column or preset, or a label has no row with all
                of the attributes.
        """
        from kerasfaces.manifest import attribute_choice
        from kerasfaces.manifest import ratios as kinds

        wanted = kinds.wanted(preset, ratios or {})
        choice = attribute_choice.choose(
            self.manifest, wanted, n, pairs=pairs, seed=seed
        )
        return self._chosen(choice)

    def weigh(
        self,
        ratios: Mapping[str, Mapping[str, float]] | None = None,
        *,
        preset: str | None = None,
    ) -> Self:
        """Give each image a `weight`, so that classes count in given ratios in training.

        Nothing is left out; `Detector(weight_column="weight")` trains by it. For the
        arguments and `.choice` see `balance`.

        Raises:
            InputError: See `balance`.
        """
        from kerasfaces.manifest import attribute_choice
        from kerasfaces.manifest import ratios as kinds

        wanted = kinds.wanted(preset, ratios or {})
        return self._chosen(attribute_choice.weigh(self.manifest, wanted))

    def _chosen(self, choice: Choice) -> Self:
        for note in choice.notes:
            logger.warning("%s", note)
        data = self._with(choice.manifest)
        data.choice = choice.table
        return data

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


def require_manifest(data: object, argument: str = "data") -> None:
    """Refuse what is no manifest, such as the path of one."""
    if not isinstance(data, ManifestRows):
        raise InputError(
            f"{argument}: expected a Manifest, got {type(data).__name__}; make one with "
            "Manifest.from_folders, from_table or from_csv."
        )
