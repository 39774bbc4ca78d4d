"""A split manifest -> what to train on: all generators in equal shares, and each alone.

A share is as many images as the smallest generator can give that has at least
`FEWEST` of them; one with fewer gives all it has. "All" is once every share (the
document's way: many generators are also many images) and once as many fakes as one
share holds, so that it differs from "alone" in nothing but the number of generators.
"""

import dataclasses
import re
from collections.abc import Sequence

from experiments.framework.runner import Context, Ratio

ALL, SAME = "all", "all, one share"
FEWEST = 100


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Generators to train on.

    Attributes:
        name: Name of its line.
        generators: Their names.
        size: Fakes in all, and as many reals.
    """

    name: str
    generators: tuple[str, ...]
    size: int

    @property
    def slug(self) -> str:
        """Return the name as a folder's."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSets:
    """All training sets of a manifest.

    Attributes:
        sets: In order of importance.
        notes: How large they are.
    """

    sets: Sequence[TrainingSet]
    notes: Sequence[str]


def training_sets(context: Context, ratio: Ratio) -> TrainingSets:
    """Return the training sets of a manifest.

    Raises:
        InputError: A source is both real and fake, or no generator has images enough.
    """
    from kerasfaces.crossgen.plan import AT_LEAST, Sources

    sources = Sources.of(context.manifest.rows, 3 if context.quick else AT_LEAST)
    names = tuple(sources.fake)
    counts = _counts(context, ratio, names)
    share = min(
        (n for n in counts.values() if n >= FEWEST), default=max(counts.values())
    )
    shares = {name: min(share, n) for name, n in counts.items()}
    alone = [
        TrainingSet(name=f"{name} alone", generators=(name,), size=shares[name])
        for name in names
    ]
    notes = [
        "Fakes trained on, and as many reals: "
        + ", ".join(f"{name} {n}" for name, n in shares.items())
        + f"; {SAME} has {share} in equal shares."
    ]
    notes += [
        f"{name} has {n} images, too few to train on; it is tested on."
        for name, n in sources.few.items()
    ]
    every = TrainingSet(name=ALL, generators=names, size=sum(shares.values()))
    if len(names) < 2:
        notes.append(
            f"There is one generator, {names[0]}: all together and alone are the same."
        )
        return TrainingSets(sets=[every], notes=notes)
    same = TrainingSet(name=SAME, generators=names, size=share)
    return TrainingSets(sets=[every, *alone, same], notes=notes)


def _counts(context: Context, ratio: Ratio, names: Sequence[str]) -> dict[str, int]:
    """Return generator -> its training images, of the split with the fewest."""
    fewest: dict[str, int] = {}
    for seed in context.seeds:
        rows = context.split(ratio, seed).rows
        train = rows[(rows["split"] == "train") & (rows["label"] == "fake")]
        counts = train["source"].value_counts()
        for name in names:
            n = int(counts.get(name, 0))
            fewest[name] = min(fewest.get(name, n), n)
    return fewest
