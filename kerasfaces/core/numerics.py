"""What a number may depend on besides its inputs, set for commands in one place.

Keras' file keras.json, variables that change precision, and the locale are the user's;
a command computes as if they were not there, and says which of them it passed over. The
library, imported into somebody's program, changes nothing global: settings that would
change numbers are refused (`refuse_changed`). What is left, the backend and the engine,
is part of a cache's name and of environment.json.
"""

import importlib
import importlib.util
import locale
import logging
import os
import shutil
import sys

from kerasfaces.core import homes, machine
from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.texts import quoted

logger = logging.getLogger(__name__)

BACKENDS = ("tensorflow", "jax")
_COMMAND = "KERASFACES_COMMAND"  # set for a command's own processes
# TensorFlow's own defaults, but for TF32: 10 bits of a number would be lost on some GPUs.
_FIXED = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "NVIDIA_TF32_OVERRIDE": "0",
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
    "DNNL_DEFAULT_FPMATH_MODE": "STRICT",
}
_DROPPED = (
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "KERAS_NNX_ENABLED",
    "TF_XLA_FLAGS",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_ENABLE_AUTO_MIXED_PRECISION",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_DEFAULT_DTYPE_BITS",
    "JAX_ENABLE_X64",
    "JAX_NUMPY_DTYPE_PROMOTION",
)
# A GPU's memory is taken as it is needed, not all of it at the start.
_MEMORY = {
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
}
_PLACES = "--xla_gpu_cuda_data_dir="  # the one XLA flag that only says where files are
_SETTINGS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
_LIMITS = ("max_epochs", "max_steps_per_epoch")


def settle_environment() -> None:
    """Set what a command's numbers may depend on, before any framework is imported."""
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    passed_over = []
    for name, value in _FIXED.items():
        if os.environ.get(name, value) != value:
            passed_over.append(name)
        os.environ[name] = value
    for name in _DROPPED:
        if os.environ.pop(name, None):
            passed_over.append(name)
    flags = os.environ.pop("XLA_FLAGS", "").split()
    harmless = [flag for flag in flags if flag.startswith(_PLACES)]
    if harmless:
        os.environ["XLA_FLAGS"] = " ".join(harmless)
    if len(harmless) < len(flags):
        passed_over.append("XLA_FLAGS")
    if passed_over and _COMMAND not in os.environ:
        logger.warning(
            "%s would change numbers and %s not used",
            ", ".join(passed_over),
            "are" if len(passed_over) > 1 else "is",
        )
    for name, value in _MEMORY.items():
        os.environ.setdefault(name, value)
    os.environ[_COMMAND] = "1"
    locale.setlocale(locale.LC_NUMERIC, "C")


def handed_on() -> dict[str, str]:
    """Return the variables with which a worker elsewhere computes as this process does."""
    names = ("KERAS_BACKEND", _COMMAND, *(_FIXED if _COMMAND in os.environ else ()))
    return {name: os.environ[name] for name in names if name in os.environ}


def import_keras() -> None:
    """Import Keras; in a command, set what its numbers depend on.

    Raises:
        InputError: KERAS_BACKEND is none that kerasfaces runs on, keras.json is broken, or,
            in somebody's program, Keras is set to other numbers than ours.
        MissingExtraError: The backend is not installed, or its installation is broken.
    """
    if "keras" not in sys.modules:
        _check_backend()
        _import()
    if _COMMAND in os.environ:
        _settle_keras()
    refuse_changed()


def refuse_changed() -> None:
    """Check that Keras computes as kerasfaces' numbers are meant.

    Raises:
        InputError: The message names the first setting that differs.
    """
    import keras

    _check_name(backend())
    settings: dict[str, object] = {
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
    }
    wanted = _SETTINGS | {"dtype_policy": _SETTINGS["floatx"]}
    for name, value in settings.items():
        if value != wanted[name]:
            raise InputError(
                f"Keras' {name} is {quoted(value)}, by this program or by keras.json, and would "
                f"change numbers; expected {quoted(wanted[name])}: call "
                f"keras.config.set_{name}({quoted(wanted[name])}) before kerasfaces."
            )
    for name in _LIMITS:
        if (limit := getattr(keras.config, name, lambda: None)()) is not None:
            raise InputError(
                f"Keras' {name} is {limit}, so that training would end early; call "
                f"keras.config.set_{name}(None) before kerasfaces."
            )


def backend() -> str:
    """Return the backend that computes, or that would: Keras need not be imported."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    return os.environ.get("KERAS_BACKEND") or "tensorflow"


def n_threads() -> int:
    """Return how many threads this process computes with.

    A worker process is told its share of the cores by OMP_NUM_THREADS.
    """
    share = os.environ.get("OMP_NUM_THREADS", "")
    cores = machine.usable_cores()
    return min(cores, int(share)) if share.isdecimal() and int(share) else cores


def gpu_problem() -> str:
    """Return why no GPU is used although there seems to be one; empty where all is well.

    TensorFlow alone is asked: it goes on without a GPU that it cannot use.
    """
    if backend() != "tensorflow":
        return ""
    tf = importlib.import_module("tensorflow")
    # Always here, where the caller holds back what the first look writes to stderr.
    gpus = tf.config.list_physical_devices("GPU")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    has_driver = shutil.which("nvidia-smi") is not None
    if hidden or not has_driver or gpus:
        return ""
    return (
        "TensorFlow finds no GPU, although this machine has NVIDIA's driver: computing on the "
        'CPU. Its own message: python -c "import tensorflow as tf; '
        "tf.config.list_physical_devices('GPU')\""
    )


def _check_backend() -> None:
    name = backend()
    _check_name(name)
    if importlib.util.find_spec(name) is None:
        other = "tensorflow" if name == "jax" else "jax"
        raise MissingExtraError(
            f"KERAS_BACKEND is {name}, which is not installed; run: pip install {name}, or "
            f"set KERAS_BACKEND={other}."
        )


def _check_name(name: str) -> None:
    if name not in BACKENDS:
        raise InputError(
            f"Keras' backend (KERAS_BACKEND) is {quoted(name)}; expected "
            f"{' or '.join(BACKENDS)}: unset KERAS_BACKEND to use TensorFlow."
        )


def _import() -> None:
    settings = homes.keras_file()
    try:
        importlib.import_module("keras")
    except ImportError as error:
        reason = " ".join(str(error).split())[:200]
        raise MissingExtraError(
            f"Keras with backend {backend()} is installed but cannot be imported "
            f"({reason}); run: pip install --force-reinstall keras {backend()}"
        ) from error
    except Exception as error:
        if settings is None or not settings.exists():
            raise
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise InputError(
            f"{settings} cannot be used by Keras ({reason}); delete it, or mend it."
        ) from error


def _settle_keras() -> None:
    import keras

    for name, value in _SETTINGS.items():
        getattr(keras.config, f"set_{name}")(value)
    keras.config.set_dtype_policy(_SETTINGS["floatx"])
    for name in _LIMITS:
        if hasattr(keras.config, f"set_{name}"):
            getattr(keras.config, f"set_{name}")(None)
    if backend() == "tensorflow":
        tf = importlib.import_module("tensorflow")
        tf.config.experimental.enable_tensor_float_32_execution(False)
