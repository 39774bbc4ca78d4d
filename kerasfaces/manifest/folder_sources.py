"""Which source each folder's images are: a camera data set or a generator.

The first folder below the class names it (`fake/stylegan`), else one above (`progan/1_fake`,
whose reals are `progan_real`), else the class folder itself (`Celeb-real`), else nothing
does: then it is what the user calls the data set, or the class. Numbered parts and splits
never do.
"""

from collections import defaultdict
from collections.abc import Sequence

from kerasfaces.manifest.folder_names import Clarity, FolderName
from kerasfaces.manifest.image_folders import FIRST, FolderInput, ImageFolder

Part = tuple[int, FolderName]  # index in the path, and the name


def assign(folders: Sequence[ImageFolder]) -> None:
    """Fill in each folder's source; labels and splits are there already."""
    if not folders:
        return
    candidates = _Candidates(folders)
    holds_both = {folder: candidates.choose(folder) for folder in folders}
    of_fakes = {folder.source for folder in folders if folder.label == "fake"}
    for folder in folders:
        # The name of a folder that holds both classes stands for its fakes.
        if (
            folder.label == "real"
            and holds_both[folder]
            and (folder.source in of_fakes)
        ):
            folder.source += "_real"


class _Candidates:
    """The parts of all paths that may name a source.

    Attributes:
        above: Per folder, the parts above the class.
        below: Per folder, the parts below the class.
        everywhere: Per folder of the user's, the names that all its images lie in.
        common: The names that all images lie in.
        below_name: (Name above the classes, label) -> first names below that label.
    """

    def __init__(self, folders: Sequence[ImageFolder]) -> None:
        self.above = {folder: _above(folder) for folder in folders}
        self.below = {folder: _below(folder) for folder in folders}
        self.everywhere: dict[FolderInput, set[str]] = {}
        for folder in folders:
            texts = {name.text for _, name in self.above[folder]}
            known = self.everywhere.setdefault(folder.stated, texts)
            self.everywhere[folder.stated] = known & texts
        self.common = set.intersection(*self.everywhere.values())
        self.below_name: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for folder in folders:
            if self.above[folder] and self.below[folder]:
                key = self._nearest(folder)[1].text, folder.label
                self.below_name[key].add(self.below[folder][0][1].text)

    def choose(self, folder: ImageFolder) -> bool:
        """Fill in a folder's source; return whether its name may stand for both classes."""
        at, stated = folder.label_at, folder.stated.source
        above, below = self.above[folder], self.below[folder]
        if stated:  # only names that tell something apart come before it
            below = [each for each in below if not each[1].plain]
            if (
                above
                and self._nearest(folder)[1].text in self.everywhere[folder.stated]
            ):
                above = []
        holds_both = False
        if not (at >= 0 and folder.names[at].clarity >= Clarity.IN_A_NAME):
            if below and not (above and self._divides_by_content(folder)):
                at = below[0][0]
            elif above:
                at, holds_both = self._nearest(folder)[0], True
            else:
                folder.source = stated or folder.label
                return bool(stated)
        without_split = folder.without_split if at == folder.split_at else ""
        folder.source, folder.source_at = without_split or folder.parts[at], at
        return holds_both

    def _divides_by_content(self, folder: ImageFolder) -> bool:
        """Tell whether the folders below the class are categories (cat, dog), not sources."""
        _, name = self._nearest(folder)
        if name.generator != self.below[folder][0][1].generator:
            return name.generator
        reals, fakes = (self.below_name[name.text, label] for label in ("real", "fake"))
        return name.text not in self.common and reals == fakes

    def _nearest(self, folder: ImageFolder) -> Part:
        """Return which of the names above the class is the source's."""
        above = self.above[folder]
        known = [part for part in above if part[1].generator]
        telling = [part for part in above if part[1].text not in self.common]
        return (known or telling or above[-1:])[0]


def _above(folder: ImageFolder) -> list[Part]:
    rest = folder.parts[FIRST:]
    return [
        (at, name)
        for at, name in enumerate(folder.names)
        if (at < folder.label_at or folder.label_at < 0)
        and _may_name_source(folder, at, name)
        and not name.plain
        # the folder that all lie in names one generator (`progan/0_real`)
        and (at >= FIRST or (name.generator and rest[:1] not in (("real",), ("fake",))))
    ]


def _below(folder: ImageFolder) -> list[Part]:
    return [
        (at, name)
        for at, name in enumerate(folder.names)
        if at >= FIRST
        and 0 <= folder.label_at < at
        and _may_name_source(folder, at, name)
    ]


def _may_name_source(folder: ImageFolder, at: int, name: FolderName) -> bool:
    """Tell whether a part is neither a number nor a split."""
    if at == folder.split_at:
        return bool(folder.without_split)
    return not (name.shard or name.is_split)
