"""A recipe (`data_manifests/*.toml`): which sources a data set takes, and how many of each.

Strictly read into dataclasses; `data_manifests/README.md` explains every key.
"""

import dataclasses
import tomllib
from collections import Counter
from pathlib import Path
from typing import Literal

from kerasfaces.core import config
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import listed, quoted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One camera data set or generator."""

    name: str  # becomes the rows' `source`
    label: Literal["real", "fake"]
    folders: tuple[str, ...]  # patterns below the root; what lies deeper counts, too
    want: int = 0  # images to take; 0 takes what there is
    stated: str = ""  # what the document says of it, contradictions included
    licence: str  # terms of use, in a few words
    url: str  # of its download page
    note: str = ""  # anything else one must know
    pair_by: Literal["", "stem"] = ""  # `stem`: images of the same name belong together
    pair_separator: str = ""  # cuts a name before a suffix such as `_variation2`
    follows: str = ""  # a source whose chosen images' partners are taken, and no others


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """The wanted share of one value of an attribute; shares are normalised to sum 1."""

    attribute: str
    value: str
    share: float  # above 0
    also: tuple[str, ...] = ()  # other spellings, or finer classes, that count as it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A data set to put together."""

    name: str  # the source document's short name
    title: str  # of the document
    about: str  # the data set
    split: str  # ratio, as `Manifest.split` takes it
    split_note: str = ""  # origin of the ratio
    seed: int = 0  # of the choice of images and of the split
    equal_generators: bool = False  # take as many of each fake source that is there
    equal_classes: bool = False  # take as many real as fake
    balance: tuple[str, ...] = ()  # sources whose attributes follow `share`
    source: tuple[Source, ...]
    share: tuple[Share, ...] = ()

    def shares(self) -> dict[str, dict[str, float]]:
        """Return attribute -> value -> share, each attribute summing to 1."""
        shares: dict[str, dict[str, float]] = {}
        for each in self.share:
            shares.setdefault(each.attribute, {})[each.value] = each.share
        for parts in shares.values():
            total = sum(parts.values())
            parts.update({value: share / total for value, share in parts.items()})
        return shares

    def spellings(self) -> dict[str, dict[str, str]]:
        """Return attribute -> value as written -> value as counted."""
        spellings: dict[str, dict[str, str]] = {}
        for each in self.share:
            names = dict.fromkeys((each.value, *each.also), each.value)
            spellings.setdefault(each.attribute, {}).update(names)
        return spellings


def read(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        MissingFileError: There is no such file.
        InputError: Not TOML, an unknown or missing key, or contradicting values.
    """
    if not path.exists():
        raise MissingFileError(f"{path} does not exist; expected a recipe (TOML).")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path} is not a readable TOML file: {error}.") from error
    try:
        recipe = config.from_dict(Recipe, values, str(path))
    except TypeError as error:  # a key without default is missing
        raise InputError(
            f"{path}: {str(error).partition('() ')[2] or error}."
        ) from error
    _check(path, recipe)
    return recipe


def _check(path: Path, recipe: Recipe) -> None:
    from kerasfaces.manifest.split import parse_ratio

    parse_ratio(recipe.split)
    if problem := _problem(recipe, [source.name for source in recipe.source]):
        raise InputError(f"{path}: {problem}")


def _problem(recipe: Recipe, names: list[str]) -> str:
    """Return what contradicts itself, as a sentence; empty where nothing does."""
    for name, count in Counter(names).items():
        if count > 1:
            return f"source {quoted(name)} is listed twice; merge its folders."
    for label in ("real", "fake"):
        if label not in [source.label for source in recipe.source]:
            return f"no {label} source; expected both classes."
    for source in recipe.source:
        where = f"source {quoted(source.name)}"
        if source.want < 0 or not source.folders or not source.name.strip():
            return f"{where} needs a name, folders and want >= 0."
        if any(Path(pattern).is_absolute() for pattern in source.folders):
            return f"{where}: folders are relative to `root`."
        if source.follows and not source.pair_by:
            return f"{where} follows without pair_by."
    for name in (*recipe.balance, *(s.follows for s in recipe.source if s.follows)):
        if name not in names:
            return f"{quoted(name)} is none of the sources {listed(names)}."
    if any(each.share <= 0 for each in recipe.share):
        return "every share must be above 0."
    if recipe.balance and not recipe.share:
        return "balance without [[share]] entries."
    return ""
