"""Several systems on the same rows, resampled together: every difference is paired."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.difference_tests import Difference, from_draws
from kerasfaces.metrics.inputs import Bools, Floats, as_labels, as_ranked, as_values
from kerasfaces.metrics.intervals import undefined
from kerasfaces.metrics.orders import Counts, cumulative, once, ranks, resampled

METRICS = ("auc", "ap", "balanced_accuracy", "tpr_at_fpr_1pct")


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

    def where(self, mask: Bools) -> "System":
        """Return the rows where `mask` is True."""
        parts = [
            None if part is None else part[mask] for part in (self.called, self.strict)
        ]
        return System(self.logit[mask], *parts)


def differences(
    labels: ArrayLike,
    systems: Mapping[str, System],
    reference: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Difference]]:
    """Return each system's metrics minus the reference's.

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
    fake, _ = as_ranked(labels, systems[reference].logit, reference)
    sides = int((~fake).sum()), int(fake.sum())
    measured = {name: SystemMetrics(name, fake, each) for name, each in systems.items()}
    parts: dict[str, list[dict[str, Floats]]] = {name: [] for name in systems}
    for counts in resampled(*sides, resamples, rng.generator(seed, "together")):
        for name, system in measured.items():
            parts[name].append(system(*counts))
    values = {name: system(*once(*sides)) for name, system in measured.items()}
    method = f"paired stratified bootstrap, {resamples} resamples"
    no_threshold = Difference(undefined("a system has no threshold"), math.nan)

    def difference(name: str, metric: str) -> Difference:
        if metric not in values[name] or metric not in values[reference]:
            return no_threshold
        ours, theirs = (
            np.concatenate([part[metric] for part in parts[each]])
            for each in (name, reference)
        )
        value = float(values[name][metric][0] - values[reference][metric][0])
        alike = np.array_equal(
            measured[name].basis[metric], measured[reference].basis[metric]
        )
        return from_draws(ours - theirs, value, min(sides), method, alike=alike)

    return {
        name: {metric: difference(name, metric) for metric in METRICS}
        for name in systems
        if name != reference
    }


class SystemMetrics:
    """One system, sorted once: counts of the rows in, metrics out.

    Attributes:
        basis: Metric -> what alone decides it, `(n,)`: ranks or decisions.
    """

    def __init__(self, name: str, fake: Bools, system: System) -> None:
        logit = as_values(system.logit, name)
        as_labels(fake, logit.size)
        real, fakes = -logit[~fake], -logit[fake]
        self.order_real = np.argsort(real, kind="stable")
        self.order_fake = np.argsort(fakes, kind="stable")
        real, fakes = real[self.order_real], fakes[self.order_fake]
        self.above = np.searchsorted(real, fakes, "left")
        self.upto = np.searchsorted(real, fakes, "right")
        self.tie_end = np.searchsorted(fakes, fakes, "right") - 1
        self.fake = fake
        own = ranks(logit)
        self.basis: dict[str, Bools | NDArray[np.intp]] = {"auc": own, "ap": own}
        if system.called is not None and system.strict is not None:
            self.basis["balanced_accuracy"] = system.called
            self.basis["tpr_at_fpr_1pct"] = system.strict

    def __call__(self, reals: Counts, fakes: Counts) -> dict[str, Floats]:
        """Return metrics `(k,)` of counts `(k, n_real)` and `(k, n_fake)`."""
        n_real, n_fake = reals.shape[1], fakes.shape[1]
        alarms = cumulative(reals.take(self.order_real, axis=1))
        counts = fakes.take(self.order_fake, axis=1)
        hits = np.cumsum(counts, axis=1).take(self.tie_end, axis=1)
        upto = alarms.take(self.upto, axis=1)
        beaten_by = upto + alarms.take(self.above, axis=1)
        lost = np.einsum("kn,kn->k", counts, beaten_by).astype(np.float64)
        precision = hits / np.maximum(hits + upto, 1)
        values = {
            "auc": 1 - lost / (2.0 * n_real * n_fake),
            "ap": np.einsum("kn,kn->k", counts, precision) / n_fake,
        }
        for metric in METRICS[2:]:
            if metric in self.basis:
                called = self.basis[metric].astype(np.float64)
                values[metric] = fakes @ called[self.fake] / n_fake
                if metric == "balanced_accuracy":
                    passes = reals @ (1 - called[~self.fake]) / n_real
                    values[metric] = (values[metric] + passes) / 2
        return values
