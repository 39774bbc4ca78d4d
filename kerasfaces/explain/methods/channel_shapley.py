"""What each channel adds to the logit (exact Shapley values over the channels present).

Shapley 1953, as Lundberg and Lee 2017 (arXiv 1705.07874, equation 4) use it: a channel's
value is its mean gain over all orders in which channels can join. Channels are the groups
that a run is on: RGB, the noise pattern (LNP), amplitude, phase, mask; with k of them all
2^k sets are computed, nothing is sampled.

An absent channel is replaced by its mean over training images of the run, position by
position (64 of them, the same number of real and fake). No image looks like that, and
another replacement gives other values; how much, a check says: the values by the means of
two halves of those images.

Values sum to logit(image) - logit(all channels absent), to rounding: to 1e-6.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.explain import study as studies
from kerasfaces.explain.checks import mean_interval
from kerasfaces.explain.study import Check, Findings, Request, Table
from kerasfaces.run.inputs import inputs_of
from kerasfaces.run.network import TrainedNetwork
from kerasfaces.run.network_outputs import of_reader
from kerasfaces.run.predictor import Predictor

MIN_IMAGES = 1
REPLACED_BY = 64  # training images in the mean
SUM_ERROR = 1e-6
_SAME_LOGIT = 1e-2  # of max(1, |logit|): frozen features may come from another engine
_SAME_VALUES = 0.9  # correlation between values by the two halves of the mean
_REACTS = 1e-3  # logits: below it there is nothing to share out
_LISTED = 60
Floats = NDArray[np.float64]
_NAMES = {"red": "rgb", "green": "rgb", "blue": "rgb"}


def study(request: Request) -> Findings:
    """Return each image's values, their means by verdict, and the checks."""
    network = request.run.network
    groups = groups_of(network.model.channel_names)
    if network.channel_recipe is None or len(groups) < 2:
        raise InputError(
            f"channel_shapley shares a logit out among channels, and {request.run.name} is on "
            f"{', '.join(groups)} alone: give `method='gradcam'` or `method='occlusion'`."
        )
    model = network.load()

    def logits(arrays: NDArray[np.float32]) -> Floats:
        outputs = of_reader(model, arrays.__getitem__, len(arrays))
        return outputs[:, 0].astype(np.float64)

    rows, used, arrays = _channels(request, network)
    means = _means(request, network)
    by_mean = [_values(logits, arrays, mean, groups) for mean in means]
    values, empty, full = by_mean[0]
    run_logits = Predictor(request.run).logits(
        [request.selection.files[at] for at in used]
    )[0]
    point = request.run.operating_point
    scores = point.apply(full)
    for number, at in enumerate(used):
        rows[at] |= {"logit": full[number], "score": scores[number]}
        rows[at] |= {"verdict": point.verdicts(scores)[number], "absent": empty[number]}
        for group, value in zip(groups, values[number], strict=True):
            rows[at][f"shapley_{group}"] = value
    good = pd.DataFrame([rows[at] for at in used])
    return Findings(
        things="values",
        notes=[
            f"{len(used)} images, {len(groups)} channels ({', '.join(groups)}), "
            f"{2 ** len(groups)} sets of them each. Positive speaks for fake.",
            f"An absent channel is its mean over {REPLACED_BY} training images at most, position "
            'by position. The values and "All absent" sum to the logit. A small value does not say that a channel is useless: another may tell '
            "the same.",
        ],
        rows=rows,
        checks=_checks(values, empty, full, run_logits, by_mean[1][0], by_mean[2][0]),
        tables=[_by_verdict(good, groups), _by_image(good, groups)],
    )


def groups_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions of each group's channels: rgb, lnp, amplitude, phase, mask ..."""
    groups: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        group = _NAMES.get(name, name.partition("_")[0])
        groups.setdefault(group, []).append(position)
    return groups


def shapley(value: Callable[[frozenset[int]], Floats], k: int) -> Floats:
    """Return the exact values `(k, n)` of k players.

    `value`: what a set of players is worth, `(n,)`; it is asked for each of 2^k sets.
    """
    sets = [
        frozenset(each)
        for size in range(k + 1)
        for each in itertools.combinations(range(k), size)
    ]
    worth = {each: value(each) for each in sets}
    total = [np.zeros_like(worth[frozenset()]) for _ in range(k)]
    for present in sets[:-1]:  # all but the one that nobody can join
        weight = math.factorial(len(present)) * math.factorial(k - len(present) - 1)
        for player in set(range(k)) - present:
            gain = worth[present | {player}] - worth[present]
            total[player] += weight / math.factorial(k) * gain
    return np.stack(total)


def _values(
    logits: Callable[[NDArray[np.float32]], Floats],
    arrays: NDArray[np.float32],
    mean: NDArray[np.float32],
    groups: dict[str, list[int]],
) -> tuple[Floats, Floats, Floats]:
    """Return values `(n, k)`, logits without any channel and with all, `(n,)` each."""
    positions = list(groups.values())
    known: dict[frozenset[int], Floats] = {}

    def worth(present: frozenset[int]) -> Floats:
        changed = np.broadcast_to(mean, arrays.shape).copy()
        for group in present:
            changed[..., positions[group]] = arrays[..., positions[group]]
        known[present] = logits(changed)
        return known[present]

    values = shapley(worth, len(positions)).T
    return values, known[frozenset()], known[frozenset(range(len(positions)))]


