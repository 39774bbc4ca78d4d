"""What the contact sheet shows of a store: channels by name, in their own units."""

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import store
from kerasfaces.channels import averages, engines, recipe
from kerasfaces.channels.averages import Average
from kerasfaces.channels.worker import Item, Result, Worker, decode
from kerasfaces.core.errors import InputError

logger = logging.getLogger(__name__)
LNP = ("lnp_red", "lnp_green", "lnp_blue")
RGB = ("red", "green", "blue")
_BATCH = 32


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One image and what the store has of it; None where it has nothing.

    Attributes:
        name: The file's name.
        image: `(h, w, 3)` uint8, as loaded.
        mask: `(h, w)`, 1 = kept.
        lnp: `(h, w, 3)`, grey levels, signed.
        amplitude: `(h, w)`, as stored, mean of the colours.
        phase: `(h, w)`, radians, of the first colour.
    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.float32] | None = None
    lnp: NDArray[np.float32] | None = None
    amplitude: NDArray[np.float32] | None = None
    phase: NDArray[np.float32] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One camera data set or generator.

    Attributes:
        name: Its name.
        label: `real` or `fake`.
        n_rows: Its images in the manifest.
        n_stored: Of these, how many have an array in the store.
        rows: A few of them.
        average: Their mean amplitude spectrum; None if the store has nothing to
            transform.
    """

    name: str
    label: str
    n_rows: int
    n_stored: int
    rows: Sequence[Row]
    average: Average | None


def real_average(sources: Sequence[Source]) -> Average | None:
    """Return the average over all real images; None if there are none."""
    parts = [
        one.average
        for one in sources
        if one.label == "real" and one.average is not None and one.average.n
    ]
    return averages.pooled(parts) if parts else None


def is_reference(one: Source, sources: Sequence[Source]) -> bool:
    """Tell whether a source is all there is of real images: it has no difference."""
    real = [other for other in sources if other.label == "real" and other.average]
    return real == [one]


class Channels:
    """Reads a store's channels by name, in their own units.

    Attributes:
        names: Of the array channels, in order.
        transformed: What `average` transforms, in words; empty if there is nothing.
    """

    def __init__(self, found: store.Store) -> None:
        """Look at the recipe.

        Raises:
            InputError: The store holds no channels.
        """
        self._store = found
        where = f"{found.folder}/store.json"
        self._config = recipe.config_from(found.recipe, where)
        self._worker = Worker(self._config)
        self._masks: bool | None = None
        self.names: list[str] = found.recipe["names"]
        self.transformed = (
            "noise pattern"
            if self._has(LNP)
            else "masked pixels"
            if self._has(RGB)
            else ""
        )

    def __enter__(self) -> "Channels":
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.__exit__()

    def describe(self) -> dict[str, str]:
        """Return what headings say."""
        return {
            "channels": ", ".join(self.names),
            "mask": self._config.mask,
            "size": f"{self._config.size_px} px",
            "amplitude": str(getattr(self._spectrum(), "amplitude", "")),
            "of": str(getattr(self._spectrum(), "of", "")),
            "transformed": self.transformed,
        }

    def row(self, file: Path, key: str) -> Row:
        """Return one image with its channels."""
        array = self._store.gather([key])
        decoded = decode(Item(key, file), self._config.input_spec)
        if decoded.array is None:
            raise InputError(f"{file}: {decoded.reason}; the store has its channels.")
        amplitude = self._named(array, "amplitude")
        phase = self._named(array, "phase")
        return Row(
            name=file.name,
            image=decoded.array,
            mask=self._mask(array, decoded),
            lnp=self._take(array, LNP)[0] if self._has(LNP) else None,
            amplitude=None if amplitude is None else amplitude.mean(axis=-1),
            phase=None if phase is None else phase[..., 0],
        )

    def average(self, keys: Sequence[str]) -> Average | None:
        """Return the average spectrum of some images."""
        if not self.transformed:
            return None
        names = LNP if self._has(LNP) else RGB

        def batches() -> Iterator[NDArray[np.float32]]:
            for at in range(0, len(keys), _BATCH):
                yield self._take(self._store.gather(keys[at : at + _BATCH]), names)

        side = self._config.size_px
        return averages.average(batches(), (side, side))

    def _spectrum(self) -> Any:
        return self._config.options.get("spectrum")

    def _has(self, names: Sequence[str]) -> bool:
        return {*names} <= {*self.names}

    def _take(self, array: NDArray[Any], names: Sequence[str]) -> NDArray[np.float32]:
        """Return `(n, h, w, len(names))` in the channels' own units."""
        at = [self.names.index(name) for name in names]
        values = array[..., at].astype(np.float32)
        scale: Mapping[str, Sequence[float]] | None = self._store.recipe.get("scale")
        if scale is not None:
            offset, step = np.array([scale[name] for name in names], np.float32).T
            values = offset + step * values
        return values

    def _named(self, array: NDArray[Any], prefix: str) -> NDArray[np.float32] | None:
        names = [name for name in self.names if name.split("_")[0] == prefix]
        return self._take(array, names)[0] if names else None

    def _mask(self, array: NDArray[Any], decoded: Result) -> NDArray[Any] | None:
        """Return the stored mask, or the one this recipe makes."""
        if "mask" in self.names:
            return self._take(array, ["mask"])[0, ..., 0]
        if self._config.mask == "none" or not self._same_mask():
            return None
        masks = self._worker.prepare([decoded]).masks
        return masks[0, ..., 0] if len(masks) else None

    def _same_mask(self) -> bool:
        """Tell whether masks made here are the store's; say so if they are not."""
        if self._masks is None:
            here = recipe.recipe_by(self._worker)
            old, new = (
                {"mask": one["made_by"]["mask"], "loader": one["made_by"]["loader"]}
                for one in map(engines.without, (self._store.recipe, here))
            )
            changed = recipe.differences(old, new)
            self._masks = not changed
            if changed:
                logger.warning(
                    "masks are not stored and this machine would make others (%s): not shown",
                    "; ".join(changed),
                )
        return self._masks
