"""How the training sets were made equal, in words that hold for what was drawn."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasfaces.run.folder import ScoredRun

Counts = Mapping[str, int]


def sentence(
    size: int | None,
    sources: Sequence[Mapping[str, Any]],
    taken: Sequence[Counts],
    *,
    is_asked: bool,
) -> str:
    """Return how the training sets were made equal, and what that left out.

    Args:
        size: Fakes of every set; None where everything is kept.
        sources: Name, label and splits of each source, of the first seed.
        taken: Source -> training images of every set and seed.
        is_asked: Whether the size is the user's (`size`).
    """
    if size is None:
        return "Every training set holds all images of its generators (keep_all)."
    n = {each["name"]: each["splits"][0] for each in sources}
    label = {each["name"]: each["label"] for each in sources}
    fakes, reals = (
        [{name: k for name, k in one.items() if label[name] == kind} for one in taken]
        for kind in ("fake", "real")
    )
    spare = [
        f"{n[name] - size:,} of {n[name]:,} of {name}"
        for name in n
        if label[name] == "fake" and n[name] > size
    ]
    names = [name for name in n if n[name] == size and label[name] == "fake"]
    why = f", as many as {names[0]} has" if names and not is_asked else ""
    left = (
        f" A detector of one generator leaves out {', '.join(spare)}." if spare else ""
    )
    return (
        f"Every training set holds {size:,} fakes{why} (training images), in "
        f"{_shares(fakes)} of its generators, and {_reals(reals, size)}, in "
        f"{_shares(reals)} of their sources.{left} The reals are the same in every set of a "
        "seed. keep_all takes everything, size=N another number."
    )


def _reals(parts: Iterable[Counts], size: int) -> str:
    totals = sorted({sum(one.values()) for one in parts}) or [size]
    if totals[0] >= size:
        return "as many reals"
    least, most = (f"{n:,}" for n in (totals[0], totals[-1]))
    several = f" to {most}, by seed" if most != least else ""
    return f"{least}{several} reals, as there are no more"


def _shares(parts: Iterable[Counts]) -> str:
    equal = all(max(one.values()) - min(one.values()) <= 1 for one in parts if one)
    return "equal shares" if equal else "shares as equal as there are images"


def unreadable(runs_of: Mapping[str, Iterable[Path]]) -> list[str]:
    """Return a sentence where images that were drawn could not be read.

    Args:
        runs_of: Training set -> its finished runs, one per seed.
    """
    found = {
        name: max((_n_unreadable(folder) for folder in folders), default=0)
        for name, folders in runs_of.items()
    }
    said = ", ".join(f"{name} {n:,}" for name, n in found.items() if n)
    if not said:
        return []
    return [
        "Images that could not be read are in no number, and a training set is smaller than "
        f"said by those drawn for it (train, val and test together, at most): {said}."
    ]


def _n_unreadable(folder: Path) -> int:
    measured = ScoredRun(folder).metrics["metrics"]
    return sum(int(parts["all"]["n_unreadable"]) for parts in measured.values())
