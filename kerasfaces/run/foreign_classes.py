"""A .keras file may name classes of anybody's: one that does is refused by its name.

Networks are built from config.json of the run and only their weights are read, so that no
class of the file is ever made; a file that asks for one is not what training wrote.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from kerasfaces.core.errors import RunError
from kerasfaces.core.texts import quoted

_OURS = ("keras", "kerasfaces", "keras_hub")  # first parts of modules
_CODE = ("Lambda", "__lambda__", "function")  # classes that carry Python code
_MAX_BYTES = 2**26  # of the config; a small file can claim to hold anything


def refuse(file: Path) -> None:
    """Refuse a .keras file that names code or a class of other packages.

    A file that is no archive, or holds no config, is left to whoever reads its weights.

    Raises:
        RunError: The message names the class; or the config is no JSON.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if archive.getinfo("config.json").file_size > _MAX_BYTES:
                raise RunError(f"{file} has a config of over {_MAX_BYTES:,} bytes.")
            config = json.loads(archive.read("config.json"))
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{file} has a config that cannot be read, so nobody knows what it names; restore "
            "the file, or train the run again."
        ) from error
    except (OSError, KeyError, NotImplementedError, zipfile.BadZipFile):
        return  # no archive, or one without a config that zipfile reads
    for module, name in _classes(config):
        root = module.partition(".")[0]
        if name in _CODE or (root and root not in _OURS):
            raise RunError(
                f"{file} names {quoted(f'{module}.{name}'.lstrip('.'))}, which could run "
                "code; expected layers of Keras and kerasfaces alone. Restore the file, or "
                "train the run again."
            )


def _classes(config: object) -> Iterator[tuple[str, str]]:
    """Yield module and name of every class of a config, however deep."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield str(part.get("module") or ""), str(part["class_name"])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
