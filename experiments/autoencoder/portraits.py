"""Photos the autoencoder learns from, people held out, and the crops of each step.

Public-domain portraits (`real/us_officials`, `real/us_house`) and the photos of the built-in
sample enter; batches of crops leave. Each portrait is there at three sizes: pairs are cut out
at a photo's own resolution, and photos differ in how soft they are.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kerasfaces import images, sample
from kerasfaces.core.errors import MissingFileError
from kerasfaces.core.rng import generator

FOLDERS = ("us_officials", "us_house")
FACES = Path("data") / "faces" / "real"
Pixels = npt.NDArray[np.uint8]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the crops.

    Attributes:
        seed: Seed of the people held out, the sample and the crops.
        shrinks: Factors by which portraits are scaled down.
        center_px: Portraits are used in their central square of this side at most.
        held_out: Portraits held out, one a person.
        sample_pairs: Size of the built-in sample; its photos of the training split are used.
        sample_share: Share of the crops from the sample.
        crop_px: Side of a crop.
    """

    seed: int = 0
    shrinks: tuple[float, ...] = (1.0, 2.0, 3.0)
    center_px: int = 640
    held_out: int = 40
    sample_pairs: int = 84
    sample_share: float = 0.15
    crop_px: int = 64


@dataclasses.dataclass(frozen=True)
class Photos:
    """What is trained on, and the portraits that are not.

    Attributes:
        portraits: Portraits at each of the recipe's sizes, `(h, w, 3)`.
        scenes: The sample's photos.
        n_portraits: Number of people in `portraits`.
        held_out: Files of people held out, by source folder.
    """

    portraits: list[Pixels]
    scenes: list[Pixels]
    n_portraits: int
    held_out: list[Path]


def load(root: Path, recipe: Recipe, folder: Path) -> Photos:
    """Load the photos.

    Args:
        root: Folder with `data/faces`.
        recipe: Which they are.
        folder: The built-in sample is made in it.

    Raises:
        MissingFileError: The portraits are not there.
    """
    files = [
        path for name in FOLDERS for path in sorted((root / FACES / name).glob("*.jpg"))
    ]
    if len(files) <= recipe.held_out:
        raise MissingFileError(
            f"{root / FACES}: expected more than {recipe.held_out} portraits in "
            f"{' and '.join(FOLDERS)}, found {len(files)}; set KERASFACES_DATA or --data "
            "to the folder that holds data/faces."
        )
    order = generator(recipe.seed, "held out").permutation(len(files))
    held_out = [files[at] for at in sorted(order[: recipe.held_out])]
    train = [files[at] for at in sorted(order[recipe.held_out :])]
    return Photos(
        [picture for path in train for picture in _sizes(path, recipe)],
        _scenes(recipe, folder),
        len(train),
        held_out,
    )


def batches(
    photos: Photos, recipe: Recipe, batch: int, steps: range
) -> Iterator[Pixels]:
    """Yield `(batch, crop_px, crop_px, 3)` uint8; each depends on its step alone."""
    side = recipe.crop_px
    for step in steps:
        random = generator(recipe.seed, "crops", step)
        crops = np.empty((batch, side, side, 3), np.uint8)
        for row in range(batch):
            of_scene = photos.scenes and random.random() < recipe.sample_share
            some = photos.scenes if of_scene else photos.portraits
            picture = some[int(random.integers(len(some)))]
            top, left = (random.integers(n - side + 1) for n in picture.shape[:2])
            crop = picture[top : top + side, left : left + side]
            crops[row] = crop[:, ::-1] if random.random() < 0.5 else crop
        yield crops


def central(path: Path, side_px: int) -> Pixels:
    """Return a photo's central square at its own resolution, sides multiples of 8."""
    whole = np.asarray(images.load(path))
    side = min(side_px, *whole.shape[:2]) // 8 * 8
    top, left = ((length - side) // 2 for length in whole.shape[:2])
    return whole[top : top + side, left : left + side]


def _sizes(path: Path, recipe: Recipe) -> list[Pixels]:
    whole, sizes = images.load(path), []
    for shrink in recipe.shrinks:
        size = [round(length / shrink) for length in whole.size]
        shrunk = whole.resize((size[0], size[1]), Image.Resampling.LANCZOS)
        side = min(recipe.center_px, *size)
        left, top = ((length - side) // 2 for length in size)
        sizes.append(np.asarray(shrunk.crop((left, top, left + side, top + side))))
    return [each for each in sizes if min(each.shape[:2]) >= recipe.crop_px]


def _scenes(recipe: Recipe, folder: Path) -> list[Pixels]:
    from kerasfaces import manifest

    if not recipe.sample_share:
        return []
    rows = manifest.read(sample.make(folder, recipe.seed, recipe.sample_pairs))
    wanted = (rows.rows["label"] == "real") & (rows.rows["split"] == "train")
    return [
        np.asarray(images.load(path))
        for path, use in zip(rows.files(), wanted, strict=True)
        if use
    ]
