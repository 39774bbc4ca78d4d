"""Several systems on the same rows, resampled together: every difference is paired."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts
from kerasfaces.metrics.draws import Difference, from_draws
from kerasfaces.metrics.inputs import Bools, Floats, as_labels, as_values
from kerasfaces.metrics.intervals import undefined
from kerasfaces.metrics.ranking import both_classes

METRICS = ("auc", "ap", "balanced_accuracy", "tpr_at_fpr_1pct")
_CHUNK_ELEMENTS = 2**18
_NO_THRESHOLD = "a system has no threshold"


@dataclasses.dataclass(frozen=True, eq=False)
class System:
    """What one system says of the rows.

    Attributes:
        logit: `(n,)` float64, finite; ranks the rows.
        called: `(n,)` bool, called fake at its frozen threshold; None without one.
        strict: `(n,)` bool, called fake at its threshold for 1 % false alarms, or None.
    """

    logit: Floats
    called: Bools | None = None
    strict: Bools | None = None


def differences(
    labels: ArrayLike,
    systems: Mapping[str, System],
    reference: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Difference]]:
    """Return each system's metrics minus the reference's, by a paired bootstrap.

    One set of stratified draws serves all systems; for p-values see `draws.p_of_draws`.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        systems: At least the reference, all on the same rows in the same order.
        reference: The system the others are compared with.
        resamples: Bootstrap resamples.
        seed: Keys the resamples.

    Returns:
        System (without the reference) -> metric of `METRICS` -> difference. Where one of
        two systems has no threshold, the difference is undefined and says so.

    Raises:
        InputError: NaN, other labels, other lengths, only one class, or no reference.
    """
    if reference not in systems:
        raise InputError(
            f"reference {quoted(reference)} is none of {', '.join(systems) or 'no systems'}."
        )
    first = as_values(systems[reference].logit, reference)
    fake, _ = both_classes(as_labels(labels, first.size), first)
    ready = {name: _Ready(name, fake, system) for name, system in systems.items()}
    drawn = _resample(fake, ready, resamples, rng.generator(seed, "together"))
    method = f"paired stratified bootstrap, {resamples} resamples"
    return {
        name: {
            metric: _difference(
                metric,
                (ready[name], ready[reference]),
                (drawn[name], drawn[reference]),
                method,
            )
            for metric in METRICS
        }
        for name in systems
        if name != reference
    }


def _difference(
    metric: str,
    pair: tuple["_Ready", "_Ready"],
    drawn: tuple[dict[str, Floats], dict[str, Floats]],
    method: str,
) -> Difference:
    if metric not in drawn[0] or metric not in drawn[1]:
        return Difference(undefined(_NO_THRESHOLD), math.nan)
    value = pair[0].once[metric] - pair[1].once[metric]
    resampled = drawn[0][metric] - drawn[1][metric]
    alike = pair[0].same(pair[1], metric)
    return from_draws(resampled, value, pair[0].smaller, method, alike=alike)


def _resample(
    fake: Bools,
    systems: Mapping[str, "_Ready"],
    resamples: int,
    generator: np.random.Generator,
) -> dict[str, dict[str, Floats]]:
    n_fake = int(fake.sum())
    n_real = fake.size - n_fake
    chunk = int(np.clip(_CHUNK_ELEMENTS // max(n_fake, n_real), 1, resamples))
    parts: dict[str, list[dict[str, Floats]]] = {name: [] for name in systems}
    for start in range(0, resamples, chunk):
        k = min(chunk, resamples - start)
        reals = draw_counts(n_real, k, generator)
        fakes = draw_counts(n_fake, k, generator)
        for name, system in systems.items():
            parts[name].append(system.measure(reals, fakes))
    return {
        name: {key: np.concatenate([part[key] for part in found]) for key in found[0]}
        for name, found in parts.items()
    }


class _Ready:
    """One system, sorted once: counts of the rows in, metrics out."""

    def __init__(self, name: str, fake: Bools, system: System) -> None:
        logit = as_values(system.logit, name)
        as_labels(fake, logit.size)
        real, made = logit[~fake], logit[fake]
        self.smaller = min(real.size, made.size)
        self.logit, self.calls = logit, {}
        self.order_real = np.argsort(-real, kind="stable")
        self.order_fake = np.argsort(-made, kind="stable")
        real, made = -real[self.order_real], -made[self.order_fake]
        self.above = np.searchsorted(real, made, "left")
        self.upto = np.searchsorted(real, made, "right")
        self.tie_end = np.searchsorted(made, made, "right") - 1
        if system.called is not None and system.strict is not None:
            self.calls = {
                "balanced_accuracy": system.called,
                "tpr_at_fpr_1pct": system.strict,
            }
        self.split = {
            key: ((~called[~fake]).astype(np.float64), called[fake].astype(np.float64))
            for key, called in self.calls.items()
        }
        ones = np.ones((1, real.size), np.int64), np.ones((1, made.size), np.int64)
        self.once = {key: float(found[0]) for key, found in self.measure(*ones).items()}

    def same(self, other: "_Ready", metric: str) -> bool:
        """Tell whether both systems cannot differ in that metric on any draw."""
        if metric in self.calls:
            return np.array_equal(self.calls[metric], other.calls[metric])
        first, second = (
            np.unique(values, return_inverse=True)[1]
            for values in (self.logit, other.logit)
        )
        return np.array_equal(first, second)

    def measure(
        self, reals: NDArray[np.int64], fakes: NDArray[np.int64]
    ) -> dict[str, Floats]:
        """Return metrics `(k,)` of counts `(k, n_real)` and `(k, n_fake)`."""
        k, n_real = reals.shape
        n_fake = fakes.shape[1]
        alarms = np.zeros((k, n_real + 1), dtype=np.int64)
        np.cumsum(reals.take(self.order_real, axis=1), axis=1, out=alarms[:, 1:])
        counts = fakes.take(self.order_fake, axis=1)
        hits = np.cumsum(counts, axis=1).take(self.tie_end, axis=1)
        upto = alarms.take(self.upto, axis=1)
        beaten_by = upto + alarms.take(self.above, axis=1)
        lost = np.einsum("kn,kn->k", counts, beaten_by).astype(np.float64)
        precision = hits / np.maximum(hits + upto, 1)
        found = {
            "auc": 1 - lost / (2.0 * n_real * n_fake),
            "ap": np.einsum("kn,kn->k", counts, precision) / n_fake,
        }
        for key, (passes, found_fake) in self.split.items():
            recall = fakes @ found_fake / n_fake
            if key == "balanced_accuracy":
                recall = (recall + reals @ passes / n_real) / 2
            found[key] = recall
        return found
