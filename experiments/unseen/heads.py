"""What heads say that have each not seen a family, or a camera, and numbers made of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics

FALSE_ALARMS = 0.01
CALIBRATED_ON = 100
Floats = NDArray[np.float64]
Texts = NDArray[Any]


def quantile(logits: Floats) -> float:
    """Return what 1 % of logits exceed at most; of fewer than 100 the largest."""
    return float(np.quantile(logits, 1 - FALSE_ALARMS, method="higher"))


def weighed_quantile(logits: Floats, sources: Texts) -> float:
    """Return what 1 % of logits exceed, sources weighing alike."""
    counts = {name: int((sources == name).sum()) for name in set(sources)}
    weights = np.array([1 / counts[name] for name in sources]) / len(counts)
    order = np.argsort(-logits)
    above = np.cumsum(weights[order])
    place = min(int(np.searchsorted(above, FALSE_ALARMS)), len(order) - 1)
    return float(logits[order][place])


@dataclasses.dataclass(frozen=True, eq=False)
class Camera:
    """What a head that has not seen a camera says of photos.

    Attributes:
        own: Logits of all of the camera's photos.
        others: Logits of the other cameras' validation photos.
        sources: `(m,)` names of the cameras of `others`.
    """

    own: Floats
    others: Floats
    sources: Texts

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether each photo lies above the threshold of 1 % of the others."""
        return self.own > weighed_quantile(self.others, self.sources)

    def flagged_calibrated(self, count: int = CALIBRATED_ON) -> NDArray[np.bool_]:
        """Whether each other photo lies above the threshold of the first `count`."""
        return self.own[count:] > quantile(self.own[:count])


@dataclasses.dataclass(frozen=True, eq=False)
class Heads:
    """What heads without a family each said.

    Attributes:
        logits: Split (`val`, `test`) -> family -> `(n,)` of all its images.
        fake: Split -> `(n,)` bool.
        sources: Split -> `(n,)` names.
        families: Split -> `(n,)` names.
        cameras: Of each large real source, what a head without it says; of discriminants.
    """

    logits: Mapping[str, Mapping[str, Floats]]
    fake: Mapping[str, NDArray[np.bool_]]
    sources: Mapping[str, Texts]
    families: Mapping[str, Texts]
    cameras: Mapping[str, Camera] = dataclasses.field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Return the families that were left out."""
        return sorted(self.logits["test"])

    @property
    def objective(self) -> float:
        """Return `val_auc_unseen`: the mean over families of the AUC on validation."""
        real = ~self.fake["val"]
        every = []
        for family, logits in self.logits["val"].items():
            shown = real | (self.families["val"] == family)
            every.append(metrics.auc(self.fake["val"][shown], logits[shown]))
        return float(np.mean(every))

    def auc(self, family: str) -> float:
        """Return the test AUC of a family: the mean over the real sources' own."""
        own = self.families["test"] == family
        fake, logits = self.fake["test"], self.logits["test"][family]
        every = []
        for source in sorted(set(self.sources["test"][~fake])):
            shown = (own & fake) | (~fake & (self.sources["test"] == source))
            every.append(metrics.auc(fake[shown], logits[shown]))
        return float(np.mean(every))

    def recall(self, family: str) -> float:
        """Return the share of a family above each camera's own 1 % threshold: their mean.

        That is what a user gets who calibrates on photos of the camera.
        """
        logits = self.logits["test"][family][self._of_family(family)]
        return float(
            np.mean([np.mean(logits > each) for each in self._own(family).values()])
        )

    def false_alarms(self, family: str) -> float:
        """Return the share of test photos above their camera's threshold: the mean."""
        logits, real = self.logits["test"][family], ~self.fake["test"]
        every = [
            np.mean(logits[real & (self.sources["test"] == name)] > each)
            for name, each in self._own(family).items()
        ]
        return float(np.mean(every))

    def recall_at_one(self, family: str) -> float:
        """Return the share of a family above one threshold for all cameras."""
        above = self.logits["test"][family] > self.threshold(family)
        return float(np.mean(above[self._of_family(family)]))

    def _of_family(self, family: str) -> NDArray[np.bool_]:
        own: NDArray[np.bool_] = self.families["test"] == family
        return own & self.fake["test"]

    def _own(self, family: str) -> dict[str, float]:
        """Return the 1 % threshold of each real source, from its validation photos."""
        logits, real = self.logits["val"][family], ~self.fake["val"]
        sources = self.sources["val"]
        return {
            name: quantile(logits[real & (sources == name)])
            for name in sorted(set(sources[real]))
        }

    def threshold(self, family: str) -> float:
        """Return the validation threshold of 1 %, real sources weighing alike."""
        real = ~self.fake["val"]
        return weighed_quantile(
            self.logits["val"][family][real], self.sources["val"][real]
        )

    def count(self, family: str) -> int:
        """Return how many test fakes a family has."""
        return int(self._of_family(family).sum())


def averaged(members: Sequence[Heads]) -> Heads:
    """Return heads whose logits are the means of several's, each in units of its own.

    The unit is the deviation of the logits of the validation photos, zero their mean.
    """
    first = members[0]
    logits: dict[str, dict[str, Floats]] = {"val": {}, "test": {}}
    shared = set.intersection(*(set(each.cameras) for each in members))
    real = ~first.fake["val"]
    for family in first.names:
        scales = [
            (
                each.logits["val"][family][real].mean(),
                each.logits["val"][family][real].std(),
            )
            for each in members
        ]
        for split in logits:
            logits[split][family] = np.mean(
                [
                    (each.logits[split][family] - mean) / max(deviation, 1e-9)
                    for each, (mean, deviation) in zip(members, scales, strict=True)
                ],
                axis=0,
            )
    return dataclasses.replace(
        first,
        logits=logits,
        cameras={
            name: _averaged([each.cameras[name] for each in members]) for name in shared
        },
    )


def _averaged(members: Sequence[Camera]) -> Camera:
    units = [(each.others.mean(), max(each.others.std(), 1e-9)) for each in members]
    own, others = (
        np.mean(
            [
                (getattr(each, part) - mean) / deviation
                for each, (mean, deviation) in zip(members, units, strict=True)
            ],
            axis=0,
        )
        for part in ("own", "others")
    )
    return Camera(own, others, members[0].sources)


def from_arrays(values: Mapping[str, NDArray[Any]]) -> Heads:
    """Return what `leaving_out` has kept."""

    def by_split(name: str) -> dict[str, NDArray[Any]]:
        return {split: values[f"{name} of {split}"] for split in ("val", "test")}

    def after(start: str) -> dict[str, NDArray[Any]]:
        return {
            key.removeprefix(start): each
            for key, each in values.items()
            if key.startswith(start)
        }

    cameras = after("camera ")
    names = sorted({key.rpartition("/")[0] for key in cameras})
    return Heads(
        {"val": after("val "), "test": after("test ")},
        by_split("fake"),
        by_split("sources"),
        by_split("families"),
        {
            name: Camera(
                *(cameras[f"{name}/{part}"] for part in ("own", "others", "sources"))
            )
            for name in names
        },
    )
