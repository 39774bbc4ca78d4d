"""Folders with images, and what the words of their names say: class, split, or a name.

A name is cut into words at everything that is no letter, between letters and digits, at
capitals inside a word, and where it is nothing but known words written together
(`trainreal`). Upper and lower case are alike.
"""

import dataclasses
import functools
import itertools
import re
from collections.abc import Collection, Sequence
from enum import IntEnum
from pathlib import Path

from kerasfaces.core.texts import quoted

NO_SPLIT = "none"
FIRST = 1  # the first part of a path is the name of the folder that all lie in
_SHOWN = 6  # folders named in one message

_CLEAR = {"real": "real", "reals": "real", "fake": "fake", "fakes": "fake"}
_ALSO_REAL = "nature natural authentic genuine original originals pristine bonafide"
_ALSO_FAKE = (
    "ai aigc synthesis synthetic synthesized synthesised generated deepfake deepfakes "
    "forged forgery manipulated"
)
_CLASSES = {
    **_CLEAR,
    **dict.fromkeys(_ALSO_REAL.split(), "real"),
    **dict.fromkeys(_ALSO_FAKE.split(), "fake"),
}
SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# Validation in one data set, the final test in another: the user has to say.
UNCLEAR_SPLITS = ("dev", "eval", "evaluation", "holdout")
_SHARDS = frozenset("part parts chunk shard batch block bucket fold volume vol".split())
_FILLERS = frozenset(
    "image images img imgs pic pics picture pictures photo photos face faces portrait "
    "portraits human humans data dataset datasets set sets subset file files folder dir "
    "sequence sequences frame frames sample samples crop crops cropped aligned resized class category split "
    "jpg jpeg png and or vs versus the of all final official".split()
)
_SIZE_WORDS = frozenset({"x", "px"})  # `256x256`, `256px`
_NEGATIONS = frozenset({"not", "non", "no"})
# Generators whose names have a word for the other class.
_NAMES = frozenset({("real", "esrgan"), ("real", "nvp"), ("real", "vis")})
_KNOWN = {*_CLASSES, *SPLIT_WORDS, *UNCLEAR_SPLITS, *_SHARDS, *_FILLERS}
_LONGEST = max(map(len, _KNOWN))
_NAME_CHARACTERS = 255  # of a file; a longer run of letters is data, not a name
_GENERATOR = re.compile(
    r"gan(s|\d|$)|diffus|midjourney|dall.?e|glide|vqdm|wukong|^sd|sdxl|ldm|flux|imagen\b|"
    r"firefly|dreambooth|lora|faceswap|face2face|neuraltextures|vae"
)


class Clarity(IntEnum):
    """How clearly a name says its class, the clearest first."""

    CLASS = 0  # `real`, `1_fake`, `training_real`: the words real or fake, no name
    SYNONYM = 1  # `nature`, `ai`, `synthesis`
    IN_A_NAME = 2  # `Celeb-real`: beside other words
    SYNONYM_IN_A_NAME = 3  # `Celeb-synthesis`


@dataclasses.dataclass(frozen=True)
class FolderName:
    """What one folder's (or file's) name says."""

    text: str  # as written
    label: str  # `real`, `fake` or nothing (also where it has words for both)
    clarity: Clarity  # of the word for the class
    split: str  # a word for a split, in lower case, or nothing
    is_split: bool  # a split folder (`train`, `test_set`), unlike `train_station`
    split_last: bool  # the split's word ends the name (`ffhq_test`)
    rest: str  # the name without the split's word
    shard: bool  # numbered parts or sizes (`00000`, `part_01`, `256x256`)
    plain: bool  # no word in it names anything (`images`, `real_vs_fake`)

    @property
    def generator(self) -> bool:
        """Whether the name looks like a known generator's."""
        return _GENERATOR.search(self.text.lower()) is not None


