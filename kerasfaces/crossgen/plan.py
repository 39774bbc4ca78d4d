"""Sources -> training sets and the cells they fill; nothing is drawn or trained yet."""

import dataclasses
import hashlib
import re
from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.crossgen.sources import Sources, check_names

MATRIX, COMBINED = "matrix", "combined"
LEAVE_ONE_OUT, PAIRING = "leave_one_out", "pairing"


@dataclasses.dataclass(frozen=True)
class Pairing:
    """Train on some generators, test on others: yu2024's question.

    Attributes:
        train: Generators to train on.
        test: Generators to test on.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number to find: a training set tested on generators.

    Attributes:
        table: `matrix`, `combined`, `leave_one_out` or `pairing`.
        train: Generators trained on.
        test: Generators tested on, against all test reals.
        name: What the training set is called in its table.
    """

    table: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    name: str

    @property
    def tested(self) -> str:
        """Return the tested generators as one name."""
        return "+".join(self.test)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to train and what to read off.

    Attributes:
        generators: All that are tested.
        cells: In the order of the tables.
        pairings: As asked for; without any, the matrix is made.
    """

    generators: tuple[str, ...]
    cells: tuple[Cell, ...]
    pairings: tuple[Pairing, ...] = ()

    @property
    def training_sets(self) -> list[tuple[str, ...]]:
        """Return each set of generators that is trained on, once."""
        return list(dict.fromkeys(cell.train for cell in self.cells))


def make(found: Sources, pairings: Sequence[Pairing] = ()) -> Plan:
    """Return the plan: the named pairings, or else matrix, combined and leave-one-out.

    Raises:
        InputError: A pairing names what is no generator.
    """
    names = tuple(found.fake)
    for pairing in pairings:
        check_names(pairing.train, found, "`train`")
        check_names(pairing.test, found, "`test`")
    if pairings:
        cells = [cell for pairing in pairings for cell in _pairing(pairing, names)]
        return Plan(names, tuple(cells), tuple(pairings))
    cells = [
        Cell(MATRIX, (train,), (test,), train) for train in names for test in names
    ]
    if len(names) > 1:
        cells += [Cell(COMBINED, names, (test,), "all") for test in names]
        cells += [
            Cell(LEAVE_ONE_OUT, without(names, test), (test,), f"all but {test}")
            for test in names
        ]
    return Plan(names, tuple(cells))


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


def folder_name(train: Sequence[str], generators: Sequence[str]) -> str:
    """Return the folder of a training set's runs: readable, unique, safe as a path."""
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
    return f"{safe[:60]}-{hashlib.sha256('+'.join(train).encode()).hexdigest()[:8]}"


def _pairing(pairing: Pairing, names: Sequence[str]) -> list[Cell]:
    """Return self, foreign, and each tested generator by itself.

    A,B and B,A are one training set.
    """
    train = tuple(each for each in names if each in pairing.train)
    name = "+".join(pairing.train)
    each = [(one,) for one in (*pairing.train, *pairing.test)]
    tests = [pairing.train, pairing.test, *each]
    return [Cell(PAIRING, train, test, name) for test in dict.fromkeys(tests)]


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(names):
        raise InputError(f"{option} {quoted(text)}: expected names, e.g. {option} A,B.")
    return names
