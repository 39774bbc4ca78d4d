"""Manifest -> which generators and cameras there are, and whether they are enough."""

import dataclasses
import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

AT_LEAST = 50  # images of a generator; a sixth of it is tested on


@dataclasses.dataclass(frozen=True)
class Sources:
    """The sources of a manifest.

    Attributes:
        fake: Generator -> its images, those with too few left out; sorted by name.
        few: Generator -> its images, where they are too few to train or test on.
        real: Camera data set -> its images.
    """

    fake: Mapping[str, int]
    few: Mapping[str, int]
    real: Mapping[str, int]


def find(rows: "pd.DataFrame", at_least: int = AT_LEAST) -> Sources:
    """Return the manifest's sources.

    Raises:
        InputError: A source is both real and fake, there is no real image, or no
            generator has enough images.
    """
    counts = {
        label: Counter(map(str, rows.loc[rows["label"] == label, "source"]))
        for label in ("real", "fake")
    }
    both = sorted(set(counts["real"]) & set(counts["fake"]))
    if both:
        name = both[0]
        raise InputError(
            f"source {quoted(name)} is real in {counts['real'][name]} rows and fake in "
            f"{counts['fake'][name]}: a source is a camera data set or a generator. Name "
            "them apart in the column source (kerasfaces manifest check lists the lines)."
        )
    if not counts["real"]:
        raise InputError("The manifest has no real image; every generator needs some.")
    enough = {name: n for name, n in sorted(counts["fake"].items()) if n >= at_least}
    few = {name: n for name, n in sorted(counts["fake"].items()) if n < at_least}
    if not enough:
        found = listed([f"{name} {n}" for name, n in few.items()]) or "none"
        raise InputError(
            f"No generator has {at_least} images (there are: {found}); add images, or lower "
            "`at_least`."
        )
    return Sources(fake=enough, few=few, real=dict(sorted(counts["real"].items())))


def check_names(names: Sequence[str], found: Sources, option: str) -> None:
    """Refuse names that are no generator with enough images.

    Raises:
        InputError: With the names there are, and the nearest.
    """
    for name in names:
        if name in found.fake:
            continue
        if name in found.few:
            raise InputError(
                f"{option}: {name} has only {found.few[name]} images; lower `at_least` to "
                "use it all the same."
            )
        near = difflib.get_close_matches(name, found.fake, n=1)
        hint = f" Did you mean {quoted(near[0])}?" if near else ""
        real = " (it is a real source)" if name in found.real else ""
        raise InputError(
            f"{option}: there is no generator {quoted(name)}{real}; there are: "
            f"{listed(list(found.fake))}.{hint}"
        )
