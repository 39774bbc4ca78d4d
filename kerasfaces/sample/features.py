"""Eyes, brows, nose, mouth and glasses, painted on a canvas in the face's frame."""

import numpy as np

from kerasfaces.sample.canvas import Array, Canvas, bump
from kerasfaces.sample.person import Person


def eyes(picture: Canvas, person: Person, fx: Array, fy: Array) -> None:
    """Paint both eyes with lids, lashes, iris and a catchlight."""
    shape = person.shape
    for side in (-1, 1):
        at = (side * shape["eye_x"], shape["eye_y"])
        window = picture.window(fx, fy, at, (0.25, 0.22))
        part = picture.part(window)
        x = (fx[window] - at[0]) * side  # outwards is positive for both
        y = fy[window] - at[1] + shape["eye_slant"] * x
        _eye(part, person, x, y, side)


def _eye(picture: Canvas, person: Person, x: Array, y: Array, side: int) -> None:
    shape = person.shape
    squint = 1 - 0.25 * max(shape["smile"], 0) - 0.15 * max(shape["frown"], 0)
    height, width = shape["eye_open"] * squint, shape["eye_width"]
    arch = np.clip(1 - (x / width) ** 2, 0, 1)
    upper, lower = -height * arch**0.8, 0.62 * height * arch
    opening = np.maximum(upper - y, y - lower)
    opening = np.maximum(opening, np.abs(x) - width)
    inside = picture.edge(opening)
    socket = bump(x, y, (0, -0.03), (width * 1.2, 0.09))
    picture.shade(1 - 0.16 * socket)
    white = np.array([0.62, 0.58, 0.55], np.float32)
    fall = 0.55 + 0.45 * np.clip((y - upper) / (height * 0.9 + 1e-6), 0, 1)
    picture.paint(inside, white * fall[..., None])
    _iris(picture, person, inside, x - side * shape["gaze"], y, height)
    lashes = 0.012 if person.gender == "man" else 0.020
    lid = np.abs(y - upper + 0.004) - lashes * (0.4 + 0.6 * arch)
    lid = np.maximum(lid, np.abs(x) - width * 1.04)
    picture.paint(picture.edge(lid) * np.float32(0.85), (0.015, 0.010, 0.008))
    rim = np.abs(y - lower - 0.004) - 0.005
    rim = np.maximum(rim, np.abs(x) - width * 0.95)
    picture.shade(1 - 0.4 * picture.edge(rim, 0.015))
    crease = np.abs(y - upper + 0.035) - 0.004
    crease = np.maximum(crease, np.abs(x) - width * 0.95)
    picture.shade(1 - 0.35 * picture.edge(crease, 0.02))


def _iris(
    picture: Canvas, person: Person, inside: Array, x: Array, y: Array, height: float
) -> None:
    radius = max(0.052, height * 0.95)
    disc = np.hypot(x, y + 0.1 * height)
    rays = 1 + 0.35 * np.sin(np.arctan2(y, x) * 23) * (disc / radius)
    colour = np.array(person.iris, np.float32) * rays[..., None]
    picture.paint(inside * picture.edge(disc - radius), (0.01, 0.01, 0.01))
    picture.paint(inside * picture.edge(disc - radius * 0.88, 0.02), colour)
    picture.paint(inside * picture.edge(disc - radius * 0.42), (0.003, 0.003, 0.003))
    glint = np.hypot(x + 0.3 * radius, y + 0.45 * radius) - 0.17 * radius
    picture.paint(inside * picture.edge(glint), (1.1, 1.1, 1.1))


def brows(
    picture: Canvas, person: Person, fx: Array, fy: Array, strands: Array
) -> None:
    """Paint the eyebrows; a frown lowers their inner ends, a smile lifts them."""
    shape = person.shape
    colour = np.array(person.hair_colour, np.float32) * 0.6 + 0.004
    for side in (-1, 1):
        at = (side * shape["eye_x"], shape["eye_y"] - shape["brow_gap"])
        window = picture.window(fx, fy, at, (0.3, 0.25))
        part, y = picture.part(window), fy[window]
        x = (fx[window] - at[0]) * side
        middle = shape["eye_y"] - shape["brow_gap"] - 0.02 * shape["smile"]
        tilt = 0.22 * shape["frown"] * np.clip(-x + 0.05, -0.05, 0.3)
        line = middle + 0.9 * (x - 0.03) ** 2 + tilt
        thick = shape["brow_thick"] * np.clip(1.25 - 2.2 * np.clip(x, 0, 1), 0.2, 1)
        brow = np.maximum(np.abs(y - line) - thick, np.abs(x) - 0.21)
        hairs = np.clip(0.75 + 0.35 * strands[window], 0, 1)
        part.paint(part.edge(brow, 0.03) * hairs * np.float32(0.9), colour)


