"""Names of the engines that run torch networks, with their versions; torch stays out."""

import importlib.util
from importlib import metadata

from kerasfaces.core.errors import MissingExtraError

# Plug-ins that an engine runs: those with an option `engine`.
RUN_BY_ENGINE = frozenset({"lnp", "sam"})


def chosen(engine: str, option: str) -> str:
    """Return the engine of a choice: `auto` is OpenVINO where it is installed.

    Args:
        engine: `auto`, `torch` or `openvino`.
        option: The user's name of the choice, for messages.

    Raises:
        MissingExtraError: `openvino` was asked for and is not installed.
    """
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "openvino" and not installed:
        raise MissingExtraError(
            "openvino is not installed; run: pip install 'kerasfaces[fast]', or "
            f"set {option}=torch."
        )
    return "openvino" if installed and engine != "torch" else "torch"


def full_name(engine: str) -> str:
    """Return an engine with its version here, without what it was built for (`+cpu`).

    Returns:
        `openvino 2026.4.1`; the empty string where it is not installed.
    """
    try:
        return f"{engine} {metadata.version(engine).partition('+')[0]}"
    except metadata.PackageNotFoundError:
        return ""
