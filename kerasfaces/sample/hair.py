"""Hair: strands, what hangs behind the head, what covers the forehead, beards."""

import numpy as np
from scipy import ndimage

from kerasfaces.sample.canvas import Array, Canvas, noise
from kerasfaces.sample.person import Person


class Strands:
    """One person's hair texture: noise drawn out along the strands.

    Attributes:
        texture: (s, s) float32, about zero mean and unit variance.
        colour: (s, s, 3) float32, the lit strands' colour.
        ragged: (s, s) float32, what makes an outline uneven.
    """

    def __init__(self, person: Person, picture: Canvas, rng: np.random.Generator):
        size, curl = picture.x.shape[0], person.shape["curl"]
        x = picture.x - 0.25 * person.shape["parting"]
        y = picture.y + 0.9
        bend = noise(rng, size, 30 - 20 * curl) * (0.06 + 0.30 * curl)
        wave = 0.10 * curl * np.sin(14 * y + 2 * noise(rng, size, 40))
        angle = np.arctan2(x, y + 0.6) + 0.35 * bend + wave
        along = np.hypot(x, y) + bend
        self.texture = _drawn_out(rng, angle, along, curl)
        self.ragged = noise(rng, size, 10 - 4 * curl) * (0.010 + 0.030 * curl)
        self.ragged = self.ragged + 0.006 * self.texture
        sheen = np.exp(-(((along - 0.55) / 0.22) ** 2)) * (0.6 - 0.45 * curl)
        fall = np.clip(1.15 - 0.5 * np.abs(picture.x) - 0.15 * picture.y, 0.35, 1.3)
        tone = fall * (1 + 0.42 * self.texture)
        base = np.array(person.hair_colour, np.float32)
        gloss = (0.05 + 0.5 * base.mean()) * sheen * np.clip(0.6 + self.texture, 0, 3)
        colour = base * np.clip(tone, 0.12, 3)[..., None] + gloss[..., None] * 0.55
        self.colour = np.clip(colour, 0.002, 1).astype(np.float32)


def _drawn_out(
    rng: np.random.Generator, angle: Array, along: Array, curl: float
) -> Array:
    sheet = rng.standard_normal((512, 24), dtype=np.float32)
    fine = ndimage.gaussian_filter(sheet, (0.8, 1.0), mode="wrap")
    broad = ndimage.gaussian_filter(sheet[::-1], (4, 1.0), mode="wrap")
    sheet = fine / fine.std() + 0.8 * broad / broad.std()
    at = np.stack([angle * (512 / np.pi), along * (3 + 6 * curl)])
    drawn = ndimage.map_coordinates(sheet, at, order=1, mode="grid-wrap")
    result: Array = ((drawn - drawn.mean()) / drawn.std()).astype(np.float32)
    return result


def _cap(picture: Canvas, shape: dict[str, float]) -> Array:
    """Return the distance to the hair's outline over the skull."""
    volume = shape["hair_volume"]
    return picture.ellipse((0, -0.08), (shape["width"] * volume, 1.0 * volume))


def behind(picture: Canvas, person: Person, strands: Strands) -> None:
    """Paint the hair that is behind head and neck."""
    shape, x, y = person.shape, picture.x, picture.y
    if shape["hairline"] < -1:
        return
    width = shape["width"] * (shape["hair_volume"] + 0.05) + 0.06 * np.sin(4 * y)
    fall = np.maximum(np.abs(x) - width, np.maximum(-0.1 - y, y - shape["hair_length"]))
    upper = np.maximum(
        _cap(picture, shape), y - np.clip(shape["hair_length"], 0.1, 0.5)
    )
    mask = picture.edge(np.minimum(upper, fall) + strands.ragged, 0.03)
    picture.paint(mask, strands.colour * 0.62)


def front(picture: Canvas, person: Person, strands: Strands) -> None:
    """Paint the hair over the skull and forehead, and long hair beside the face."""
    shape, x, y = person.shape, picture.x, picture.y
    if shape["hairline"] < -1:
        return
    turned = x - 0.8 * shape["yaw"]
    edge = np.abs(turned) / shape["width"]
    line = shape["hairline"] + 0.10 * np.cos(5 * (turned - shape["parting"]))
    line = line + np.where(edge > 0.62, (edge - 0.62) * 1.9, 0)
    distance = np.maximum(_cap(picture, shape), y - line)
    if shape["hair_length"] > 0.5:
        inner = shape["width"] * (0.93 - 0.10 * np.cos(2.2 * y)) - 0.10 * (y < -0.2)
        outer = shape["width"] * (shape["hair_volume"] + 0.04)
        lock = np.maximum(inner - np.abs(turned), np.abs(x) - outer)
        lock = np.maximum(lock, np.maximum(-0.5 - y, y - shape["hair_length"]))
        distance = np.minimum(distance, lock)
    mask = picture.edge(distance + strands.ragged, 0.02 + 0.02 * shape["curl"])
    picture.shade(1 - 0.3 * picture.edge(distance - 0.03, 0.1) * (1 - mask))
    picture.paint(mask, strands.colour)


def beard(face: Canvas, person: Person, strands: Strands) -> None:
    """Paint a beard or stubble over the lower face, thinner at its edge."""
    weight, x, y = person.shape["beard"], face.x, face.y
    if weight <= 0:
        return
    mouth_y, width = person.shape["mouth_y"], person.shape["width"]
    jaw = 0.30 + 0.9 * np.clip(np.abs(x) / width - 0.45, -0.2, 0.6) * -0.8
    below = np.clip((y - jaw - 0.12) / 0.18, 0, 1)
    lips = face.bump((0, mouth_y + 0.01), (0.27, 0.075))
    cheeks = np.clip((np.abs(x) - 0.2) / 0.25 + (y - mouth_y + 0.05) / 0.15, 0, 1)
    moustache = face.bump((0, mouth_y - 0.11), (0.24, 0.05))
    cover = np.clip(below * cheeks + moustache, 0, 1) * np.clip(1 - 1.6 * lips, 0, 1)
    grain = np.clip(0.75 + 0.35 * strands.texture, 0, 1.2)
    mask = np.clip(cover * grain * weight, 0, 1) * np.float32(0.85)
    face.paint(mask, np.array(person.hair_colour, np.float32) * 0.8)
