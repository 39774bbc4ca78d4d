"""What a `Manifest` makes of its images: copies, face crops, channels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

import pandas as pd

from kerasfaces.api.manifest_rows import ManifestRows
from kerasfaces.api.paths import PathLike

logger = logging.getLogger(__name__)


class ManifestImages(ManifestRows):
    """The methods of `Manifest` that read or write pixels."""

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

    def annotate(
        self,
        annotators: Sequence[str] | None = None,
        *,
        min_confidence: Mapping[str, float] | None = None,
        weights: PathLike | None = None,
        download: bool = False,
        corrections: PathLike | None = None,
        output: PathLike | None = None,
    ) -> Self:
        """Fill attributes of the main face of each picture; what rows state stays.

        Args:
            annotators: Names, those that count first first; by default `gear`,
                `emotion` and `glasses`, an empty list for facts of the faces alone.
            min_confidence: Attribute, such as `gender` -> confidence below which it stays
                empty, 0..1, instead of the annotators' own.
            weights: Folder with the annotators' weights; the cache's by default.
            download: Fetch weights that are not here.
            corrections: A table with file names and right values, which win.
            output: A table to write, with landmarks and `annotators.json` beside it.

        Returns:
            The rows with `attr_*`, `annotated_*` and `face_*` columns; pictures without an
            annotation are logged.

        Raises:
            InputError: There is no such annotator, or weights of another version.
            MissingFileError: An annotator's weights are not here.
            MissingExtraError: A package that is needed is not installed.
        """
        from kerasfaces.annotate import run
        from kerasfaces.annotate.contract import Weights

        settings = run.Settings(
            annotators=run.DEFAULT if annotators is None else tuple(annotators),
            min_confidence=dict(min_confidence or {}),
            weights=Weights(
                folder=None if weights is None else Path(weights), download=download
            ),
            corrections=None if corrections is None else Path(corrections),
        )
        annotated = run.annotate(self.manifest, settings)
        for reason, paths in annotated.lost.items():
            logger.warning("%s: %d without annotation", reason, len(paths))
        if output is not None:
            run.write(annotated, Path(output))
        return self._with(annotated.manifest)

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
            mask: `none`, `ellipse`, `grabcut`, `selfie` or `sam`.
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
