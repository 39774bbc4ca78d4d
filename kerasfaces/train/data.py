"""Manifest -> labelled images per split: pixels in the cache, or channels in a store."""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces.core.arrays import Read
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.dataset.cache import CachedImages, FileArrays, cache_images
from kerasfaces.dataset.channels import ChannelStore, from_store
from kerasfaces.dataset.file_facts import Size, sizes_of
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.manifest import face_rows, image_files, split_problems, table

logger = logging.getLogger(__name__)

SPLITS = ("train", "val", "test")
_MIN_PER_CLASS = 2
_MAX_UNREADABLE = 0.5
Positions = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Data:
    """A manifest and its arrays."""

    manifest: manifests.Manifest  # rows as read, each with a split
    # The uint8 cache or a channel store, one entry per row.
    images: CachedImages | FileArrays[ChannelStore]
    # What a picture must have to be judged; None where no size is known.
    limits: Limits | None = None
    # Where features of the images are computed.
    spread: Engine = dataclasses.field(default_factory=Engine)

    @property
    def rows(self) -> pd.DataFrame:
        """Return the manifest's rows."""
        return self.manifest.rows

    def readable(self, split: str) -> Positions:
        """Return the positions of a split's readable rows."""
        usable = np.array([not reason for reason in self.images.reasons])
        return np.flatnonzero((self.rows["split"] == split).to_numpy() & usable)

    def keys(self, positions: Positions) -> list[str]:
        """Return the sha256 of rows."""
        return [self.images.keys[position] for position in positions]

    def reader(self, positions: Positions) -> Read:
        """Return the arrays of rows, by their place among `positions`."""
        return self.images.store.reader(self.keys(positions))

    def labels(self, positions: Positions) -> NDArray[np.float32]:
        """Return 1 for fake, 0 for real."""
        fake = (self.rows["label"] == "fake").to_numpy()
        return fake[positions].astype(np.float32)

    def sources(self, positions: Positions) -> list[str]:
        """Return the sources of rows."""
        return [str(source) for source in self.rows["source"].iloc[positions]]

    def weights(self, name: str, positions: Positions) -> NDArray[np.float32] | None:
        """Return the weights of rows from a column, mean 1 within a class; None without.

        Raises:
            InputError: There is no such column, or a cell is no positive number.
        """
        if not name:
            return None
        if name not in self.rows:
            raise InputError(
                f"weight_column: the manifest has no column {quoted(name)}; `weigh` of a "
                "Manifest makes one."
            )
        cells = self.rows[name].iloc[positions]
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float32)
        bad = ~((numbers > 0) & np.isfinite(numbers))
        if bad.any():
            raise InputError(
                f"weight_column: {int(bad.sum())} training rows have no positive number in "
                f"{quoted(name)}, such as {quoted(str(cells[bad].iloc[0]))}."
            )
        labels = self.labels(positions)
        for label in np.unique(labels):
            numbers[labels == label] /= numbers[labels == label].mean()
        return numbers

    def families(self, positions: Positions) -> list[str]:
        """Return the families of rows; see `table.families`."""
        return table.families(self.rows.iloc[positions])

    def enlarged(self, spec: InputSpec) -> str:
        """Return a sentence on pictures that squares had to be made up for, or nothing."""
        if not spec.crops:
            return ""
        sizes = [size for size in sizes_of(self.manifest.files()) if size]
        small = sum(min(size) < spec.size_px for size in sizes)
        if not small:
            return ""
        return (
            f"{small} of {len(sizes)} pictures are smaller than the {spec.size_px} px of a crop "
            "and were continued by their mirror image."
        )

    def by_split(
        self, logits: Callable[[Positions], NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the logits of the readable validation and test rows."""
        return {split: logits(self.readable(split)) for split in ("val", "test")}

    def unreadable(self) -> list[str]:
        """Return `path: reason` of every row without an array."""
        pairs = zip(self.rows["path"], self.images.reasons, strict=True)
        return [f"{quoted(path)}: {reason}" for path, reason in pairs if reason]

    def leaks(self) -> list[str]:
        """Return one sentence for each way in which splits share images or people."""
        columns = {"the same image": self.images.keys}
        for name, what in (("pair_id", "pair"), ("identity", "person")):
            if name in self.rows.columns:
                columns[f"the same {what}"] = list(self.rows[name])
        lines = []
        for what, values in columns.items():
            table = pd.DataFrame({"value": values, "split": list(self.rows["split"])})
            splits = table[table["value"] != ""].groupby("value")["split"].nunique()
            if count := int((splits > 1).sum()):
                lines.append(
                    f"{count} times {what} is in more than one split: test results are too "
                    f"good. {split_problems.torn_apart()}"
                )
        return lines


def load(
    manifest: manifests.Manifest,
    spec: InputSpec,
    meanwhile: Callable[[], None] | None = None,
    spread: Engine | None = None,
) -> Data:
    """Decode every image of a split manifest once; see `cache_images`.

    Raises:
        InputError: A class is (nearly) absent from a split, or most images are unreadable.
    """
    _check_splits(manifest)
    face_rows.require_same(manifest, spec, "the detector")
    cached = cache_images(manifest.files(), spec, spread, meanwhile)
    data = Data(manifest, cached, spread=spread or Engine())
    _check_unchanged(data)
    data = _limited(data, spec.size_px)
    missing = image_files.of_missing(
        manifest.rows["path"], data.images.reasons, manifest.folder
    )
    advice = missing or "kerasfaces manifest check lists them all."
    _check_usable(data, "cannot be used", advice)
    return data


def load_channels(
    manifest: manifests.Manifest,
    folder: Path,
    names: Sequence[str],
    spread: Engine | None = None,
) -> Data:
    """Join a split manifest with channels of the store in `folder` by sha256.

    A `sha256` column stands in for files that are not on this machine.

    Raises:
        InputError: A class is (nearly) absent from a split, most rows are not in the
            store, or it lacks a channel.
        StoreError: The store is damaged.
    """
    _check_splits(manifest)
    joined = from_store(manifest.files(), folder, names, digests(manifest))
    data = Data(manifest, joined, spread=spread or Engine())
    data = _limited(data, data.images.store.shape[0])
    _check_usable(
        data,
        f"have no channels in {folder}",
        "Bring them into the store: `data.compute_channels(STORE)`.",
    )
    return data


def _limited(data: Data, size_px: int) -> Data:
    """Take out what is too little to judge, by the sizes of the training images.

    The same limits hold for all splits, and later for whatever the detector is given.
    """
    measured, stated = sizes_of(data.manifest.files()), _stated_sizes(data.manifest)
    sizes = [a or b for a, b in zip(measured, stated, strict=True)]
    trained = [size for i in data.readable("train") if (size := sizes[i]) is not None]
    if not trained:
        return data
    limits = Limits.of(trained, size_px)
    reasons = [
        why or (limits.reason(size) if size else "")
        for why, size in zip(data.images.reasons, sizes, strict=True)
    ]
    images = dataclasses.replace(data.images, reasons=reasons)
    return dataclasses.replace(data, images=images, limits=limits)


def _stated_sizes(manifest: manifests.Manifest) -> list[Size | None]:
    """Return the manifest's own width and height, for files that are not here."""
    rows = manifest.rows
    if not {"width_px", "height_px"} <= set(rows.columns):
        return [None] * len(rows)
    pairs = zip(rows["width_px"], rows["height_px"], strict=True)
    return [(int(w), int(h)) if w and h else None for w, h in pairs]


def digests(manifest: manifests.Manifest) -> list[str]:
    """Return the manifest's `sha256` column; empty where it has none."""
    if "sha256" not in manifest.rows.columns:
        return []
    return [str(value) for value in manifest.rows["sha256"]]


def _check_unchanged(data: Data) -> None:
    """Compare the files with the `sha256` column: splits and groups rely on it."""
    stated = digests(data.manifest) or [""] * len(data.rows)
    changed = [
        path
        for path, key, known in zip(
            data.rows["path"], data.images.keys, stated, strict=True
        )
        if key and known and key != known
    ]
    if changed:
        raise InputError(
            f"{len(changed)} of {len(data.rows)} files are not those of the manifest (other "
            f"sha256), first {quoted(changed[0])}: build and split the manifest again."
        )


def _check_usable(data: Data, trouble: str, advice: str) -> None:
    """Name the rows without an array; stop when they are too many."""
    bad = data.unreadable()
    if bad:
        logger.warning(
            "%d of %d images %s and will be listed in the run folder, e.g. %s",
            len(bad),
            len(data.rows),
            trouble,
            bad[0],
        )
    if len(bad) > _MAX_UNREADABLE * len(data.rows):
        raise InputError(
            f"{len(bad)} of {len(data.rows)} images {trouble}, e.g. {bad[0]}. {advice}"
        )
    usable = [not reason for reason in data.images.reasons]
    _check_counts(data.rows[usable], "the readable images")


def _check_splits(manifest: manifests.Manifest) -> None:
    split_problems.require_trainable(manifest.rows)
    _check_counts(manifest.rows, "the manifest")


def _check_counts(rows: pd.DataFrame, where: str) -> None:
    for name in SPLITS:
        part = rows[rows["split"] == name]
        split_problems.require_classes(
            part, f"{where}, split {name}", _MIN_PER_CLASS if name == "train" else 1
        )
