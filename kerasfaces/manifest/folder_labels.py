"""Which class and which split each folder's images are, by the words in its path.

The clearest name decides the class: `fake` over `ai` over `Celeb-real`. Two equally clear
names that contradict each other are refused, but for a name that stands above both classes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_names
from kerasfaces.manifest.folder_names import (
    FIRST,
    NO_SPLIT,
    SPLIT_WORDS,
    Clarity,
    FolderName,
    ImageFolder,
    n_shared_parts,
    shown,
)

_SHOWN = 6  # names in one message


def assign_labels(folders: Sequence[ImageFolder], notes: list[str]) -> None:
    """Fill in each folder's label; it stays empty for a folder that is left out, with a note.

    Raises:
        InputError: A path says no class, or both.
    """
    titles = _titles(folders)
    for folder in folders:
        folder.label = folder.stated.label
        votes = [
            (name.clarity, name.label, at)
            for at, name in enumerate(folder.names)
            if name.label and folder.parts[: at + 1] not in titles
        ]
        if folder.label or not votes:
            continue
        best = [vote for vote in votes if vote[0] == min(votes)[0]]
        if len({label for _, label, _ in best}) > 1:
            ways = " and ".join(quoted(folder.parts[at]) for _, _, at in best)
            raise InputError(
                f"{quoted(str(folder))} says both classes ({ways}, {len(folder.files)} images): "
                "which one decides? Rename a folder, or give the class of that "
                "folder: `label_is='real'`."
            )
        _, folder.label, folder.label_at = best[0]
    unlabelled = [folder for folder in folders if not folder.label]
    if not unlabelled:
        return
    labels_on_top = all(
        folder.label_at == FIRST and folder.names[FIRST].clarity == Clarity.CLASS
        for folder in folders
        if folder.label
    )
    if not labels_on_top or len(unlabelled) == len(folders):
        raise InputError(
            f"no word for a class in {shown(unlabelled)}; expected folders such as real and "
            "fake, 0_real and 1_fake, or nature and ai, anywhere in the path. Rename them, "
            "or give each folder with its class: `Manifest.from_folders(A, label_is='real')"
            ".join(Manifest.from_folders(B, label_is='fake'))`."
        )
    notes.append(
        f"left out, because they lie in no class's folder: {shown(unlabelled)}"
    )


def _titles(folders: Sequence[ImageFolder]) -> set[tuple[str, ...]]:
    """Return folders whose name says a class but which hold both, as deeper names say."""
    n_shared = n_shared_parts([folder.parts for folder in folders])
    labels_below: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for folder in folders:
        named = [(at, name) for at, name in enumerate(folder.names) if name.label]
        for i, (at, name) in enumerate(named[:-1]):
            if name.clarity >= Clarity.IN_A_NAME or at < n_shared:
                _, clearest = min(named[i + 1 :], key=lambda item: item[1].clarity)
                labels_below[folder.parts[: at + 1]].add(clearest.label)
    return {parts for parts, labels in labels_below.items() if len(labels) > 1}


def assign_splits(
    folders: Sequence[ImageFolder],
    above: Sequence[str],
    split_names: Mapping[str, str],
    notes: list[str],
) -> None:
    """Fill in each folder's split, with notes where it could have been read otherwise.

    Args:
        folders: Folders with images.
        above: Names of the folders above the one that holds all, the nearest first.
        split_names: Their word for a split -> ours, where the usual meaning is not meant.
        notes: Sentences; some are added.

    Raises:
        InputError: Some images have a split and some have none, or a path says two.
    """
    theirs = {key.lower(): name for key, name in split_names.items()}
    for folder in folders:
        folder.split = "" if folder.stated.split == NO_SPLIT else folder.stated.split
    undecided = [folder for folder in folders if not folder.stated.split]
    for folder in undecided:
        _read_split_folders(folder, theirs)
    rest = [folder for folder in undecided if not folder.split]
    _read_pairs_of_names(rest, len(rest) < len(undecided), theirs, notes)
    rest = [folder for folder in undecided if not folder.split]
    if rest and len(rest) < len(undecided):
        raise InputError(
            f"some images lie in folders of a split and some do not: {shown(rest)} have none. "
            "Move them, give these folders by themselves with "
            "`split_is='train'`, or leave all splits out with `split_is='none'`."
        )
    if rest:
        split = _split_of_top(rest[0].parts[0], above, theirs, notes)
        for folder in rest:
            folder.split = split
    else:
        _drop_common_train(undecided, notes)


def _split_of(word: str, theirs: Mapping[str, str]) -> str:
    """Return the split that a word means; `theirs`: words in lower case -> ours."""
    usual = SPLIT_WORDS.get(word, "")
    split = theirs.get(word) or theirs.get(usual) or usual
    if not split:
        raise InputError(
            f"a folder says {quoted(word)}, which is validation in some data sets and "
            f"the test in others; say which: "
            f"`split_names={{{word!r}: 'val'}}` or `split_names={{{word!r}: 'test'}}`."
        )
    return split


def _read_split_folders(folder: ImageFolder, theirs: Mapping[str, str]) -> None:
    """Read the names of folders made for a split, such as `train` or `test_set`."""
    votes = {
        at: _split_of(name.split, theirs)
        for at, name in enumerate(folder.names)
        if name.is_split and at >= FIRST
    }
    if votes:
        last_words = [name.split for name in folder.names[FIRST:] if name.split_last]
        also = {_split_of(word, theirs) for word in last_words}
        _refuse_two(folder, also | {*votes.values()})
        folder.split_at, folder.split = next(iter(votes.items()))


def _read_pairs_of_names(
    folders: Sequence[ImageFolder],
    others_have_splits: bool,
    theirs: Mapping[str, str],
    notes: list[str],
) -> None:
    """Read names such as `ffhq_train`, where there is an `ffhq_test`."""
    names_with_word = {
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
        _refuse_two(folder, {_split_of(name.split, theirs) for _, name in paired})
        if paired:
            at, name = paired[0]
            folder.split, folder.split_at = _split_of(name.split, theirs), at
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
    top: str, above: Sequence[str], theirs: Mapping[str, str], notes: list[str]
) -> str:
    """Return the split that the folder in which all lie is, if it is one."""
    name, *near = map(folder_names.read, (top, *above[:2]))
    if top.lower() in SPLIT_WORDS:
        split = _split_of(name.split, theirs)
    elif near and near[0].is_split and (name.generator or (name.label and name.plain)):
        top, split = near[0].text, _split_of(near[0].split, theirs)
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
            f"{quoted(str(folder))} says {' and '.join(sorted(splits))} "
            f"({len(folder.files)} images): "
            "which split? Rename a folder, point at a folder below, or give the split: "
            "`split_is='test'` for that folder."
        )
