"""Names of launderings -> the versions of each image that are scored."""

import dataclasses
from collections.abc import Sequence

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.images import launderings


@dataclasses.dataclass(frozen=True)
class Variant:
    """One laundering at one strength; without a name, the image as it is."""

    laundering: str = ""  # a key of `LAUNDERINGS`; empty for the untouched image
    strength: float = 0.0  # in the laundering's unit

    @property
    def name(self) -> str:
        """What people read: `jpeg 70`."""
        return (
            f"{self.laundering} {self.strength:g}" if self.laundering else "untouched"
        )

    def to_dict(self) -> Json:
        """Return JSON types; the untouched image has no strength."""
        strength = self.strength if self.laundering else None
        return {"laundering": self.laundering, "strength": strength}


UNTOUCHED = Variant()


def of(names: Sequence[str] = ()) -> tuple[Variant, ...]:
    """Return the untouched image and the launderings asked for, mild ones first.

    Args:
        names: `jpeg` (at all its strengths) or `jpeg:70`; none asks for every laundering.

    Raises:
        InputError: There is no such laundering, or the strength is out of range.
    """
    variants = [UNTOUCHED]
    for text in names or list(launderings.LAUNDERINGS):
        name, colon, strength = text.partition(":")
        laundering = launderings.get(name)
        chosen = [_number(text, strength)] if colon else laundering.strengths
        low, high = sorted((laundering.strengths[0], laundering.strengths[-1]))
        for each in chosen:
            if not low <= each <= high:
                raise InputError(
                    f"launderings: {quoted(text)} is out of range; expected {name}:{low:g} to "
                    f"{name}:{high:g} ({laundering.unit})."
                )
            variants.append(Variant(name, each))
    return tuple(dict.fromkeys(variants))


def _number(text: str, strength: str) -> float:
    try:
        return float(strength)
    except ValueError:
        raise InputError(
            f"launderings: the strength in {quoted(text)} is no number; expected e.g. jpeg:70."
        ) from None