@functools.lru_cache(maxsize=65536)
def read(text: str) -> FolderName:
    """Return what a name says."""
    spans = _spans(text)
    words = [word for word, _, _ in spans]
    splits = [word for word in words if word in SPLIT_WORDS or word in UNCLEAR_SPLITS]
    one_split = len({SPLIT_WORDS.get(word, word) for word in splits}) == 1
    split = splits[0] if one_split else ""
    start, end = next(((a, b) for word, a, b in spans if word == split), (0, 0))
    classes = {_CLASSES[word] for word in words if word in _CLASSES}
    named = any(pair in _NAMES for pair in itertools.pairwise(words))
    one_class = len(classes) == 1 and not named and not _NEGATIONS & set(words)
    numbered = any(word.isdigit() for word in words)
    known = _KNOWN | _SIZE_WORDS if numbered else _KNOWN
    foreign = any(word not in known and not word.isdigit() for word in words)
    unclear = not any(word in _CLEAR for word in words)
    return FolderName(
        text=text,
        label=classes.pop() if one_class else "",
        clarity=Clarity(2 * foreign + unclear),
        split=split,
        is_split=bool(split) and not foreign,
        split_last=bool(words) and words[-1] == split,
        rest=_without(text, start, end) if split else text,
        shard=numbered
        and all(word.isdigit() or word in _SHARDS | _SIZE_WORDS for word in words),
        plain=not foreign and not named,
    )


def _without(text: str, start: int, end: int) -> str:
    """Cut a word out of a name, and what joined it to the rest."""
    before, after = text[:start].rstrip("_- ."), text[end:].lstrip("_- .")
    joint = text[end : end + 1] if before and after else ""
    return before + (joint if not joint.isalnum() else "") + after


def _spans(text: str) -> list[tuple[str, int, int]]:
    """Return a name's words in lower case with where they start and end."""
    spans = []
    for run in re.finditer(r"\d+|[^\W\d_]+", text):
        parts = _glued(run.group().lower()) or re.findall(
            r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+", run.group()
        )
        at = run.start()
        for part in parts:
            spans.append((part.lower(), at, at + len(part)))
            at += len(part)
    return spans


@functools.lru_cache(maxsize=65536)
def _glued(word: str) -> tuple[str, ...]:
    """Return the known words that a word consists of; nothing if there is another."""
    if word in _KNOWN or word.isdigit():
        return (word,)
    if len(word) > _NAME_CHARACTERS:
        return ()
    for size in range(min(len(word) - 2, _LONGEST), 1, -1):
        if word[:size] in _KNOWN and (rest := _glued(word[size:])):
            return (word[:size], *rest)
    return ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class FolderInput:
    """A folder (or table) to read, and what the user states of all its images."""

    path: Path
    label: str = ""  # real or fake
    split: str = ""  # train, val, test, or `none`: in no split
    source: str = ""  # its name where no folder names one


@dataclasses.dataclass(eq=False)
class ImageFolder:
    """One folder with images. Label, split and source are filled in one after another.

    `..._at` is the position of the part of the path that names it; -1: none does.
    """

    parts: tuple[str, ...]  # its path, from the name of the folder in which all lie
    stated: FolderInput  # the user's folder in which it lies
    files: list[Path] = dataclasses.field(default_factory=list)
    label: str = ""  # real, fake, or empty: left out
    label_at: int = -1
    split: str = ""  # train, val, test or empty
    split_at: int = -1
    without_split: str = ""  # the part that names the split, without its word
    source: str = ""
    source_at: int = -1

    @functools.cached_property
    def names(self) -> list[FolderName]:
        """What the words of each part say."""
        return [read(part) for part in self.parts]

    @property
    def depth(self) -> int:
        """Number of leading parts that decide label, split and source."""
        return max(self.label_at, self.split_at, self.source_at, FIRST - 1) + 1

    def __str__(self) -> str:
        return "/".join(self.parts[FIRST:]) or "."


def shown(folders: Sequence[ImageFolder]) -> str:
    """Return the largest folders with their numbers of images, for messages."""
    texts = []
    for folder in sorted(folders, key=lambda folder: -len(folder.files))[:_SHOWN]:
        n = len(folder.files)
        texts.append(f"{quoted(str(folder))} ({n} image{'s' * (n != 1)})")
    more = len(folders) - len(texts)
    return ", ".join(texts) + (f" and {more} more folders" if more else "")


def n_shared_parts(paths: Collection[tuple[str, ...]]) -> int:
    """Return how many leading parts all paths share."""
    for n, column in enumerate(zip(*paths, strict=False)):
        if len(set(column)) > 1:
            return n
    return min(map(len, paths), default=0)
