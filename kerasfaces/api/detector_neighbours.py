"""How a `Detector` compares images with those it learnt from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector_analysis import AnalysedDetector
from kerasfaces.api.inputs import Images, as_sources
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.core.files import read_table
from kerasfaces.run.folder import DetectorRun


class ComparedDetector(AnalysedDetector):
    """The methods of `Detector` that look up its training images."""

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
        map_ = run.embed(
            self.folder,
            Path(output),
            run.Settings(
                method=method,
                layer=layer,
                split=split,
                per_source=per_source,
                border=border,
                pictures=pictures,
                seed=seed,
            ),
            None if data is None else data.manifest,
            as_path(store),
        )
        table = read_table(map_.table_file, str).fillna("")
        table[["x", "y"]] = table[["x", "y"]].apply(pd.to_numeric)
        table.attrs.update(map_.result)
        return table
