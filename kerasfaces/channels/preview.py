"""A channel store and its manifest -> one picture: what the channels look like.

Per source a few images with their channels, then the average amplitude spectrum of every
source and its difference from the real images' (`average_spectra`); `contact_sheet` draws.
"""

import dataclasses
import functools
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import manifest as manifests
from kerasfaces import store
from kerasfaces.channels import average_spectra, contact_sheet, engines, recipe, run
from kerasfaces.channels.average_spectra import PEAK_SIGMA, Average, Difference
from kerasfaces.channels.sheet import About, Row, Source
from kerasfaces.channels.worker import Item, Result, Worker, decode
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError

logger = logging.getLogger(__name__)
_LNP = ("lnp_red", "lnp_green", "lnp_blue")
_RGB = ("red", "green", "blue")
_BATCH = 32


def preview(
    folder: Path,
    manifest: manifests.Manifest,
    path: Path,
    *,
    per_source: int = 3,
    spectra: int = 1000,
    gain: float | None = None,
    seed: int = 0,
) -> str:
    """Write a contact sheet of images and their channels.

    Args:
        folder: The channel store.
        manifest: Says which images belong to which source.
        path: PNG to write.
        per_source: Images shown per source.
        spectra: Images averaged per source, at most.
        gain: Of the noise pattern around middle grey; None fits it to the images shown.
        seed: Which images are taken.

    Returns:
        What was averaged and which frequencies stand out, a few lines.

    Raises:
        InputError: It is no channel store, or has none of the manifest's images.
    """
    opened, files, rows = store.Store(folder), manifest.files(), manifest.rows
    channels = StoredChannels(opened)
    hashed = run.hashes(files, list(rows["sha256"]) if "sha256" in rows else None)
    keys = [hashed[file][0] for file in files]
    stored = [opened.status(key) == store.OK for key in keys]
    if not any(stored):
        raise InputError(
            f"{folder} has an array of none of the {len(keys)} images of the manifest; "
            "compute them with `data.compute_channels(STORE)`."
        )
    sources = []
    groups: dict[tuple[str, str], list[int]] = {}
    for at, pair in enumerate(zip(rows["label"], rows["source"], strict=True)):
        groups.setdefault(pair, []).append(at)
    for label, name in sorted(groups, key=lambda pair: (pair[0] != "real", pair[1])):
        members = groups[label, name]
        usable = [row for row in members if stored[row]]
        order = rng.generator(seed, "preview", name).permutation(len(usable))
        chosen = [usable[row] for row in order]
        shown, averaged = sorted(chosen[:per_source]), sorted(chosen[:spectra])
        sources.append(
            Source(
                name=name,
                label=label,
                n_rows=len(members),
                n_stored=len(usable),
                rows=[channels.row(files[row], keys[row]) for row in shown],
                average=channels.average([keys[row] for row in averaged]),
            )
        )
    sources = with_differences(sources)
    contact_sheet.draw(sources, path, channels.about, gain)
    return "\n".join([f"sheet: {path}", *_lines(sources)])


def with_differences(sources: Sequence[Source]) -> list[Source]:
    """Return sources with their differences from all real ones, as far as there are any."""
    averaged = [one for one in sources if one.average and one.average.n]
    real = [one for one in averaged if one.label == "real"]
    if not real:
        return list(sources)
    reference = average_spectra.pooled([one.average for one in real if one.average])
    return [
        one
        if one not in averaged or one.average is None or real == [one]
        else dataclasses.replace(one, difference=Difference(one.average, reference))
        for one in sources
    ]


def _lines(sources: Sequence[Source]) -> Iterator[str]:
    """Say what was averaged, and what stands out."""
    for one in sources:
        yield f"{one.label} {one.name}: {one.n_stored} of {one.n_rows} images stored"
        n, difference = one.average.n if one.average else 0, one.difference
        if difference is None:
            if n and one.label == "real":
                yield f"  average spectrum of {n}: the reference"
            continue
        yield (
            f"  average spectrum of {n} images against {difference.n_real} real: "
            f"one frequency is known to {difference.error_db:.2f} dB"
        )
        for peak in difference.peaks:
            yield (
                f"  ({peak.row:+d}, {peak.column:+d}) cycles/image: {peak.excess_db:+.1f} "
                f"dB above its neighbours, {peak.sigma:.1f} sigma"
            )
        if not difference.peaks:
            yield f"  no frequency stands out by {PEAK_SIGMA:.0f} sigma"


