"""A trained network's file of a run folder -> its weights, in a network built anew."""

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

_WEIGHTS = "model.weights.h5"  # Keras' name of the weights inside a .keras file


def load_into(model: "keras.Model", file: Path) -> None:
    """Load the weights of a .keras file into a network of the same layers.

    The weights are unpacked first: Keras 3.13 reads them inside the archive, where each step
    back starts at the beginning, which takes ResNet-50 seven times as long.

    Raises:
        ValueError, OSError, KeyError, zipfile.BadZipFile: The file is damaged, or of other
            layers.
    """
    # Windows keeps a file that a failed load has left open.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        model.load_weights(str(_unpacked(file, Path(folder)) or file))


def _unpacked(file: Path, folder: Path) -> Path | None:
    """Return the weights, unpacked into a folder; None where Keras must read the archive.

    Keras stores them as they are. Compressed ones, which could unpack to any size, are left
    to it, and so is everything where the folder's disk is full.

    Raises:
        zipfile.BadZipFile: The file is no archive, or the weights have another checksum.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            weights = archive.getinfo(_WEIGHTS)
            if weights.compress_type != zipfile.ZIP_STORED:
                return None
            return Path(archive.extract(weights, folder))
    except (OSError, KeyError):
        return None
