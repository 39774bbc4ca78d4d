"""Wanted shares of the classes of attributes: as somebody writes them, or by a document."""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, near_hint, quoted

_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Wanted shares of one attribute.

    Attributes:
        attribute: Its column.
        shares: Value -> share as stated, above 0; they need not sum to 1.
        also: Other spellings, or finer classes, of a value -> the value.
    """

    attribute: str
    shares: Mapping[str, float]
    also: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for value, share in self.shares.items():
            if not value or not (0 < share < math.inf):
                raise InputError(
                    f"{self.attribute}: expected a share above 0 for each class, got "
                    f"{quoted(value)}: {share:g}."
                )
        if not self.shares:
            raise InputError(f"{self.attribute}: expected at least one class.")

    @property
    def total(self) -> float:
        """Sum of the shares as stated."""
        return sum(self.shares.values())

    def column(self, rows: pd.DataFrame) -> str:
        """Return the column that holds the attribute.

        Raises:
            InputError: There is none.
        """
        if self.attribute in rows:
            return self.attribute
        known = [name for name in map(str, rows) if name.startswith("attr_")]
        raise InputError(
            f"no column {quoted(self.attribute)}; there are {listed(known) or 'no attributes'}. "
            "`kerasfaces annotate` gives images attributes, `manifest build --attributes` "
            "takes those of a table."
        )

    def require_classes(self, rows: pd.DataFrame) -> None:
        """Refuse a class that no row has; a document's own ratios may ask for one.

        Raises:
            InputError: There is such a class; the message names those there are.
        """
        classes = {value for value in rows[self.column(rows)] if value}
        missing = [value for value in self.shares if value not in classes]
        of_a_document = any(self in document for document in PRESETS.values())
        if classes and missing and not of_a_document:
            hint = near_hint(missing[0], classes - set(self.shares))
            raise InputError(
                f"{self.attribute}: no image is {quoted(missing[0])}; there are "
                f"{listed(sorted(classes))}.{hint}"
            )

    def values(self, rows: pd.DataFrame) -> list[str]:
        """Return each row's value as it is counted; empty where it has none of the ratio."""
        counted_as = {value: value for value in self.shares} | dict(self.also)
        others_count = self.total < 1 - _ROUNDING  # the rest of the shares is theirs
        return [
            counted_as.get(cell, cell if others_count else "")
            for cell in rows[self.column(rows)]
        ]

    def normalised(self, values: Sequence[str]) -> dict[str, float]:
        """Return the shares of all values, summing to 1.

        Shares that sum to less than 1 leave the rest to the other values there are, in
        proportion to their numbers; without others, and above 1, they are divided by their
        sum.

        Args:
            values: Of all rows; see `values`.
        """
        others = Counter(v for v in values if v and v not in self.shares)
        if self.total < 1 - _ROUNDING and others:
            rest = (1 - self.total) / others.total()
            return {**self.shares, **{v: rest * n for v, n in others.most_common()}}
        return {value: share / self.total for value, share in self.shares.items()}

    def note(self, values: Sequence[str]) -> str:
        """Return what was made of shares that do not sum to 1; empty where they do."""
        if abs(self.total - 1) < _ROUNDING:
            return ""
        shares = self.normalised(values)
        others = [value for value in shares if value not in self.shares]
        if others:
            return (
                f"{self.attribute}: the ratios sum to {self.total:g}; the rest is left to "
                f"{listed(others)}, in proportion to their numbers."
            )
        return f"{self.attribute}: the ratios sum to {self.total:g} and are divided by that."


KABBER2023 = (
    Ratio("attr_expression", {"positive": 0.52, "negative": 0.25, "neutral": 0.23}),
    Ratio(
        "attr_glasses",
        {"glasses": 0.67, "no_glasses": 0.33},
        {"no glasses": "no_glasses", "none": "no_glasses"},
    ),
    Ratio(
        "attr_gender", {"man": 0.59, "woman": 0.41}, {"male": "man", "female": "woman"}
    ),
    Ratio(
        "attr_race",
        {"white": 0.31, "asian": 0.30, "latino_hispanic": 0.30, "black": 0.11},
        {
            **dict.fromkeys(("indian", "middle_eastern", "middle eastern"), "asian"),
            **dict.fromkeys(
                ("latino", "hispanic", "latino hispanic"), "latino_hispanic"
            ),
        },
    ),
)
PRESETS: Mapping[str, tuple[Ratio, ...]] = {"kabber2023": KABBER2023}


def preset(name: str) -> tuple[Ratio, ...]:
    """Return the ratios of a document.

    Raises:
        InputError: There are none of that name.
    """
    if name not in PRESETS:
        raise InputError(
            f"preset: there is no {quoted(name)}; there are {listed(sorted(PRESETS))}."
            f"{near_hint(name, PRESETS)}"
        )
    return PRESETS[name]


def parse(text: str) -> Ratio:
    """Read `attr_gender=man:.59,woman:.41`.

    Raises:
        InputError: It is not written like that.
    """
    attribute, equals, parts = text.partition("=")
    shares: dict[str, float] = {}
    try:
        for part in parts.split(","):
            value, colon, number = part.rpartition(":")
            if not colon or value.strip() in shares:
                raise ValueError(part)
            shares[value.strip()] = float(number)
    except ValueError:
        equals = ""
    if not equals or not attribute.strip():
        raise InputError(
            f"ratio {quoted(text)}: expected COLUMN=CLASS:SHARE,CLASS:SHARE, each class once, "
            "such as attr_gender=man:.5,woman:.5."
        )
    return Ratio(attribute.strip(), shares)


def wanted(
    name: str | None, given: Sequence[str] | Mapping[str, Mapping[str, float]]
) -> tuple[Ratio, ...]:
    """Return a preset's ratios, and those given in place of its own or beside them.

    Args:
        name: Of the preset, if any.
        given: Texts (see `parse`), or attribute -> class -> share.

    Raises:
        InputError: Neither is given, an attribute is written out twice, or see `parse`.
    """
    if isinstance(given, Mapping):
        own = [Ratio(attribute, dict(shares)) for attribute, shares in given.items()]
    else:
        own = [parse(text) for text in given]
    names = [ratio.attribute for ratio in own]
    if len(set(names)) < len(names):
        raise InputError(f"each attribute needs one ratio; got {listed(names)}.")
    if not own and not name:
        raise InputError(
            f"balance: expected ratios, or a preset ({listed(sorted(PRESETS))})."
        )
    document = preset(name) if name else ()
    return (*(each for each in document if each.attribute not in names), *own)