class StoredChannels:
    """Reads a store's channels by name, in their own units.

    Attributes:
        about: Channel names, size and dtype of the store, for the heading.
    """

    def __init__(self, opened: store.Store) -> None:
        self._store = opened
        config = recipe.config_from(opened.recipe, f"{opened.folder}/store.json")
        self._worker = Worker(config)
        self._names: list[str] = opened.recipe["names"]
        transformed = {"noise pattern": _LNP, "masked pixels": _RGB, "": ()}
        averaged, self._averaged = next(
            item for item in transformed.items() if {*item[1]} <= {*self._names}
        )
        spectrum = config.options.get("spectrum")
        self.about = About(
            self._names,
            config.mask,
            config.size_px,
            str(getattr(spectrum, "amplitude", "")),
            str(getattr(spectrum, "of", "")),
            averaged,
        )

    def row(self, file: Path, key: str) -> Row:
        """Return one image with its channels."""
        array = self._store.gather([key])
        decoded = decode(Item(key, file), self._worker.config.input_spec)
        if decoded.array is None:
            raise InputError(f"{file}: {decoded.reason}; the store has its channels.")
        amplitude = self._named(array, "amplitude")
        phase = self._named(array, "phase")
        return Row(
            name=file.name,
            image=decoded.array,
            mask=self._mask(array, decoded),
            lnp=self._values(array, _LNP)[0] if self._averaged == _LNP else None,
            amplitude=None if amplitude is None else amplitude.mean(axis=-1),
            phase=None if phase is None else phase[..., 0],
        )

    def average(self, keys: Sequence[str]) -> Average | None:
        """Return the average spectrum of some images; None if there is nothing to average."""
        if not self._averaged:
            return None
        batches = (
            self._values(self._store.gather(keys[at : at + _BATCH]), self._averaged)
            for at in range(0, len(keys), _BATCH)
        )
        side = self.about.size_px
        return average_spectra.average(batches, (side, side))

    def _values(self, array: NDArray[Any], names: Sequence[str]) -> NDArray[np.float32]:
        """Return `(n, h, w, len(names))` in the channels' own units."""
        at = [self._names.index(name) for name in names]
        values: NDArray[np.float32] = array[..., at].astype(np.float32)
        scale = self._store.recipe.get("scale")
        if scale is not None:
            offset, step = np.array([scale[name] for name in names], np.float32).T
            values = offset + step * values
        return values

    def _named(self, array: NDArray[Any], prefix: str) -> NDArray[np.float32] | None:
        names = [name for name in self._names if name.split("_")[0] == prefix]
        return self._values(array, names)[0] if names else None

    def _mask(self, array: NDArray[Any], decoded: Result) -> NDArray[Any] | None:
        """Return the stored mask, or the one this recipe makes."""
        if "mask" in self._names:
            return self._values(array, ["mask"])[0, ..., 0]
        if self.about.mask == "none" or not self.has_same_mask:
            return None
        masks = self._worker.prepare([decoded]).masks
        return masks[0, ..., 0] if len(masks) else None

    @functools.cached_property
    def has_same_mask(self) -> bool:
        """Whether masks made here are the store's; a warning says where they are not."""
        here = recipe.recipe_by(self._worker)
        old, new = (
            {"mask": one["made_by"]["mask"], "loader": one["made_by"]["loader"]}
            for one in map(engines.without, (self._store.recipe, here))
        )
        changed = recipe.differences(old, new)
        if changed:
            logger.warning(
                "masks are not stored and this machine would make others (%s): not shown",
                "; ".join(changed),
            )
        return not changed
