"""The parameters of one cartoon portrait.

A seed enters, a `Person` leaves; `scene` draws it. The four attributes are drawing
classes of a cartoon: each picks a range of colours and shapes, wide and overlapping, so
that tables by attribute have something to slice. They say nothing about people.
"""

from dataclasses import dataclass

import numpy as np

GENDERS = ("man", "woman")
RACES = ("asian", "black", "white", "latino_hispanic")
EXPRESSIONS = ("positive", "neutral", "negative")
GLASSES = ("glasses", "no_glasses")

_EXPRESSION_SHARES = (0.40, 0.30, 0.30)
# Two ends of each class's skin range, linear-light RGB; ranges overlap on purpose.
_SKIN = {
    "asian": ((0.62, 0.42, 0.28), (0.38, 0.22, 0.13)),
    "black": ((0.26, 0.14, 0.085), (0.085, 0.042, 0.026)),
    "white": ((0.74, 0.52, 0.42), (0.50, 0.31, 0.22)),
    "latino_hispanic": ((0.58, 0.37, 0.25), (0.25, 0.135, 0.08)),
}
_BLACK, _BROWN = (0.012, 0.010, 0.010), (0.055, 0.028, 0.016)
_BLOND, _RED, _GREY = (0.36, 0.24, 0.11), (0.20, 0.06, 0.02), (0.32, 0.31, 0.30)
_HAIR = {
    "asian": (_BLACK, _BLACK, _BROWN, _GREY),
    "black": (_BLACK, _BLACK, _BROWN, _GREY),
    "white": (_BROWN, _BLOND, _RED, _GREY, _BROWN),
    "latino_hispanic": (_BLACK, _BROWN, _BROWN, _GREY),
}
_IRIS = {
    "asian": ((0.03, 0.015, 0.01),),
    "black": ((0.025, 0.013, 0.01),),
    "white": ((0.08, 0.16, 0.26), (0.07, 0.12, 0.07), (0.06, 0.03, 0.015)),
    "latino_hispanic": ((0.05, 0.025, 0.012), (0.09, 0.07, 0.03)),
}
_CURL = {"asian": 0.1, "black": 0.95, "white": 0.35, "latino_hispanic": 0.45}

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Person:
    """One cartoon portrait. Lengths are in half-heights of the face, angles in radians.

    Colours are linear-light RGB in [0, 1]; `shape` are named lengths and weights that the
    drawing code reads.
    """

    gender: str
    race: str
    expression: str
    glasses: str
    skin: Colour
    hair_colour: Colour
    iris: Colour
    cloth: Colour
    shape: dict[str, float]

    @property
    def attributes(self) -> dict[str, str]:
        """The true `attr_*` columns of both images of the pair."""
        names = ("gender", "race", "expression", "glasses")
        return {f"attr_{name}": getattr(self, name) for name in names}


def draw_person(rng: np.random.Generator) -> Person:
    """Draw one person's parameters."""
    gender = GENDERS[int(rng.integers(2))]
    race = RACES[int(rng.integers(4))]
    expression = EXPRESSIONS[int(rng.choice(3, p=_EXPRESSION_SHARES))]
    glasses = GLASSES[int(rng.random() > 0.45)]
    man, curl = gender == "man", _CURL[race]
    light, dark = (np.array(end) for end in _SKIN[race])
    skin = light + (dark - light) * rng.random() + rng.normal(0, 0.008, 3)
    hair = np.array(_HAIR[race][int(rng.integers(len(_HAIR[race])))])
    iris = _IRIS[race][int(rng.integers(len(_IRIS[race])))]
    return Person(
        gender=gender,
        race=race,
        expression=expression,
        glasses=glasses,
        skin=_colour(skin),
        hair_colour=_colour(hair * rng.uniform(0.7, 1.4)),
        iris=_colour(np.array(iris) * rng.uniform(0.7, 1.4)),
        cloth=_colour(rng.beta(1.0, 2.0, 3) * 0.8 + 0.02),
        shape=_face(rng, man) | _mouth(rng, expression) | _hair(rng, man, curl),
    )


def _colour(value: np.ndarray) -> Colour:
    red, green, blue = (float(part) for part in np.clip(value, 0.006, 0.95))
    return red, green, blue


def _face(rng: np.random.Generator, man: bool) -> dict[str, float]:
    return {
        "centre_x": rng.normal(0, 0.07),
        "centre_y": rng.uniform(-0.10, 0.08),
        "scale": rng.uniform(0.54, 0.72),
        "roll": rng.normal(0, 0.09),
        "yaw": float(np.clip(rng.normal(0, 0.15), -0.32, 0.32)),
        "pitch": rng.normal(0, 0.05),
        "width": rng.uniform(0.70, 0.80) + 0.02 * man,
        "taper": rng.uniform(0.16, 0.30) - 0.10 * man,
        "eye_x": rng.uniform(0.29, 0.34),
        "eye_y": rng.uniform(-0.10, -0.03),
        "eye_width": rng.uniform(0.125, 0.16),
        "eye_open": rng.uniform(0.045, 0.075),
        "eye_slant": rng.normal(0.0, 0.06),
        "gaze": rng.normal(0, 0.02),
        "brow_gap": rng.uniform(0.13, 0.18) - 0.02 * man,
        "brow_thick": rng.uniform(0.018, 0.032) + 0.016 * man,
        "nose_width": rng.uniform(0.09, 0.14),
        "nose_y": rng.uniform(0.24, 0.32),
        "pores": rng.uniform(0.5, 1.6),
        "freckles": max(0.0, rng.normal(-0.3, 0.6)),
        "shine": rng.uniform(0.02, 0.12),
        "lip_red": rng.uniform(0.2, 0.6) if man else rng.uniform(0.4, 1.0),
        "age": rng.random(),
        "lens_round": rng.random(),
        "lens_dark": rng.random(),
    }


def _mouth(rng: np.random.Generator, expression: str) -> dict[str, float]:
    smile, gape, frown = 0.0, 0.0, rng.uniform(-0.1, 0.1)
    if expression == "positive":
        smile, gape = rng.uniform(0.5, 1.0), max(0.0, rng.uniform(-0.03, 0.07))
    elif expression == "negative":
        smile, frown = rng.uniform(-1.0, -0.5), rng.uniform(0.5, 1.0)
        gape = max(0.0, rng.uniform(-0.06, 0.03))
    else:
        smile = rng.uniform(-0.12, 0.15)
    return {
        "smile": smile,
        "gape": gape,
        "frown": frown,
        "mouth_y": rng.uniform(0.50, 0.58),
        "mouth_width": rng.uniform(0.22, 0.28) + 0.05 * max(smile, 0.0),
        "lip": rng.uniform(0.045, 0.075),
    }


def _hair(rng: np.random.Generator, man: bool, curl: float) -> dict[str, float]:
    long = rng.random() < (0.12 if man else 0.75)
    beard = rng.uniform(0.3, 1.0) if man and rng.random() < 0.45 else 0.0
    bald = man and rng.random() < 0.12
    return {
        "hair_length": rng.uniform(0.9, 1.9) if long else rng.uniform(-0.15, 0.35),
        "hair_volume": rng.uniform(1.06, 1.18) + 0.08 * curl * rng.random(),
        "hairline": -1.3 if bald else rng.uniform(-0.66, -0.45),
        "parting": rng.uniform(-0.6, 0.6),
        "curl": float(np.clip(curl + rng.normal(0, 0.15), 0, 1)),
        "beard": beard,
    }
