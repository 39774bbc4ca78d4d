"""Which split each folder's images are, by the words in its path."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import words
from kerasfaces.manifest.places import FIRST, NO_SPLIT, Place, seen
from kerasfaces.manifest.words import Name

_SHOWN = 6  # names in one message
Told = tuple[str, int, str]  # the split, which part says it, that part without the word


def read(
    places: Sequence[Place],
    above: Sequence[str],
    split_names: Mapping[str, str],
    notes: list[str],
) -> list[Told]:
    """Return each place's split.

    Args:
        places: Folders with images.
        above: Names of the folders in which the one that holds all lies, the nearest
            first.
        split_names: Their word for a split -> ours, where the usual meaning is not meant.
        notes: What was taken one way and could have been taken another is added.

    Raises:
        InputError: Some images have a split and some have none, or a path says two.
    """
    return _Splits(places, split_names).read(above, notes) if places else []


class _Splits:
    """The splits that names of folders say.

    Args:
        places: Folders with images.
        split_names: Their word -> ours.
    """

    def __init__(self, places: Sequence[Place], split_names: Mapping[str, str]) -> None:
        self.places = places
        self.split_names = {key.lower(): name for key, name in split_names.items()}

    def read(self, above: Sequence[str], notes: list[str]) -> list[Told]:
        """Return each place's split, which part says so, and that part without it."""
        asked = [i for i, place in enumerate(self.places) if not place.split]
        found = {i: self._folder(self.places[i]) for i in asked}
        lacking = [i for i in asked if not found[i][0]]
        found |= self._in_names(lacking, bool(len(lacking) < len(asked)), notes)
        without = [i for i in asked if not found[i][0]]
        if without and len(without) < len(asked):
            shown = seen([self.places[i] for i in without])
            raise InputError(
                f"some images lie in folders of a split and some do not: {shown} have none. "
                "Move them, give these folders by themselves with --split-is "
                "train, or leave all splits out with --split-is none."
            )
        if without:
            split = self._of_the_top(above, notes)
            found = dict.fromkeys(asked, (split, -1, ""))
        elif asked:
            self._drop_prefix(found, notes)
        answers = []
        for i, place in enumerate(self.places):
            said = "" if place.split == NO_SPLIT else place.split
            answers.append(found.get(i, (said, -1, "")))
        return answers

    def _ours(self, word: str) -> str:
        usual = words.SPLIT_WORDS.get(word, "")
        ours = self.split_names.get(word) or self.split_names.get(usual) or usual
        if not ours:
            raise InputError(
                f"a folder says {quoted(word)}, which is validation in some data sets and "
                f"the test in others; say which: --map-split {word}=val or {word}=test."
            )
        return ours

    def _folder(self, place: Place) -> Told:
        """Return the split of the folders made for one, such as `train` or `test_set`."""
        votes = {
            at: self._ours(name.split)
            for at, name in enumerate(place.names)
            if name.is_split and at >= FIRST
        }
        also = [name for name in place.names[FIRST:] if name.split_last and votes]
        _refuse_two(
            place, {*votes.values(), *(self._ours(name.split) for name in also)}
        )
        return next(((split, at, "") for at, split in votes.items()), ("", -1, ""))

    def _in_names(
        self, lacking: Sequence[int], others: bool, notes: list[str]
    ) -> dict[int, Told]:
        """Return the splits of names such as `ffhq_train`, where there is `ffhq_test`."""
        having: dict[int, list[tuple[int, Name]]] = {
            i: [
                (at, name)
                for at, name in enumerate(self.places[i].names)
                if name.split and not name.is_split and at >= FIRST
            ]
            for i in lacking
        }
        partners: defaultdict[str, set[str]] = defaultdict(set)
        for names in having.values():
            for _, name in names:
                usual = words.SPLIT_WORDS.get(name.split, name.split)
                partners[name.rest.lower()].add(usual)
        found: dict[int, Told] = {}
        alone: dict[str, Name] = {}
        for i, names in having.items():
            paired = [each for each in names if len(partners[each[1].rest.lower()]) > 1]
            _refuse_two(self.places[i], {self._ours(name.split) for _, name in paired})
            for at, name in paired[:1]:
                found[i] = (self._ours(name.split), at, name.rest)
            if not paired:
                alone |= {name.text: name for _, name in names}
        if alone and not (others or found):
            self._refuse_or_note(alone, notes)
        return found

    def _refuse_or_note(self, alone: Mapping[str, Name], notes: list[str]) -> None:
        shown = ", ".join(quoted(text) for text in list(alone)[:_SHOWN])
        several = len({name.split for name in alone.values()}) > 1
        if several or any(name.split_last for name in alone.values()):
            raise InputError(
                f"{shown}: a split, or part of a name? Give the split (--split-is test "
                "behind the folder's name, or --split-is none to leave splits out), or "
                "rename the folder."
            )
        notes.append(f"{shown} is taken as a name, not as a split")

    def _of_the_top(self, above: Sequence[str], notes: list[str]) -> str:
        """Return the split that the folder in which all lie is, if it is one."""
        top = self.places[0].parts[0]
        name = words.read(top)
        near = [words.read(text) for text in above[:2]]
        if top.lower() in words.SPLIT_WORDS:
            split = self._ours(name.split)
        elif (
            near
            and near[0].is_split
            and (name.generator or (name.label and name.plain))
        ):
            top, split = near[0].text, self._ours(near[0].split)
        else:
            for each in (name, *near):
                if each.is_split or (each is name and each.split_last):
                    notes.append(
                        f"the images lie in {quoted(each.text)} and got no split; if that "
                        f"is one, say so: --split-is {words.SPLIT_WORDS.get(each.split, 'test')}"
                    )
                    break
            return ""
        notes.append(
            f"all images are {split}, because the folder is called {quoted(top)} "
            "(--split-is none leaves that out)"
        )
        return split

    def _drop_prefix(self, found: dict[int, Told], notes: list[str]) -> None:
        """Forget `training` where every class folder begins with it: nothing is set apart."""
        if {split for split, _, _ in found.values()} != {"train"}:
            return
        names = [self.places[i].names[at] for i, (_, at, _) in found.items()]
        if all(name.label for name in names):
            notes.append(
                f"{quoted(names[0].text)} and all the others are training images: no test "
                "set is set apart, so no split was taken over"
            )
            found |= dict.fromkeys(found, ("", -1, ""))


def _refuse_two(place: Place, splits: set[str]) -> None:
    if len(splits) > 1:
        raise InputError(
            f"{quoted(str(place))} says {' and '.join(sorted(splits))} ({place.n} images): "
            "which split? Rename a folder, point at a folder below, or give the split: "
            "--split-is test behind the folder's name."
        )
