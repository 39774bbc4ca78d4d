"""A person in a room, in linear light, before any camera.

A `Person` enters, an array at twice the photo's resolution leaves; its fine structure
(pores, strands, weave) is what cameras and generators then treat differently.
"""

import numpy as np

from kerasfaces.sample import features
from kerasfaces.sample.canvas import Array, Canvas, blur, canvas, fractal, noise
from kerasfaces.sample.person import Person

SUPERSAMPLE = 2


def render(person: Person, size_px: int, rng: np.random.Generator) -> Array:
    """Return a portrait of twice the photo's size, `(2 size_px, 2 size_px, 3)` float32.

    It is linear light, white near 1; `rng` draws texture, light and background.
    """
    picture = canvas(SUPERSAMPLE * size_px, person.shape)
    _background(picture, rng)
    strands = features.Strands(person, picture, rng)
    features.hair_behind(picture, person, strands)
    _body(picture, person, rng)
    _head(picture, person, strands, rng)
    features.hair_in_front(picture, person, strands)
    if person.glasses == "glasses":
        features.glasses(picture, person)
    return np.clip(picture.image, 0.0, 1.3)


def _background(picture: Canvas, rng: np.random.Generator) -> None:
    size = picture.x.shape[0]
    first, second = _wall_colour(rng), _wall_colour(rng)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.5 + 0.3 * (np.cos(angle) * picture.x + np.sin(angle) * picture.y)
    picture.paint(np.ones_like(ramp), first)
    picture.paint(np.clip(ramp, 0, 1), second)
    kind = int(rng.integers(4))
    if kind == 0:  # a plain wall with plaster
        picture.shade(1 + rng.uniform(0.02, 0.10) * fractal(rng, size, 12, 4))
    elif kind == 1:  # lights out of focus
        for _ in range(int(rng.integers(4, 12))):
            at, radius = rng.uniform(-1.8, 1.8, 2), rng.uniform(0.12, 0.4)
            disc = picture.edge(picture.ellipse((at[0], at[1]), (radius, radius)), 0.06)
            mask = disc * np.float32(rng.uniform(0.15, 0.6))
            picture.paint(mask, _wall_colour(rng) + 0.15)
    elif kind == 2:  # foliage
        leaves = fractal(rng, size, rng.uniform(16, 50), 4)
        picture.shade(np.exp(np.clip(rng.uniform(0.2, 0.5) * leaves, -2, 0.8)))
    else:  # shelves, boards or bricks
        turn = picture.x if rng.random() < 0.5 else picture.y
        wave = np.sin(turn * rng.uniform(5, 16) + 0.3 * noise(rng, size, 60))
        picture.shade(0.8 + 0.25 * np.clip(3 * wave, -1, 1))
        picture.shade(1 + 0.06 * fractal(rng, size, 20, 4))
    picture.image = blur(picture.image, float(rng.choice([0.0, 1.0, 3.0, 6.0])))


def _wall_colour(rng: np.random.Generator) -> Array:
    grey, tint = rng.beta(1.3, 1.8) * 0.8 + 0.02, rng.normal(0, 0.35, 3)
    return np.clip(grey * np.exp(tint), 0.01, 0.95).astype(np.float32)


def _body(picture: Canvas, person: Person, rng: np.random.Generator) -> None:
    x, y, size = picture.x, picture.y, picture.x.shape[0]
    man = person.gender == "man"
    neck = np.abs(x) - (0.44 if man else 0.37) - 0.25 * np.clip(y - 1.0, 0, 1) ** 2
    shadow = 0.42 + 0.5 * np.clip((y - 0.95) / 0.5, 0, 1) - 0.35 * np.abs(x)
    skin = np.array(person.skin, np.float32) * np.clip(shadow, 0.15, 1)[..., None]
    picture.paint(picture.edge(np.maximum(neck, 0.5 - y)), skin)
    neckline = picture.ellipse((0, 1.1), (0.36, 0.25 + rng.uniform(0.0, 0.35)))
    top = 1.28 + 0.16 * (np.abs(x) / 0.9) ** 2 - (0.06 if man else 0.0)
    mask = picture.edge(np.maximum(top - y, -neckline))
    threads = np.sin(x * rng.uniform(60, 110)), np.sin(y * rng.uniform(60, 110))
    weave = 1 + 0.10 * threads[0] * threads[1]
    folds = 1 + 0.18 * noise(rng, size, 40) + 0.05 * noise(rng, size, 2)
    cloth = np.array(person.cloth, np.float32)[None, None] * (weave * folds)[..., None]
    if rng.random() < 0.3:
        stripes = (np.sin(x * rng.uniform(14, 30)) > 0.3)[..., None]
        cloth = cloth + (rng.random(3).astype(np.float32) - cloth) * stripes * 0.6
    picture.paint(mask, np.clip(cloth, 0, 1))


def _head(
    picture: Canvas, person: Person, strands: features.Strands, rng: np.random.Generator
) -> None:
    shape = person.shape
    skin = np.array(person.skin, np.float32)
    for side in (-1, 1):
        ear = picture.ellipse((side * shape["width"] * 1.0, 0.05), (0.10, 0.19))
        inner = picture.bump((side * shape["width"] * 1.02, 0.03), (0.05, 0.10))
        picture.paint(picture.edge(ear), skin * (0.75 - 0.3 * inner)[..., None])
    outline, reach = face_outline(person, picture.x, picture.y)
    depth = np.sqrt(np.clip(1 - reach**2, 0, 1))
    turned = picture.x - shape["yaw"] * depth, picture.y - shape["pitch"] * depth
    face = picture.moved(*turned)
    light = _light(face, person, depth, rng)
    under = picture.image.copy()
    picture.image[:] = _skin(face, person, rng) * light
    features.brows(face, person, strands.texture)
    features.eyes(face, person)
    features.nose(face, person)
    features.mouth(face, person)
    features.beard(face, person, strands)
    mask = picture.edge(outline)[..., None]
    picture.image[:] = under + mask * (picture.image - under)


