"""Whole groups change sides until the shares are as wanted.

Groups with the same make-up (how many rows of each stratum) are interchangeable, so the
search runs over kinds of groups; each step takes the single change that lowers the cost
most. The cost is the sum of squared deviations, in rows, of every stratum and every class
from its wanted count.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Strata(NamedTuple):
    """What is kept in proportion."""

    of_row: Ints  # (n,) int64, each row's (label, source)
    labels: Ints  # (strata,) int64, each stratum's label, 0 or 1


def quotas(sizes: Ints, labels: Ints, shares: Floats) -> Ints:
    """Return how many rows of each stratum go to each split, `(strata, splits)`.

    Whole parts first; what is left of each stratum goes where the stratum and its class
    lack most.
    """
    wanted = sizes[:, None] * shares
    counts = np.floor(wanted + 1e-9).astype(np.int64)
    for stratum, size in enumerate(sizes):
        alike = labels == labels[stratum]
        for _ in range(size - counts[stratum].sum()):
            lack = wanted[stratum] - counts[stratum]
            lack = lack + (wanted[alike] - counts[alike]).sum(axis=0)
            counts[stratum, np.argmax(np.where(shares > 0, lack, -np.inf))] += 1
    return counts


class Balance:
    """The state of the search.

    Args:
        strata: Strata of the rows.
        members: `(n,)` each row's group.
        splits: `(n,)` each row's split; the same within a group.
        shares: `(splits,)` wanted, sum 1.
        order: `(n,)` row numbers in random order; decides which of equal groups moves.
    """

    def __init__(
        self, strata: Strata, members: Ints, splits: Ints, shares: Floats, order: Ints
    ) -> None:
        n_strata, n_groups = len(strata.labels), int(members.max()) + 1
        self.members, self.shares = members, shares
        self.split_of = np.zeros(n_groups, dtype=np.int64)
        self.split_of[members] = splits
        make_up = np.zeros((n_groups, n_strata), dtype=np.int64)
        np.add.at(make_up, (members, strata.of_row), 1)
        kinds, kind_of = np.unique(make_up, axis=0, return_inverse=True)
        one_hot = (strata.labels[:, None] == np.arange(2)).astype(np.int64)
        self.n_strata = n_strata
        self.features = np.hstack([kinds, kinds @ one_hot])  # (kinds, strata + labels)
        self.groups_in: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.counts = np.zeros((len(kinds), len(shares)), dtype=np.int64)
        _, first = np.unique(members[order], return_index=True)
        for group in members[order][np.sort(first)]:
            key = (int(kind_of.ravel()[group]), int(self.split_of[group]))
            self.groups_in[key].append(int(group))
            self.counts[key] += 1

    def solve(self) -> Ints:
        """Return each row's split after balancing, `(n,)` int64."""
        while self._improve(self._costs(), -1e-9):
            pass
        self._cover()
        return self.split_of[self.members]

    def _rows_of(self) -> Ints:
        """Return the rows of each feature in each split, `(features, splits)`."""
        return self.features.T @ self.counts

    def _costs(self) -> Floats:
        """Return the change of cost for moving one group, `(kinds, from, to)`."""
        rows = self._rows_of()
        pull = self.features @ (rows - rows.sum(axis=1, keepdims=True) * self.shares)
        weight = (self.features**2).sum(axis=1).astype(np.float64)
        costs: Floats = 2 * (
            weight[:, None, None] + pull[:, None, :] - pull[:, :, None]
        )
        costs[self.counts == 0] = np.inf
        costs[:, :, self.shares == 0] = np.inf
        every = np.arange(len(self.shares))
        costs[:, every, every] = np.inf
        return costs

    def _improve(self, costs: Floats, limit: float) -> bool:
        """Make the cheapest change, unless it costs more than `limit`."""
        best = np.unravel_index(np.argmin(costs), costs.shape)
        if costs[best] > limit:
            return False
        kind, start, end = map(int, best)
        group = self.groups_in[kind, start].pop()
        self.groups_in[kind, end].append(group)
        self.counts[kind, start] -= 1
        self.counts[kind, end] += 1
        self.split_of[group] = end
        return True

    def _cover(self) -> None:
        """Give every split at least one group of each class, where one can be spared."""
        of_labels = self.features[:, self.n_strata :, None]
        for label in range(2):
            for end in np.flatnonzero(self.shares > 0):
                labels_in = self._rows_of()[self.n_strata :]
                if labels_in[label, end]:
                    continue
                costs = self._costs()
                costs[:, :, np.arange(len(self.shares)) != end] = np.inf
                costs[of_labels[:, label, 0] == 0] = np.inf
                bare = (labels_in[None] - of_labels <= 0) & (of_labels > 0)
                costs[bare.any(axis=1)] = np.inf
                self._improve(costs, np.finfo(np.float64).max)
