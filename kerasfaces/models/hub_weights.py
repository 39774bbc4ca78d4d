"""Weights of keras-hub's and Hugging Face's models: addresses, folders, parts of files.

Only numbers are read. A folder's `config.json` decides nothing: sizes are ours.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerasfaces.core import config
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.core.texts import quoted
from kerasfaces.models import state_dicts
from kerasfaces.models.published import KAGGLE_FILE, HubRepository, KaggleFile

_HUB, _KAGGLE = "hf://", "kaggle://"
_OF_H5PY = (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError)


def published(address: str) -> KaggleFile | HubRepository:
    """Return where weights are published, by `hf://owner/name` or `kaggle://...`.

    Raises:
        InputError: It is no such address.
    """
    name = address.removeprefix(_HUB)
    if address.startswith(_HUB) and re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        return HubRepository(name)
    name = address.removeprefix(_KAGGLE)
    if address.startswith(_KAGGLE) and re.fullmatch(r"[\w.-]+(/[\w.-]+){3}/\d+", name):
        return KaggleFile(name)
    raise InputError(
        f"`weights={address!r}`: expected hf://OWNER/NAME or kaggle://OWNER/MODEL/keras/"
        "VARIATION/VERSION."
    )


def is_address(text: str) -> bool:
    """Tell whether weights are named by an address rather than a path."""
    return text.startswith((_HUB, _KAGGLE))


def files_of(path: Path) -> list[Path]:
    """Return the weights files of a folder, or the file itself.

    Raises:
        MissingFileError: The folder holds none.
    """
    if path.is_file():
        return [path]
    shards = sorted(path.glob("*.safetensors"))
    one = [file for file in shards if file.name == "model.safetensors"]
    files = one or shards or sorted(path.glob(KAGGLE_FILE))
    if not files:
        raise MissingFileError(
            f"{path}: no weights in this folder; expected {KAGGLE_FILE} (keras-hub) or "
            "*.safetensors (Hugging Face)."
        )
    return files


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or what stands for it where a folder holds several."""
    digests = [sha256(file) for file in files_of(path)]
    return digests[0] if len(digests) == 1 else config.digest(digests, 64)


def is_hub_file(path: Path) -> bool:
    """Tell whether weights are a file of keras-hub's, .h5."""
    return files_of(path)[0].suffix == ".h5"


def state_of(path: Path, wanted: Callable[[str], bool]) -> state_dicts.Arrays:
    """Return the wanted arrays of a state dict in one file or several.

    Raises:
        InputError: A file is damaged or of another kind.
    """
    state: state_dicts.Arrays = {}
    for file in files_of(path):
        if file.suffix not in state_dicts.ENDINGS:
            raise InputError(
                f"a file ending in {quoted(file.suffix)} is not read, expected .h5, "
                f"{', '.join(state_dicts.ENDINGS)}"
            )
        state |= state_dicts.read(file, wanted)
    return state


def load_part(model: keras.Model, path: Path) -> None:
    """Load keras-hub's file into a model: all of the file, or the part that sees images.

    Args:
        model: A backbone, or the vision encoder of one that reads texts, too.
        path: The file, or its folder.

    Raises:
        InputError: It is damaged, or of another model.
    """
    import h5py

    (file,) = files_of(path)
    try:
        with h5py.File(file, "r") as whole, tempfile.TemporaryDirectory() as folder:
            names = [
                each for each in whole["layers"] if each.endswith("vision_encoder")
            ]
            part = whole[f"layers/{names[0]}"] if names else whole
            expected, actual = Counter[Any](), Counter[Any]()
            expected.update(tuple(weight.shape) for weight in model.weights)

            def count(_: str, item: object) -> None:
                if isinstance(item, h5py.Dataset):
                    actual[item.shape] += item.name.split("/")[-2] == "vars"

            part.visititems(count)
            if expected != actual:
                lacking, extra = expected - actual, actual - expected
                raise InputError(
                    f"{lacking.total()} arrays missing, {extra.total()} unexpected, e.g. "
                    f"{next(iter(lacking or extra))}"
                )
            if names:
                file = Path(folder) / KAGGLE_FILE
                with h5py.File(file, "w") as copy:
                    for name in part:
                        part.copy(name, copy)
            model.load_weights(file)
    except InputError:
        raise
    except _OF_H5PY as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"it cannot be read ({reason}); download it again") from error