def face_outline(person: Person, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the signed distance to the face's outline and the relative radius."""
    shape = person.shape
    taper = 1 - shape["taper"] * np.clip(y, 0, 1.2) ** 1.8 + 0.02 * np.cos(3 * y)
    across = x / (shape["width"] * taper)
    upper = np.sqrt(across**2 + np.where(y > 0, y, y / 1.04) ** 2)
    lower = (np.abs(across) ** 2.3 + np.abs(y) ** 2.3) ** (1 / 2.3)
    reach = np.where(y > 0.0, lower, upper)
    return ((reach - 1) * 0.75).astype(np.float32), reach.astype(np.float32)


def _light(
    face: Canvas, person: Person, depth: Array, rng: np.random.Generator
) -> Array:
    slope_y, slope_x = np.gradient(blur(_relief(face, person, depth), 1.2), face.pixel)
    limit = np.clip(1 / np.maximum(np.hypot(slope_x, slope_y) / 2.5, 1), 0, 1)
    slope_x, slope_y = slope_x * limit, slope_y * limit
    norm = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)

    def facing(way: Array) -> Array:
        """Return how far the surface is turned to a direction, 1: wholly."""
        turned: Array = (-slope_x * way[0] - slope_y * way[1] + way[2]) * norm
        return turned

    side, lift = rng.uniform(-0.8, 0.8), rng.uniform(-0.7, -0.05)
    key = np.array([side, lift, 0.8]) / np.sqrt(side**2 + lift**2 + 0.64)
    key = key.astype(np.float32)
    ambient = rng.uniform(0.18, 0.45)
    diffuse = np.clip((facing(key) + 0.25) / 1.25, 0, 1)
    level = ambient * (0.6 + 0.4 * norm) + (1.15 - ambient) * diffuse
    half = key + np.array([0, 0, 1])
    mirror = facing((half / np.linalg.norm(half)).astype(np.float32))
    gloss = person.shape["shine"] * np.clip(mirror, 0, 1) ** 26
    # Light that went through skin is redder.
    tint = 1 + (1 - diffuse)[..., None] * np.array([0.06, 0.0, -0.04], np.float32) * 1.5
    result: Array = (level[..., None] * tint + gloss[..., None]).astype(np.float32)
    return result


def _relief(face: Canvas, person: Person, depth: Array) -> Array:
    shape, x, y = person.shape, face.x, face.y
    eye_y, nose_y, smile = shape["eye_y"], shape["nose_y"], shape["smile"]
    along = np.clip((y - eye_y + 0.02) / (nose_y - eye_y), 0, 1)
    ridge = np.exp(-((x / (0.055 + 0.035 * along)) ** 2)) * along
    ridge *= np.clip((nose_y + 0.10 - y) / 0.09, 0, 1)
    height = 0.85 * depth + 0.13 * ridge
    height += 0.06 * face.bump((0, nose_y), (0.085, 0.065))
    for side in (-1, 1):
        eye = (side * shape["eye_x"], eye_y - 0.02)
        height -= 0.060 * face.bump(eye, (0.17, 0.10))
        height += 0.030 * face.bump(eye, (0.10, 0.055))
        height += 0.05 * face.bump((side * 0.40, 0.22), (0.16, 0.16))
        wing = (side * shape["nose_width"], nose_y + 0.03)
        height += 0.03 * face.bump(wing, (0.045, 0.045))
        fold = x * side - (0.17 + 0.28 * (y - nose_y) + 0.05 * smile)
        crease = face.bump((side * 0.2, 0.42), (0.2, 0.14))
        crease = np.exp(-((fold / 0.03) ** 2)) * crease
        height -= (0.008 + 0.010 * shape["age"] + 0.012 * max(smile, 0)) * crease
    height += 0.035 * face.bump((0, shape["mouth_y"]), (0.26, 0.10))
    height += 0.03 * face.bump((0, 0.84), (0.14, 0.10))
    result: Array = height.astype(np.float32)
    return result


def _skin(face: Canvas, person: Person, rng: np.random.Generator) -> Array:
    shape, size = person.shape, face.x.shape[0]
    mottle = 0.035 * noise(rng, size, 24) + 0.02 * noise(rng, size, 7)
    pores = noise(rng, size, 1.0) * 0.030 + noise(rng, size, 2.2) * 0.035
    tone = 1 + mottle + shape["pores"] * pores
    if shape["age"] > 0.5:
        lines = np.sin(face.y * 42 + 0.8 * noise(rng, size, 30)) > 0.8
        forehead = face.bump((0, -0.42), (0.4, 0.12))
        tone -= (shape["age"] - 0.5) * 0.10 * lines * forehead
    spots = np.clip(noise(rng, size, 3.5) - 2.1, 0, 0.6)
    tone -= 0.6 * shape["freckles"] * spots * face.bump((0, 0.15), (0.6, 0.3))
    cheeks = [face.bump((side * 0.42, 0.24), (0.22, 0.2)) for side in (-1, 1)]
    tip = face.bump((0, shape["nose_y"]), (0.12, 0.1))
    red = 0.08 * (cheeks[0] + cheeks[1]) + 0.06 * tip
    colour = np.array(person.skin, np.float32) * tone[..., None]
    colour *= 1 + red[..., None] * np.array([1.0, -0.9, -0.7], np.float32)
    return np.clip(colour, 0.003, 1).astype(np.float32)