def _channels(
    request: Request, network: TrainedNetwork
) -> tuple[list[Json], list[int], NDArray[np.float32]]:
    """Return all rows, the positions of those with channels, and these."""
    files = request.selection.files
    inputs = inputs_of(network, files)
    rows = [request.row(number) for number in range(len(files))]
    for row, reason in zip(rows, inputs.reasons, strict=True):
        row["reason"] = reason
    used = [number for number, row in enumerate(rows) if not row["reason"]]
    studies.require(MIN_IMAGES, len(used), rows, "channel_shapley")
    keys = [inputs.keys[number] for number in used]
    return rows, used, inputs.store.gather(keys).astype(np.float32)


def _means(request: Request, network: TrainedNetwork) -> list[NDArray[np.float32]]:
    """Return the mean channels of training images: of all, and of two halves of them."""
    run = request.run
    if not run.manifest_file.is_file():
        raise InputError(
            f"channel_shapley replaces absent channels by the mean of training images, and "
            f"{run.path} has no manifest.csv that names them: give the run as training left it."
        )
    manifest = run.manifest
    rows = manifest.rows.reset_index(drop=True)
    random = rng.generator(request.settings.seed, "shapley", "mean")
    chosen: list[int] = []
    for label in ("real", "fake"):
        of_label = (rows["split"] == "train") & (rows["label"] == label)
        drawn = random.permutation(np.flatnonzero(of_label))
        chosen += drawn[: REPLACED_BY // 2].tolist()
    every = manifest.files()
    inputs = inputs_of(network, [every[at] for at in chosen])
    keys = [
        key for key, why in zip(inputs.keys, inputs.reasons, strict=True) if not why
    ]
    if len(keys) < 2:
        why = next((why for why in inputs.reasons if why), "there are none")
        raise InputError(
            f"channel_shapley replaces absent channels by the mean of training images, and "
            f"those of {run.path} cannot be read ({why}); bring them back to where its "
            "manifest.csv says."
        )
    arrays = inputs.store.gather(keys).astype(np.float64)
    return [
        part.mean(axis=0).astype(np.float32)
        for part in (arrays, arrays[::2], arrays[1::2])
    ]


def _checks(
    values: Floats,
    empty: Floats,
    full: Floats,
    run_logits: Floats,
    one: Floats,
    other: Floats,
) -> list[Check]:
    error = float(np.abs(values.sum(axis=1) - (full - empty)).max())
    gap = float((np.abs(full - run_logits) / np.maximum(1, np.abs(run_logits))).max())
    largest = float(np.abs(values).max())
    flat = np.ptp(one) == 0 or np.ptp(other) == 0
    same = 0.0 if flat else float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    sentences = {
        "Values sum to the difference of the logits: off by "
        f"{error:.1e} at most (limit {SUM_ERROR:g}).": error <= SUM_ERROR,
        "With every channel present the logit is the run's own: off by "
        f"{gap:.1e} of it at most (limit {_SAME_LOGIT:g}).": gap <= _SAME_LOGIT,
        f"The logit depends on the channels: the largest value is {largest:.2g} "
        f"logits (at least {_REACTS:g}).": largest >= _REACTS,
        "Other training images in the mean give the same values: correlation "
        f"{same:.2f} between halves (at least {_SAME_VALUES:g}).": same >= _SAME_VALUES,
    }
    return [Check(*each) for each in sentences.items()]


def _by_verdict(good: pd.DataFrame, groups: dict[str, list[int]]) -> Table:
    rows = []
    parts = [("all", good)]
    parts += [(f"called {name}", of) for name, of in good.groupby("verdict")]
    for name, part in parts:
        cells = []
        for group in groups:
            mean, low, high = mean_interval(part[f"shapley_{group}"])
            interval = f" ({low:+.2f} to {high:+.2f})" if len(part) > 1 else ""
            cells.append(f"{mean:+.2f}{interval}")
        rows.append([name, f"{len(part):,}", *cells, f"{part['absent'].mean():+.2f}"])
    caption = "Mean values, logits, 95 % bootstrap intervals over images"
    return Table(caption, ["Images", "n", *groups, "All absent"], rows)


def _by_image(good: pd.DataFrame, groups: dict[str, list[int]]) -> Table:
    shown = good.head(_LISTED)
    rows = [
        [
            row["path"].rpartition("/")[2],
            f"{row.get('label', '')} {row.get('source', '')}".strip() or "–",
            *(f"{row[f'shapley_{group}']:+.2f}" for group in groups),
            f"{row['absent']:+.2f}",
            f"{row['logit']:+.2f}",
        ]
        for row in shown.to_dict("records")
    ]
    caption = f"Images, the first {len(shown):,} of {len(good):,}"
    return Table(caption, ["Image", "Source", *groups, "All absent", "Logit"], rows)