def nose(picture: Canvas, person: Person, fx: Array, fy: Array) -> None:
    """Paint nostrils and the shadow under the nose (its form is in the light)."""
    shape = person.shape
    y = shape["nose_y"] + 0.075
    window = picture.window(fx, fy, (0, y), (0.4, 0.2))
    picture, fx, fy = picture.part(window), fx[window], fy[window]
    under = bump(fx, fy, (0, y + 0.03), (shape["nose_width"] * 1.1, 0.035))
    picture.shade(1 - 0.28 * under)
    for side in (-1, 1):
        hole = bump(fx, fy, (side * shape["nose_width"] * 0.55, y), (0.036, 0.020))
        picture.shade(1 - 0.75 * hole)
        wing = (side * shape["nose_width"] * 1.18, y - 0.03)
        picture.shade(1 - 0.22 * bump(fx, fy, wing, (0.022, 0.045)))


def mouth(picture: Canvas, person: Person, fx: Array, fy: Array) -> None:
    """Paint lips, and teeth where the mouth is open."""
    shape = person.shape
    window = picture.window(fx, fy, (0, shape["mouth_y"]), (0.45, 0.3))
    picture, fx, fy = picture.part(window), fx[window], fy[window]
    width, lip, smile = shape["mouth_width"], shape["lip"], shape["smile"]
    across = np.clip(fx / width, -1.2, 1.2)
    arch = np.clip(1 - across**2, 0, 1)
    line = shape["mouth_y"] - 0.075 * smile * (across**2 - 0.35)
    gape = shape["gape"] * arch
    bow = 1 - 0.28 * np.exp(-((fx / 0.035) ** 2))
    top = line - gape * 0.4 - lip * 0.75 * arch**0.8 * bow
    bottom = line + gape + lip * arch**0.7
    skin = np.array(person.skin, np.float32)
    red = np.array([0.42, 0.10, 0.10], np.float32) * (0.35 + 0.65 * skin.max())
    colour = skin * (1 - 0.55 * shape["lip_red"]) * 0.85 + red * 0.55 * shape["lip_red"]
    form = 0.78 + 0.35 * np.clip((fy - line) / (lip + 1e-6), -1, 0.7)
    creases = 1 + 0.06 * np.sin(fx * 90)
    lips = np.maximum(np.maximum(top - fy, fy - bottom), np.abs(fx) - width)
    picture.paint(picture.edge(lips, 0.012), colour * (form * creases)[..., None])
    inner_top, inner_bottom = line - gape * 0.4, line + gape
    inner = np.maximum(
        np.maximum(inner_top - fy, fy - inner_bottom), np.abs(fx) - width
    )
    picture.paint(picture.edge(inner), (0.03, 0.008, 0.008))
    if shape["gape"] > 0.012:
        teeth = np.maximum(inner, fy - inner_top - 0.9 * gape)
        gaps = 1 - 0.25 * np.exp(-((np.sin(fx * 52) / 0.15) ** 2))
        shine = 0.62 * gaps * (1 - 0.5 * across**2)
        picture.paint(picture.edge(teeth), shine[..., None] * np.array([1, 0.95, 0.88]))
    seam = np.abs(fy - line) - 0.006
    seam = np.maximum(seam, np.abs(fx) - width)
    if shape["gape"] <= 0.012:
        picture.shade(1 - 0.7 * picture.edge(seam, 0.014))
    for side in (-1, 1):
        at = (side * width, shape["mouth_y"] - 0.05 * smile)
        picture.shade(1 - 0.35 * bump(fx, fy, at, (0.03, 0.025)))
    picture.shade(1 - 0.18 * bump(fx, fy, (0, shape["mouth_y"] + 0.15), (0.14, 0.03)))


def glasses(picture: Canvas, person: Person) -> None:
    """Paint a frame with tinted lenses over the finished face."""
    shape = person.shape
    x = picture.x - shape["yaw"] * 1.04
    y = picture.y - shape["eye_y"] - 0.02 - shape["pitch"]
    power = 2.0 + 3.0 * shape["lens_round"]
    wide, tall = 0.235, 0.165 + 0.03 * shape["lens_round"]
    rim = 0.012 + 0.016 * shape["lens_dark"]
    frame = np.full_like(x, np.inf)
    for side in (-1, 1):
        across = np.abs((x - side * (shape["eye_x"] - 0.01)) / wide)
        down = np.abs(y / tall)
        lens = ((across**power + down**power) ** (1 / power) - 1) * tall
        picture.shade(1 - 0.10 * picture.edge(lens))
        streak = np.abs(x + y - side * shape["eye_x"] + 0.12) - 0.03
        glare = picture.edge(np.maximum(lens, streak), 0.03) * np.float32(0.10)
        picture.paint(glare, (1, 1, 1))
        frame = np.minimum(frame, np.abs(lens) - rim)
        temple = np.maximum(np.abs(y + 0.05) - 0.016, 0.53 - x * side)
        temple = np.maximum(temple, x * side - shape["width"] * 0.97)
        frame = np.minimum(frame, temple)
    bridge = np.abs(y + 0.05 - 0.6 * x**2) - 0.014
    frame = np.minimum(frame, np.maximum(bridge, np.abs(x) - 0.10))
    picture.shade(1 - 0.25 * picture.edge(frame - 0.02, 0.04))
    tone = 0.02 + 0.25 * (1 - shape["lens_dark"]) ** 2
    picture.paint(picture.edge(frame), (tone, tone * 0.85, tone * 0.7))
