"""The built-in data set, made on the spot: no download, no photo of a person.

A seed enters; `real/*.jpg`, `fake/<generator>/*.jpg` and `manifest.csv`, split 5:1:1 by
pair, leave. It is a simulation: cartoon portraits, photographed by simulated cameras
("real") and decoded by simulated generators ("fake"). The same seed gives the same
bytes, given the same versions of NumPy, SciPy and Pillow.
"""

from pathlib import Path

DEFAULT_PAIRS = 644
NOTE = (
    "The images are the built-in simulation (drawn faces, simulated cameras and "
    "generators): these numbers say nothing about real photos."
)


def make(folder: Path, seed: int = 0, pairs: int = DEFAULT_PAIRS) -> Path:
    """Make the data set in `folder`, or finish it, or find it already there.

    Args:
        folder: New, empty, or made by an earlier call with the same arguments.
        seed: Seed of people, cameras and noise.
        pairs: Photos, and generated pictures, one of each scene.

    Returns:
        The manifest's path.

    Raises:
        InputError: `folder` is a file, or holds something else; `pairs` is too small.
    """
    from kerasfaces.sample.build import build

    return build(folder, seed, pairs)
