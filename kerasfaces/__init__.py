"""kerasfaces: detect AI-generated face images, and know how well it works.

    import kerasfaces as kf

    data = kf.Manifest.from_csv("photos/manifest.csv").split()
    detector = kf.Detector("mobilenetv2").fit(data)
    detector.evaluate().plot_roc()
    detector.predict("photo.jpg")

The pipeline, in order; each stage reads and writes files (`python -m kerasfaces` prints
them with their inputs and outputs):

    sample -> manifest -> train -> evaluate -> attribute, explain, predict, export

Importing this package imports neither Keras, TensorFlow nor torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasfaces.api.data import Manifest
    from kerasfaces.api.detector import Detector, list_models, load_run
    from kerasfaces.api.loading import load_sample
    from kerasfaces.api.result import Result
    from kerasfaces.api.several import (
        build_ensemble,
        compare_detectors,
        cross_generators,
        run_study,
    )
    from kerasfaces.core.errors import KerasfacesError
    from kerasfaces.core.progress import show_progress

__version__ = "0.1.0"

_MODULES = {
    "api.data": ("Manifest",),
    "api.detector": ("Detector", "list_models", "load_run"),
    "api.loading": ("load_sample",),
    "api.result": ("Result",),
    "api.several": (
        "build_ensemble",
        "compare_detectors",
        "cross_generators",
        "run_study",
    ),
    "core.errors": ("KerasfacesError",),
    "core.progress": ("show_progress",),
}
__all__ = [
    "Detector",
    "KerasfacesError",
    "Manifest",
    "Result",
    "build_ensemble",
    "compare_detectors",
    "cross_generators",
    "list_models",
    "load_run",
    "load_sample",
    "run_study",
    "show_progress",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    for module, names in _MODULES.items():
        if name in names:
            value = getattr(importlib.import_module(f"kerasfaces.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
