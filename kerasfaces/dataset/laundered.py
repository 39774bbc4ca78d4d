"""Laundered views of pictures, in the cache.

The whole decoded picture is laundered first, then cut and resized: that is the order in
which it happens in the world. What is drawn depends on (view, key) alone, and rows of one
key (the real and the fakes of a pair) share it.
"""

import dataclasses
import functools
import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces import images, store
from kerasfaces.core import engine, rng
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import quoted
from kerasfaces.images import InputSpec, launderings
from kerasfaces.images.launderings import Draw, Pixels

_SHARD_BYTES = 64 * 2**20
_ATTEMPTS = 8  # draws for a picture that an encoder refuses, e.g. for its width


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A file and what decides its laundering.

    Attributes:
        path: The file, or its bytes where a worker cannot read it.
        sha256: Of its content.
        key: What it shares with the pictures that are laundered alike.
    """

    path: Path | bytes
    sha256: str
    key: str

    def name(self, view: int) -> str:
        """Return 64 hex digits that name this view in the store."""
        text = "\x1f".join((self.sha256, self.key, str(view)))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def draw_of(key: str, view: int, share: float, attempt: int = 0) -> Draw | None:
    """Return what happens to the pictures of a key in a view; None is nothing.

    Args:
        key: A pair's name, or an image's sha256.
        view: Number of the view; 0 is never laundered.
        share: Share of views to which something happens.
        attempt: Counts the draws that an encoder refused.
    """
    generator = rng.generator(0, "launder", view, key, attempt)
    if view == 0 or generator.random() >= share:
        return None
    return launderings.draw(generator)


def laundered(image: Pixels, key: str, view: int, share: float) -> Pixels:
    """Return a view of a decoded picture `(h, w, 3)` uint8.

    Raises:
        ImageError: Every draw of several was refused by an encoder.
    """
    for attempt in range(_ATTEMPTS):
        drawn = draw_of(key, view, share, attempt)
        if drawn is None:
            return image
        try:
            way = launderings.get(drawn.name)
            return way.apply(image, drawn.strength, f"{key}:{view}")
        except ImageError as error:
            refusal = error
    raise refusal


def launder_images(
    pictures: Sequence[Picture],
    views: Sequence[int],
    spec: InputSpec,
    share: float,
    spread: Engine | None = None,
) -> store.Store:
    """Bring views of all pictures into the cache; what is there is not made again.

    Args:
        pictures: What to launder; each has been decoded before.
        views: Numbers of the views, 1 or more.
        spec: What the model sees, after the laundering.
        share: Share of views to which something happens.
        spread: Where it is done; default is a process per core of this machine.

    Returns:
        The store, `InputSpec.shape` uint8 by `Picture.name`.

    Raises:
        InputError: A picture cannot be read any more.
    """
    recipe = {
        "kind": "laundered images",
        **spec.recipe(),
        "launderings": launderings.VERSION,
        "share": share,
    }
    folder = store.cache_folder("images", recipe)
    with store.writing(folder, recipe, spec.shape, "uint8", wait=True) as cache:
        unique = {picture.name(0): picture for picture in pictures}.values()
        missing = [
            (picture, lacking)
            for picture in unique
            if (lacking := [v for v in views if picture.name(v) not in cache])
        ]
        for names, arrays in _shards(missing, spec, share, spread):
            cache.append(names, np.stack(arrays))
    return cache


Job = tuple[Picture, list[int]]
Shard = tuple[list[str], list[Pixels]]


def _shards(
    jobs: Sequence[Job], spec: InputSpec, share: float, spread: Engine | None
) -> Iterator[Shard]:
    per_shard = max(1, _SHARD_BYTES // math.prod(spec.shape))
    names: list[str] = []
    arrays: list[Pixels] = []
    outcomes = engine.map(
        functools.partial(make_views, spec=spec, share=share),
        jobs,
        spread=spread,
        chunk=engine.CHUNK,
        load=_with_bytes if spread and spread.name == "ray" else None,
    )
    with progress(len(jobs), "laundering images") as add:
        for (picture, views), outcome in zip(jobs, outcomes, strict=True):
            result = outcome.value or images.DECODER_CRASHED
            if isinstance(result, str):
                raise InputError(
                    f"{quoted(str(picture.path))} cannot be laundered ({result}): leave it out "
                    "of the manifest; what is finished is kept."
                )
            names += [picture.name(view) for view in views]
            arrays += result
            if len(names) >= per_shard:
                yield names, arrays
                names, arrays = [], []
            add(1)
    if names:
        yield names, arrays


def make_views(
    job: Job, spec: InputSpec, share: float
) -> list[NDArray[np.uint8]] | str:
    """Return some views of a picture, decoded once, or why there are none."""
    picture, views = job
    path = picture.path
    try:
        data = path if isinstance(path, bytes) else images.read_file(path)
        if images.sha256(data) != picture.sha256:
            return "the file has changed"
        whole = np.asarray(spec.shown(images.decode(data)))
        spec = dataclasses.replace(spec, faces="none")  # the face is cut out already
        changed = (laundered(whole, picture.key, view, share) for view in views)
        return [images.to_array(Image.fromarray(each), spec) for each in changed]
    except ImageError as error:
        return str(error)


def _with_bytes(job: Job) -> Job:
    picture, views = job
    if isinstance(picture.path, bytes):
        return job
    return dataclasses.replace(picture, path=images.read_file(picture.path)), views
