"""A folder's name -> what its words say: class, split, shard, or just a name.

A name is cut into words at everything that is no letter, between letters and digits, at
capitals inside a word, and where it is nothing but known words written together
(`trainreal`). Upper and lower case are alike.
"""

import dataclasses
import functools
import itertools
import re
from enum import IntEnum

REAL = frozenset({"real", "reals"})
FAKE = frozenset({"fake", "fakes"})
_ALSO_REAL = frozenset(
    "nature natural authentic genuine original originals pristine bonafide".split()
)
_ALSO_FAKE = frozenset(
    "ai aigc synthesis synthetic synthesized synthesised generated deepfake deepfakes "
    "forged forgery manipulated".split()
)
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
_CLASSES = {
    **dict.fromkeys((*REAL, *_ALSO_REAL), "real"),
    **dict.fromkeys((*FAKE, *_ALSO_FAKE), "fake"),
}
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
    """What one folder's (or file's) name says.

    Attributes:
        text: The name as written.
        label: `real`, `fake` or nothing (also where it has words for both).
        clarity: Clarity of the word for the class.
        split: A word for a split, in lower case, or nothing.
        is_split: Whether it is a split folder (`train`, `test_set`, `training_real`), not
            a name with such a word in it (`train_station`).
        split_last: Whether the split's word ends the name (`ffhq_test`).
        rest: The name without the split's word.
        shard: Numbered parts or sizes (`00000`, `part_01`, `256x256`).
        plain: No word in it names anything (`images`, `real_vs_fake`).
    """

    text: str
    label: str
    clarity: Clarity
    split: str
    is_split: bool
    split_last: bool
    rest: str
    shard: bool
    plain: bool

    @property
    def generator(self) -> bool:
        """Tell whether the name looks like a known generator's."""
        return _GENERATOR.search(self.text.lower()) is not None


@functools.lru_cache(maxsize=65536)
def read(text: str) -> FolderName:
    """Return what a name says."""
    spans = _spans(text)
    words = [word for word, _, _ in spans]
    splits = [word for word in words if word in SPLIT_WORDS or word in UNCLEAR_SPLITS]
    classes = {_CLASSES[word] for word in words if word in _CLASSES}
    named = any(pair in _NAMES for pair in itertools.pairwise(words))
    one_class = len(classes) == 1 and not named and not _NEGATIONS & set(words)
    numbered = any(word.isdigit() for word in words)
    known = _KNOWN | _SIZE_WORDS if numbered else _KNOWN
    foreign = [word for word in words if word not in known and not word.isdigit()]
    one_split = len({SPLIT_WORDS.get(word, word) for word in splits}) == 1
    split = splits[0] if one_split else ""
    start, end = next(((a, b) for word, a, b in spans if word == split), (0, 0))
    return FolderName(
        text=text,
        label=classes.pop() if one_class else "",
        clarity=_clarity(words, bool(foreign)),
        split=split,
        is_split=bool(split) and not foreign,
        split_last=bool(words) and words[-1] == split,
        rest=_without(text, start, end) if split else text,
        shard=numbered
        and all(word.isdigit() or word in _SHARDS | _SIZE_WORDS for word in words),
        plain=not foreign and not named,
    )


def _clarity(words: list[str], foreign: bool) -> Clarity:
    if (REAL | FAKE) & set(words):
        return Clarity.IN_A_NAME if foreign else Clarity.CLASS
    return Clarity.SYNONYM_IN_A_NAME if foreign else Clarity.SYNONYM


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
