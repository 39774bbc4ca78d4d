"""Clean pictures, people held out, and the noisy pairs made from them.

Public-domain portraits (`real/us_officials`) and scenes of the built-in sample enter;
batches of noisy and clean photos leave. Portraits are scaled down two to four times
first: what noise and JPEG traces they have vanishes in that.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from experiments.lnp_denoiser.camera_noise import (
    Array,
    Shot,
    draw_shot,
    photograph,
    sensor_px,
)
from kerasfaces.core.errors import MissingFileError
from kerasfaces.core.rng import generator
from kerasfaces.sample.person import draw_person
from kerasfaces.sample.scene import render

PARTS = ("train", "tune", "test")
FOLDER = Path("data") / "faces" / "real" / "us_officials"
# Shot noise of the held-out pairs: from the least to the most that training draws.
LEVELS = (2e-5, 1e-4, 5e-4, 2.5e-3, 1e-2)
Pyramid = list[npt.NDArray[np.float16]]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the pairs.

    Attributes:
        seed: Seed of the split, the scenes and all noise.
        shrinks: Factors by which portraits are scaled down.
        scenes: Scenes of the sample's renderer to train on; a fifth as many more to
            tune and to test each.
        scene_px: The renderer's size; its scenes are twice as large.
        scene_share: Share of training pairs from scenes.
        tune_people: Portraits that only tune the filters compared with.
        test_people: Portraits for the results alone.
        crop_px: Size of training pairs.
        test_px: Size of the others.
        revision: To be raised when the simulation changes.
    """

    seed: int = 0
    shrinks: tuple[float, ...] = (2.0, 3.0, 4.0)
    scenes: int = 40
    scene_px: int = 192
    scene_share: float = 0.25
    tune_people: int = 8
    test_people: int = 16
    crop_px: int = 64
    test_px: int = 192
    revision: int = 1


@dataclass(frozen=True, kw_only=True)
class Part:
    """Clean pictures of one part.

    Attributes:
        portraits: For each person, the picture at each of the recipe's scales.
        scenes: Scenes, one scale each.
        names: File names of the portraits.
    """

    portraits: list[Pyramid]
    scenes: list[Pyramid]
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A held-out pair.

    Attributes:
        level: Index into `LEVELS`.
        noisy: (s, s, 3) uint8.
        clean: (s, s, 3) float32 in [0, 1].
    """

    level: int
    noisy: npt.NDArray[np.uint8]
    clean: Array


def split(names: list[str], recipe: Recipe) -> dict[str, list[str]]:
    """Split people, one portrait each, into `PARTS`."""
    order = generator(recipe.seed, "people").permutation(sorted(names))
    tune, test = recipe.tune_people, recipe.tune_people + recipe.test_people
    parts = (order[test:], order[:tune], order[tune:test])
    return {
        part: sorted(map(str, some)) for part, some in zip(PARTS, parts, strict=True)
    }


def load(root: Path, part: str, recipe: Recipe) -> Part:
    """Load one part's clean pictures.

    Args:
        root: Folder with `data/faces`.
        part: One of `PARTS`.
        recipe: What they are.

    Raises:
        MissingFileError: The portraits are not there.
    """
    files = {path.name: path for path in sorted((root / FOLDER).glob("*.jpg"))}
    needed = recipe.tune_people + recipe.test_people + 1
    if len(files) < needed:
        raise MissingFileError(
            f"{root / FOLDER}: expected at least {needed} portraits, found {len(files)}; "
            "set KERASFACES_DATA or --data to the folder that holds data/faces."
        )
    names = split(list(files), recipe)[part]
    count = recipe.scenes if part == "train" else max(1, recipe.scenes // 5)
    return Part(
        portraits=[_portrait(files[name], recipe) for name in names],
        scenes=[[_scene(recipe, part, number)] for number in range(count)],
        names=tuple(names),
    )


def batches(
    part: Part, recipe: Recipe, batch: int, steps: range
) -> Iterator[tuple[Array, Array]]:
    """Yield training batches; each depends on its step alone, so training can resume.

    Yields:
        Noisy and clean, each (batch, 3, crop_px, crop_px) float32 in [0, 1].
    """
    for step in steps:
        noisy = np.empty((batch, recipe.crop_px, recipe.crop_px, 3), np.float32)
        clean = np.empty_like(noisy)
        for row in range(batch):
            rng = generator(recipe.seed, "pair", step, row)
            some = part.scenes if rng.random() < recipe.scene_share else part.portraits
            pyramid = some[int(rng.integers(len(some)))]
            dirty, clean[row] = _pair(pyramid, recipe.crop_px, rng, draw_shot(rng))
            noisy[row] = dirty / np.float32(255)
        yield (
            np.ascontiguousarray(noisy.transpose(0, 3, 1, 2)),
            np.ascontiguousarray(clean.transpose(0, 3, 1, 2)),
        )


def held_out(part: Part, name: str, recipe: Recipe, *, jpeg: bool) -> list[Pair]:
    """Return one pair for each picture of a part and each noise level.

    Args:
        part: Clean pictures.
        name: The part's name, for the noise.
        recipe: How pairs are made.
        jpeg: All noisy photos are compressed, with qualities as in training; otherwise
            none is.
    """
    pairs = []
    for number, pyramid in enumerate([*part.portraits, *part.scenes]):
        for level, shot_noise in enumerate(LEVELS):
            rng = generator(recipe.seed, "held out", name, number, level)
            shot = draw_shot(rng, shot_noise)
            quality_pct = int(rng.integers(70, 99)) if jpeg else 0
            shot = dataclasses.replace(shot, quality_pct=quality_pct)
            noisy, clean = _pair(pyramid, recipe.test_px, rng, shot)
            pairs.append(Pair(level=level, noisy=noisy, clean=clean))
    return pairs


def _pair(
    pyramid: Pyramid, size_px: int, rng: np.random.Generator, shot: Shot
) -> tuple[npt.NDArray[np.uint8], Array]:
    needed = sensor_px(size_px, shot)
    large = [level for level in pyramid if level.shape[0] >= needed]
    picture = large[int(rng.integers(len(large)))]
    top, left = rng.integers(picture.shape[0] - needed + 1, size=2)
    crop = picture[top : top + needed, left : left + needed].astype(np.float32)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return photograph(crop, shot, size_px, rng)


def _portrait(path: Path, recipe: Recipe) -> Pyramid:
    with Image.open(path) as opened:
        image = np.asarray(opened.convert("RGB"), np.float32) / 255
    levels = []
    for shrink in recipe.shrinks:
        size = round(image.shape[0] / shrink), round(image.shape[1] / shrink)
        planes = [
            Image.fromarray(np.ascontiguousarray(image[..., channel])).resize(
                (size[1], size[0]), Image.Resampling.LANCZOS
            )
            for channel in range(3)
        ]
        stacked = np.stack([np.asarray(plane) for plane in planes], axis=-1)
        levels.append(np.clip(stacked, 0, 1).astype(np.float16))
    return levels


def _scene(recipe: Recipe, part: str, number: int) -> npt.NDArray[np.float16]:
    person = draw_person(generator(recipe.seed, "denoiser", part, "person", number))
    rng = generator(recipe.seed, "denoiser", part, "scene", number)
    linear = np.clip(render(person, recipe.scene_px, rng), 0, 1)
    encoded = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, encoded).astype(np.float16)
