"""Which split each folder's images are, by the words in its path."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_names
from kerasfaces.manifest.folder_names import SPLIT_WORDS, FolderName
from kerasfaces.manifest.image_folders import FIRST, NO_SPLIT, ImageFolder, shown

_SHOWN = 6  # names in one message


def assign(
    folders: Sequence[ImageFolder],
    above: Sequence[str],
    split_names: Mapping[str, str],
    notes: list[str],
) -> None:
    """Fill in each folder's split.

    Args:
        folders: Folders with images.
        above: Names of the folders above the one that holds all, the nearest first.
        split_names: Their word for a split -> ours, where the usual meaning is not meant.
        notes: What was taken one way and could have been taken another is added.

    Raises:
        InputError: Some images have a split and some have none, or a path says two.
    """
    words = _SplitWords({key.lower(): name for key, name in split_names.items()})
    for folder in folders:
        folder.split = "" if folder.stated.split == NO_SPLIT else folder.stated.split
    undecided = [folder for folder in folders if not folder.stated.split]
    for folder in undecided:
        _read_split_folders(folder, words)
    rest = [folder for folder in undecided if not folder.split]
    _read_pairs_of_names(rest, len(rest) < len(undecided), words, notes)
    rest = [folder for folder in undecided if not folder.split]
    if rest and len(rest) < len(undecided):
        raise InputError(
            f"some images lie in folders of a split and some do not: {shown(rest)} have none. "
            "Move them, give these folders by themselves with "
            "`split_is='train'`, or leave all splits out with `split_is='none'`."
        )
    if rest:
        split = _split_of_top(rest[0].parts[0], above, words, notes)
        for folder in rest:
            folder.split = split
    else:
        _drop_common_train(undecided, notes)


@dataclasses.dataclass(frozen=True)
class _SplitWords:
    split_names: Mapping[str, str]  # their word in lower case -> ours

    def split_of(self, word: str) -> str:
        """Return the split that a word means."""
        usual = SPLIT_WORDS.get(word, "")
        split = self.split_names.get(word) or self.split_names.get(usual) or usual
        if not split:
            raise InputError(
                f"a folder says {quoted(word)}, which is validation in some data sets and "
                f"the test in others; say which: "
                f"`split_names={{{word!r}: 'val'}}` or `split_names={{{word!r}: 'test'}}`."
            )
        return split


def _read_split_folders(folder: ImageFolder, words: _SplitWords) -> None:
    """Read the names of folders made for a split, such as `train` or `test_set`."""
    votes = {
        at: words.split_of(name.split)
        for at, name in enumerate(folder.names)
        if name.is_split and at >= FIRST
    }
    if votes:
        _refuse_two(
            folder,
            {words.split_of(n.split) for n in folder.names[FIRST:] if n.split_last}
            | {*votes.values()},
        )
        folder.split_at, folder.split = next(iter(votes.items()))


def _read_pairs_of_names(
    folders: Sequence[ImageFolder],
    others_have_splits: bool,
    words: _SplitWords,
    notes: list[str],
) -> None:
    """Read names such as `ffhq_train`, where there is an `ffhq_test`."""
    names_with_word: dict[ImageFolder, list[tuple[int, FolderName]]] = {
        folder: [
            (at, name)
            for at, name in enumerate(folder.names)
            if name.split and not name.is_split and at >= FIRST
        ]
        for folder in folders
    }
    partners: defaultdict[str, set[str]] = defaultdict(set)
    for names in names_with_word.values():
        for _, name in names:
            usual = SPLIT_WORDS.get(name.split, name.split)
            partners[name.rest.lower()].add(usual)
    unpaired: dict[str, FolderName] = {}
    for folder, names in names_with_word.items():
        paired = [each for each in names if len(partners[each[1].rest.lower()]) > 1]
        _refuse_two(folder, {words.split_of(name.split) for _, name in paired})
        if paired:
            at, name = paired[0]
            folder.split, folder.split_at = words.split_of(name.split), at
            folder.without_split = name.rest
        else:
            unpaired |= {name.text: name for _, name in names}
    if not unpaired or others_have_splits or any(folder.split for folder in folders):
        return
    texts = ", ".join(map(quoted, list(unpaired)[:_SHOWN]))
    several = len({name.split for name in unpaired.values()}) > 1
    if several or any(name.split_last for name in unpaired.values()):
        raise InputError(
            f"{texts}: a split, or part of a name? Give the split of that folder "
            "(`split_is='test'`, or `split_is='none'` to leave splits out), or "
            "rename the folder."
        )
    notes.append(f"{texts} is taken as a name, not as a split")


def _split_of_top(
    top: str, above: Sequence[str], words: _SplitWords, notes: list[str]
) -> str:
    """Return the split that the folder in which all lie is, if it is one."""
    name, *near = map(folder_names.read, (top, *above[:2]))
    if top.lower() in SPLIT_WORDS:
        split = words.split_of(name.split)
    elif near and near[0].is_split and (name.generator or (name.label and name.plain)):
        top, split = near[0].text, words.split_of(near[0].split)
    else:
        for each in (name, *near):
            if each.is_split or (each is name and each.split_last):
                notes.append(
                    f"the images lie in {quoted(each.text)} and got no split; if that "
                    f"is one, say so: `split_is={SPLIT_WORDS.get(each.split, 'test')!r}`"
                )
                break
        return ""
    notes.append(
        f"all images are {split}, because the folder is called {quoted(top)} "
        "(`split_is='none'` leaves that out)"
    )
    return split


def _drop_common_train(folders: Sequence[ImageFolder], notes: list[str]) -> None:
    """Forget `training` where every class folder begins with it: nothing is set apart."""
    names = [folder.names[folder.split_at] for folder in folders]
    if {folder.split for folder in folders} == {"train"} and all(
        name.label for name in names
    ):
        notes.append(
            f"{quoted(names[0].text)} and all the others are training images: no test "
            "set is set apart, so no split was taken over"
        )
        for folder in folders:
            folder.split, folder.split_at, folder.without_split = "", -1, ""


def _refuse_two(folder: ImageFolder, splits: set[str]) -> None:
    if len(splits) > 1:
        raise InputError(
            f"{quoted(str(folder))} says {' and '.join(sorted(splits))} ({folder.n_images} images): "
            "which split? Rename a folder, point at a folder below, or give the split: "
            "`split_is='test'` for that folder."
        )
