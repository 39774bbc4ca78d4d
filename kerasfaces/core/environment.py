"""What this process runs on, for the record in a run folder."""

import contextlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from kerasfaces.core import numerics
from kerasfaces.core.files import Json

_PACKAGES = (
    "kerasfaces",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "numpy",
    "pillow",
    "openvino",
    "onnxruntime",
    "scikit-learn",
)


def describe() -> Json:
    """Return what this process runs on: versions (nothing is imported), cores, backend."""
    versions = {}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cpu_count": os.cpu_count(),
        "packages": versions,
        "keras_backend": numerics.backend(),
        "threads": numerics.n_threads(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }
