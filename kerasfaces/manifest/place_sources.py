"""Which source each folder's images are: a camera data set or a generator.

The first folder below the class names it (`fake/stylegan`), else one above (`progan/1_fake`,
whose reals are `progan_real`), else the class folder itself (`Celeb-real`), else nothing
does: then it is what the user calls the data set, or the class. Numbered parts and splits
never do.
"""

from collections import defaultdict
from collections.abc import Sequence

from kerasfaces.manifest.place_splits import Told
from kerasfaces.manifest.places import FIRST, Place
from kerasfaces.manifest.words import Clarity, Name

Label = tuple[str, int]  # the class, and which part says it


def read(
    places: Sequence[Place], labels: Sequence[Label], splits: Sequence[Told]
) -> list[tuple[str, int]]:
    """Return each place's source and which part says so (-1: none does).

    Args:
        places: Folders with images.
        labels: Their classes.
        splits: Their splits.
    """
    if not places:
        return []
    choice = _Choice(places, labels, splits)
    picked = [choice.of(i) for i in range(len(places))]
    fakes = {
        name
        for (name, _, _), (label, _) in zip(picked, labels, strict=True)
        if label == "fake"
    }
    found = []
    for (name, at, both), (label, _) in zip(picked, labels, strict=True):
        # The name of a folder that holds both classes stands for its fakes.
        needs_own = both and label == "real" and name in fakes
        found.append((f"{name}_real" if needs_own else name, at))
    return found


class _Choice:
    """Picks the part of each path that names the source."""

    def __init__(
        self, places: Sequence[Place], labels: Sequence[Label], splits: Sequence[Told]
    ) -> None:
        self.places, self.labels, self.splits = places, labels, splits
        self.above = [self._above(i) for i in range(len(places))]
        self.below = [self._below(i) for i in range(len(places))]
        self.everywhere = self._everywhere()
        self.common = set.intersection(*self.everywhere.values())
        # What a folder above the classes holds below each of them.
        self.parts: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for i, (label, _) in enumerate(labels):
            if self.above[i] and self.below[i]:
                _, name = self._nearest(i)
                self.parts[name.text, label].add(self.below[i][0][1].text)

    def of(self, i: int) -> tuple[str, int, bool]:
        """Return a place's source, its part, and whether it may stand for both classes."""
        place, (label, class_at) = self.places[i], self.labels[i]
        names = place.names
        if class_at >= 0 and names[class_at].clarity >= Clarity.IN_A_NAME:
            return self._text(i, class_at), class_at, False
        above, below = self.above[i], self.below[i]
        if place.source:  # only names that tell something apart come before it
            below = [each for each in below if not each[1].plain]
            if above and self._nearest(i)[1].text in self.everywhere[place.given]:
                above = []
        if below and not (above and self._divides_by_content(i)):
            at = below[0][0]
            return self._text(i, at), at, False
        if above:
            at, _ = self._nearest(i)
            return self._text(i, at), at, True
        return (place.source or label), -1, bool(place.source)

    def _divides_by_content(self, i: int) -> bool:
        """Tell whether the folders below the class are categories (cat, dog), not sources."""
        _, name = self._nearest(i)
        first = self.below[i][0][1]
        if name.generator != first.generator:
            return name.generator
        reals, fakes = self.parts[name.text, "real"], self.parts[name.text, "fake"]
        return name.text not in self.common and reals == fakes

    def _nearest(self, i: int) -> tuple[int, Name]:
        """Return which of the names above the class is the source's."""
        above = self.above[i]
        known = [each for each in above if each[1].generator]
        telling = [each for each in above if each[1].text not in self.common]
        return (known or telling or above[-1:])[0]

    def _everywhere(self) -> dict[int, set[str]]:
        """Return, for each folder the user gave, the names that all its images lie in."""
        found: dict[int, set[str]] = {}
        for place, names in zip(self.places, self.above, strict=True):
            texts = {name.text for _, name in names}
            found[place.given] = found.get(place.given, texts) & texts
        return found

    def _above(self, i: int) -> list[tuple[int, Name]]:
        end = self.labels[i][1]
        return [
            (at, name)
            for at, name in enumerate(self.places[i].names)
            if (at < end or end < 0) and self._names(i, at, name)
            if not name.plain and (at >= FIRST or self._is_generators(i, name))
        ]

    def _is_generators(self, i: int, top: Name) -> bool:
        """Tell whether the folder that all lie in is one generator's (`progan/0_real`)."""
        rest = self.places[i].parts[FIRST:]
        return top.generator and rest[:1] not in (("real",), ("fake",))

    def _below(self, i: int) -> list[tuple[int, Name]]:
        start = self.labels[i][1]
        return [
            (at, name)
            for at, name in enumerate(self.places[i].names)
            if at >= FIRST and 0 <= start < at and self._names(i, at, name)
        ]

    def _names(self, i: int, at: int, name: Name) -> bool:
        """Tell whether a part is neither a number nor a split."""
        _, split_at, rest = self.splits[i]
        if at == split_at:
            return bool(rest)
        return not (name.shard or name.is_split)

    def _text(self, i: int, at: int) -> str:
        """Return a part without the split's word in it."""
        _, split_at, rest = self.splits[i]
        return rest if at == split_at and rest else self.places[i].parts[at]
