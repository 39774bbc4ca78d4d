"""A channel store made by NumPy in a moment: what training and evaluation need of one."""

import numpy as np

from kerasfaces import images, store
from kerasfaces.core.errors import ImageError

SIZE_PX = 32
NAMES = [
    *("red", "green", "blue", "lnp_red", "lnp_green", "lnp_blue"),
    *("amplitude", "phase"),
]
SPEC = images.InputSpec(size_px=SIZE_PX)


def recipe(dtype="float16", **changes):
    """A recipe of the channel stage's form."""
    ranges = {name: [0.0, 255.0] for name in NAMES[:3]}
    ranges |= {name: [-255.0, 255.0] for name in NAMES[3:6]}
    ranges |= {"amplitude": [0.0, None], "phase": [-3.15, 3.15]}
    scale = {name: [0.0, 1.0] for name in NAMES[:3]}
    scale |= {name: [-64.0, 0.5] for name in NAMES[3:6]}
    scale |= {"amplitude": [0.0, 0.05], "phase": [-3.15, 6.3 / 255]}
    return {
        "kind": "channels",
        "names": NAMES,
        "ranges": ranges,
        "scale": scale if dtype == "uint8" else None,
        "config": {
            "channels": ["rgb", "lnp", "spectrum"],
            "mask": "none",
            "size_px": SIZE_PX,
            "crop": "square",
            "filter": "bicubic",
            "dtype": dtype,
            "options": {
                "lnp": {"weights": "somewhere.npz"},
                "spectrum": {"amplitude": "log"},
            },
        },
        "made_by": {"loader": SPEC.recipe(), "fake": 1},
    } | changes


def channels(pixels):
    """`(h, w, 3)` uint8 -> `(h, w, 8)` float32: pixels, residual, its spectrum."""
    values = pixels.astype(np.float32)
    smooth = sum(
        np.roll(values, shift, axis) for shift in (-1, 0, 1) for axis in (0, 1)
    )
    noise = values - smooth / 6
    spectrum = np.fft.fftshift(np.fft.fft2(noise.mean(axis=-1))) / SIZE_PX**2
    planes = [np.log1p(100 * np.abs(spectrum)), np.angle(spectrum)]
    return np.concatenate([values, noise, np.stack(planes, axis=-1)], axis=-1).astype(
        np.float32
    )


def make(folder, files, dtype="float16", **changes):
    """Write the store; images that cannot be decoded enter with their reason."""
    made_by = recipe(dtype, **changes)
    with store.writing(folder, made_by, (SIZE_PX, SIZE_PX, 8), dtype) as target:
        arrays, reasons = {}, {}
        for path in files:
            data = path.read_bytes()
            try:
                pixels = images.to_array(images.decode(data), SPEC)
                arrays[images.sha256(data)] = channels(pixels)
            except ImageError as error:
                reasons[images.sha256(data)] = str(error)
        target.append_failures(reasons)
        keys = list(arrays)
        for start in range(0, len(keys), 16):
            part = keys[start : start + 16]
            values = np.stack([arrays[key] for key in part])
            if dtype == "uint8":
                scale = np.array([made_by["scale"][name] for name in NAMES]).T
                values = np.clip(np.rint((values - scale[0]) / scale[1]), 0, 255)
            target.append(part, values.astype(dtype))
    return folder
