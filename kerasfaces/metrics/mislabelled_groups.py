"""Rates of groups whose labels an annotator gave, with its own errors allowed for.

What is observed of the images labelled `p` is a mixture over their true groups `t`:
`observed[p] = sum over t of P(labelled p | true t) true[t]`, for wrong calls and right ones
alike, provided that the detector's errors depend on the true group alone (non-differential
misclassification). Solving for `true` is the matrix method (Barron 1977, Biometrics 33:414);
drawing both the annotator's error rates and the observed shares carries the uncertainty of
either into the interval (after Greenland 2004, Statistics in Medicine 23:2807).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.metrics.inputs import Floats

DRAWS = 4000
_CERTAIN = 10**9  # images: as good as infinitely many
_NOTHING = 1e-9  # share of images below which a group is empty


@dataclasses.dataclass(frozen=True, eq=False)
class LabelErrors:
    """How an annotator confuses the classes of an attribute, or of several crossed.

    Attributes:
        classes: Their names.
        confusions: Per attribute `(k, k)` counts: rows the true class, columns the label.
    """

    classes: tuple[str, ...]
    confusions: tuple[NDArray[np.int64], ...]

    @property
    def n(self) -> int:
        """Number of images that the annotator was measured on, the smaller where crossed."""
        return min(int(each.sum()) for each in self.confusions)

    def without_errors(self) -> "LabelErrors":
        """Return the same classes as labelled by somebody who never errs."""
        sizes = [len(each) for each in self.confusions]
        never = tuple(_CERTAIN * np.eye(size, dtype=np.int64) for size in sizes)
        return LabelErrors(self.classes, never)

    def rates(self) -> Floats:
        """Return P(label | true class), `(k, k)`, rows summing to 1."""
        return _crossed([_smoothed(each) for each in self.confusions])

    def drawn_rates(self, draws: int, generator: np.random.Generator) -> Floats:
        """Return draws of `rates`, `(draws, k, k)`, as far as n images tell them."""
        parts = []
        for confusion in self.confusions:
            prior = confusion + 1 / len(confusion)
            rows = [generator.dirichlet(row, draws) for row in prior]
            parts.append(np.stack(rows, axis=1))
        return _crossed(parts)


def true_counts(
    errors: LabelErrors,
    counts: Sequence[tuple[int, int]],
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[Floats, Floats]:
    """Return draws of how many wrong calls and images each true group has.

    Args:
        errors: Of the annotator.
        counts: `(wrong calls, images)` of each label, in the order of `errors.classes`.
        generator: Makes the draws.
        draws: How many; the first is no draw but the estimate itself.

    Returns:
        Wrong calls and images, `(draws, k)` each, in images; their ratio is the group's rate.
    """
    wrong, n = np.array(counts, dtype=np.float64).T
    observed = np.concatenate([wrong, n - wrong])
    shares = generator.dirichlet(
        np.where(np.tile(n > 0, 2), observed + 0.5, 1e-3), draws
    )
    shares[0] = observed / n.sum()
    matrices = errors.drawn_rates(draws, generator)
    matrices[0] = errors.rates()
    k = len(n)
    cells = shares.reshape(draws, 2, k).swapaxes(1, 2)  # (draws, label, outcome)
    # A matrix at chance has no inverse; the pseudo-inverse spreads what it cannot tell.
    solved = np.linalg.pinv(matrices.swapaxes(1, 2)) @ cells
    true = np.clip(solved, 0.0, None)
    true /= true.sum(axis=(1, 2), keepdims=True)
    return true[:, :, 0] * n.sum(), true.sum(axis=2) * n.sum()


def rate_of(wrong: Floats, images: Floats, generator: np.random.Generator) -> Floats:
    """Return wrong calls per image, `(draws,)`; anything between 0 and 1 of an empty group."""
    empty = images <= _NOTHING * max(1.0, float(images.max(initial=0.0)))
    rates = np.divide(
        wrong, images, out=generator.uniform(size=len(wrong)), where=~empty
    )
    clipped: Floats = np.clip(rates, 0.0, 1.0)
    return clipped


def _smoothed(confusion: NDArray[np.int64]) -> Floats:
    """Return the shares of each row; a true class that was never seen is labelled at chance."""
    total = confusion.sum(axis=1, keepdims=True)
    chance = np.full(confusion.shape, 1 / len(confusion))
    shares: Floats = np.divide(confusion, total, out=chance, where=total > 0)
    return shares


def _crossed(parts: Sequence[Floats]) -> Floats:
    """Return the Kronecker product of matrices `(..., k, k)`: errors are independent."""
    product = parts[0]
    for each in parts[1:]:
        joined = np.einsum("...ij,...kl->...ikjl", product, each)
        size = product.shape[-1] * each.shape[-1]
        product = joined.reshape(*joined.shape[:-4], size, size)
    return product
