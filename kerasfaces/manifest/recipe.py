"""A recipe (`data_manifests/*.toml`): which sources a data set takes, and how many of each.

Strictly read into dataclasses; `data_manifests/README.md` explains every key.
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Literal

from kerasfaces.core import config
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import listed, quoted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One camera data set or generator.

    Attributes:
        name: Becomes the rows' `source`.
        label: Class of its images.
        folders: Patterns below the data's folder; every image in or below a matching folder counts.
        want: Images to take; 0 takes what there is.
        stated: Statements of the document about it, contradictions included.
        licence: Terms of use, in a few words.
        url: Address of its download page.
        note: Anything else one must know.
        pair_by: `stem`: images with the same file name (without extension and whatever
            follows `pair_separator`) belong together.
        pair_separator: Cuts a file name before a suffix such as `_variation2`.
        follows: A source whose chosen images' partners are taken, and no others.
    """

    name: str
    label: Literal["real", "fake"]
    folders: tuple[str, ...]
    want: int = 0
    stated: str = ""
    licence: str
    url: str
    note: str = ""
    pair_by: Literal["", "stem"] = ""
    pair_separator: str = ""
    follows: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """The wanted share of one value of an attribute; shares are normalised to sum 1.

    Attributes:
        attribute: The column.
        value: The value.
        share: Above 0.
        also: Other spellings, or finer classes, that count as this value.
    """

    attribute: str
    value: str
    share: float
    also: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A data set to put together.

    Attributes:
        name: The source document's short name.
        title: The document.
        about: Description of the data set.
        split: Ratio, as `Manifest.split` takes it.
        split_note: Origin of the ratio.
        seed: Seed of the choice of images and of the split.
        equal_generators: Take as many of each fake source that is there.
        equal_classes: Take as many real as fake.
        balance: Sources whose attributes follow `share`.
        source: The sources.
        share: Attribute ratios.
    """

    name: str
    title: str
    about: str
    split: str
    split_note: str = ""
    seed: int = 0
    equal_generators: bool = False
    equal_classes: bool = False
    balance: tuple[str, ...] = ()
    source: tuple[Source, ...]
    share: tuple[Share, ...] = ()

    def shares(self) -> dict[str, dict[str, float]]:
        """Return attribute -> value -> share, each attribute summing to 1."""
        shares: dict[str, dict[str, float]] = {}
        for each in self.share:
            shares.setdefault(each.attribute, {})[each.value] = each.share
        return {
            attribute: {
                value: share / sum(parts.values()) for value, share in parts.items()
            }
            for attribute, parts in shares.items()
        }

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
    names = [source.name for source in recipe.source]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(
            f"{path}: source {quoted(twice)} is listed twice; merge its folders."
        )
    for label in ("real", "fake"):
        if label not in [source.label for source in recipe.source]:
            raise InputError(f"{path}: no {label} source; expected both classes.")
    for source in recipe.source:
        if source.want < 0 or not source.folders or not source.name.strip():
            raise InputError(
                f"{path}: source {quoted(source.name)} needs a name, folders and want >= 0."
            )
        if any(Path(pattern).is_absolute() for pattern in source.folders):
            raise InputError(
                f"{path}: source {quoted(source.name)}: folders are relative to `root`."
            )
        if source.follows and not source.pair_by:
            raise InputError(
                f"{path}: source {quoted(source.name)} follows without pair_by."
            )
    for name in (*recipe.balance, *(s.follows for s in recipe.source if s.follows)):
        if name not in names:
            raise InputError(
                f"{path}: {quoted(name)} is none of the sources {listed(names)}."
            )
    if any(each.share <= 0 for each in recipe.share):
        raise InputError(f"{path}: every share must be above 0.")
    if recipe.balance and not recipe.share:
        raise InputError(f"{path}: balance without [[share]] entries.")
