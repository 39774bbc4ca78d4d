"""Sources -> training sets and the cells they fill; nothing is drawn or trained yet."""

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, near_hint, quoted
from kerasfaces.manifest import Manifest
from kerasfaces.train.config import TrainConfig

MATRIX, COMBINED = "matrix", "combined"
LEAVE_ONE_OUT, PAIRING = "leave_one_out", "pairing"
AT_LEAST = 50  # images of a generator; a sixth of it is tested on


@dataclasses.dataclass(frozen=True)
class Pairing:
    """Train on some generators, test on others: yu2024's question."""

    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatrixSettings:
    """Images, detector and sizes of a generator matrix."""

    # the training configuration; its seed is the first one
    config: TrainConfig | BaselineConfig
    manifest: Manifest  # rows, split or not
    weights: str  # base weights, see `Detector`
    repeat: int = 3  # seeds: each splits (unless the manifest does), draws and trains
    size: int | None = None  # fakes per training set; None is the smallest generator's
    keep_all: bool = False  # train on everything, in sets of different size
    at_least: int = AT_LEAST  # images below which a generator is named but not used
    pairings: Sequence[Pairing] = ()  # without any, the whole matrix
    folder: Path | None = None  # None names it by configuration and manifest
    store: Path | None = None  # channel store to train on; None trains on pixels
    notes: tuple[str, ...] = ()  # for the top of every report
    # Of features and trainings; without a number of workers, here one after another.
    engine: Engine = dataclasses.field(default_factory=Engine)

    def __post_init__(self) -> None:
        """Check what can be checked without images.

        Raises:
            InputError: A number is too small, or two settings exclude each other.
        """
        if not self.repeat >= 1:
            raise InputError(f"`repeat`: expected at least 1, got {self.repeat}.")
        if not self.at_least >= 3:
            raise InputError(f"`at_least`: expected at least 3, got {self.at_least}.")
        if self.size is not None and not self.size >= 2:
            raise InputError(f"`size`: expected at least 2, got {self.size}.")
        if self.keep_all and self.size is not None:
            raise InputError("`size` and `keep_all` exclude each other; leave one out.")

    @property
    def seeds(self) -> list[int]:
        """The seeds of splits, draws and trainings."""
        return list(range(self.config.seed, self.config.seed + self.repeat))


