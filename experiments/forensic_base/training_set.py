"""Simulator output for the forensic base: seeds and generators that the sample lacks.

Nothing enters but numbers; out come `.npy` shards of decoded JPEG pixels in which even
rows are photos and odd rows the generated pictures of the same scenes.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from kerasfaces.core import config, engine, homes
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.rng import generator
from kerasfaces.sample import pair
from kerasfaces.sample.canvas import Array
from kerasfaces.sample.decoders import DECODERS, Decoder
from kerasfaces.sample.person import draw_person
from kerasfaces.sample.scene import render

SEEN = ("transposed_conv", "bilinear_conv")
VARIANTS = (
    "transposed_variants",
    "sub_pixel_conv",
    "fir_upsampling",
    "linear_variants",
)
GENERATORS = (*SEEN, *VARIANTS)
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the training set.

    Attributes:
        seed: First simulator seed; shard k uses `seed + k` (cameras change with it).
        shards: Number of shards.
        scenes: Scenes in a shard.
        takes: Photos of each scene, and generated pictures of each.
        size_px: Size of the pictures.
        keep: Least and greatest share of detail that the generators leave; wider than
            the sample's, so that there is something easy to learn first.
        sample_quality_share: Share of pairs with the sample's JPEG quality; the others
            have a quality from 75 to 98, the same for both pictures.
        flat_pairs: Pairs of pictures of nothing.
        flat_px: Their size.
        revision: To be raised when the simulator changes.
    """

    seed: int = 1_000_000
    shards: int = 100
    scenes: int = 50
    takes: int = 3
    size_px: int = pair.SIZE_PX
    keep: tuple[float, float] = (0.0, 0.9)
    sample_quality_share: float = 0.6
    flat_pairs: int = 2500
    flat_px: int = 64
    revision: int = 1

    @property
    def shard_images(self) -> int:
        """Number of rows of a shard."""
        return 2 * self.scenes * self.takes


