"""What a `Detector` says of images, alone and beside those it learnt from."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector_run import RunDetector
from kerasfaces.api.inputs import Images, as_sources
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.core.files import read_table
from kerasfaces.core.progress import progress
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    from kerasfaces.serve.exported import ExportedDetector


class AnsweringDetector(RunDetector):
    """The methods of `Detector` that judge images and compare them."""

    def predict(
        self,
        images: Images,
        *,
        faces: Literal["image", "largest", "each"] = "image",
        stability: bool = True,
        provenance: bool = True,
        quick: bool = False,
        engine: str = "keras",
    ) -> pd.DataFrame:
        """Return the whole answer to each image, as `kerasfaces predict --csv` does.

        Args:
            images: A path, a folder, a PIL image or a uint8 array `(h, w, 3)` in sRGB, or
                several of them.
            faces: What is judged: the whole picture, its largest face, or each face, of
                which one fake makes the picture fake.
            stability: Judge six laundered versions, too; a verdict that flips is `unsure`.
            provenance: Read what a file says of its origin.
            quick: The verdict alone: neither of these, and no faces are looked for.
            engine: `keras`, or the run's export (made on first use): `onnxruntime`,
                `openvino`, or `auto`, the first that can be had.

        Returns:
            One row per image: `path` (or `<image 0>`), `verdict` (`real`, `fake`, `unsure`
            inside the band that validation found unsure or where laundering flips it, ""
            where there is none), `score` (calibrated probability of fake), `logit`,
            `reason` where there is no verdict, and the other columns of
            `kerasfaces.serve.answers_file`.

        Raises:
            InputError: Something is no image, or the detector is not trained.
        """
        from kerasfaces.serve import answers_file
        from kerasfaces.serve.answer import Options, answer_all

        options = Options.quick(faces)
        if not quick:
            options = Options(faces=faces, stability=stability, provenance=provenance)
        sources = as_sources(images)
        with progress(len(sources), "scoring") as advance:
            rows = []
            for answer in answer_all(sources, self._engine(engine), options):
                rows.append(answers_file.row(answer))
                advance(1)
        table = pd.DataFrame(rows, columns=list(answers_file.COLUMNS), dtype=object)
        numbers = ("score", "logit")
        return table.astype(dict.fromkeys(numbers, np.float64))

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Return `(n, 2)` probabilities of real and fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        scores = self.predict(images, quick=True)["score"].to_numpy(dtype=np.float64)
        return np.stack([1 - scores, scores], axis=1)

    def decision_function(self, images: Images) -> NDArray[np.float64]:
        """Return `(n,)` logits, larger for fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        return self.predict(images, quick=True)["logit"].to_numpy(dtype=np.float64)

    def _engine(self, name: str) -> ExportedDetector:
        """Return what computes, loaded once."""
        from kerasfaces.serve.exported import ExportedDetector

        if name not in self._engines:
            self._engines[name] = ExportedDetector.open(self.folder, engine=name)
        return self._engines[name]

    @cached_property
    def _engines(self) -> dict[str, ExportedDetector]:
        """What computes, by name, as far as it was asked for."""
        return {}

    def similar(
        self, images: Images, *, count: int = 5, engine: str = "auto"
    ) -> pd.DataFrame:
        """Return the training images nearest to each image, in the layer that decides.

        Args:
            images: See `predict`.
            count: Neighbours of each.
            engine: See `predict`.

        Returns:
            One row per image and neighbour, nearest first: `image`, `rank`, the training
            image's `path` (empty where it is not on this machine), `sha256`, `label` and
            `source`, `distance`, `percentile` (share of validation images that are nearer
            to training, in per cent), and `reason` where an image cannot be read.

        Raises:
            InputError: The run keeps no training features: it is a baseline's, on
                channels, or of an older version.
        """
        from kerasfaces.serve import similar

        sources = as_sources(images)
        search = similar.Search(DetectorRun.open(self.folder), engine)
        rows = []
        for named, (neighbours, reason) in zip(
            sources, search.near(sources, count), strict=True
        ):
            rows += [similar.row(named.name, n, x) for n, x in enumerate(neighbours, 1)]
            if reason:
                rows.append({"image": named.name, "reason": reason})
        return pd.DataFrame(rows, columns=list(similar.COLUMNS))

    def find_leaks(self, data: Manifest, *, split: str | None = "test") -> pd.DataFrame:
        """Return the images that are near-copies of training images.

        Args:
            data: Images that should be new.
            split: Only these rows, where `data` has splits; None is all.

        Returns:
            One row per suspicious image, the surest first: `path`, `label`, `source`,
            `evidence` (`same file`, `pixels and features`, `pixels`, or `features` alone,
            of which a hundredth of all images are expected by chance), `training_image`,
            `training_label`, `distance`, `percentile`, `bits` that the perceptual hashes
            differ in. `.attrs` has what was looked at and what is found of copies made
            for the purpose; see `kerasfaces.serve.leaks.Leaks.facts`.

        Raises:
            InputError: See `similar`, or no row is in this split.
        """
        from kerasfaces.serve import leaks

        require_manifest(data)
        result = leaks.find(DetectorRun.open(self.folder), data.manifest, split)
        columns = (*leaks.COLUMNS, "distance", "percentile", "bits")
        table = pd.DataFrame(result.rows, columns=list(columns))
        table.attrs.update(result.facts)
        return table

    def embed(
        self,
        data: Manifest | None = None,
        *,
        output: PathLike,
        method: str = "umap",
        layer: str = "final",
        split: str = "test",
        per_source: int | None = None,
        border: str = "label",
        pictures: int = 2000,
        store: PathLike | None = None,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Map where images lie in a layer: a page, pictures, a table, numbers.

        Args:
            data: Images; by default the run's own.
            output: Folder to write; a finished one is read again.
            method: `umap` (extra `maps`), `tsne` or `pca`.
            layer: `final`, what the head's last layer reads; `features`, all that the base
                gives the head; or one tap by name.
            split: Only these rows, where `data` has splits; empty is all.
            per_source: Images of each source, drawn; 0 is all. By default 50 by t-SNE,
                else all.
            border: What colours at first: `label`, `source` or `cluster`.
            pictures: Upper limit of thumbnails on the page.
            store: A channel store that holds the images, of a run on channels.
            seed: Key of draws and of the projection.

        Returns:
            One row per image: the manifest's columns, `x`, `y`, `cluster`, and `reason`
            where it could not be mapped. `.attrs` has trustworthiness and purity.

        Raises:
            InputError: There are too few images, all are alike, or no such layer.
            MissingExtraError: `pip install 'kerasfaces[maps]'` has not been run.
        """
        from kerasfaces.embed import run

        if data is not None:
            require_manifest(data)
        settings = run.Settings(
            method=method,
            layer=layer,
            split=split,
            per_source=per_source,
            border=border,
            pictures=pictures,
            seed=seed,
        )
        manifest = None if data is None else data.manifest
        map_ = run.embed(self.folder, Path(output), settings, manifest, as_path(store))
        table = read_table(map_.table_file, str).fillna("")
        table[["x", "y"]] = table[["x", "y"]].apply(pd.to_numeric)
        table.attrs.update(map_.result)
        return table
