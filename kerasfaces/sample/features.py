"""Eyes, brows, nose, mouth, glasses, hair and beards, painted on a canvas."""

import numpy as np
from scipy import ndimage

from kerasfaces.sample.canvas import Array, Canvas, noise
from kerasfaces.sample.person import Person


def eyes(face: Canvas, person: Person) -> None:
    """Paint both eyes with lids, lashes, iris and a catchlight."""
    shape = person.shape
    for side in (-1, 1):
        at = (side * shape["eye_x"], shape["eye_y"])
        part = face.part(face.near(at, (0.25, 0.22)))
        x = (part.x - at[0]) * side  # outwards is positive for both
        y = part.y - at[1] + shape["eye_slant"] * x
        _eye(part.moved(x, y), person, side)


def _eye(eye: Canvas, person: Person, side: int) -> None:
    shape, x, y = person.shape, eye.x, eye.y
    squint = 1 - 0.25 * max(shape["smile"], 0) - 0.15 * max(shape["frown"], 0)
    height, width = shape["eye_open"] * squint, shape["eye_width"]
    arch = np.clip(1 - (x / width) ** 2, 0, 1)
    upper, lower = -height * arch**0.8, 0.62 * height * arch
    opening = np.maximum(upper - y, y - lower)
    inside = eye.edge(np.maximum(opening, np.abs(x) - width))
    eye.shade(1 - 0.16 * eye.bump((0, -0.03), (width * 1.2, 0.09)))
    white = np.array([0.62, 0.58, 0.55], np.float32)
    fall = 0.55 + 0.45 * np.clip((y - upper) / (height * 0.9 + 1e-6), 0, 1)
    eye.paint(inside, white * fall[..., None])
    _iris(eye.moved(x - side * shape["gaze"], y), person, inside, height)
    lashes = 0.012 if person.gender == "man" else 0.020
    lid = np.abs(y - upper + 0.004) - lashes * (0.4 + 0.6 * arch)
    lid = np.maximum(lid, np.abs(x) - width * 1.04)
    eye.paint(eye.edge(lid) * np.float32(0.85), (0.015, 0.010, 0.008))
    side_of = np.abs(x) - width * 0.95
    rim = np.maximum(np.abs(y - lower - 0.004) - 0.005, side_of)
    eye.shade(1 - 0.4 * eye.edge(rim, 0.015))
    crease = np.maximum(np.abs(y - upper + 0.035) - 0.004, side_of)
    eye.shade(1 - 0.35 * eye.edge(crease, 0.02))


def _iris(eye: Canvas, person: Person, inside: Array, height: float) -> None:
    x, y = eye.x, eye.y
    radius = max(0.052, height * 0.95)
    disc = np.hypot(x, y + 0.1 * height)
    rays = 1 + 0.35 * np.sin(np.arctan2(y, x) * 23) * (disc / radius)
    colour = np.array(person.iris, np.float32) * rays[..., None]
    eye.paint(inside * eye.edge(disc - radius), (0.01, 0.01, 0.01))
    eye.paint(inside * eye.edge(disc - radius * 0.88, 0.02), colour)
    eye.paint(inside * eye.edge(disc - radius * 0.42), (0.003, 0.003, 0.003))
    glint = np.hypot(x + 0.3 * radius, y + 0.45 * radius) - 0.17 * radius
    eye.paint(inside * eye.edge(glint), (1.1, 1.1, 1.1))


def brows(face: Canvas, person: Person, strands: Array) -> None:
    """Paint the eyebrows; a frown lowers their inner ends, a smile lifts them."""
    shape = person.shape
    colour = np.array(person.hair_colour, np.float32) * 0.6 + 0.004
    for side in (-1, 1):
        at = (side * shape["eye_x"], shape["eye_y"] - shape["brow_gap"])
        window = face.near(at, (0.3, 0.25))
        part = face.part(window)
        x = (part.x - at[0]) * side
        middle = shape["eye_y"] - shape["brow_gap"] - 0.02 * shape["smile"]
        tilt = 0.22 * shape["frown"] * np.clip(-x + 0.05, -0.05, 0.3)
        line = middle + 0.9 * (x - 0.03) ** 2 + tilt
        thick = shape["brow_thick"] * np.clip(1.25 - 2.2 * np.clip(x, 0, 1), 0.2, 1)
        brow = np.maximum(np.abs(part.y - line) - thick, np.abs(x) - 0.21)
        hairs = np.clip(0.75 + 0.35 * strands[window], 0, 1)
        part.paint(part.edge(brow, 0.03) * hairs * np.float32(0.9), colour)