def make(recipe: Recipe, workers: int) -> list[Path]:
    """Make the shards that are missing, in worker processes, and return all paths."""
    folder = (
        homes.cache_root() / "forensic_base" / config.digest(replace(recipe, shards=0))
    )
    paths = [folder / f"{shard:04d}.npy" for shard in range(recipe.shards)]
    missing = [shard for shard, path in enumerate(paths) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = engine.map(
        partial(_write, recipe),
        [(shard, paths[shard]) for shard in missing],
        spread=Engine(workers=workers),
        progress="Simulating",
        unit="shard",
    )
    for outcome in outcomes:
        if outcome.error:
            raise RunError(f"Shard {missing[int(outcome.key)]}: {outcome.error}.")
    return paths


def make_flat(recipe: Recipe) -> Path:
    """Make pairs of pictures of plain colour ramps, of `flat_px`, and return the file.

    Nothing is in them but noise and the traces, so training finds those first.
    """
    path = homes.cache_root() / "forensic_base" / config.digest(recipe) / "flat.npy"
    if path.exists():
        return path
    size, seed = recipe.flat_px, recipe.seed - 1
    easier = replace(recipe, seed=seed, keep=(recipe.keep[0], 0.5))
    down, across = np.mgrid[0 : 2 * size, 0 : 2 * size] / (2 * size) - 0.5
    images = np.empty((2 * recipe.flat_pairs, size, size, 3), np.uint8)
    for number in range(recipe.flat_pairs):
        rng = generator(seed, "flat", number)
        grey = 0.02 + 0.8 * rng.beta(1.3, 1.8)
        colour = np.clip(grey * np.exp(rng.normal(0, 0.3, 3)), 0.01, 0.95)
        ramp = 1 + rng.normal(0, 0.3) * across + rng.normal(0, 0.3) * down
        scene = np.clip(colour * ramp[..., None], 0, 1.2).astype(np.float32)
        _, decoder = decoder_of(easier, 0, number, 0)
        cameras = seed - number // 50
        both = pair.photograph(scene, cameras, number, decoder, size)
        for which, image in enumerate(both):
            images[2 * number + which] = _through_jpeg(image, pair.QUALITY_PCT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        np.save(temporary, images)
    return path


def decoder_of(
    recipe: Recipe, shard: int, scene: int, take: int
) -> tuple[str, Decoder]:
    """Return the generator of one picture: its family's name, and its own kernel."""
    rng = generator(recipe.seed + shard, "training generator", scene, take)
    name = GENERATORS[int(rng.integers(len(GENERATORS)))]
    stages = int(rng.integers(1, 4))
    if name in SEEN:
        return name, replace(DECODERS[name], keep=recipe.keep)
    kernel = {
        "transposed_variants": _transposed,
        "sub_pixel_conv": _sub_pixel,
        "fir_upsampling": _fir,
        "linear_variants": _linear,
    }[name](rng)
    return name, Decoder(up=kernel, stages=stages, keep=recipe.keep)


def detail_shares(recipe: Recipe, shard: int) -> npt.NDArray[np.float64]:
    """Return `(scenes × takes,)`: share of detail left in each generated picture."""
    return np.array(
        [
            # The first number that `decode` draws.
            generator(recipe.seed + shard, "decoder", scene, take).uniform(*recipe.keep)
            for scene in range(recipe.scenes)
            for take in range(recipe.takes)
        ]
    )


def _write(recipe: Recipe, place: tuple[int, Path]) -> None:
    shard, path = place
    images = np.empty(
        (recipe.shard_images, recipe.size_px, recipe.size_px, 3), np.uint8
    )
    seed, row = recipe.seed + shard, 0
    for number in range(recipe.scenes):
        person = draw_person(generator(seed, "person", number))
        scene = render(person, recipe.size_px, generator(seed, "scene", number))
        for take in range(recipe.takes):
            _, decoder = decoder_of(recipe, shard, number, take)
            both = pair.photograph(scene, seed, number, decoder, recipe.size_px, take)
            rng = generator(seed, "quality", number, take)
            same = rng.random() < recipe.sample_quality_share
            quality_pct = pair.QUALITY_PCT if same else int(rng.integers(75, 99))
            for image in both:
                images[row] = _through_jpeg(image, quality_pct)
                row += 1
    with atomic_path(path) as temporary:
        np.save(temporary, images)


def _through_jpeg(image: Pixels, quality_pct: int) -> Pixels:
    with Image.open(io.BytesIO(pair.encode(image, quality_pct))) as decoded:
        return np.asarray(decoded)


def _phases(image: Array, *, taps: Sequence[npt.NDArray[np.float32]]) -> Array:
    """Double both axes; `taps` holds the filters of the even and the odd phase."""
    for axis in (0, 1):
        phases = [
            ndimage.correlate1d(image, phase, axis=axis, mode="nearest")
            for phase in taps
        ]
        shape = list(image.shape)
        shape[axis] *= 2
        image = np.stack(phases, axis=axis + 1).reshape(shape)
    return image


def _unit(taps: npt.ArrayLike) -> npt.NDArray[np.float32]:
    values = np.asarray(taps, np.float32)
    return values / values.sum()


def _transposed(rng: np.random.Generator) -> partial[Array]:
    side, tilt = rng.uniform(0.0, 0.22), rng.normal(0, 0.06)
    even = _unit([side, 1 - 2 * side, side]) * np.float32(1 + rng.normal(0, 0.004))
    odd = np.array([0.0, 0.5 + tilt, 0.5 - tilt], np.float32)
    return partial(_phases, taps=(even, odd))


def _sub_pixel(rng: np.random.Generator) -> partial[Array]:
    lean = rng.uniform(0.1, 0.45)
    even = np.array([lean, 1 - lean, 0], np.float32) + rng.normal(0, 0.06, 3)
    odd = np.array([0, 1 - lean, lean], np.float32) + rng.normal(0, 0.06, 3)
    return partial(_phases, taps=(_unit(even), _unit(odd)))


def _fir(rng: np.random.Generator) -> partial[Array]:
    sharp = rng.uniform(-0.08, 0.06)
    even = _unit([0.25 - sharp, 0.75, sharp * 0.5])
    return partial(_phases, taps=(even, even[::-1]))


def _linear(rng: np.random.Generator) -> partial[Array]:
    return partial(_linear_up, edge=float(rng.uniform(-0.14, 0.04)))


def _linear_up(image: Array, *, edge: float) -> Array:
    large = _phases(image, taps=(_unit([0.25, 0.75, 0.0]), _unit([0.0, 0.75, 0.25])))
    for axis in (0, 1):
        taps = _unit([edge, 1 - 2 * edge, edge])
        large = ndimage.correlate1d(large, taps, axis=axis, mode="nearest")
    return large
