"""What a filter would like to see most (activation maximisation; tian2023).

Erhan et al. 2009: gradient ascent on the pixels, from noise, on the mean activation of one
map of a layer. As in Yosinski et al. 2015 (arXiv 1506.06579) the image is blurred a little
every few steps, and it is moved about by some pixels, so that the picture is no lone pixel
pattern. tian2023 shows "CNN feature visualization" per class; so the logit itself is also
driven up (fake) and down (real). The layer is the deepest that feeds the head, or `layer`;
its filters are the four that, in the head's gradient at an average image, speak most for
fake, and the four that speak most for real; of other layers those that vary most and least.

No image is needed. Pictures are caricatures: no photo looks like them, and what one filter
prefers says little of what many do together. The check: does each picture drive its own
filter more than the pictures of the other filters do?
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import rng
from kerasfaces.explain import study as studies
from kerasfaces.explain.layers import Layers
from kerasfaces.explain.network import Network, tensorflow
from kerasfaces.explain.study import Check, Figure, Findings, Request, Table

if TYPE_CHECKING:
    from tensorflow import Tensor

MIN_IMAGES = 0
FILTERS = 8
STEPS = 48
_SHOWN_PX = 192
_START, _STEP = (
    12.0,
    6.0,
)  # grey levels: deviation of the noise, the first step's length
_JITTER_PX, _BLUR_EVERY = 4, 6
_SHARE = 0.75  # of filters whose own picture must be their best
Floats = NDArray[np.float32]


class _Goal(NamedTuple):
    name: str
    value: "Callable[[Tensor], Tensor]"  # images `(1, s, s, 3)` -> what is to grow


def study(request: Request) -> Findings:
    """Return the pictures, and how much each drives every filter."""
    subject = request.subject
    layers = Layers(subject, "preferred_inputs")
    network = subject.network_for("preferred_inputs")
    name = layers.chosen(request.settings.layer)
    model = layers.model([name])
    side_px, seed = subject.spec.size_px, request.settings.seed
    filters = _filters(layers, network, model, name, side_px)

    def activations(images: "Tensor") -> "Tensor":
        maps = model(images, training=False)
        maps = maps[0] if isinstance(maps, list) else maps
        return keras.ops.mean(maps, axis=(1, 2))

    def of_filter(at: int) -> _Goal:
        return _Goal(f"filter {at}", lambda images: activations(images)[:, at])

    goals = [of_filter(at) for at in filters]
    goals += [
        _Goal("fake", lambda images: network.model(images, training=False)[:, 0]),
        _Goal("real", lambda images: -network.model(images, training=False)[:, 0]),
    ]
    pictures = [_ascent(goal.value, side_px, seed) for goal in goals]
    driven = np.asarray(activations(np.stack(pictures)))[:, filters]
    start = np.asarray(activations(_noise(side_px, seed)[None]))[0, filters]
    logits = network.exact(np.stack(pictures))[:, 0]
    best = driven[: len(filters)].argmax(axis=0) == np.arange(len(filters))
    shown = f"Row by row: {', '.join(goal.name for goal in goals)}"
    driven_by = "Mean activation of each filter (columns) by each picture (rows)"
    side = (_SHOWN_PX, _SHOWN_PX)
    cells = [
        Image.fromarray(each.round().astype(np.uint8)).resize(side) for each in pictures
    ]
    rows = [
        [goal.name, *(f"{value:.3g}" for value in line), f"{logit:+.2f}"]
        for goal, line, logit in zip(goals, driven, logits, strict=True)
    ]
    rows.insert(0, ["noise at the start", *(f"{value:.3g}" for value in start), "–"])
    return Findings(
        things="pictures",
        notes=[
            f"Layer {name}: {STEPS} steps from noise at {side_px} px for each of "
            f"{len(filters)} filters, then for the logit up (fake) and down (real)."
        ],
        rows=[],
        checks=[
            Check(
                f"{int(best.sum())} of {len(best)} filters are driven most by their own "
                f"picture (at least {_SHARE:.0%} of them).",
                bool(best.mean() >= _SHARE),
            ),
            Check(
                "The picture for fake has a higher logit than the picture for real: "
                f"{logits[-2]:+.2f} and {logits[-1]:+.2f}.",
                bool(logits[-2] > logits[-1]),
            ),
        ],
        figures=[Figure("preferred", studies.grid(cells, 5), shown)],
        tables=[Table(driven_by, ["Picture for", *map(str, filters), "Logit"], rows)],
        arrays={"pictures": np.stack(pictures)},
    )


def _filters(
    layers: Layers, network: Network, model: keras.Model, name: str, side_px: int
) -> list[int]:
    """Return the filters to show: what speaks most for fake, then most for real."""
    n_maps = model.outputs[0].shape[-1]
    taps = [each.partition("@")[0] for each in network.tap_names]
    weights: Floats | None = None
    if name == layers.last:
        tap = max(at for at, each in enumerate(taps) if each in (name, "last"))
        grey = np.full((side_px, side_px, 3), 127, np.uint8)
        at_taps = network.at_taps(grey)
        if at_taps.maps[tap].shape[-1] == n_maps:
            weights = at_taps.by_map[0][tap].sum(axis=(0, 1))
    if weights is None:  # no head reads the layer: those that vary most with the input
        random = rng.generator(0, "preferred_inputs", name)
        images = random.uniform(0, 255, (2, side_px, side_px, 3))
        weights = Layers.maps(model, images)[0].std(axis=(0, 1, 2))
    order = np.argsort(-weights, kind="stable")
    half = min(FILTERS, n_maps) // 2
    chosen = [*order[:half], *order[::-1][:half]] if half else [order[0]]
    return list(dict.fromkeys(int(each) for each in chosen))


def _noise(side_px: int, seed: int) -> Floats:
    random = rng.generator(seed, "preferred_inputs", side_px)
    noise = random.normal(127.5, _START, (side_px, side_px, 3))
    return np.clip(noise, 0, 255).astype(np.float32)


def _ascent(value: "Callable[[Tensor], Tensor]", side_px: int, seed: int) -> Floats:
    """Return the picture `(s, s, 3)` 0..255 that gradient ascent on `value` ends at."""
    from scipy.ndimage import gaussian_filter

    tf = tensorflow()

    def slope(images: "Tensor") -> "Tensor":
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(value(images))
        return tape.gradient(
            total, images, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    spec = tf.TensorSpec((1, side_px, side_px, 3), tf.float32)
    traced = tf.function(slope, input_signature=[spec])
    random = rng.generator(seed, "preferred_inputs", "jitter")
    image = _noise(side_px, seed)
    for step in range(STEPS):
        by = random.integers(-_JITTER_PX, _JITTER_PX + 1, 2).tolist()
        moved = np.roll(image, by, axis=(0, 1))
        gradient = np.asarray(traced(moved[None])[0])
        gradient = np.roll(gradient, [-each for each in by], axis=(0, 1))
        length = float(np.sqrt(np.mean(np.square(gradient))))
        if length > 0:
            change = _STEP * (1 - step / STEPS) * gradient / length
            image = np.asarray(image + change, np.float32)
        if step % _BLUR_EVERY == 0:
            image = np.asarray(gaussian_filter(image, (0.5, 0.5, 0)), np.float32)
        image = np.clip(image, 0, 255).astype(np.float32)
    return image
