"""A run and images -> a folder with a map: page, pictures, points, numbers.

A folder that was begun goes on: the network's numbers come from the caches, the projection
from `points.npz`. A finished one is read again.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core import arrays, registry, rng
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, sha256, write_bytes, write_text
from kerasfaces.core.imports import import_keras
from kerasfaces.embed import drawing, page, quality, thumbnails, vectors
from kerasfaces.manifest import Manifest
from kerasfaces.manifest.split import rows_in
from kerasfaces.run.folder import DetectorRun, EmbeddingMap

logger = logging.getLogger(__name__)

PACKAGE = "kerasfaces.embed.methods"
BORDERS = ("label", "source", "cluster")
NO_CLUSTER = "no cluster"
_MOST_CLASSES = 30  # of an attribute that the page can colour by


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What a map is of.

    Attributes:
        method: A file of `methods/`.
        layer: See `vectors.of_files`.
        split: Only these rows, where the manifest has splits; empty is all.
        per_source: Images of each source, drawn; 0 takes all, None the method's default.
        border: What colours at first: `label`, `source` or `cluster`.
        pictures: Upper limit of thumbnails; 0 makes none.
        seed: Key of draws and of the projection.
    """

    method: str = "umap"
    layer: str = vectors.FINAL
    split: str = "test"
    per_source: int | None = None
    border: str = "label"
    pictures: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the names and numbers."""
        registry.check("method", self.method, registry.names(PACKAGE))
        registry.check("border", self.border, list(BORDERS))
        for name in ("per_source", "pictures"):
            if (getattr(self, name) or 0) < 0:
                raise InputError(
                    f"`{name}`: expected at least 0, got {getattr(self, name)}."
                )


def embed(
    folder: Path,
    output: Path,
    settings: Settings,
    manifest: Manifest | None = None,
    store: Path | None = None,
) -> EmbeddingMap:
    """Write map.html, map.png, clusters.png, grid.png, points.csv and, last, map.json.

    Args:
        folder: A finished run of a network.
        output: Where to write.
        settings: What the map is of.
        manifest: Other images than the run's own.
        store: A channel store that holds the images, of a run on channels.

    Raises:
        InputError: There are too few images, all are alike, or there is no such layer.
        MissingExtraError: The method's library is not installed.
        RunError: The run is damaged, or `output` holds another map.
    """
    run = DetectorRun.open(folder)
    method = registry.load(PACKAGE, settings.method)
    if manifest is None:
        manifest = manifests.read(run.manifest_file)
    map_ = EmbeddingMap(output)
    identity = {
        "run": configs.digest(run.config),
        "learnt": [sha256(path) for path in run.learnt_files],
        "manifest": manifest.digest(),
        **dataclasses.asdict(settings),
    }
    with map_.writing(identity):
        if map_.is_finished:
            logger.info("%s is finished; nothing to do", output)
            return map_
        import_keras()  # before `network`, which imports Keras with its chatter
        _ = run.network
        map_.describe_machine()
        per_source = settings.per_source
        if per_source is None:
            per_source = method.PER_SOURCE or 0
        chosen = _chosen(manifest, settings, per_source)
        every = manifest.files()
        files = [every[at] for at in chosen]
        values, reasons = vectors.of_files(run, files, settings.layer, store)
        good = np.array([not why for why in reasons], np.bool_)
        rows = manifest.rows.iloc[chosen].reset_index(drop=True)
        rows = rows.assign(file=[str(file) for file in files], reason=reasons)
        if not good.any():
            raise InputError(
                f"None of the {len(files):,} images can be mapped, e.g. {files[0]}: "
                f"{reasons[0]}."
            )
        reduced = vectors.reduced(values[good], settings.seed)
        points = points_of(map_, method, reduced, settings.seed)
        write(map_, run, settings, rows, good, reduced, points)
    return map_


def _chosen(
    manifest: Manifest, settings: Settings, per_source: int
) -> NDArray[np.int64]:
    """Return the positions of the rows that are mapped, in order."""
    at = rows_in(manifest, settings.split)
    if not per_source:
        return at
    part = manifest.rows.iloc[at]
    names = (part["label"] + "/" + part["source"]).to_numpy()
    draw = rng.generator(settings.seed, "mapped images")
    taken = [
        draw.permutation(at[names == name])[:per_source] for name in sorted(set(names))
    ]
    return np.sort(np.concatenate(taken))


def points_of(
    map_: EmbeddingMap, method: "object", reduced: NDArray[np.float32], seed: int
) -> NDArray[np.float64]:
    """Return the projection, kept from an earlier call where there was one."""
    if map_.points_file.is_file():
        stored = arrays.read(map_.points_file)
        if stored["points"].shape == (len(reduced), 2):
            return stored["points"]
    logger.info(
        "projecting %s vectors of %d numbers", f"{len(reduced):,}", reduced.shape[1]
    )
    points = method.project(reduced, seed)  # type: ignore[attr-defined]
    if not np.isfinite(points).all():
        raise InputError(
            "The projection gives no finite numbers; choose another method."
        )
    arrays.write(map_.points_file, {"points": points})
    return np.asarray(points, np.float64)


def write(
    map_: EmbeddingMap,
    run: DetectorRun,
    settings: Settings,
    rows: pd.DataFrame,
    good: NDArray[np.bool_],
    reduced: NDArray[np.float32],
    points: NDArray[np.float64],
) -> None:
    """Write everything that belongs to a projection.

    `rows` are the images that were asked for, with `file` and `reason`, `good` `(len(rows),)`
    says which of them are mapped; `reduced` is what was projected of those, `points` the map.
    """
    clusters = quality.clusters_of(points)
    mapped = rows[good].reset_index(drop=True)
    columns = _columns(mapped, clusters)
    groups = {name: columns[name] for name in ("label", "source")}
    numbers = quality.measure(reduced, points, clusters, groups, settings.seed)
    content = {
        "n": len(mapped),
        "n_left_out": int((~good).sum()),
        "method": settings.method,
        "layer": settings.layer,
        **numbers,
    }
    whole = np.full((len(rows), 2), np.nan)
    whole[good] = points
    number = np.full(len(rows), "", dtype=object)
    number[good] = columns["cluster"]
    table = rows.drop(columns="file")
    map_.write_table(table.assign(x=whole[:, 0], y=whole[:, 1], cluster=number))
    drawn, sheet = _thumbnails(mapped["file"], settings)
    sentences = describe(content, run.name)
    text = page.page(
        run.name,
        points,
        columns,
        list(mapped["path"]),
        sentences=sentences,
        sheet="" if sheet is None else thumbnails.as_address(sheet),
        drawn=drawn,
        side_px=thumbnails.SIDE_PX,
        border=settings.border,
    )
    title = f"{run.name}, {settings.layer}: {settings.method} of {len(mapped):,} images"
    pictures = {
        map_.picture_file: drawing.scatter(
            points, columns[settings.border], title, settings.border
        ),
        map_.clusters_file: drawing.scatter(
            points, columns["cluster"], title, "cluster (HDBSCAN)"
        ),
    }
    if sheet is not None:
        border = columns[settings.border]
        pictures[map_.grid_file] = drawing.grid(points, sheet, drawn, border)
    for file, data in pictures.items():
        write_bytes(file, data)
    write_text(map_.report, text)
    map_.result = content | {"sentences": sentences}


def _columns(mapped: pd.DataFrame, clusters: NDArray[np.int64]) -> dict[str, list[str]]:
    """Return what the page can colour by."""
    columns = {name: list(mapped[name]) for name in ("label", "source")}
    columns["cluster"] = [
        f"cluster {number + 1}" if number >= 0 else NO_CLUSTER for number in clusters
    ]
    for name in mapped.columns:
        if name == "split" or str(name).startswith("attr_"):
            classes = mapped[name].nunique()
            if 1 < classes <= _MOST_CLASSES:
                columns[str(name)] = [str(value) for value in mapped[name]]
    return columns


def _thumbnails(
    files: "pd.Series[str]", settings: Settings
) -> tuple[list[int], NDArray[np.uint8] | None]:
    """Return which points get a thumbnail, and the sheet; None where nobody wants any."""
    if not settings.pictures:
        return [], None
    drawn = np.arange(len(files))
    if len(files) > settings.pictures:
        draw = rng.generator(settings.seed, "thumbnails")
        drawn = np.sort(draw.choice(len(files), settings.pictures, replace=False))
    places: Sequence[int] = drawn.tolist()
    return list(places), thumbnails.sheet([Path(files[at]) for at in places])


def describe(content: Json, name: str) -> list[str]:
    """Return in sentences what a map is of and how far it can be believed."""
    trust = content["trustworthiness"]
    sentences = [
        f"{content['n']:,} images in the layer {content['layer']} of {name}, by "
        f"{content['method']}."
        + (
            f" {content['n_left_out']:,} more could not be mapped (points.csv says why)."
            if content["n_left_out"]
            else ""
        ),
        f"Trustworthiness {trust:.3f} of 1 ({content['n_neighbours']} neighbours, n "
        f"{content['n_trustworthiness']:,}): "
        + (
            "neighbours on the map are mostly neighbours in the layer."
            if trust >= 0.9
            else "many neighbours on the map are none in the layer; do not read small groups."
        ),
    ]
    for group in ("label", "source"):
        each = content[group]
        text = (
            f"Of the {content['n_neighbours']} nearest, the same {group}: "
            f"{each['neighbours_map']:.1%} on the map, {each['neighbours_layer']:.1%} in the "
            f"layer, {each['by_chance']:.1%} by chance."
        )
        if each["purity"] is not None:
            text += f" Purity of the {content['n_clusters']} clusters: {each['purity']:.1%}."
        sentences.append(text)
    return sentences