@dataclasses.dataclass(frozen=True)
class Sources:
    """The sources of a manifest, each with the number of its images."""

    fake: Mapping[str, int]  # generators, those with too few left out; sorted by name
    few: Mapping[str, int]  # generators with too few images to train or test on
    real: Mapping[str, int]  # camera data sets

    @classmethod
    def of(cls, rows: pd.DataFrame, at_least: int = AT_LEAST) -> "Sources":
        """Return the sources of a manifest's rows.

        Raises:
            InputError: A source is both real and fake, there is no real image, or no
                generator has enough images.
        """
        real, fake = (
            Counter(map(str, rows.loc[rows["label"] == label, "source"]))
            for label in ("real", "fake")
        )
        if both := sorted(set(real) & set(fake)):
            name = both[0]
            raise InputError(
                f"source {quoted(name)} is real in {real[name]} rows and fake in "
                f"{fake[name]}: a source is a camera data set or a generator. Name "
                "them apart in the column source (kerasfaces manifest check lists the lines)."
            )
        if not real:
            raise InputError(
                "The manifest has no real image; every generator needs some."
            )
        enough = {name: n for name, n in sorted(fake.items()) if n >= at_least}
        few = {name: n for name, n in sorted(fake.items()) if n < at_least}
        if not enough:
            there = listed([f"{name} {n}" for name, n in few.items()]) or "none"
            raise InputError(
                f"No generator has {at_least} images (there are: {there}); add images, or lower "
                "`at_least`."
            )
        return cls(fake=enough, few=few, real=dict(sorted(real.items())))

    def require(self, names: Sequence[str], option: str) -> None:
        """Refuse names that are no generator with enough images.

        Raises:
            InputError: With the names there are, and the nearest.
        """
        for name in names:
            if name in self.fake:
                continue
            if name in self.few:
                raise InputError(
                    f"{option}: {name} has only {self.few[name]} images; lower `at_least` to "
                    "use it all the same."
                )
            real = " (it is a real source)" if name in self.real else ""
            raise InputError(
                f"{option}: there is no generator {quoted(name)}{real}; there are: "
                f"{listed(list(self.fake))}.{near_hint(name, self.fake)}"
            )


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number to measure: a training set tested on generators."""

    table: str  # one of the four names above
    train: tuple[str, ...]  # generators trained on
    test: tuple[str, ...]  # generators tested on, against all test reals
    name: str  # what the training set is called in its table

    @property
    def tested(self) -> str:
        """The tested generators as one name."""
        return "+".join(self.test)


@dataclasses.dataclass(frozen=True)
class Plan:
    """Training sets, and the cells they fill."""

    generators: tuple[str, ...]  # all that are tested
    cells: tuple[Cell, ...]  # in the order of the tables
    pairings: tuple[Pairing, ...] = ()  # as asked for; without any, the matrix is made

    @classmethod
    def of(cls, sources: Sources, pairings: Sequence[Pairing] = ()) -> "Plan":
        """Return the plan: the named pairings, or else matrix, combined and leave-one-out.

        Raises:
            InputError: A pairing names what is no generator.
        """
        names = tuple(sources.fake)
        for pairing in pairings:
            sources.require(pairing.train, "`train`")
            sources.require(pairing.test, "`test`")
        if pairings:
            cells = [cell for pairing in pairings for cell in _cells(pairing, names)]
            return cls(names, tuple(cells), tuple(pairings))
        cells = [
            Cell(MATRIX, (train,), (test,), train) for train in names for test in names
        ]
        if len(names) > 1:
            cells += [Cell(COMBINED, names, (test,), "all") for test in names]
            cells += [
                Cell(LEAVE_ONE_OUT, without(names, test), (test,), f"all but {test}")
                for test in names
            ]
        return cls(names, tuple(cells))

    @property
    def training_sets(self) -> list[tuple[str, ...]]:
        """Each set of generators that is trained on, once."""
        return list(dict.fromkeys(cell.train for cell in self.cells))

    def folder_name(self, train: Sequence[str]) -> str:
        """Return the folder of a training set's runs: readable, unique, safe as a path."""
        generators = self.generators
        text = "+".join(train)
        taken = text == "all" or text.startswith("all-but-")  # a generator's own name
        if len(train) == len(generators) > 1:
            text, taken = "all", False
        elif len(train) == len(generators) - 1 > 1:
            left_out = next(name for name in generators if name not in train)
            text, taken = f"all-but-{left_out}", False
        safe = re.sub(r"[^A-Za-z0-9._+-]+", "_", text)
        if safe == text and len(text) <= 80 and text.strip(".") and not taken:
            return text
        digest = hashlib.sha256("+".join(train).encode()).hexdigest()
        return f"{safe[:60]}-{digest[:8]}"


def without(names: Sequence[str], left_out: str) -> tuple[str, ...]:
    """Return the other names, in order."""
    return tuple(name for name in names if name != left_out)


def parse(trains: Sequence[str], tests: Sequence[str]) -> list[Pairing]:
    """Return pairings of `train` A,B and `test` C,D, each given once or several times.

    Raises:
        InputError: Not as many of one as of the other, or an empty list.
    """
    if len(trains) != len(tests):
        raise InputError(
            f"`train` was given {len(trains)} times and `test` {len(tests)} times; each "
            "pairing needs both, e.g. `train='stylegan,stylegan2', test='dreambooth,lora'`."
        )
    return [
        Pairing(_names(train, "`train`"), _names(test, "`test`"))
        for train, test in zip(trains, tests, strict=True)
    ]


def _cells(pairing: Pairing, names: Sequence[str]) -> list[Cell]:
    """Return self, foreign, and each tested generator by itself.

    A,B and B,A are one training set.
    """
    train = tuple(each for each in names if each in pairing.train)
    each = [(one,) for one in (*pairing.train, *pairing.test)]
    tests = dict.fromkeys([pairing.train, pairing.test, *each])
    return [Cell(PAIRING, train, test, "+".join(pairing.train)) for test in tests]


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(names):
        raise InputError(f"{option} {quoted(text)}: expected names, e.g. {option} A,B.")
    return names