def nose(face: Canvas, person: Person) -> None:
    """Paint nostrils and the shadow under the nose (its form is in the light)."""
    y, width = person.shape["nose_y"] + 0.075, person.shape["nose_width"]
    part = face.part(face.near((0, y), (0.4, 0.2)))
    part.shade(1 - 0.28 * part.bump((0, y + 0.03), (width * 1.1, 0.035)))
    for side in (-1, 1):
        hole, wing = (side * width * 0.55, y), (side * width * 1.18, y - 0.03)
        part.shade(1 - 0.75 * part.bump(hole, (0.036, 0.020)))
        part.shade(1 - 0.22 * part.bump(wing, (0.022, 0.045)))


def mouth(face: Canvas, person: Person) -> None:
    """Paint lips, and teeth where the mouth is open."""
    shape = person.shape
    part = face.part(face.near((0, shape["mouth_y"]), (0.45, 0.3)))
    x, y = part.x, part.y
    width, lip, smile = shape["mouth_width"], shape["lip"], shape["smile"]
    across = np.clip(x / width, -1.2, 1.2)
    arch = np.clip(1 - across**2, 0, 1)
    line = shape["mouth_y"] - 0.075 * smile * (across**2 - 0.35)
    gape = shape["gape"] * arch
    bow = 1 - 0.28 * np.exp(-((x / 0.035) ** 2))
    inner_top, inner_bottom = line - gape * 0.4, line + gape
    top = inner_top - lip * 0.75 * arch**0.8 * bow
    bottom = inner_bottom + lip * arch**0.7
    skin = np.array(person.skin, np.float32)
    red = np.array([0.42, 0.10, 0.10], np.float32) * (0.35 + 0.65 * skin.max())
    colour = skin * (1 - 0.55 * shape["lip_red"]) * 0.85 + red * 0.55 * shape["lip_red"]
    form = 0.78 + 0.35 * np.clip((y - line) / (lip + 1e-6), -1, 0.7)
    creases = 1 + 0.06 * np.sin(x * 90)
    beside = np.abs(x) - width
    lips = np.maximum(np.maximum(top - y, y - bottom), beside)
    part.paint(part.edge(lips, 0.012), colour * (form * creases)[..., None])
    inner = np.maximum(np.maximum(inner_top - y, y - inner_bottom), beside)
    part.paint(part.edge(inner), (0.03, 0.008, 0.008))
    if shape["gape"] > 0.012:
        teeth = np.maximum(inner, y - inner_top - 0.9 * gape)
        gaps = 1 - 0.25 * np.exp(-((np.sin(x * 52) / 0.15) ** 2))
        shine = 0.62 * gaps * (1 - 0.5 * across**2)
        part.paint(part.edge(teeth), shine[..., None] * np.array([1, 0.95, 0.88]))
    else:
        seam = np.maximum(np.abs(y - line) - 0.006, beside)
        part.shade(1 - 0.7 * part.edge(seam, 0.014))
    for side in (-1, 1):
        corner = (side * width, shape["mouth_y"] - 0.05 * smile)
        part.shade(1 - 0.35 * part.bump(corner, (0.03, 0.025)))
    part.shade(1 - 0.18 * part.bump((0, shape["mouth_y"] + 0.15), (0.14, 0.03)))


def glasses(picture: Canvas, person: Person) -> None:
    """Paint a frame with tinted lenses over the finished face."""
    shape = person.shape
    x = picture.x - shape["yaw"] * 1.04
    y = picture.y - shape["eye_y"] - 0.02 - shape["pitch"]
    power = 2.0 + 3.0 * shape["lens_round"]
    wide, tall = 0.235, 0.165 + 0.03 * shape["lens_round"]
    rim = 0.012 + 0.016 * shape["lens_dark"]
    bridge = np.abs(y + 0.05 - 0.6 * x**2) - 0.014
    frame = np.maximum(bridge, np.abs(x) - 0.10)
    for side in (-1, 1):
        across = np.abs((x - side * (shape["eye_x"] - 0.01)) / wide)
        down = np.abs(y / tall)
        lens = ((across**power + down**power) ** (1 / power) - 1) * tall
        picture.shade(1 - 0.10 * picture.edge(lens))
        streak = np.abs(x + y - side * shape["eye_x"] + 0.12) - 0.03
        glare = picture.edge(np.maximum(lens, streak), 0.03) * np.float32(0.10)
        picture.paint(glare, (1, 1, 1))
        temple = np.maximum(np.abs(y + 0.05) - 0.016, 0.53 - x * side)
        temple = np.maximum(temple, x * side - shape["width"] * 0.97)
        frame = np.minimum(frame, np.minimum(np.abs(lens) - rim, temple))
    picture.shade(1 - 0.25 * picture.edge(frame - 0.02, 0.04))
    tone = 0.02 + 0.25 * (1 - shape["lens_dark"]) ** 2
    picture.paint(picture.edge(frame), (tone, tone * 0.85, tone * 0.7))


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


def hair_behind(picture: Canvas, person: Person, strands: Strands) -> None:
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


def hair_in_front(picture: Canvas, person: Person, strands: Strands) -> None:
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
