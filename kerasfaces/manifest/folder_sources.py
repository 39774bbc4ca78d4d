"""Which source each folder's images are: a camera data set or a generator.

The first folder below the class names it (`fake/stylegan`), else one above (`progan/1_fake`,
whose reals are `progan_real`), else the class folder itself (`Celeb-real`), else nothing
does: then it is what the user calls the data set, or the class. Numbered parts and splits
never do.
"""

from collections import defaultdict
from collections.abc import Sequence

from kerasfaces.manifest.folder_names import FIRST, Clarity, FolderInput, ImageFolder


def assign(folders: Sequence[ImageFolder]) -> None:
    """Fill in each folder's source; labels and splits are there already."""
    if not folders:
        return
    candidates = _Candidates(folders)
    holds_both = {folder: candidates.choose(folder) for folder in folders}
    of_fakes = {folder.source for folder in folders if folder.label == "fake"}
    for folder in folders:
        # The name of a folder that holds both classes stands for its fakes.
        both = holds_both[folder] and folder.source in of_fakes
        if folder.label == "real" and both:
            folder.source += "_real"


class _Candidates:
    """The positions of the parts of all paths that may name a source."""

    def __init__(self, folders: Sequence[ImageFolder]) -> None:
        self.above = {folder: _above(folder) for folder in folders}
        self.below = {folder: _below(folder) for folder in folders}
        # Per folder of the user's, the names that all its images lie in.
        self.everywhere: dict[FolderInput, set[str]] = {}
        for folder in folders:
            texts = {folder.parts[at] for at in self.above[folder]}
            known = self.everywhere.setdefault(folder.stated, texts)
            self.everywhere[folder.stated] = known & texts
        self.common = set.intersection(*self.everywhere.values())
        # (Name above the classes, label) -> first names below that label.
        self.below_name: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for folder in folders:
            if self.above[folder] and self.below[folder]:
                key = folder.parts[self._nearest(folder)], folder.label
                self.below_name[key].add(folder.parts[self.below[folder][0]])

    def choose(self, folder: ImageFolder) -> bool:
        """Fill in a folder's source; return whether its name may stand for both classes."""
        at, stated = folder.label_at, folder.stated.source
        above, below = self.above[folder], self.below[folder]
        if stated:  # only names that tell something apart come before it
            below = [each for each in below if not folder.names[each].plain]
            everywhere = self.everywhere[folder.stated]
            if above and folder.parts[self._nearest(folder)] in everywhere:
                above = []
        holds_both = False
        if not (at >= 0 and folder.names[at].clarity >= Clarity.IN_A_NAME):
            if below and not (above and self._divides_by_content(folder)):
                at = below[0]
            elif above:
                at, holds_both = self._nearest(folder), True
            else:
                folder.source = stated or folder.label
                return bool(stated)
        without_split = folder.without_split if at == folder.split_at else ""
        folder.source, folder.source_at = without_split or folder.parts[at], at
        return holds_both

    def _divides_by_content(self, folder: ImageFolder) -> bool:
        """Whether the folders below the class are categories (cat, dog), not sources."""
        name = folder.names[self._nearest(folder)]
        if name.generator != folder.names[self.below[folder][0]].generator:
            return name.generator
        reals, fakes = (self.below_name[name.text, label] for label in ("real", "fake"))
        return name.text not in self.common and reals == fakes

    def _nearest(self, folder: ImageFolder) -> int:
        """Return which of the names above the class is the source's."""
        above = self.above[folder]
        known = [at for at in above if folder.names[at].generator]
        telling = [at for at in above if folder.parts[at] not in self.common]
        return (known or telling or above[-1:])[0]


def _above(folder: ImageFolder) -> list[int]:
    rest = folder.parts[FIRST:]
    return [
        at
        for at, name in enumerate(folder.names)
        if (at < folder.label_at or folder.label_at < 0)
        and _may_name_source(folder, at)
        and not name.plain
        # the folder that all lie in names one generator (`progan/0_real`)
        and (at >= FIRST or (name.generator and rest[:1] not in (("real",), ("fake",))))
    ]


def _below(folder: ImageFolder) -> list[int]:
    if folder.label_at < 0:
        return []
    first = max(FIRST, folder.label_at + 1)
    return [
        at for at in range(first, len(folder.parts)) if _may_name_source(folder, at)
    ]


def _may_name_source(folder: ImageFolder, at: int) -> bool:
    """Whether a part is neither a number nor a split."""
    if at == folder.split_at:
        return bool(folder.without_split)
    return not (folder.names[at].shard or folder.names[at].is_split)
